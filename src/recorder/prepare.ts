import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { installLoader, installRuntime, userCache } from "../loader/loader.ts";
import type { LoaderOptions } from "../loader/loader.ts";
import { FrameSource } from "../probe/frames.ts";
import { slot } from "./slot.ts";

/** Which files are transformed. */
export type Selection = Pick<LoaderOptions, "include" | "exclude">;

/** Under which Workers inherit the selection, by worker_threads' environment data. */
const SELECTION_KEY = "runtrace:loader";

/**
 * Makes this thread ready to be recorded: whatever it loads from now on is transformed, and tells nobody while nothing
 * records. Comes before any code of the program.
 */
export function prepare(selection: Selection): void {
  const shared = slot();
  if (shared.frames !== undefined) return;
  shared.frames = new FrameSource();
  installRuntime(shared.frames);
  installLoader({ ...selection, cache: userCache() });
  setEnvironmentData(SELECTION_KEY, selection);
}

/** In a Worker: makes it ready where its maker's thread is. */
export function prepareWorker(): void {
  const selection = getEnvironmentData(SELECTION_KEY) as unknown as Selection | undefined;
  if (selection !== undefined) prepare(selection);
}
