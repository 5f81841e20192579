import { fileURLToPath } from "node:url";
import { addTraceStep } from "../loader/traces.ts";

/** Our own code's folders, and the one frame that Node adds to callbacks while async_hooks are on. */
const OWN = [new URL(".", import.meta.url).href, new URL("../probe/", import.meta.url).href];
/** The annotation API for the contexts in which jest runs tests, and every copy of the package that a program has. */
const CONTEXTS = fileURLToPath(new URL("../jest.cjs", import.meta.url));
const COPIES = /[\\/]node_modules[\\/]runtrace[\\/]dist[\\/]/;
const TRAMPOLINE_FILE = "node:internal/async_hooks";
const TRAMPOLINE = "callbackTrampoline";

/** Keeps our frames out of the stacks that the program reads, also through a function of its own. Answers what ends it. */
export function hideOwnFrames(): () => void {
  return addTraceStep(withoutOwn);
}

function withoutOwn(trace: NodeJS.CallSite[]): NodeJS.CallSite[] {
  const kept = trace.filter((frame) => !isOurs(frame));
  return kept.length === trace.length ? trace : kept;
}

function isOurs(frame: NodeJS.CallSite): boolean {
  const file = frame.getFileName();
  if (typeof file !== "string") return false;
  if (file === TRAMPOLINE_FILE) return frame.getFunctionName() === TRAMPOLINE;
  return file === CONTEXTS || COPIES.test(file) || OWN.some((folder) => file.startsWith(folder));
}
