import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelBuilder } from "../model/build.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { healthOf } from "./health.ts";
import { emptyTotals } from "./span-totals.ts";

const MS = 1e6;

/** Two loops: A computes 5 ms and wakes B, which has waited since 1 ms; C is made and never runs, D waits for ever. */
function health() {
  const totals = emptyTotals();
  const builder = new ModelBuilder(totals);
  const here = stack("B");
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    proc(0, 1, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("A") }),
    go(0, 1, "Runnable->Running", { proc: 0 }),
    go(0, 2, "NotExist->Runnable", { transitionStack: stack("B") }),
    go(0.5 * MS, 2, "Runnable->Running", { proc: 1 }),
    go(1 * MS, 2, "Running->Waiting", { proc: 1, reason: "chan receive", stack: here }),
    event({ kind: "StackSample", time: 2 * MS, goroutine: 1, proc: 0, stack: stack("burn", "A") }),
    event({ kind: "StackSample", time: 3 * MS, goroutine: 1, proc: 0, stack: stack("burn", "A") }),
    event({ kind: "StackSample", time: 4 * MS, goroutine: 1, proc: 0, stack: stack("other", "A") }),
    go(4.5 * MS, 3, "NotExist->Runnable", {
      transitionStack: stack("C"),
      goroutine: 1,
      stack: stack("make", "A"),
    }),
    go(5 * MS, 2, "Waiting->Runnable", { goroutine: 1 }),
    go(5 * MS, 1, "Running->NotExist", { proc: 0 }),
    go(6 * MS, 2, "Runnable->Running", { proc: 0 }),
    go(7 * MS, 4, "NotExist->Runnable", { transitionStack: stack("D"), goroutine: 2 }),
    go(7 * MS, 2, "Running->NotExist", { proc: 0 }),
    go(7 * MS, 4, "Runnable->Running", { proc: 0 }),
    go(8 * MS, 4, "Running->Waiting", { proc: 0, reason: "sleep", stack: stack("D") }),
    proc(10 * MS, 0, "Running->Idle"),
  ])
    builder.event(e);
  const model = builder.finish(null, 26);
  return { model, ...healthOf(model, totals, 10) };
}

test("the longest turns name who ran, where, and where most samples found it", () => {
  const { turns, model } = health();
  assert.deepEqual(
    turns.map(({ start, duration, activation, loop }) => [start / MS, duration / MS, activation, loop]),
    [
      [0, 5, { row: 0, id: 1, name: "A" }, "proc 0"],
      [6, 1, { row: 1, id: 2, name: "B" }, "proc 0"],
      [7, 1, { row: 3, id: 4, name: "D" }, "proc 0"],
      [0.5, 0.5, { row: 1, id: 2, name: "B" }, "proc 1"],
    ],
  );
  const [first, second] = turns;
  assert.deepEqual([first!.samples, first!.stackSamples], [3, 2]);
  assert.equal(model.stacks[first!.stack]![0]!.func, "burn");
  assert.deepEqual([second!.samples, second!.stack], [0, 0]);
});

test("the longest waits name who woke whom", () => {
  const { waits } = health();
  assert.deepEqual(
    waits.map(({ reason, start, duration, activation, waker }) => [
      reason,
      start / MS,
      duration / MS,
      activation.name,
      waker?.name,
    ]),
    [
      ["chan receive", 1, 4, "B", "A"],
      ["sleep", 8, 2, "D", undefined],
    ],
  );
});

test("what was made and has not ended is told with what it waits for", () => {
  const { notEnded } = health();
  assert.deepEqual(
    notEnded.map(({ name, count, reason, longest }) => [name, count, reason, longest / MS]),
    [
      ["C", 1, "", 5.5],
      ["D", 1, "sleep", 2],
    ],
  );
});

test("the run queue and the delay of each loop", () => {
  const { overTime, delays } = health();
  assert.equal(overTime.width, MS);
  const rounded = overTime.runnable.map((value) => Math.round(value * 10) / 10);
  assert.deepEqual(rounded, [0.5, 0, 0, 0, 0.5, 2, 1, 1, 1, 1]);
  assert.deepEqual(
    delays.map(({ loop, delay }) => [loop, delay.count, delay.max / MS]),
    [
      ["proc 0", 3, 1],
      ["proc 1", 1, 0.5],
    ],
  );
});
