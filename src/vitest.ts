/** runtrace/vitest: one of vitest's `setupFiles`, it makes each test a task of the trace. */
import { functionsOf, recordVitest } from "./integrations/vitest.ts";

interface RunnerClass {
  readonly prototype?: object;
  readonly getTestFn?: unknown;
  readonly getSuiteHooks?: unknown;
}

// vitest is the program's: the types that this package ships must not need it.
const vitest: string = "vitest";
const { TestRunner: runner } = (await import(vitest)) as { TestRunner?: RunnerClass };
const functions = functionsOf(runner?.getTestFn, runner?.getSuiteHooks);
if (runner?.prototype !== undefined && functions !== null) recordVitest(runner.prototype, functions);

export {};
