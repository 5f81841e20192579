import type { TestOutcome } from "../base/test-logs.ts";
import { prototypesOf, watchModules } from "../loader/subjects.ts";
import { withRoom } from "../loader/traces.ts";
import { wrap } from "../probe/wrap.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { isRecording } from "../recorder/api.ts";
import { RunningTest, TEST_FRAMES, TITLE_SEPARATOR, hookName, inRegion, isRecorded } from "./running-test.ts";

/**
 * mocha as it is, but for this: each test is a task, named by its full title, from the beginning of its function until
 * mocha has its result. Hooks are regions.
 *
 * mocha runs tests and hooks alike through one method, which calls the property `fn` at once: while that method runs, a
 * function of ours is there.
 */
interface Runnable {
  readonly type?: unknown;
  readonly title?: unknown;
  readonly file?: unknown;
  readonly parent?: { readonly file?: unknown } | undefined;
  fn?: unknown;
  isPending?(): boolean;
  titlePath?(): readonly unknown[];
}

/** From here on the tests of a copy of mocha are tasks: that whose class Runnable has this prototype. */
export function recordMocha(prototype: object): void {
  if (isRecorded(prototype)) return;
  wrap(prototype, "run", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const runnable = this as Runnable;
      const { fn } = runnable;
      const [callback] = args;
      if (
        !isRecording() ||
        typeof fn !== "function" ||
        typeof callback !== "function" ||
        runnable.isPending?.() === true
      ) {
        return Reflect.apply(original, this, args);
      }
      if (runnable.type === "hook") {
        const name = hookName(hookKind(runnable.title), fn.name);
        return withFunction(
          runnable,
          function (...values) {
            return inRegion(name, fn as AnyFunction, this, values, 0);
          },
          () => Reflect.apply(original, this, args),
        );
      }
      if (runnable.type !== "test") return Reflect.apply(original, this, args);
      const test = new RunningTest(titleOf(runnable), fileOf(runnable));
      const ended: AnyFunction = function (...results) {
        test.end(outcomeOf(runnable, results[0]));
        return Reflect.apply(callback as AnyFunction, this, results);
      };
      const run: AnyFunction = function (...values) {
        return withRoom(TEST_FRAMES, () =>
          test.run(() => Reflect.apply(fn as AnyFunction, this, values) as unknown),
        );
      };
      return withFunction(runnable, run, () => Reflect.apply(original, this, [ended, ...args.slice(1)]));
    };
  });
}

/** From here on the tests of mocha are tasks, in whatever place it is installed. */
export function watchMocha(): void {
  watchModules("mocha", (exported) => {
    for (const prototype of prototypesOf(exported)) {
      if ("run" in prototype && "titlePath" in prototype && "isPending" in prototype) recordMocha(prototype);
    }
  });
}

/** Calls `run` while `fn` is the runnable's function. */
function withFunction(runnable: Runnable, fn: AnyFunction, run: () => unknown): unknown {
  const original = runnable.fn;
  runnable.fn = fn;
  try {
    return run();
  } finally {
    if (runnable.fn === fn) runnable.fn = original;
  }
}

const HOOK_KINDS: ReadonlyMap<string, string> = new Map([
  ["before all", "before"],
  ["before each", "beforeEach"],
  ["after all", "after"],
  ["after each", "afterEach"],
]);

/** Hooks are titled `"before each" hook: name`. */
function hookKind(title: unknown): string {
  const kind = /^"([^"]*)" hook/.exec(String(title))?.[1] ?? "";
  return HOOK_KINDS.get(kind) ?? "hook";
}

function titleOf(runnable: Runnable): string {
  const names = runnable.titlePath?.() ?? [runnable.title];
  return names.map(String).join(TITLE_SEPARATOR);
}

function fileOf({ file, parent }: Runnable): string {
  const known = file ?? parent?.file;
  return typeof known === "string" ? known : "";
}

function outcomeOf(runnable: Runnable, error: unknown): TestOutcome {
  // One that skips itself later on brings an error for it, too.
  if (runnable.isPending?.() === true) return "skipped";
  if (error !== undefined && error !== null) {
    return (error as { code?: unknown }).code === "ERR_MOCHA_TIMEOUT" ? "timed out" : "failed";
  }
  return "passed";
}
