import vm from "node:vm";
import type { CallbackOptions } from "./callbacks.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";

/** Every way to run a script goes through one of these. */
const METHODS = ["runInThisContext", "runInContext"] as const;

/**
 * Calls `enter` before each script that Node may stop at any moment, by its options `timeout` and `breakOnSigint`, and
 * what that answers behind it. What was running inside a script that is stopped runs none of its finally blocks, those
 * of scripts inside of it among them. Answers what ends it.
 */
export function aroundStoppable(enter: () => () => void): (() => void)[] {
  return METHODS.map((name) => wrap(vm.Script.prototype, name, (original) => stoppable(enter, original)));
}

/** What a script leaves running that is stopped: nothing tells of its end but this. Answers what ends it. */
export function watchTerminations({ context, frames }: CallbackOptions): (() => void)[] {
  return aroundStoppable(() => {
    if (!context.on) return () => {};
    const { depth } = frames;
    const callbacks = context.depth;
    return () => {
      frames.unwind(depth);
      context.unwind(callbacks);
    };
  });
}

function stoppable(enter: () => () => void, original: AnyFunction): AnyFunction {
  // A method has no prototype of its own.
  const { wrapper } = {
    wrapper(this: unknown, ...args: unknown[]): unknown {
      if (!mayStop(args.at(-1))) return Reflect.apply(original, this, args);
      const leave = enter();
      try {
        return Reflect.apply(original, this, args);
      } finally {
        leave();
      }
    },
  };
  return wrapper;
}

function mayStop(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return false;
  return ["timeout", "breakOnSigint"].some(
    (name) => Reflect.getOwnPropertyDescriptor(options, name) !== undefined,
  );
}
