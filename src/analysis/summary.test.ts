import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderedEvent } from "../order/types.ts";
import { event, go, NO_PARENT, proc, stack, sync } from "../testing/ordered-events.ts";
import { SummaryBuilder } from "./summary.ts";
import type { TraceSummary } from "./summary.ts";

function summarize(events: readonly OrderedEvent[], compat = true): TraceSummary {
  const builder = new SummaryBuilder({ compat });
  for (const e of events) builder.event(e);
  return builder.finish(null);
}

test("a goroutine found at the start is charged from the last Sync", () => {
  const states = [
    ["Running", { exec: 50 }],
    ["Runnable", { schedWait: 50 }],
    ["Waiting", { blockByReason: { "": 50 } }],
  ] as const;
  for (const [state, want] of states) {
    const [goroutine] = summarize([sync(10), go(40, 1, `Undetermined->${state}`), sync(60)]).goroutines;
    assert.deepEqual({ ...goroutine, ...want }, goroutine);
    assert.deepEqual([goroutine?.creation, goroutine?.total, goroutine?.unknown], [10, 50, 0]);
    assert.equal(goroutine?.start, state === "Running" ? 40 : 0);
  }
});

test("the entry frame of the first stack names a goroutine, its maker is its parent", () => {
  const { goroutines } = summarize([
    sync(0),
    go(1, 1, "Undetermined->Running", { transitionStack: null }),
    go(2, 1, "Running->Waiting", { by: 1, reason: "x", transitionStack: stack("leaf", "entry") }),
    go(3, 2, "NotExist->Runnable", { by: 1, transitionStack: stack("child") }),
    sync(9),
  ]);
  const rows = goroutines.map((g) => [g.id, g.name, g.pc, g.parent]);
  assert.deepEqual(rows, [
    [1, "entry", "0x2", null],
    [2, "child", "0x1", 1],
  ]);
});

test("a wait for ever is an end", () => {
  const [goroutine] = summarize([
    sync(0),
    go(10, 1, "NotExist->Runnable"),
    go(20, 1, "Runnable->Running"),
    go(30, 1, "Running->Waiting", { by: 1, reason: "forever" }),
    sync(100),
  ]).goroutines;
  assert.deepEqual([goroutine?.end, goroutine?.total, goroutine?.blockByReason], [30, 20, {}]);
});

const LOST_AT_END = [
  sync(0),
  go(10, 1, "NotExist->Runnable"),
  go(20, 1, "Runnable->Running", { proc: 0 }),
  go(30, 1, "Running->Syscall", { by: 1, proc: 0 }),
  proc(50, 0, "Running->Idle"),
  sync(100),
];

test("an open syscall without a proc: right by default, Go's double count with compat", () => {
  const [right] = summarize(LOST_AT_END, false).goroutines;
  assert.deepEqual([right?.syscall, right?.syscallBlock, right?.schedWait, right?.unknown], [20, 50, 10, 0]);
  const [compat] = summarize(LOST_AT_END, true).goroutines;
  assert.deepEqual(
    [compat?.syscall, compat?.syscallBlock, compat?.schedWait, compat?.unknown],
    [70, 0, 60, 0],
  );
});

test("a proc lost by the second of two syscalls on it: right by default, missed with compat", () => {
  const events = [
    sync(0),
    go(10, 1, "NotExist->Runnable"),
    go(20, 1, "Runnable->Running", { proc: 0 }),
    go(30, 1, "Running->Syscall", { by: 1, proc: 0 }),
    proc(40, 0, "Running->Idle"),
    proc(41, 0, "Idle->Running"),
    go(42, 2, "NotExist->Runnable"),
    go(43, 2, "Runnable->Running", { proc: 0 }),
    go(50, 2, "Running->Syscall", { by: 2, proc: 0 }),
    go(60, 1, "Syscall->Runnable", { by: 1 }),
    proc(70, 0, "Running->Idle"),
    go(90, 2, "Syscall->Runnable", { by: 2 }),
    sync(100),
  ];
  const second = (compat: boolean): unknown[] => {
    const goroutine = summarize(events, compat).goroutines[1];
    return [goroutine?.syscall, goroutine?.syscallBlock];
  };
  assert.deepEqual(second(false), [20, 20]);
  assert.deepEqual(second(true), [40, 0]);
});

const regionEvent = (time: number, kind: OrderedEvent["kind"], name: string, task: bigint): OrderedEvent =>
  event({ kind, time, name, task, goroutine: 1 });

test("regions: charged with what happened inside; open ones end with the goroutine; a child inherits the task", () => {
  const { regions, tasks, goroutines } = summarize([
    sync(0),
    go(10, 1, "Undetermined->Running", { transitionStack: stack("main") }),
    regionEvent(15, "RegionEnd", "before", 0n),
    regionEvent(20, "RegionBegin", "outer", 7n),
    go(30, 2, "NotExist->Runnable", { by: 1, transitionStack: stack("child") }),
    go(40, 1, "Running->Waiting", { by: 1, reason: "sleep" }),
    go(60, 1, "Waiting->Runnable"),
    go(65, 1, "Runnable->Running"),
    go(70, 1, "Running->NotExist", { by: 1 }),
    sync(100),
  ]);
  const rows = regions.map((r) => [
    r.goroutine,
    r.type,
    r.task,
    r.start,
    r.startKind,
    r.end,
    r.endKind,
    r.duration,
  ]);
  assert.deepEqual(rows, [
    [1, "before", 0, null, "", 15, "RegionEnd", 15],
    [1, "outer", 7, 20, "RegionBegin", 70, "StateTransition", 50],
    [2, "", 7, 30, "StateTransition", null, "", 70],
  ]);
  const outer = regions[1];
  assert.deepEqual(
    [outer?.exec, outer?.schedWait, outer?.blockByReason, outer?.total],
    [25, 5, { sleep: 20 }, 50],
  );
  const seen = tasks.map((t) => [t.id, t.regions, t.goroutines, t.complete, t.duration]);
  assert.deepEqual(seen, [
    [0, 1, [1], false, 100],
    [7, 1, [1], false, 100],
  ]);
  assert.deepEqual(
    goroutines.map((g) => g.regions),
    [2, 1],
  );
});

const openRegions = (name: string): number =>
  summarize([
    sync(0),
    go(10, 1, "Undetermined->Running", { transitionStack: stack(name) }),
    event({ kind: "RegionBegin", time: 20, name: "r", goroutine: 1 }),
    sync(100),
  ]).regions.length;

test("goroutines of the runtime keep no open regions", () => {
  assert.deepEqual(["runtime.bgsweep", "runtime.main", "main.main"].map(openRegions), [0, 1, 1]);
});

test("tasks: parents, children, logs, ids beyond 53 bits", () => {
  const big = 2n ** 60n;
  const { tasks } = summarize([
    sync(0),
    go(1, 1, "Undetermined->Running"),
    event({ kind: "TaskBegin", time: 10, goroutine: 1, task: 1n, name: "a", parent: NO_PARENT }),
    event({ kind: "TaskBegin", time: 20, goroutine: 1, task: big, name: "b", parent: 1n }),
    event({ kind: "Log", time: 25, goroutine: 1, task: big, name: "k", message: "v" }),
    event({ kind: "TaskEnd", time: 30, goroutine: 1, task: big, name: "b", parent: 1n }),
    sync(50),
  ]);
  assert.deepEqual(tasks, [
    {
      id: 1,
      name: "a",
      parent: null,
      children: ["1152921504606846976"],
      start: 10,
      end: null,
      complete: false,
      duration: 40,
      logs: 0,
      regions: 0,
      goroutines: [1],
    },
    {
      id: "1152921504606846976",
      name: "b",
      parent: 1,
      children: [],
      start: 20,
      end: 30,
      complete: true,
      duration: 10,
      logs: 1,
      regions: 0,
      goroutines: [1],
    },
  ]);
});

const rangeEvent = (time: number, kind: OrderedEvent["kind"], fields: Partial<OrderedEvent>): OrderedEvent =>
  event({ kind, time, ...fields });

test("ranges: of a goroutine, of a proc only where one goroutine began and ended it, over generations", () => {
  const assist = { name: "assist", scope: "goroutine", scopeId: 1 } as const;
  const sweep = { name: "sweep", scope: "proc", scopeId: 0 } as const;
  const { goroutines } = summarize([
    sync(0),
    go(1, 1, "Undetermined->Running"),
    go(2, 2, "Undetermined->Runnable"),
    rangeEvent(10, "RangeBegin", assist),
    sync(20),
    rangeEvent(21, "RangeActive", assist),
    rangeEvent(30, "RangeEnd", assist),
    rangeEvent(40, "RangeBegin", { ...sweep, goroutine: 1 }),
    rangeEvent(45, "RangeEnd", { ...sweep, goroutine: 1 }),
    rangeEvent(50, "RangeBegin", { ...sweep, name: "other", goroutine: 1 }),
    rangeEvent(55, "RangeEnd", { ...sweep, name: "other", goroutine: 2 }),
    sync(60),
  ]);
  assert.deepEqual(
    goroutines.map((g) => g.ranges),
    [{ assist: 20, other: 10, sweep: 5 }, {}],
  );
});

test("broken UTF-8 comes out as U+FFFD, kinds and events are counted", () => {
  const summary = summarize([
    sync(0),
    go(1, 1, "Undetermined->Running"),
    event({ kind: "TaskBegin", time: 10, goroutine: 1, task: 1n, name: "bad\uDCFFutf8" }),
    sync(20),
    go(30, 1, "Running->Runnable", { by: 1 }),
  ]);
  assert.equal(summary.tasks[0]?.name, "bad\uFFFDutf8");
  assert.deepEqual(summary.kinds, { StateTransition: 2, Sync: 2, TaskBegin: 1 });
  assert.deepEqual([summary.events, summary.validEvents, summary.startTime, summary.endTime], [5, 4, 0, 30]);
});
