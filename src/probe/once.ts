import { types } from "node:util";
import { ResourceKind } from "../base/facts.ts";
import type { CallContext } from "./context.ts";
import type { AnyFunction } from "./wrap.ts";
import { unwritten } from "./writer.ts";

/** What knows which async functions run. */
export interface Frames {
  readonly current: number;
  /** Id of the promise whose executor runs, 0 where none does. */
  readonly executing: number;
  /** What one would wait for who waits for the value (facts.ts, Awaited). */
  awaited(value: unknown): number;
  clear(): void;
}

/**
 * What stands for a callback that runs later, once at the most: it tells where it begins and ends, and runs in the
 * activation of the code that asked for it. Of a function that was given to `then` and the like it tells what it returned.
 */
export function calledOnce(
  context: CallContext,
  frames: Frames,
  callback: AnyFunction,
  id: number,
  kind: number,
): AnyFunction {
  const wrapper = function (this: unknown): unknown {
    // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
    if (!context.on) return Reflect.apply(callback, this, arguments);
    begin(context, frames, id, 0, kind);
    let result: unknown;
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      return (result = Reflect.apply(callback, this, arguments));
    } finally {
      if (kind === ResourceKind.Reaction) endReaction(context, frames, id, result);
      else end(context, id);
    }
  };
  return named(wrapper, callback);
}

/**
 * The running code asks for a callback. Of code of which nothing is known nothing is told: its callback is nobody's.
 */
export function ask(context: CallContext, frames: Frames, id: number, kind: number): void {
  try {
    if (!context.known && frames.current === 0) return;
    context.asks(id, kind, frames.executing);
  } catch {
    unwritten.facts++;
  }
}

/** What has been asked for will not run, or nobody waits for it. */
export function drop(context: CallContext, id: number): void {
  try {
    context.drops(id);
  } catch {
    unwritten.facts++;
  }
}

/** A callback begins; `due` is in ns, 0 where it has none. */
export function begin(context: CallContext, frames: Frames, id: number, due: number, kind: number): void {
  try {
    if (!context.known) frames.clear();
    context.before(id, due, kind);
  } catch {
    unwritten.facts++;
  }
}

/** It ends. */
export function end(context: CallContext, id: number): void {
  try {
    if (context.on) context.after(id);
  } catch {
    unwritten.facts++;
  }
}

function endReaction(context: CallContext, frames: Frames, id: number, result: unknown): void {
  try {
    if (context.on) context.after(id, frames.awaited(result), 1);
  } catch {
    unwritten.facts++;
  }
}

/** Gives a function that has no name that of a callback; to ask a proxy would call the program. */
export function named(wrapper: AnyFunction, callback: AnyFunction): AnyFunction {
  let name: unknown = "";
  try {
    if (!types.isProxy(callback)) ({ name } = callback);
  } catch {
    // A getter of the program's.
  }
  return name === "" ? wrapper : Object.defineProperty(wrapper, "name", { value: name, configurable: true });
}
