/** runtrace/vitest: one of vitest's `setupFiles`, it makes each test a task of the trace. */
import { functionsOf, recordVitest } from "./integrations/vitest.ts";

interface RunnerClass {
  readonly prototype?: object;
  readonly getTestFn?: unknown;
  readonly getSuiteHooks?: unknown;
}

interface Vitest {
  readonly TestRunner?: RunnerClass;
}

/** vitest as the test files of this thread have it. It is the program's: what this package ships must not need it. */
async function vitest(): Promise<Vitest> {
  const known = (globalThis as { __vitest_index__?: Vitest }).__vitest_index__;
  if (known !== undefined) return known;
  const name: string = "vitest";
  try {
    return (await import(name)) as Vitest;
  } catch {
    return {};
  }
}

const { TestRunner: runner } = await vitest();
const functions = functionsOf(runner?.getTestFn, runner?.getSuiteHooks);
if (runner?.prototype !== undefined && functions !== null) recordVitest(runner.prototype, functions);
