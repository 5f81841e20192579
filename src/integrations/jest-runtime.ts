import { prepareRealm, transformEvaluated } from "../loader/evaluated.ts";
import { prototypesOf, watchModules } from "../loader/subjects.ts";
import { wrap } from "../probe/wrap.ts";
import { circusHandler, isOfThisContext } from "./jest.ts";
import type { CircusEvent } from "./jest.ts";

/**
 * jest from the outside, where nothing in its configuration speaks of the recorder. Each test file gets an environment with a
 * context of its own, and a runtime that loads its modules there. What the file requires is transformed; where `tests` says so, the
 * environment hears of tests in addition.
 */
interface Runtime {
  readonly _environment?: Environment;
  readonly _testPath?: unknown;
}

interface Environment {
  handleTestEvent?: unknown;
  getVmContext?(): unknown;
}

type HandleEvent = (this: unknown, event: CircusEvent, ...rest: unknown[]) => unknown;

/** From here on what jest loads in this thread is transformed; `tests`: and its tests are tasks. */
export function watchJest(tests: boolean): void {
  const environments = new WeakSet<object>();
  watchModules("jest", (exported) => {
    const prototype = prototypesOf(exported).find((one) => "requireInternalModule" in one);
    if (prototype === undefined) return;
    transformEvaluated();
    // The first thing that a runtime does is to load jest's own modules.
    wrap(prototype, "requireInternalModule", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const { _environment: environment, _testPath: file } = this as Runtime;
        if (environment !== undefined && !environments.has(environment)) {
          environments.add(environment);
          prepareRealm(environment.getVmContext?.());
          if (tests) listen(environment, typeof file === "string" ? file : "");
        }
        return Reflect.apply(original, this, args);
      };
    });
  });
}

function listen(environment: Environment, file: string): void {
  const handle = circusHandler(() => file, isOfThisContext);
  const theirs = environment.handleTestEvent;
  const both: HandleEvent = function (event, ...rest) {
    handle(event);
    if (typeof theirs === "function") return Reflect.apply(theirs, this, [event, ...rest]) as unknown;
    return undefined;
  };
  environment.handleTestEvent = both;
}
