import Module, * as nodeModule from "node:module";
import { replace } from "../probe/replace.ts";
import { withTasks } from "./node-test.ts";
import type { TestModule } from "./node-test.ts";

/** What stands for node:test: the entry point runtrace/node-test. */
const SHIM = new URL("../node-test.js", import.meta.url).href;
/** For Node's thread of module hooks, where those of the program's own thread cannot be had. */
const THREAD = new URL("../integrations/thread.js", import.meta.url).href;
const NAME = "node:test";

interface Context {
  readonly parentURL?: string;
  /** A set in the first versions that have such hooks. */
  readonly conditions?: Iterable<string>;
}
type Resolved = { readonly url: string; readonly shortCircuit?: boolean };
type NextResolve = (specifier: string, context: Context) => Resolved;

/** From here on whoever imports or requires node:test gets one in which each test is a task. */
export function hookNodeTest(): void {
  const cjs = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown };
  const load = cjs._load;
  replace(cjs, "_load", (request: string, ...rest: unknown[]): unknown => {
    const loaded = Reflect.apply(load, cjs, [request, ...rest]);
    return request === NAME ? withTasks(loaded as TestModule) : loaded;
  });
  const { registerHooks, register } = nodeModule as unknown as {
    registerHooks?: (hooks: { resolve: typeof resolve }) => unknown;
    register: (specifier: string, options: object) => unknown;
  };
  if (registerHooks === undefined) register(THREAD, { data: SHIM });
  else registerHooks({ resolve });
}

function resolve(specifier: string, context: Context, next: NextResolve): Resolved {
  // The one that stands for it gets the real one; what is required has come through _load.
  const isRequired = [...(context.conditions ?? [])].includes("require");
  if (specifier !== NAME || context.parentURL === SHIM || isRequired) return next(specifier, context);
  return { url: SHIM, shortCircuit: true };
}
