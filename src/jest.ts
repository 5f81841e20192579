/**
 * runtrace/jest: one of jest's `setupFilesAfterEnv`, it makes each test of a file a task of the trace. It also is the
 * annotation API for code that jest loads, as CommonJS: all of it reaches the recorder of the process.
 */
import { recordThisFile } from "./integrations/jest.ts";

export { go, log, newTask, startRegion, withRegion, withTask } from "./recorder/api.ts";
export type { Region, Task } from "./recorder/api.ts";

interface JestGlobals {
  readonly expect?: { getState?(): { readonly testPath?: unknown } };
}

recordThisFile(() => {
  const path = (globalThis as JestGlobals).expect?.getState?.().testPath;
  return typeof path === "string" ? path : "";
});
