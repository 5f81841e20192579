import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelBuilder } from "../model/build.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { hasTests, testsOf } from "./tests.ts";

const MS = 1e6;

/**
 * A test that makes an activation, and fails: both wait when it is over, at 4 ms. The test's own goes on 8 ms later, what
 * it made never. Before that it has made another, which ended 0.5 ms behind it.
 */
function model(withLogs: boolean) {
  const builder = new ModelBuilder();
  const log = (time: number, category: string, message: string) =>
    event({ kind: "Log", time, goroutine: 2, proc: 0, task: 7n, name: category, message });
  const logs = withLogs ? [log(1 * MS, "test.file", "a.test.js"), log(4 * MS, "test.outcome", "failed")] : [];
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 2, "NotExist->Runnable", { transitionStack: stack("adds") }),
    go(0, 2, "Runnable->Running", { proc: 0 }),
    event({ kind: "TaskBegin", time: 0.5 * MS, goroutine: 2, proc: 0, task: 7n, name: "adds" }),
    ...logs.slice(0, 1),
    go(1 * MS, 3, "NotExist->Runnable", {
      transitionStack: stack("tick"),
      goroutine: 2,
      stack: stack("adds"),
    }),
    go(1 * MS, 4, "NotExist->Runnable", { transitionStack: stack("soon"), goroutine: 2 }),
    go(2 * MS, 2, "Running->Waiting", { proc: 0, reason: "sleep", stack: stack("adds") }),
    go(2 * MS, 3, "Runnable->Running", { proc: 0 }),
    go(2.5 * MS, 3, "Running->Waiting", { proc: 0, reason: "network", stack: stack("listen", "tick") }),
    go(3 * MS, 4, "Runnable->Running", { proc: 0 }),
    go(3.5 * MS, 4, "Running->Waiting", { proc: 0, reason: "sleep" }),
    ...logs.slice(1),
    event({ kind: "TaskEnd", time: 4 * MS, goroutine: 2, proc: 0, task: 7n, name: "adds" }),
    go(4.5 * MS, 4, "Waiting->Runnable"),
    go(4.5 * MS, 4, "Runnable->Running", { proc: 0 }),
    go(4.5 * MS, 4, "Running->NotExist", { proc: 0 }),
    go(12 * MS, 2, "Waiting->Runnable"),
    go(12 * MS, 2, "Runnable->Running", { proc: 0 }),
    go(12 * MS, 2, "Running->NotExist", { proc: 0 }),
    proc(20 * MS, 0, "Running->Idle"),
  ])
    builder.event(e);
  return builder.finish(null, 25);
}

test("tests are told by file and outcome, and what they left behind by how long it lived on", () => {
  const trace = model(true);
  assert.equal(hasTests(trace), true);
  const { files, runs, leftBehind } = testsOf(trace);
  assert.deepEqual(files, [
    { file: "a.test.js", outcomes: { passed: 0, failed: 1, "timed out": 0, skipped: 0, todo: 0 } },
  ]);
  assert.deepEqual(runs, [
    {
      task: 7,
      test: "adds",
      file: "a.test.js",
      outcome: "failed",
      start: 0.5 * MS,
      duration: 3.5 * MS,
    },
  ]);
  assert.deepEqual(
    leftBehind.map(({ test: title, activation, reason, livedOn, isOpen }) => [
      title,
      activation.name,
      reason,
      livedOn / MS,
      isOpen,
    ]),
    [
      ["adds", "tick", "network", 16, true],
      ["adds", "adds", "sleep", 8, false],
    ],
  );
});

test("tasks that tell no outcome are no tests", () => {
  const trace = model(false);
  assert.equal(hasTests(trace), false);
  assert.deepEqual(testsOf(trace), { files: [], runs: [], leftBehind: [] });
});
