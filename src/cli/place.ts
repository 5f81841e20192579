/** Where in a program something is, in few characters. */
import { programFrame } from "../analysis/program-frame.ts";
import type { Frame } from "../wire/format.ts";
import { safeText } from "./format.ts";

/** The frame of a stack that belongs to the program. */
export function place(frames: readonly Frame[]): string {
  const frame = programFrame(frames);
  if (frame === undefined) return "";
  const at = location(frame.file, frame.line);
  return safeText(at === "" ? frame.func : `${frame.func} ${at}`);
}

/** The last two parts of a path are enough to know a file by. What only Node knows lies in "node", which is no place. */
export function location(file: string, line: number): string {
  if (file === "node") return "";
  const short = file.split("/").slice(-2).join("/");
  return line > 0 ? `${short}:${line}` : short;
}
