import type { AnyFunction } from "../probe/wrap.ts";
import type { TestOutcome } from "../base/test-logs.ts";
import { imitate } from "../probe/replace.ts";
import { isRecording } from "../recorder/api.ts";
import {
  RunningTest,
  TITLE_SEPARATOR,
  hookName,
  inRegion,
  isMarked,
  isRecorded,
  tellFailure,
  unmark,
} from "./running-test.ts";

/**
 * jest as it is, but for this: each test is a task, named by its full title, from the beginning of its function until
 * jest has its result, for which hooks behind it count. Hooks are regions.
 *
 * jest-circus tells handlers, which test environments and others may add, before it calls the function of a test or
 * hook, and afterwards: in between the test's property `fn` is a function of ours.
 */
interface Runnable {
  fn?: unknown;
  readonly type?: unknown;
  readonly name?: unknown;
  readonly parent?: Runnable;
  /** What has failed until now, hooks included. */
  readonly errors?: readonly unknown[];
}

/** What jest-circus tells of. */
export interface CircusEvent {
  readonly name?: unknown;
  readonly test?: Runnable | null;
  readonly hook?: Runnable;
  readonly error?: unknown;
}

export type CircusHandler = (event: CircusEvent) => void;

/** A handler for the tests of one file; `isJests` tells functions of jest itself, which has a hook for each test. */
export function circusHandler(file: () => string, isJests: (fn: unknown) => boolean): CircusHandler {
  const running = new WeakMap<Runnable, Run>();
  return ({ name, test, hook, error }) => {
    const isEnd = name === "test_fn_success" || name === "test_fn_failure" || name === "test_done";
    if (!isRecording() && !isEnd) return;
    if (name === "hook_start" && hook !== undefined && !isJests(hook.fn)) recordHook(hook);
    if (name === "hook_failure" && hook?.type === "afterAll") tellFailure("afterAll");
    if (test === undefined || test === null) return;
    const hasErrors = (test.errors?.length ?? 0) > 0;
    if (name === "test_fn_start" && !hasErrors && typeof test.fn === "function" && !isMarked(test.fn)) {
      const { fn } = test;
      const task = new RunningTest(titleOf(test), file());
      const own = around(fn as AnyFunction, function (...values) {
        return task.run(() => Reflect.apply(fn as AnyFunction, this, values));
      });
      running.set(test, { test: task, fn, own, outcome: "failed" });
      // jest steps through a generator itself, which it must find there.
      if (own === null) {
        isRecorded(fn);
        task.run(() => {});
      } else test.fn = own;
      return;
    }
    if (name === "test_fn_start" && hasErrors && !isRecorded(test)) {
      new RunningTest(titleOf(test), file()).failBefore();
    }
    if (!isEnd) return;
    const ran = running.get(test);
    if (name === "test_done") {
      running.delete(test);
      // It may be tried again.
      unmark(test);
      ran?.test.end(hasErrors && ran.outcome === "passed" ? "failed" : ran.outcome);
    } else if (ran !== undefined) {
      if (ran.own === null) unmark(ran.fn);
      else if (test.fn === ran.own) test.fn = ran.fn;
      ran.outcome = name === "test_fn_success" ? "passed" : isTimeout(error) ? "timed out" : "failed";
    }
  };
}

/** A test whose function has been called, and how that ended. */
interface Run {
  readonly test: RunningTest;
  readonly fn: object;
  readonly own: unknown;
  outcome: TestOutcome;
}

/** Where jest-circus keeps the handlers of a test file: on the global object of its context. */
const HANDLERS = Symbol.for("EVENT_HANDLERS");

/** From inside of a test file's context: its tests are tasks. */
export function recordThisFile(file: () => string): void {
  const handlers = (globalThis as Record<symbol, unknown>)[HANDLERS];
  if (Array.isArray(handlers)) handlers.push(circusHandler(file, (fn) => !isOfThisContext(fn)));
}

/** Whether a function was made in the context of this copy of the package. */
export function isOfThisContext(fn: unknown): boolean {
  return Reflect.apply(Object.prototype.isPrototypeOf, Function.prototype, [fn]);
}

function recordHook(hook: Runnable): void {
  const { fn } = hook;
  if (typeof fn !== "function" || isMarked(fn)) return;
  const name = hookName(String(hook.type), fn.name);
  const own = around(fn as AnyFunction, function (...values) {
    return inRegion(name, fn as AnyFunction, this, values, 0);
  });
  if (own !== null) hook.fn = own;
}

/** A function that stands for `fn`; null where that is a generator's. */
function around(fn: AnyFunction, own: AnyFunction): AnyFunction | null {
  if ((fn.constructor as { name?: unknown } | undefined)?.name === "GeneratorFunction") return null;
  const wrapper = imitate(fn, own);
  isRecorded(wrapper);
  return wrapper;
}

function titleOf(test: Runnable): string {
  const names: string[] = [];
  for (let at: Runnable | undefined = test; at?.parent !== undefined; at = at.parent)
    names.unshift(String(at.name));
  return names.join(TITLE_SEPARATOR);
}

function isTimeout(error: unknown): boolean {
  const text =
    typeof error === "string" ? error : String((error as { message?: unknown } | null | undefined)?.message);
  return text.startsWith("Exceeded timeout of") || text.startsWith('thrown: "Exceeded timeout of');
}
