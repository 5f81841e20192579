import { OUTSIDE } from "../base/facts.ts";
import type { Probe } from "../probe/probe.ts";
import { slot } from "./slot.ts";

/**
 * The annotations a program makes. Each call looks at one property when nothing records; nothing here throws, except
 * what the program's own function throws. Whatever began while nothing recorded, or in an earlier recording, is left
 * out of a later one.
 */
const shared = slot();

/** The category of the recorder's own messages; a program's log under that name is moved out of its way. */
const RESERVED = "runtrace";

/** Whether this isolate is being recorded. */
export function isRecording(): boolean {
  return shared.probe !== undefined;
}

/** Writes a message into the current task and activation. */
export function log(category: string, message: string): void {
  const probe = shared.probe;
  if (probe === undefined) return;
  const name = text(category);
  probe.log(name === RESERVED ? "program.runtrace" : name, text(message));
}

/** Calls `fn` inside a region; an async region ends when fn's promise settles. Returns what fn returns. */
export function withRegion<T>(type: string, fn: () => T): T {
  const probe = shared.probe;
  return probe === undefined ? fn() : probe.withRegion(text(type), fn);
}

/** Calls `fn` inside a new task, a child of the current one, which ends with fn or with its promise. Returns what fn returns. */
export function withTask<T>(type: string, fn: () => T): T {
  const probe = shared.probe;
  return probe === undefined ? fn() : probe.withTask(text(type), fn);
}

/** Calls `fn` outside of the current task, and of every other. Returns what fn returns. */
export function outsideTasks<T>(fn: () => T): T {
  const probe = shared.probe;
  return probe === undefined ? fn() : probe.taskRun(OUTSIDE, fn);
}

/** Calls `fn` as an activation of its own. Returns what fn returns. */
export function go<T>(fn: () => T, name?: string): T {
  const probe = shared.probe;
  if (probe === undefined) return fn();
  return name === undefined ? probe.go(fn) : probe.go(fn, text(name));
}

/** Begins a region of the current activation; the caller ends it. */
export function startRegion(type: string): Region {
  const probe = shared.probe;
  return probe === undefined ? NO_REGION : new Region(probe, probe.regionBegin(text(type)));
}

/** Makes a task, a child of the current one; the caller ends it. */
export function newTask(type: string): Task {
  const probe = shared.probe;
  return probe === undefined ? NO_TASK : new Task(probe, probe.taskBegin(text(type)));
}

/** Whether anything is recorded at this moment. */
export function inRecording(): boolean {
  return shared.probe !== undefined;
}

/**
 * Begins a region of the current activation; what it answers ends it. That may be called on any activation, once or more:
 * it is for callers that see to it that regions end in order, and is never counted as misuse.
 */
export function openRegion(type: string): () => void {
  const { probe } = shared;
  if (probe === undefined) return () => {};
  const id = probe.regionBegin(text(type));
  return () => {
    if (probe === shared.probe) probe.regionEnd(id, true);
  };
}

/**
 * Names the task of an incoming HTTP request by its route: of the one that `response` answers or, where that is undefined,
 * of the one that the running code works for.
 */
export function nameRequest(response: object | undefined, method: string, route: string): void {
  shared.probe?.routed?.(response, text(method), text(route));
}

/** An open region. A second `end` does nothing. */
export class Region {
  #probe: Probe | undefined;
  readonly #id: number;

  /** Made by `startRegion` only. */
  constructor(probe: Probe | undefined, id: number) {
    this.#probe = probe;
    this.#id = id;
  }

  end(): void {
    const probe = this.#probe;
    this.#probe = undefined;
    if (probe !== undefined && probe === shared.probe) probe.regionEnd(this.#id);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** An open task. A second `end` does nothing; a `run` after the end just calls its function. */
export class Task {
  #probe: Probe | undefined;
  readonly #id: number;

  /** Made by `newTask` only. */
  constructor(probe: Probe | undefined, id: number) {
    this.#probe = probe;
    this.#id = id;
  }

  /** Calls `fn` inside the task and returns what it returns. */
  run<T>(fn: () => T): T {
    const probe = this.#probe;
    return probe !== undefined && probe === shared.probe ? probe.taskRun(this.#id, fn) : fn();
  }

  end(): void {
    const probe = this.#probe;
    this.#probe = undefined;
    if (probe !== undefined && probe === shared.probe) probe.taskEnd(this.#id);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

const NO_REGION = new Region(undefined, 0);
const NO_TASK = new Task(undefined, 0);

/** Text for whatever a program passes in a string's place. */
function text(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return String(value);
  } catch {
    return "";
  }
}
