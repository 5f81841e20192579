/**
 * What the program sees of stacks: neither our frames nor transformed columns.
 *
 * Node asks `Error.prepareStackTrace` for every stack that is read; by default that is a function of its own, which also
 * knows about source maps. The property becomes an accessor: whatever function the program puts there, Node's own
 * included, is given a trace that our steps have been through. The program reads its function in a proxy.
 *
 * A frame of ours on the stack takes the place of one of the program's, as a trace holds `Error.stackTraceLimit` frames at
 * most: who calls the program from a frame of ours makes room (`makeRoom`), and what is then too much is cut off here.
 */

import { disguise, undisguised } from "./disguise.ts";
import { columnOf } from "./texts.ts";

type CallSite = NodeJS.CallSite;
export type TraceStep = (trace: CallSite[]) => CallSite[];
type Prepare = (error: Error, trace: CallSite[]) => unknown;

const OWN = new URL(".", import.meta.url).href;
const OWN_PATH = `${import.meta.dirname}/`;

const steps: TraceStep[] = [hideLoader, mapColumns];
/** Limits that were raised to make room, and what they were. */
const raised = new Map<number, number>();
let installed = false;

/** Adds a step that every trace goes through before the program sees it. Answers what removes it. */
export function addTraceStep(step: TraceStep): () => void {
  installTraces();
  steps.unshift(step);
  return () => {
    const at = steps.indexOf(step);
    if (at >= 0) steps.splice(at, 1);
  };
}

/** Makes traces go through the steps from here on. */
export function installTraces(): void {
  if (installed) return;
  installed = true;
  const descriptor = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const initial: unknown = descriptor?.value;
  if (typeof initial !== "function" || descriptor?.configurable !== true) return;
  const usual = stepping(initial as Prepare);
  let current = usual;
  Reflect.defineProperty(Error, "prepareStackTrace", {
    configurable: true,
    enumerable: descriptor.enumerable === true,
    get: () => current,
    // Without a function Node formats as its own would.
    set: (value: unknown) => {
      current = typeof value === "function" ? stepping(undisguised(value as Prepare)) : usual;
    },
  });
}

function stepping(prepare: Prepare): Prepare {
  const proxy = new Proxy(prepare, {
    apply: (target, self, [error, trace, ...rest]: [Error, unknown, ...unknown[]]) =>
      Reflect.apply(target, self, [
        error,
        Array.isArray(trace) ? shown(trace as CallSite[]) : trace,
        ...rest,
      ]),
  });
  return disguise(proxy, prepare);
}

function shown(trace: CallSite[]): CallSite[] {
  const limit = raised.get(trace.length);
  let result = trace;
  for (const step of steps) result = step(result);
  return limit !== undefined && result.length > limit ? result.slice(0, limit) : result;
}

/**
 * Makes room for a frame of ours that is about to call the program and will be hidden, so that stacks lose nothing for it.
 * Answers what `endRoom` is given afterwards.
 */
export function makeRoom(): number {
  const limit: unknown = Error.stackTraceLimit;
  if (typeof limit !== "number" || !(limit > 0) || !Number.isFinite(limit)) return 0;
  if (!Reflect.set(Error, "stackTraceLimit", limit + 1)) return 0;
  raised.set(limit + 1, raised.get(limit) ?? limit);
  return limit + 1;
}

export function endRoom(limit: number): void {
  // Unless the program has set one of its own.
  if (limit > 0 && Error.stackTraceLimit === limit) Error.stackTraceLimit = limit - 1;
}

function hideLoader(trace: CallSite[]): CallSite[] {
  const kept = trace.filter((frame) => {
    const file = frame.getFileName();
    return typeof file !== "string" || !(file.startsWith(OWN) || file.startsWith(OWN_PATH));
  });
  return kept.length === trace.length ? trace : kept;
}

/** Frames with another column, and what they stand for. */
const mapped = new WeakMap<object, { readonly frame: CallSite; readonly column: number }>();
let prototype: object | null = null;

function mapColumns(trace: CallSite[]): CallSite[] {
  let result = trace;
  for (const [i, frame] of trace.entries()) {
    if (mapped.has(frame)) continue;
    const name = frame.getFileName();
    const line = frame.getLineNumber();
    const column = frame.getColumnNumber();
    if (typeof name !== "string" || line === null || column === null) continue;
    const original = columnOf(name, line, column);
    if (original === column) continue;
    if (result === trace) result = [...trace];
    prototype ??= mappedPrototype(frame);
    const stand = Object.create(prototype) as CallSite;
    mapped.set(stand, { frame, column: original });
    result[i] = stand;
  }
  return result;
}

/** The methods of frames, for those that stand for one: they answer what that answers, but for columns. */
function mappedPrototype(frame: CallSite): object {
  const real = Object.getPrototypeOf(frame) as object;
  const result = Object.create(real) as object;
  for (const key of Object.getOwnPropertyNames(real)) {
    const method: unknown = Reflect.get(real, key);
    if (key === "constructor" || typeof method !== "function") continue;
    const replacement = function (this: object): unknown {
      const stood = mapped.get(this);
      if (stood === undefined) return Reflect.apply(method, this, []) as unknown;
      const value: unknown = Reflect.apply(method, stood.frame, []);
      if (key === "getColumnNumber") return stood.column;
      if (key === "getEnclosingColumnNumber") return enclosingColumn(stood.frame, value);
      if (key === "toString") return withColumn(String(value), stood.column);
      return value;
    };
    Object.defineProperty(result, key, { value: disguise(replacement, method), enumerable: false });
  }
  return result;
}

function enclosingColumn(frame: CallSite, column: unknown): unknown {
  const name = frame.getFileName();
  const line: unknown = (
    frame as CallSite & { getEnclosingLineNumber?(): unknown }
  ).getEnclosingLineNumber?.();
  if (typeof name !== "string" || typeof line !== "number" || typeof column !== "number") return column;
  return columnOf(name, line, column);
}

function withColumn(text: string, column: number): string {
  return text.replace(/:\d+(\)?)$/, `:${column}$1`);
}
