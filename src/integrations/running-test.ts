import { appendFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { TEST_FILE, TEST_OUTCOME } from "../base/test-logs.ts";
import type { TestOutcome } from "../base/test-logs.ts";
import { imitate } from "../probe/replace.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { go, log, newTask, outsideTasks, withRegion } from "../recorder/api.ts";
import type { Task } from "../recorder/api.ts";

/** Frames of ours below a test's function, at most. */
export const TEST_FRAMES = 16;

/** Between the names that a full title is made of. */
export const TITLE_SEPARATOR = " > ";

/**
 * Says of an object that its tests are tasks already, and of a function that it is ours: in every copy of the package
 * and in every context of node:vm.
 */
const RECORDED = Symbol.for("runtrace.tests");

/** Answers whether an object has been marked before, and marks it. */
export function isRecorded(object: object): boolean {
  if (Object.hasOwn(object, RECORDED)) return true;
  Object.defineProperty(object, RECORDED, { value: true, configurable: true });
  return false;
}

/** Takes the mark away again. */
export function unmark(object: object): void {
  Reflect.deleteProperty(object, RECORDED);
}

/** Whether a function or an object has been marked. */
export function isMarked(object: object): boolean {
  return Object.hasOwn(object, RECORDED);
}

let failureFile: string | undefined;

/** From here on a line is appended to `file` for each test that fails or takes too long. */
export function reportFailures(file: string): void {
  failureFile = file;
}

/**
 * A test that is under way: a task named by its full title, on an activation of that name, so that all that the test
 * does and starts lies in it. It tells its file when it begins and its outcome when it ends.
 */
export class RunningTest {
  readonly #title: string;
  readonly #file: string;
  readonly #parent: RunningTest | undefined;
  #task: Task | undefined;
  #hasEnded = false;

  /** `file` is a path or a URL, "" where it is not known; `parent` is the test of which this is a part. */
  constructor(title: string, file: string, parent?: RunningTest) {
    this.#title = title;
    this.#file = file;
    this.#parent = parent;
  }

  /** Calls the test's function; returns and throws what that does. */
  run<T>(fn: () => T): T {
    return go(() => this.#begin().run(fn), this.#title);
  }

  /** The test is over before its function was called: what comes before that has failed. */
  failBefore(outcome: TestOutcome = "failed"): void {
    this.run(() => {});
    this.end(outcome);
  }

  /** The test is over; what it has started may still go on. Only the first call counts. */
  end(outcome: TestOutcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const task = this.#task ?? this.#begin();
    task.run(() => log(TEST_OUTCOME, outcome));
    task.end();
    if (outcome === "failed" || outcome === "timed out") tellFailure(this.#title);
  }

  #begin(): Task {
    // A runner may go on from a callback of the test before this one: that does not make it a part of that.
    const make = (): Task => newTask(this.#title);
    const parent = this.#parent === undefined ? undefined : this.#parent.#task;
    const task = parent === undefined ? outsideTasks(make) : parent.run(make);
    this.#task = task;
    const file = shortened(this.#file);
    if (file !== "") task.run(() => log(TEST_FILE, file));
    return task;
  }
}

/** Name of a hook's region: its kind, and the name of its function where it has one. */
export function hookName(kind: string, name: unknown): string {
  return typeof name === "string" && name !== "" && name !== "<anonymous>" ? `${kind} ${name}` : kind;
}

/**
 * Calls a hook's function in a region. One with a callback (`args[callback]`, where that is not negative) ends with that,
 * and no earlier.
 */
export function inRegion(
  name: string,
  fn: AnyFunction,
  self: unknown,
  args: unknown[],
  callback: number,
): unknown {
  const done = args[callback];
  if (typeof done !== "function") return withRegion(name, () => Reflect.apply(fn, self, args));
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const given = [...args];
  given[callback] = imitate(done as AnyFunction, (...results) => {
    end();
    return Reflect.apply(done as AnyFunction, undefined, results);
  });
  let result: unknown;
  void withRegion(name, () => {
    result = Reflect.apply(fn, self, given);
    return ended;
  });
  return result;
}

/** The path of a file from the current folder, where it lies below that. */
function shortened(file: string): string {
  if (file === "") return "";
  try {
    const full = file.startsWith("file:") ? fileURLToPath(file) : file;
    const short = path.relative(process.cwd(), full);
    return (short.startsWith("..") || path.isAbsolute(short) ? full : short).replaceAll("\\", "/");
  } catch {
    return file;
  }
}

/** Tells of a failure, where that has been asked for. */
export function tellFailure(title: string): void {
  if (failureFile === undefined) return;
  try {
    appendFileSync(failureFile, `${JSON.stringify(title)}\n`);
  } catch {
    // The run is over by now.
  }
}
