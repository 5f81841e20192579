import { prototypesOf, watchModules } from "../loader/subjects.ts";
import { wrap } from "../probe/wrap.ts";
import { withTask } from "../recorder/api.ts";

/**
 * Benchmarks of tinybench (which vitest's `bench` uses, too) and mitata: each is a task, named as the program named it,
 * from the beginning of its measuring to the end. Both have a class whose instances run one benchmark each.
 */
export function watchBenchmarks(): void {
  watchModules("tinybench", (exported) => {
    for (const prototype of prototypesOf(exported)) {
      // The class of whole suites has a method to add to them.
      if (!("run" in prototype) || "add" in prototype) continue;
      for (const method of ["run", "runSync"]) asTask(prototype, method, "name");
    }
  });
  watchModules("mitata", (exported) => {
    for (const prototype of prototypesOf(exported)) {
      if ("run" in prototype && "range" in prototype) asTask(prototype, "run", "_name");
    }
  });
}

const seen = new WeakMap<object, Set<string>>();

/** From here on a call of the method is a task, named by a property of the instance. */
function asTask(prototype: object, method: string, name: string): void {
  const methods = seen.get(prototype) ?? new Set();
  seen.set(prototype, methods);
  if (methods.has(method)) return;
  methods.add(method);
  wrap(prototype, method, (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const title = String((this as Record<string, unknown>)[name]);
      return withTask(title, () => Reflect.apply(original, this, args));
    };
  });
}
