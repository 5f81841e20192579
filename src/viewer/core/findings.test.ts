import assert from "node:assert/strict";
import { test } from "node:test";
import { healthOf } from "../../analysis/health.ts";
import { totalsOf } from "../../analysis/span-totals.ts";
import { ModelBuilder } from "../../model/build.ts";
import { event, go, proc, stack, sync } from "../../testing/ordered-events.ts";
import { findings, mainParts, slowestTasks } from "./findings.ts";
import { buildIndex } from "./trace-index.ts";

const MS = 1e6;

/** A handler with a task: it sleeps 30 ms, then computes for 80; a second task of 1 ms; three that wait for ever. */
function trace() {
  const builder = new ModelBuilder();
  const task = (kind: "TaskBegin" | "TaskEnd", time: number, id: bigint, name: string) =>
    event({ kind, time, task: id, name, goroutine: 1, proc: 0 });
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("handler") }),
    go(0, 1, "Runnable->Running", { proc: 0 }),
    task("TaskBegin", 0, 1n, "cappuccino"),
    ...[5, 6, 7].flatMap((id) => [
      go(0, id, "NotExist->Runnable", { transitionStack: stack("leak"), goroutine: 1 }),
    ]),
    go(0, 1, "Running->Waiting", { proc: 0, reason: "sleep", stack: stack("handler") }),
    ...[5, 6, 7].flatMap((id) => [
      go(1, id, "Runnable->Running", { proc: 0 }),
      go(1, id, "Running->Waiting", { proc: 0, reason: "network", stack: stack("leak") }),
    ]),
    go(30 * MS, 1, "Waiting->Runnable", {}),
    go(30 * MS, 1, "Runnable->Running", { proc: 0 }),
    event({ kind: "StackSample", time: 50 * MS, goroutine: 1, proc: 0, stack: stack("grind", "handler") }),
    task("TaskEnd", 110 * MS, 1n, "cappuccino"),
    task("TaskBegin", 110 * MS, 2n, "espresso"),
    task("TaskEnd", 111 * MS, 2n, "espresso"),
    go(111 * MS, 1, "Running->NotExist", { proc: 0 }),
  ])
    builder.event(e);
  const model = builder.finish(null, 25);
  const index = buildIndex(model);
  return { model, index, health: healthOf(model, totalsOf(model), 10) };
}

test("what strikes is told in plain words, with the place where it is", () => {
  const { model, index, health } = trace();
  const found = findings(model, index, health, true);
  assert.deepEqual(
    found.map(({ text }) => text),
    [
      "The slowest task, cappuccino #1, took 110 ms: 80 ms running, 30 ms waiting (sleep).",
      "handler #1 kept the event loop proc 0 for 81 ms without a break, mostly in grind grind.js:1.",
      "The event loop proc 0 was busy 100 % of the time: what is ready has to wait for it.",
      "The longest wait was 111 ms for network in leak #5.",
      "3 activations leak never ended; one has waited for network for 111 ms.",
    ],
  );
  assert.deepEqual(found[0]!.place, { kind: "task", row: 0 });
  assert.deepEqual(found[1]!.place, { kind: "activation", row: 0, time: 30 * MS });
});

test("tasks by how long they took, and where the time of one went", () => {
  const { model, index } = trace();
  assert.deepEqual(slowestTasks(model, 9), [0, 1]);
  assert.deepEqual(
    mainParts(model, index, 0).map(([, time]) => time / MS),
    [80, 30],
  );
});
