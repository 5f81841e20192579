import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelBuilder } from "../../model/build.ts";
import { event, go, proc, stack, sync } from "../../testing/ordered-events.ts";
import { findLogs, groupLogs, LOG_KEYS, type LogKey } from "./log-groups.ts";

function model() {
  const builder = new ModelBuilder();
  const log = (time: number, name: string, message: string, task: bigint) =>
    event({ kind: "Log", time, name, message, task, goroutine: 1, proc: 0 });
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("shop") }),
    go(1, 1, "Runnable->Running", { proc: 0 }),
    event({ kind: "TaskBegin", time: 2, task: 7n, name: "cappuccino", goroutine: 1, proc: 0 }),
    log(3, "milk", "steamed", 7n),
    log(4, "milk", "poured", 7n),
    log(5, "", "closing", 0n),
  ])
    builder.event(e);
  return builder.finish(null, 25);
}

test("logs are grouped by category, message, task and activation", () => {
  const trace = model();
  const all = findLogs(trace, "");
  assert.deepEqual([...all], [0, 1, 2]);
  const names = (key: LogKey): string[] =>
    groupLogs(trace, all, key).map(
      ({ name, rows, tasks, activations }) => `${name}: ${rows.length} ${tasks} ${activations}`,
    );
  assert.deepEqual(names("category"), ["milk: 2 1 1", "(no category): 1 0 1"]);
  assert.deepEqual(names("message"), ["[milk] poured: 1 1 1", "[milk] steamed: 1 1 1", "closing: 1 0 1"]);
  assert.deepEqual(names("task"), ["cappuccino #7: 2 1 1", "–: 1 0 1"]);
  assert.deepEqual(names("activation"), ["shop #1: 3 1 1"]);
  assert.deepEqual(Object.keys(LOG_KEYS).length, 4);
});

test("a text finds logs by what they say and where they belong", () => {
  const trace = model();
  assert.deepEqual([...findLogs(trace, "STEAM")], [0]);
  assert.deepEqual([...findLogs(trace, "[milk]")], [0, 1]);
  assert.deepEqual([...findLogs(trace, "cappuccino")], [0, 1]);
  assert.deepEqual([...findLogs(trace, "shop")], [0, 1, 2]);
  assert.deepEqual([...findLogs(trace, "espresso")], []);
});
