import type { TestOutcome } from "../base/test-logs.ts";
import { transformEvaluated } from "../loader/evaluated.ts";
import { prototypesOf, watchModules } from "../loader/subjects.ts";
import { withRoom } from "../loader/traces.ts";
import { imitate } from "../probe/replace.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { isRecording } from "../recorder/api.ts";
import {
  RunningTest,
  TEST_FRAMES,
  TITLE_SEPARATOR,
  hookName,
  inRegion,
  isMarked,
  isRecorded,
  tellFailure,
} from "./running-test.ts";

/**
 * vitest as it is, but for this: each test is a task, named by its full title, from the beginning of its function until
 * it, what vitest checks behind it and the hooks behind it are over. Hooks are regions.
 *
 * vitest lets a runner run tests itself (`runTask`), and tells it when a try is over without (`onTaskFinished`) and with its
 * hooks (`onAfterRetryTask`), when a test is (`onAfterRunTask`) and when a suite is. The usual runner lacks most of these
 * methods: it gets them.
 */
interface VitestTask {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly fails?: unknown;
  readonly filepath?: unknown;
  readonly file?: VitestTask;
  readonly suite?: VitestTask;
  readonly pending?: unknown;
  readonly result?: {
    readonly state?: unknown;
    readonly pending?: unknown;
    readonly errors?: readonly { readonly message?: unknown }[];
  };
}

/** How the runner of this version of vitest finds what is to be called. */
export interface VitestFunctions {
  /** The function of a test. */
  readonly getFn: (test: object) => unknown;
  /** The hooks of a suite, by their kinds. */
  readonly getHooks: (suite: object) => Record<string, unknown> | undefined;
}

interface Runner {
  runTask?: unknown;
  onTaskFinished?: unknown;
  onAfterRetryTask?: unknown;
  onAfterRunTask?: unknown;
  onBeforeRunSuite?: unknown;
  onAfterRunSuite?: unknown;
}

/** A try of a test: how it ended as long as its hooks do not fail, and whether they are over. */
interface Try {
  readonly test: RunningTest;
  outcome: TestOutcome;
  isOver: boolean;
}

/** From here on what vitest loads in this thread is transformed; `tests`: and its tests are tasks. */
export function watchVitest(tests: boolean): void {
  watchModules("vitest", transformEvaluated);
  if (!tests) return;
  let functions: VitestFunctions | null = null;
  // The runner's module imports this one, so it comes first.
  watchModules("vitestFunctions", (exported) => {
    functions = functionsOf(exported.get("getFn"), exported.get("getHooks"));
  });
  watchModules("vitest", (exported) => {
    if (functions === null) return;
    for (const prototype of prototypesOf(exported)) {
      if ("onBeforeTryTask" in prototype) recordVitest(prototype, functions);
    }
  });
}

/** The functions, where they are some. */
export function functionsOf(getFn: unknown, getHooks: unknown): VitestFunctions | null {
  if (typeof getFn !== "function" || typeof getHooks !== "function") return null;
  return { getFn, getHooks } as VitestFunctions;
}

/** From here on the tests of a runner, whose prototype it is, are tasks. */
export function recordVitest(prototype: object, { getFn, getHooks }: VitestFunctions): void {
  if (isRecorded(prototype)) return;
  const runner = prototype as Runner;
  const tries = new WeakMap<object, Try>();
  const { runTask } = runner;
  const end = (test: VitestTask, outcome?: TestOutcome): void => {
    const last = tries.get(test);
    if (last === undefined || last.isOver) return;
    last.isOver = true;
    last.outcome = outcome ?? last.outcome;
    last.test.end(last.outcome);
  };
  const run: AnyFunction = function (test) {
    end(test as VitestTask);
    const task = new RunningTest(titleOf(test as VitestTask), fileOf(test as VitestTask));
    tries.set(test as object, { test: task, outcome: "failed", isOver: false });
    const fn = typeof runTask === "function" ? (runTask as AnyFunction) : getFn(test as object);
    // As vitest says itself.
    if (typeof fn !== "function")
      throw new Error("Test function is not found. Did you add it using `setFn`?");
    const isRunTask = fn === runTask;
    const call = (): unknown =>
      Reflect.apply(fn as AnyFunction, isRunTask ? this : undefined, isRunTask ? [test] : []);
    return withRoom(TEST_FRAMES, () => task.run(call));
  };
  // Where nothing records the runner has what it had before: stacks hold nothing of ours.
  Object.defineProperty(runner, "runTask", {
    get: () => (isRecording() ? run : runTask),
    set(this: object, value) {
      Object.defineProperty(this, "runTask", { value, configurable: true, writable: true, enumerable: true });
    },
    configurable: true,
  });
  before(runner, "onTaskFinished", (test) => {
    const last = tries.get(test);
    if (last === undefined || last.isOver) return;
    last.outcome = outcomeOf(test);
    if (last.outcome === "skipped") end(test);
  });
  before(runner, "onAfterRetryTask", (test) => end(test, outcomeOf(test)));
  before(runner, "onAfterRunTask", (test) => {
    const failed = test.result?.state === "fail";
    end(test, failed && tries.get(test)?.outcome === "passed" ? "failed" : undefined);
    if (!failed || !isRecording()) return;
    const last = tries.get(test);
    if (last === undefined) new RunningTest(titleOf(test), fileOf(test)).failBefore();
    else if (last.outcome === "passed") tellFailure(titleOf(test));
  });
  before(runner, "onBeforeRunSuite", (suite) => {
    if (isRecording()) recordHooks(getHooks(suite) ?? {});
  });
  before(runner, "onAfterRunSuite", ({ name, result }) => {
    // Hooks of the suite: of a test that has failed the suite has no error.
    if (result?.state === "fail" && (result.errors?.length ?? 0) > 0) tellFailure(String(name));
  });
}

/** Does something when the runner's method of this name is called, before what it has done until now. */
function before(runner: Runner, name: keyof Runner, act: (task: VitestTask) => void): void {
  const theirs = runner[name];
  define(runner, name, function (...args) {
    act(args[0] as VitestTask);
    return typeof theirs === "function" ? Reflect.apply(theirs as AnyFunction, this, args) : undefined;
  });
}

function define(runner: Runner, name: keyof Runner, method: AnyFunction): void {
  Object.defineProperty(method, "name", { value: name, configurable: true });
  Object.defineProperty(runner, name, {
    value: method,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

const HOOK_KINDS = ["beforeAll", "afterAll", "beforeEach", "afterEach"] as const;

/** Hooks of a suite run in regions. vitest keeps what it knows of a hook in properties of its function. */
function recordHooks(hooks: Record<string, unknown>): void {
  for (const kind of HOOK_KINDS) {
    const list = hooks[kind];
    if (!Array.isArray(list)) continue;
    for (const [i, hook] of (list as unknown[]).entries()) {
      if (typeof hook !== "function" || isMarked(hook)) continue;
      const fn = hook as AnyFunction;
      const own = imitate(fn, function (...args) {
        return inRegion(hookName(kind, ""), fn, this, args, -1);
      });
      isRecorded(own);
      list[i] = own;
    }
  }
}

/** The names of suites and the test; what belongs to no suite belongs to its file, which has none. */
function titleOf(test: VitestTask): string {
  const names: string[] = [];
  for (let at: VitestTask | undefined = test; at !== undefined && at.filepath === undefined; at = at.suite) {
    names.unshift(String(at.name));
  }
  return names.join(TITLE_SEPARATOR);
}

function fileOf({ file }: VitestTask): string {
  return typeof file?.filepath === "string" ? file.filepath : "";
}

function outcomeOf({ result, pending, fails }: VitestTask): TestOutcome {
  if (pending === true || result?.pending === true || result?.state === "skip") return "skipped";
  const failed = result?.state === "fail";
  if (fails === true) return failed ? "passed" : "failed";
  if (!failed) return "passed";
  return /^Test timed out in \d+ms/.test(String(result.errors?.at(-1)?.message)) ? "timed out" : "failed";
}
