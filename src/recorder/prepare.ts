import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { Spent, installLoader, installRuntime, userCache } from "../loader/loader.ts";
import type { LoaderOptions } from "../loader/loader.ts";
import { FrameSource } from "../probe/frames.ts";
import { slot } from "./slot.ts";

/** Which files are transformed. */
export type Selection = Pick<LoaderOptions, "include" | "exclude">;

/** What a Worker's thread gets of its maker's. */
interface Inherited {
  readonly selection: Selection;
  readonly spent: Int32Array;
}

/** Under which Workers inherit the selection, by worker_threads' environment data. */
const SELECTION_KEY = "runtrace:loader";

/**
 * Makes this thread ready to be recorded: whatever it loads from now on is transformed, and tells nobody while nothing
 * records. Comes before any code of the program.
 */
export function prepare(selection: Selection, spent = newSpent()): void {
  const shared = slot();
  if (shared.frames !== undefined) return;
  shared.frames = new FrameSource();
  shared.spent = spent;
  installRuntime(shared.frames);
  installLoader({ ...selection, cache: userCache(), spent });
  setEnvironmentData(SELECTION_KEY, { selection, spent });
}

function newSpent(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * Object.keys(Spent).length));
}

/** In a Worker: makes it ready where its maker's thread is. */
export function prepareWorker(): void {
  const inherited = getEnvironmentData(SELECTION_KEY) as unknown as Inherited | undefined;
  if (inherited !== undefined) prepare(inherited.selection, inherited.spent);
}
