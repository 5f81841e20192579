import timers from "node:timers";
import { BoundedMap } from "../base/bounded-map.ts";
import { Fact, ResourceKind } from "../base/facts.ts";
import { shareReplaced, undoAll } from "./replace.ts";
import { idOf, kindOf } from "./stamp.ts";
import { wrap, wrapShared } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

const MAX_DELAY = 2 ** 27 - 1;
/** Node takes what is longer, or under 1 ms, for 1 ms. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Node's own: the program may put others in the place of the global ones. */
const { setTimeout: makeTimer, clearTimeout: clearTimer } = timers;

/** Prototype of Node's Timeout. */
export const TIMEOUT: object = Object.getPrototypeOf(makeTimeout()) as object;

/**
 * Writes Fact.Clear when the program clears a timer, and Fact.Refresh when it begins one anew: nothing else tells that
 * it will not call back, or later. A timer that has called back is made anew by a refresh, which the hooks tell.
 */
export function watchTimers(facts: Pick<FactWriter, "put">): () => void {
  const undo: (() => void)[] = [];

  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) {
    const taking = (original: AnyFunction): AnyFunction =>
      function (this: unknown, timer: unknown): unknown {
        if (typeof timer === "object" && timer !== null) cleared(facts, timer);
        else if (typeof timer === "number" || typeof timer === "string") clearedByNumber(facts, timer);
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
        return Reflect.apply(original, this, arguments);
      };
    undo.push(wrapShared([timers, globalThis], name, taking));
  }

  const clears = (original: AnyFunction): AnyFunction =>
    function (this: unknown): unknown {
      cleared(facts, this as object);
      return Reflect.apply(original, this, []);
    };
  const refreshes = (original: AnyFunction): AnyFunction =>
    function (this: unknown): unknown {
      const id = isTimeout(this) ? idOf(this) : 0;
      const result = Reflect.apply(original, this, []);
      if (id !== 0) refreshed(facts, this as TimerFields, id);
      return result;
    };
  const numbers = (original: AnyFunction): AnyFunction =>
    function (this: unknown): unknown {
      const number = Reflect.apply(original, this, []);
      if (typeof number === "number") numbered(this as object, number);
      return number;
    };
  undo.push(
    () => numbersOf.clear(),
    wrap(TIMEOUT, "close", clears),
    // What `using` does.
    wrap(TIMEOUT, Symbol.dispose, clears),
    wrap(TIMEOUT, "refresh", refreshes),
    wrap(TIMEOUT, Symbol.toPrimitive, numbers),
  );
  shareReplaced();
  return () => {
    undoAll(undo);
    shareReplaced();
  };
}

/** Timers of which numbers are remembered. */
const NUMBERS_KEPT = 10_000;

/** Ids of the timers by their numbers, where the program has asked for these. */
const numbersOf = new BoundedMap<{ readonly id: number }>(NUMBERS_KEPT);

function numbered(timer: object, number: number): void {
  const id = idOf(timer);
  if (id !== 0) numbersOf.set(number, { id });
}

/** A timer is cleared by its number, as a number or as text. */
function clearedByNumber(facts: Pick<FactWriter, "put">, number: number | string): void {
  const key = Number(number);
  const timer = String(key) === String(number) ? numbersOf.get(key) : undefined;
  if (timer === undefined) return;
  numbersOf.delete(key);
  try {
    facts.put(Fact.Clear, now(), timer.id, 0, 0);
  } catch {
    unwritten.facts++;
  }
}

function cleared(facts: Pick<FactWriter, "put">, timer: object): void {
  try {
    const id = idOf(timer);
    if (id !== 0) facts.put(Fact.Clear, now(), id, 0, 0);
  } catch {
    unwritten.facts++;
  }
}

/** The timer, which had that id, begins anew; one that the hooks have told of as a new one has another. */
function refreshed(facts: Pick<FactWriter, "put">, timer: TimerFields, id: number): void {
  try {
    const runs = typeof timer._onTimeout === "function";
    if (idOf(timer) === id && runs) facts.put(Fact.Refresh, now(), id, 0, delayOf(timer));
  } catch {
    unwritten.facts++;
  }
}

/** A one-shot timer of the program's, and not one of Node's own, which it refreshes all the time. */
export function isTimeout(timer: unknown): timer is object {
  return typeof timer === "object" && timer !== null && kindOf(timer) === ResourceKind.Timeout;
}

/** Delay in ms of Node's Timeout, as facts carry it. */
export function delayOf(timer: { readonly _idleTimeout?: number }): number {
  return Math.min(Math.max(1, Math.trunc(timer._idleTimeout ?? 1)), MAX_DELAY);
}

/** Delay in ms, as facts carry it, of a timer that is asked for with `after`; 0 where to know it would run the program's code. */
export function delayAsked(after: unknown): number {
  if (after === undefined) return 1;
  if (typeof after !== "number") return 0;
  return after >= 1 && after <= LONGEST_DELAY ? delayOf({ _idleTimeout: after }) : 1;
}

function makeTimeout(): object {
  const timer = makeTimer(() => {}, 1);
  clearTimer(timer);
  return timer;
}

/** Fields of Node's Timeout that tell when it is due. */
export interface TimerFields {
  readonly _idleTimeout?: number;
  readonly _idleStart?: number | null;
  readonly _repeat?: number | null;
  /** The next one in Node's list, null where it is in none. */
  readonly _idleNext?: object | null;
  /** It has called back, or was cleared. */
  readonly _destroyed?: boolean;
  _onTimeout?: AnyFunction;
  _onImmediate?: AnyFunction;
}

/** Milliseconds of hrtime at which the clock of Node's timers is 0: both tick with the same whole milliseconds. */
export function timerBase(): number {
  let base = Infinity;
  for (let i = 0; i < 3; i++) {
    const timer = makeTimeout() as TimerFields;
    const milliseconds = Math.floor(Number(now()) / 1e6);
    base = Math.min(base, milliseconds - (timer._idleStart ?? 0));
  }
  return base;
}
