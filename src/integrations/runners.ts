import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { watchBenchmarks } from "./benchmarks.ts";
import { watchJest } from "./jest-runtime.ts";
import { watchMocha } from "./mocha.ts";
import { recordNodeTests } from "./node-test.ts";
import { reportFailures } from "./running-test.ts";
import { watchVitest } from "./vitest.ts";

/** Under which a process's Workers find where failures are told, by worker_threads' environment data. */
const FAILURES_KEY = "runtrace:failures";

/**
 * In a process whose code is transformed: benchmarks are tasks from here on, and modules that test runners load themselves
 * are transformed, too. With `failures`, a file that gets a line for each test that fails, every test of every runner is a task.
 */
export function watchRunners(failures: string | undefined): void {
  const tests = failures !== undefined;
  watchBenchmarks();
  watchJest(tests);
  watchVitest(tests);
  if (!tests) return;
  reportFailures(failures);
  watchMocha();
  recordNodeTests();
  setEnvironmentData(FAILURES_KEY, failures);
}

/** The same in a Worker of such a process. */
export function watchRunnersHere(): void {
  const failures = getEnvironmentData(FAILURES_KEY) as unknown;
  watchRunners(typeof failures === "string" ? failures : undefined);
}
