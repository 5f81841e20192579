import { fileURLToPath } from "node:url";
import { addTraceStep } from "../loader/traces.ts";

/** Our own code's folders, and the one frame that Node adds to callbacks while async_hooks are on. */
const OWN = [new URL(".", import.meta.url).href, new URL("../probe/", import.meta.url).href];
/** A copy of the annotation API, for the contexts in which jest runs tests. */
const COPY = fileURLToPath(new URL("../jest.cjs", import.meta.url));
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
  return file === COPY || OWN.some((folder) => file.startsWith(folder));
}
