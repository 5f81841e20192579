import { isMainThread, parentPort } from "node:worker_threads";
import type { Runtime } from "../instrument/runtime.ts";
import { Applier } from "./apply.ts";
import { installCommonJs } from "./commonjs.ts";
import { installFunctionText } from "./disguise.ts";
import { installFatalErrors } from "./fatal.ts";
import { installModules } from "./esm.ts";
import { transformsBy } from "./evaluated.ts";
import { RUNTIME } from "./options.ts";
import type { LoaderOptions } from "./options.ts";
import { installTraces } from "./traces.ts";

export type { LoaderOptions } from "./options.ts";
export { Spent } from "./options.ts";
export { userCache } from "./cache.ts";
export type { FrameworkHooks } from "../instrument/frameworks.ts";

let installed = false;

/** Makes a runtime what transformed code of this thread calls, for good. It comes before the loader. */
export function installRuntime(runtime: Runtime): void {
  Object.defineProperty(globalThis, RUNTIME, { value: runtime });
}

/**
 * From here on every file that this thread loads is transformed, but for those that `options` leaves out and the
 * recorder's own. To be called once a thread, before any code of the program; in the thread of Node's own module hooks,
 * which is none of the program's, it does nothing.
 */
export function installLoader(options: LoaderOptions): void {
  if (installed || (!isMainThread && parentPort === null)) return;
  installed = true;
  installFunctionText();
  installTraces();
  if (isMainThread) installFatalErrors();
  const applier = new Applier(options);
  transformsBy(applier);
  installCommonJs(applier, installModules(applier, options));
}
