/** Log categories inside a test's task: the path of its file, and how it ended. */
export const TEST_FILE = "test.file";
export const TEST_OUTCOME = "test.outcome";

/**
 * How a test ended. One that was skipped has begun to run and has skipped itself; what never runs is no task. "todo" is one
 * that failed and is yet to be made to pass.
 */
export type TestOutcome = "passed" | "failed" | "skipped" | "timed out" | "todo";
