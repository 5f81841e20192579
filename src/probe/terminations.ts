import vm from "node:vm";
import type { CallbackOptions } from "./callbacks.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";

const METHODS = ["runInThisContext", "runInContext"] as const;

/**
 * Scripts that Node may stop at any moment, by their options `timeout` and `breakOnSigint`: what was running inside then
 * runs none of its finally blocks, so nothing tells of its end but this. Answers what ends it.
 */
export function watchTerminations(watch: CallbackOptions): (() => void)[] {
  return METHODS.map((name) => wrap(vm.Script.prototype, name, (original) => stoppable(watch, original)));
}

function stoppable({ context, frames }: CallbackOptions, original: AnyFunction): AnyFunction {
  // A method has no prototype of its own.
  const { wrapper } = {
    wrapper(this: unknown, ...args: unknown[]): unknown {
      if (!context.on || !mayStop(args.at(-1))) return Reflect.apply(original, this, args);
      const { depth } = frames;
      const callbacks = context.depth;
      try {
        return Reflect.apply(original, this, args);
      } finally {
        frames.unwind(depth);
        context.unwind(callbacks);
      }
    },
  };
  return wrapper;
}

/** Whether those are options with which a script is run that Node may stop. */
export function mayStop(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return false;
  return ["timeout", "breakOnSigint"].some(
    (name) => Reflect.getOwnPropertyDescriptor(options, name) !== undefined,
  );
}
