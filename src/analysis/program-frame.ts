import type { Frame } from "../wire/format.ts";

/** The frame of a stack (leaf first) that belongs to the program: the innermost that is not the runtime's own, else the leaf. */
export function programFrame(frames: readonly Frame[]): Frame | undefined {
  return frames.find(isOfProgram) ?? frames[0];
}

/** Native functions have no file, Node's own modules one of its own; what only Node knows lies in "node". */
function isOfProgram({ func, file }: Frame): boolean {
  return file !== "" && file !== "node" && !file.startsWith("node:") && !/^runtime[./]/.test(func);
}
