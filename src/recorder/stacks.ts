import { isPlain, replace } from "../probe/replace.ts";

/** Our own code's folders, and the one frame that Node adds to callbacks while async_hooks are on. */
const OWN = [new URL(".", import.meta.url).href, new URL("../probe/", import.meta.url).href];
const TRAMPOLINE_FILE = "node:internal/async_hooks";
const TRAMPOLINE = "callbackTrampoline";

type Prepare = NonNullable<typeof Error.prepareStackTrace>;

/**
 * Keeps our frames out of the stacks that the program reads: Node's own Error.prepareStackTrace, which formats every
 * stack, is given the trace without them. A program that sets its own replaces ours with it. Answers what ends it.
 */
export function hideOwnFrames(): () => void {
  const original = isPlain("prepareStackTrace") ? Error.prepareStackTrace : undefined;
  if (typeof original !== "function") return () => {};
  const prepare: Prepare = (error, trace) => original(error, withoutOwn(trace));
  for (const key of ["name", "length"]) {
    Object.defineProperty(prepare, key, Object.getOwnPropertyDescriptor(original, key)!);
  }
  return replace(Error, "prepareStackTrace", prepare);
}

function withoutOwn(trace: NodeJS.CallSite[]): NodeJS.CallSite[] {
  const kept = trace.filter((frame) => !isOurs(frame));
  if (kept.length === trace.length) return trace;
  // Where we made room for our frames, the program's are now too many (probe/fs-sync.ts).
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")?.value as unknown;
  return typeof limit === "number" && kept.length > limit ? kept.slice(0, limit) : kept;
}

function isOurs(frame: NodeJS.CallSite): boolean {
  const file = frame.getFileName();
  if (typeof file !== "string") return false;
  if (file === TRAMPOLINE_FILE) return frame.getFunctionName() === TRAMPOLINE;
  return OWN.some((folder) => file.startsWith(folder));
}
