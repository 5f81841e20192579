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

import { fileURLToPath } from "node:url";
import { types } from "node:util";
import { ownSetters, rawTraces } from "../base/raw-traces.ts";
import { strip } from "../instrument/marks.ts";
import { disguise, undisguised } from "./disguise.ts";
import { RUNTIME } from "./options.ts";
import { columnOf } from "./texts.ts";

type CallSite = NodeJS.CallSite;
export type TraceStep = (trace: CallSite[]) => CallSite[];
type Prepare = (error: Error, trace: CallSite[]) => unknown;

const OWN = new URL(".", import.meta.url).href;
/** All of ours: the recorder may call Node in the program's stead. */
const PACKAGE = new URL("..", import.meta.url).href;
const PACKAGE_PATH = fileURLToPath(PACKAGE);
const OWN_PATH = `${import.meta.dirname}/`;

const RUNTIME_CALL = new RegExp(`${RUNTIME}\\.\\w+\\.?`, "g");

const steps: TraceStep[] = [hideLoader, mapColumns];
/** Limits that were raised to make room, and what they were. */
const raised = new Map<number, number>();
/** The limit as it is raised now, or 0. */
let room = 0;
let installed = false;
/** What reads and calls of Error.prepareStackTrace reach. */
let current: Prepare | undefined;

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
  current = usual;
  // Without a function Node formats as its own would.
  const set = (value: unknown): void => {
    if (typeof value !== "function") current = usual;
    else current = rawTraces.has(value) ? (value as Prepare) : stepping(undisguised(value as Prepare));
  };
  ownSetters.add(set);
  Reflect.defineProperty(Error, "prepareStackTrace", {
    configurable: true,
    enumerable: descriptor.enumerable === true,
    get: () => current,
    set,
  });
}

/**
 * Makes traces of another realm, whose Error it is, go through the steps as well. Where the program puts no function there
 * Node asks ours.
 */
export function installTracesIn(errors: object): void {
  const descriptor = Object.getOwnPropertyDescriptor(errors, "prepareStackTrace");
  if (descriptor?.configurable === false || descriptor?.get !== undefined) return;
  let own: unknown;
  const set = (value: unknown): void => {
    const isOurs = typeof value !== "function" || rawTraces.has(value);
    own = isOurs ? value : stepping(undisguised(value as Prepare), errors);
  };
  set(descriptor?.value);
  ownSetters.add(set);
  Reflect.defineProperty(errors, "prepareStackTrace", {
    configurable: true,
    enumerable: true,
    get: () => own,
    set,
  });
}

/** Whether the program has not put a property of its own in place of ours. */
function isInPlace(): boolean {
  const set = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace")?.set;
  return set !== undefined && ownSetters.has(set);
}

/** The limit of frames in a trace, where it is a number that can be set. */
function limitOfTraces(): number | undefined {
  const property = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  const limit: unknown = property?.value;
  return typeof limit === "number" && property?.writable === true ? limit : undefined;
}

const proxies = new WeakMap<Prepare, Prepare>();

/** `errors` is the Error of the realm whose traces the function is given. */
function stepping(prepare: Prepare, errors: object = Error): Prepare {
  const known = proxies.get(prepare);
  if (known !== undefined) return known;
  const proxy = new Proxy(prepare, {
    apply: (target, self, [error, trace, ...rest]: [Error, unknown, ...unknown[]]) => {
      cleanMessage(error);
      const seen = Array.isArray(trace) ? shown(trace as CallSite[], errors) : trace;
      return Reflect.apply(target, self, [error, seen, ...rest]) as unknown;
    },
  });
  proxies.set(prepare, disguise(proxy, prepare));
  return proxy;
}

/** `assert.ok` writes the text of its call into its message, from V8's own copy, before the stack is asked for. */
function cleanMessage(error: unknown): void {
  if (!types.isNativeError(error)) return;
  const message = Object.getOwnPropertyDescriptor(error, "message");
  const text: unknown = message?.value;
  if (typeof text !== "string" || !text.includes(RUNTIME)) return;
  const original = strip(
    text.replaceAll("/*\\u0001*/", "/*\u0001*/").replaceAll("/*\\u0002*/", "/*\u0002*/"),
  );
  if (original !== text) Reflect.defineProperty(error, "message", { ...message, value: original });
}

function shown(trace: CallSite[], errors: object): CallSite[] {
  let result = trace;
  for (const step of steps) result = step(result);
  return withinLimit(result, result.length < trace.length, errors);
}

/**
 * Cuts off what is in a trace only because room was made while it was taken: for the frames that were `hidden` (by all
 * steps together: one cut before would be too much), or would have been.
 */
function withinLimit(trace: CallSite[], hidden: boolean, errors: object): CallSite[] {
  const now: unknown = Object.getOwnPropertyDescriptor(errors, "stackTraceLimit")?.value;
  const wanted = now === room ? raised.get(room) : now;
  if (typeof wanted !== "number" || trace.length <= wanted) return trace;
  if (hidden) return trace.slice(0, wanted);
  for (const [more, limit] of raised) {
    if (trace.length > limit && trace.length <= more) return trace.slice(0, limit);
  }
  return trace;
}

/** Frames of Node's that stand between two frames of ours, at least. */
const BETWEEN = 5;

/**
 * Makes room for a frame of ours that is about to call the program and will be hidden, and for those inside of it, so that
 * stacks lose nothing for them; or for so many frames. Answers what `endRoom` is given afterwards.
 */
export function makeRoom(frames = 0): number {
  const limit = limitOfTraces();
  // Room may have been made further out.
  if (limit === undefined || limit === room || !(limit > 0 && limit < Infinity)) return 0;
  const more = limit + (frames > 0 ? frames : 1 + Math.floor(limit / BETWEEN));
  Error.stackTraceLimit = more;
  raised.set(more, limit);
  room = more;
  return more;
}

export function endRoom(made: number): void {
  if (made === 0) return;
  room = 0;
  // Unless the program has set one of its own.
  const limit = raised.get(made);
  if (limit !== undefined && limitOfTraces() === made) Error.stackTraceLimit = limit;
}

/** Calls `fn` with room for so many frames of ours below it. Returns and throws what that does. */
export function withRoom<T>(frames: number, fn: () => T): T {
  const made = makeRoom(frames);
  try {
    return fn();
  } finally {
    endRoom(made);
  }
}

/** The file that has called a function of ours; undefined where that is not known. Costs a look at the stack. */
export function callerFile(callee: (...values: never[]) => unknown): string | undefined {
  const limit = limitOfTraces();
  if (!isInPlace()) return undefined;
  const before = current;
  const at: { stack?: unknown } = {};
  current = (_error, trace) =>
    trace.map((frame) => frame.getFileName()).find((file) => file?.startsWith(PACKAGE) !== true);
  try {
    // Where it is frozen, a look costs more.
    if (limit !== undefined) Error.stackTraceLimit = 4;
    Error.captureStackTrace(at, callee);
    return typeof at.stack === "string" ? at.stack : undefined;
  } finally {
    current = before;
    if (limit !== undefined) Error.stackTraceLimit = limit;
  }
}

const PLACE = /((?:file:\/\/)?\/[^()]*):(\d+):(\d+)(\)?)$/;

/** The text of a stack that Node has made without asking us, as it would be had it. */
export function shownStack(text: string): string {
  const kept: string[] = [];
  for (const line of text.split("\n")) {
    const place = /^\s+at /.test(line) ? PLACE.exec(line) : null;
    if (place === null) {
      kept.push(line);
      continue;
    }
    const [all, file = "", row = "", column = "", end = ""] = place;
    if (file.startsWith(PACKAGE) || file.startsWith(PACKAGE_PATH)) continue;
    const start = line.slice(0, line.length - all.length);
    kept.push(`${withoutRuntime(start)}${file}:${row}:${columnOf(file, Number(row), Number(column))}${end}`);
  }
  return kept.join("\n");
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
    if (line === null || column === null) continue;
    const original = typeof name === "string" ? columnOf(name, line, column) : column;
    const isSame = original === column && frame.getFunctionName()?.includes(RUNTIME) !== true;
    if (isSame && !(frame.isEval() && originOf(frame) !== frame.getEvalOrigin())) continue;
    if (result === trace) result = [...trace];
    prototype ??= mappedPrototype(frame);
    const stand = Object.create(prototype) as CallSite;
    mapped.set(stand, { frame, column: original });
    result[i] = stand;
  }
  return result;
}

const ORIGIN = /((?:file:\/\/)?\/[^()]*):(\d+):(\d+)/;

/** Where the text of `eval` came from, with the column of the original text. */
function originOf(frame: CallSite): string | undefined {
  return frame
    .getEvalOrigin()
    ?.replace(ORIGIN, (_all, file: string, line: string, column: string) =>
      [file, line, columnOf(file, Number(line), Number(column))].join(":"),
    );
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
      if (key === "getEvalOrigin") return originOf(stood.frame);
      if (key === "toString")
        return withoutRuntime(withOrigin(withColumn(String(value), stood.column), stood.frame));
      return typeof value === "string" && key !== "getFileName" ? withoutRuntime(value) : value;
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

function withOrigin(text: string, frame: CallSite): string {
  const origin = frame.isEval() ? frame.getEvalOrigin() : undefined;
  return origin === undefined ? text : text.replace(origin, () => originOf(frame)!);
}

function withColumn(text: string, column: number): string {
  return text.replace(/:\d+(\)?)$/, `:${column}$1`);
}

/** Of a function without a name V8 tells what its call was written for, and takes the runtime's name for the program's. */
function withoutRuntime(name: string): string {
  return name.includes(RUNTIME) ? name.replaceAll(RUNTIME_CALL, "") : name;
}
