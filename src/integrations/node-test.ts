import { AsyncResource } from "node:async_hooks";
import type { TestOutcome } from "../base/test-logs.ts";
import { withRoom } from "../loader/traces.ts";
import { wrap } from "../probe/wrap.ts";
import { isRecording } from "../recorder/api.ts";
import { RunningTest, TEST_FRAMES, TITLE_SEPARATOR, hookName, inRegion } from "./running-test.ts";

/**
 * node:test as it is, but for this: each test is a task, named by its full title ("suite > test"), from the beginning of
 * its function until Node has its result. What the test starts belongs to the task. Hooks are regions.
 *
 * Node runs every test and hook through a method of a public class that its own Test inherits, so nothing that a test file sees
 * changes: places of tests in reports, contexts and stacks are Node's. Where a release of Node does otherwise tests run
 * as ever and are no tasks.
 */
interface NodesTest {
  readonly name?: unknown;
  readonly fn?: unknown;
  readonly skipped?: unknown;
  readonly isTodo?: unknown;
  readonly passed?: unknown;
  readonly error?: { readonly failureType?: unknown } | null;
  readonly subtests?: readonly NodesTest[];
  readonly parent?: NodesTest | null;
  readonly hookType?: unknown;
  readonly entryFile?: unknown;
  readonly loc?: { readonly file?: unknown };
  readonly constructor?: { readonly name?: unknown };
}

const running = new WeakMap<NodesTest, RunningTest>();
let isInstalled = false;

/** From here on each test of node:test is a task. */
export function recordNodeTests(): void {
  if (isInstalled) return;
  isInstalled = true;
  wrap(AsyncResource.prototype, "runInAsyncScope", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const test = this as NodesTest | null | undefined;
      if (!isRecording() || typeof args[0] !== "function" || test?.fn !== args[0]) {
        return Reflect.apply(original, this, args);
      }
      if (typeof test.hookType === "string" && test.constructor?.name === "TestHook") {
        // Behind the function, `this` and the context.
        return inRegion(hookName(test.hookType, test.name), original, this, args, 3);
      }
      const title = titleOf(test);
      if (title === "") return Reflect.apply(original, this, args);
      watchResults(test);
      const task = new RunningTest(
        title,
        fileOf(test),
        test.parent == null ? undefined : running.get(test.parent),
      );
      running.set(test, task);
      return withRoom(TEST_FRAMES, () => task.run(() => Reflect.apply(original, this, args)));
    };
  });
}

/** The full title of a test; "" where it is none, is skipped or is a suite, and for somebody else's resource. */
function titleOf(test: NodesTest): string {
  if (test.constructor?.name !== "Test" || test.skipped === true) return "";
  const names: string[] = [];
  for (let at: NodesTest = test; at.parent != null; at = at.parent) names.unshift(String(at.name));
  return names.join(TITLE_SEPARATOR);
}

function fileOf({ entryFile, loc }: NodesTest): string {
  const file = entryFile ?? loc?.file;
  return typeof file === "string" ? file : "";
}

const watched = new WeakSet<object>();

/** Node calls `postRun` of a test when it has its result, and goes on to the next test from there. */
function watchResults(test: NodesTest): void {
  const prototype = Object.getPrototypeOf(test) as object;
  if (watched.has(prototype)) return;
  watched.add(prototype);
  wrap(prototype, "postRun", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const ended = this as NodesTest;
      running.get(ended)?.end(outcomeOf(ended), ended.isTodo === true);
      return Reflect.apply(original, this, args);
    };
  });
}

function outcomeOf({ skipped, passed, error, subtests = [] }: NodesTest): TestOutcome {
  if (skipped === true) return "skipped";
  if (error?.failureType === "testTimeoutFailure") return "timed out";
  const failed = subtests.some((test) => test.passed !== true && test.isTodo !== true);
  return passed === true && !failed ? "passed" : "failed";
}
