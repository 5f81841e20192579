import { AsyncResource } from "node:async_hooks";
import type { TestOutcome } from "../base/test-logs.ts";
import { columnOf } from "../loader/texts.ts";
import { endRoom, makeRoom, shownStack, withRoom } from "../loader/traces.ts";
import { wrap } from "../probe/wrap.ts";
import { isRecording } from "../recorder/api.ts";
import {
  RunningTest,
  TEST_FRAMES,
  TITLE_SEPARATOR,
  hookName,
  inRegion,
  tellFailure,
} from "./running-test.ts";

/**
 * node:test as it is, but for this: each test is a task, named by its full title ("suite > test"), from the beginning of
 * its function until Node has its result. What the test starts belongs to the task. Hooks are regions.
 *
 * Node runs every test and hook through a method of a public class that its own Test inherits, so nothing that a test file sees
 * changes: places of tests in reports, contexts and stacks are Node's. Where a release of Node does otherwise tests run
 * as ever and are no tasks.
 *
 * Node makes the error of a failed test itself, with a stack that it asks nobody about: no frame of ours may be below it. So what
 * Node does with a test is learnt from accessors on its way there: `loc` is set when the test is made, `postRun` is
 * read to be called when there is a result.
 */
interface NodesTest {
  readonly name?: unknown;
  readonly fn?: unknown;
  readonly skipped?: unknown;
  readonly isTodo?: unknown;
  readonly passed?: unknown;
  readonly error?: { readonly failureType?: unknown; stack?: unknown } | null;
  readonly subtests?: readonly NodesTest[];
  readonly parent?: NodesTest | null;
  readonly hookType?: unknown;
  readonly entryFile?: unknown;
  readonly loc?: Place;
  readonly constructor?: { readonly name?: unknown };
}

interface Place {
  readonly file?: unknown;
  readonly line?: unknown;
  column?: unknown;
}

const running = new WeakMap<NodesTest, RunningTest>();
let isInstalled = false;

/** From here on each test of node:test is a task. */
export function recordNodeTests(): void {
  if (isInstalled) return;
  isInstalled = true;
  watchTests();
  wrap(AsyncResource.prototype, "runInAsyncScope", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const test = this as NodesTest | null | undefined;
      if (!isRecording() || typeof args[0] !== "function" || test?.fn !== args[0]) {
        return Reflect.apply(original, this, args);
      }
      const { hookType } = test;
      if (typeof hookType === "string" && kindOf(test) === "TestHook") {
        const name = hookName(hookType, test.name);
        // Behind the function, `this` and the context.
        return withRoom(TEST_FRAMES, () => inRegion(name, original, this, args, 3));
      }
      const title = kindOf(test) === "Test" && test.skipped !== true ? titleOf(test) : "";
      if (title === "") {
        // One frame: a suite in a module has as much room as its module, and that is little.
        const made = makeRoom();
        try {
          return Reflect.apply(original, this, args);
        } finally {
          endRoom(made);
        }
      }
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

function kindOf(test: NodesTest): unknown {
  return test.constructor?.name;
}

/** The full title of a test or suite; "" for what holds all of them. */
function titleOf(test: NodesTest): string {
  const names: string[] = [];
  for (let at: NodesTest = test; at.parent != null; at = at.parent) names.unshift(String(at.name));
  return names.join(TITLE_SEPARATOR);
}

function fileOf({ entryFile, loc }: NodesTest): string {
  const file = entryFile ?? loc?.file;
  return typeof file === "string" ? file : "";
}

/**
 * Node's Test is in no module, but the first thing that it does is to make one that holds all others, and to say where that
 * is: until then every AsyncResource can be told so.
 */
function watchTests(): void {
  const { prototype } = AsyncResource;
  if (Object.hasOwn(prototype, "loc") || !Object.isExtensible(prototype)) return;
  Object.defineProperty(prototype, "loc", {
    configurable: true,
    get: () => undefined,
    set(this: object, value: unknown) {
      const tests = prototypeOfTests(this);
      if (tests !== null) {
        Reflect.deleteProperty(prototype, "loc");
        watchPlaces(tests);
        watchResults(tests);
      }
      own(this, "loc", value);
    },
  });
}

function prototypeOfTests(test: object): object | null {
  const prototype = Object.getPrototypeOf(test) as object | null;
  if (prototype === null || Object.getPrototypeOf(prototype) !== AsyncResource.prototype) return null;
  return kindOf(test as NodesTest) === "Test" && Object.hasOwn(prototype, "postRun") ? prototype : null;
}

function own(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

/** The column of a test is that in the original text. */
function watchPlaces(prototype: object): void {
  Object.defineProperty(prototype, "loc", {
    configurable: true,
    get: () => undefined,
    set(this: object, value: Place | undefined) {
      if (
        typeof value?.file === "string" &&
        typeof value.line === "number" &&
        typeof value.column === "number"
      )
        value.column = columnOf(value.file, value.line, value.column);
      own(this, "loc", value);
    },
  });
}

/** Node calls `postRun` of a test when it has its result, and goes on to the next test from there. */
function watchResults(prototype: object): void {
  const postRun: unknown = Reflect.get(prototype, "postRun");
  Object.defineProperty(prototype, "postRun", {
    configurable: true,
    get(this: NodesTest) {
      if (this !== prototype) ended(this);
      return postRun;
    },
    set(this: object, value: unknown) {
      own(this, "postRun", value);
    },
  });
}

function ended(test: NodesTest): void {
  const { error } = test;
  if (typeof error?.failureType === "string" && typeof error.stack === "string")
    error.stack = shownStack(error.stack);
  const task = running.get(test);
  if (task !== undefined) task.end(outcomeOf(test));
  else if (isRecording() && test.parent != null && test.passed !== true && test.skipped !== true) {
    // It never began, for a hook before it has failed. A suite that fails by itself is told of, but is no test.
    if (kindOf(test) === "Test")
      new RunningTest(titleOf(test), fileOf(test), running.get(test.parent)).failBefore(outcomeOf(test));
    else if (kindOf(test) === "Suite" && test.isTodo !== true) tellFailure(titleOf(test));
  }
}

function outcomeOf({ skipped, passed, error, isTodo, subtests = [] }: NodesTest): TestOutcome {
  if (skipped === true) return "skipped";
  const failed = subtests.some((test) => test.passed !== true && test.isTodo !== true);
  if (passed === true && !failed) return "passed";
  if (isTodo === true) return "todo";
  return error?.failureType === "testTimeoutFailure" ? "timed out" : "failed";
}
