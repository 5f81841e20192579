import vm from "node:vm";
import type { CallbackOptions } from "./callbacks.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";

/** Every way to run a script goes through one of these. */
const METHODS = ["runInThisContext", "runInContext"] as const;

/**
 * Calls `enter` before each script or module (behind --experimental-vm-modules) that Node may stop at any moment, by the
 * options `timeout` and `breakOnSigint`, and what that answers behind it; of a module that awaits, behind what ran at
 * once, for the rest is not stopped. What was running inside a script that is stopped runs none of its finally blocks,
 * those of scripts inside of it among them. Answers what ends it.
 */
export function aroundStoppable(enter: () => () => void): (() => void)[] {
  const scripts = METHODS.map((name) =>
    wrap(vm.Script.prototype, name, (original) => stoppable(enter, original)),
  );
  return [...scripts, ...aroundModules(enter)];
}

/**
 * The same around such modules only. Where V8's hook for the making of promises is on when one is stopped the process dies
 * (Node 20 to 26): so ours must not be.
 */
export function aroundModules(enter: () => () => void): (() => void)[] {
  const { Module } = vm as { readonly Module?: { readonly prototype: object } };
  if (Module === undefined) return [];
  return [wrap(Module.prototype, "evaluate", (original) => stoppable(enter, original))];
}

/** What a script leaves running that is stopped: nothing tells of its end but this. Answers what ends it. */
export function watchTerminations({ context, frames }: CallbackOptions): (() => void)[] {
  const blind = aroundModules(() => frames.blinds());
  const stopped = aroundStoppable(() => {
    if (!context.on) return () => {};
    const { depth } = frames;
    const callbacks = context.depth;
    return () => {
      frames.unwind(depth);
      context.unwind(callbacks);
    };
  });
  return [...blind, ...stopped];
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
