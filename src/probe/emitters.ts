import { ChildProcess } from "node:child_process";
import events from "node:events";
import fs from "node:fs";
import { Readable } from "node:stream";
import consumers from "node:stream/consumers";
import streams from "node:stream/promises";
import sleeps from "node:timers/promises";
import { ResourceKind } from "../base/facts.ts";
import type { CallbackOptions } from "./callbacks.ts";
import { kindOfEmitter, setKind } from "./kinds.ts";
import { ask, drop } from "./once.ts";
import { imitate, replace } from "./replace.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { newId } from "./writer.ts";

/** Functions that give a promise of all that a stream gives. */
const CONSUMERS = ["arrayBuffer", "blob", "buffer", "bytes", "json", "text"].map(
  (name) => [consumers, name] as const,
);

/**
 * Waits for what emitters and streams of Node's do: what the promises and iterators of Node's functions for them wait
 * for, and the promises of the program's that a listener settles. Answers what ends it.
 */
export function watchEmitters(watch: CallbackOptions): (() => void)[] {
  const { prototype } = events.EventEmitter;
  const { on } = prototype as { on: AnyFunction };
  const listens = imitate(on, listening(watch, on));
  return [
    replace(prototype, "on", listens),
    // One function by two names.
    replace(prototype, "addListener", listens),
    wrap(events, "once", (original) =>
      giving(original, (promise, emitter) => toldBy(watch, promise, emitter)),
    ),
    wrap(events, "on", (original) =>
      giving(original, (iterator, emitter) => iterates(watch, iterator, kindOfEmitter(emitter))),
    ),
    ...([[streams, "finished"], ...CONSUMERS] as const).map(([module, name]) =>
      wrap(module, name, (original) => giving(original, (promise, stream) => toldBy(watch, promise, stream))),
    ),
    wrap(streams, "pipeline", (original) => piping(watch, original)),
    wrap(sleeps, "setInterval", (original) =>
      giving(original, (iterator) => iterates(watch, iterator, ResourceKind.Timeout)),
    ),
    wrap(fs.promises, "watch", (original) =>
      giving(original, (iterator) => iterates(watch, iterator, ResourceKind.Fs)),
    ),
    wrap(ChildProcess.prototype, "spawn", (original) => spawning(watch, original)),
    wrap(Readable.prototype, Symbol.asyncIterator, (original) => iterating(watch, original)),
  ];
}

/** A function whose result, and whose first argument, `tell` is told. */
function giving(original: AnyFunction, tell: (result: unknown, first: unknown) => void): AnyFunction {
  // A method, as an async function, has no prototype of its own.
  const { wrapper } = {
    wrapper(this: unknown, first?: unknown): unknown {
      // oxlint-disable-next-line prefer-rest-params -- a rest parameter would change the length
      const result = Reflect.apply(original, this, arguments);
      tell(result, first);
      return result;
    },
  };
  return wrapper;
}

/** The promise settles when the emitter tells something: Node's do for a reason, the program's when its code says so. */
function toldBy({ context, frames }: CallbackOptions, promise: unknown, emitter: unknown): void {
  if (!context.on) return;
  const kind = kindOfEmitter(emitter);
  // What comes from another thread is handled by an activation, as what the program's own emitters tell is. An async
  // function's own promise follows the one that it has made.
  if (kind === ResourceKind.Unknown) frames.settledByProgram(promise, frames.made, ResourceKind.User);
  else if (kind === ResourceKind.Port || kind === ResourceKind.Worker)
    frames.settledByProgram(promise, frames.made, kind);
  else frames.source(promise, kind);
}

/** An iterator goes on by callbacks of that kind. */
function iterates({ context, frames }: CallbackOptions, iterator: unknown, kind: number): void {
  if (!context.on) return;
  setKind(iterator, kind);
  frames.iterates(kind);
}

/** The method by which `for await` asks a stream. */
function iterating({ context, frames }: CallbackOptions, original: AnyFunction): AnyFunction {
  const { wrapper } = {
    wrapper(this: unknown): unknown {
      if (context.on) frames.iterates(kindOfEmitter(this));
      return Reflect.apply(original, this, []);
    },
  };
  return wrapper;
}

/** pipeline: it ends with the first of its streams of which it is known what that waits for, what compresses last. */
function piping({ context, frames }: CallbackOptions, original: AnyFunction): AnyFunction {
  const { wrapper } = {
    wrapper(this: unknown, ...args: unknown[]): unknown {
      const promise = Reflect.apply(original, this, args);
      if (!context.on) return promise;
      const [first] = args;
      const all = args.length === 1 && Array.isArray(first) ? (first as readonly unknown[]) : args;
      const kinds = all.map(kindOfEmitter).filter((kind) => kind !== ResourceKind.Unknown);
      const kind = kinds.find((one) => one !== ResourceKind.Zlib) ?? kinds[0];
      if (kind !== undefined) frames.source(promise, kind);
      return promise;
    },
  };
  return wrapper;
}

/** The method by which each child is started: its pipes wait for the child. */
function spawning({ context }: CallbackOptions, original: AnyFunction): AnyFunction {
  const { wrapper } = {
    wrapper(this: ChildProcess, ...args: unknown[]): unknown {
      const result = Reflect.apply(original, this, args);
      if (context.on)
        for (const pipe of [this.stdin, this.stdout, this.stderr]) setKind(pipe, ResourceKind.Child);
      return result;
    },
  };
  return wrapper as AnyFunction;
}

/** `on` and the like: what an executor listens to is what it asks for. */
function listening({ context, frames }: CallbackOptions, original: AnyFunction): AnyFunction {
  return function (this: unknown): unknown {
    if (context.on && frames.executing !== 0) {
      const kind = kindOfEmitter(this);
      if (kind !== ResourceKind.Unknown) {
        const id = newId();
        ask(context, frames, id, kind);
        drop(context, id);
      }
    }
    // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
    return Reflect.apply(original, this, arguments);
  };
}
