import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ModelBuilder } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import type { OrderedEvent } from "../order/types.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { regionTypes, taskTypes } from "./annotations.ts";
import { distributionOf, nearestRank } from "./distribution.ts";
import { rangeSummaries } from "./gc.ts";
import { activationGroups } from "./groups.ts";
import { functionSamples } from "./samples.ts";
import { blockingSites, loopUse, schedulerLatency, waitReasons } from "./scheduling.ts";
import { totalsOf } from "./span-totals.ts";

function build(events: readonly OrderedEvent[]): TraceModel {
  const builder = new ModelBuilder();
  for (const e of events) builder.event(e);
  return builder.finish(null, 25);
}

const MAIN = stack("main");
const READ = stack("read", "main");

/** Two activations of `main` on one proc, from 0 to 100: one blocks on the network, one in a syscall. */
const TWO = build([
  sync(0),
  proc(5, 0, "Undetermined->Running"),
  go(10, 1, "NotExist->Runnable", { transitionStack: MAIN }),
  go(12, 1, "Runnable->Running", { proc: 0 }),
  go(20, 1, "Running->Waiting", { by: 1, proc: 0, reason: "network", stack: READ }),
  go(20, 2, "NotExist->Runnable", { transitionStack: MAIN }),
  go(25, 2, "Runnable->Running", { proc: 0 }),
  go(30, 2, "Running->Syscall", { by: 2, proc: 0 }),
  proc(50, 0, "Running->Idle"),
  go(60, 2, "Syscall->Runnable", { by: 2 }),
  go(70, 1, "Waiting->Runnable"),
  sync(100),
]);

test("groups: where the time of a function's activations went", () => {
  const [group, ...others] = activationGroups(TWO, totalsOf(TWO));
  assert.deepEqual(others, []);
  assert.deepEqual(group, {
    name: "main",
    count: 2,
    execution: 8 + 5,
    schedWait: 2 + 30 + 5 + 40,
    syscall: 20,
    syscallBlock: 10,
    block: 50,
    blockByReason: new Map([["network", 50]]),
    total: 90 + 80,
  });
});

test("scheduler latency: runnable spans that a run follows, the first one too", () => {
  const latency = schedulerLatency(totalsOf(TWO));
  assert.deepEqual([latency?.count, latency?.min, latency?.max], [2, 2, 5]);
  assert.equal(schedulerLatency(totalsOf(build([sync(0), sync(1)]))), null);
  const found = [sync(0), go(5, 1, "Undetermined->Running", { proc: 0 }), sync(9)];
  assert.equal(schedulerLatency(totalsOf(build(found))), null, "an activation that was found running");
});

test("loops: busy, overhead and idle make up the trace", () => {
  assert.deepEqual(loopUse(TWO, totalsOf(TWO)), [
    { id: 0, name: "proc 0", busy: 8 + 25, overhead: 12 + 5, idle: 50, utilization: 0.5 },
  ]);
});

test("waits by reason and by place", () => {
  const model = build([
    sync(0),
    go(0, 3, "Undetermined->Waiting"),
    ...[10, 40].flatMap((time) => [
      go(time, 1, time === 10 ? "NotExist->Runnable" : "Waiting->Runnable"),
      go(time + 1, 1, "Runnable->Running", { proc: 0 }),
      go(time + 2, 1, "Running->Waiting", { by: 1, reason: "sleep", stack: READ }),
    ]),
    sync(60),
  ]);
  assert.deepEqual(waitReasons(blockingSites(model, totalsOf(model))), [
    { reason: "", count: 1, total: 60, longest: 60 },
    { reason: "sleep", count: 2, total: 28 + 18, longest: 28 },
  ]);
  const [first, second] = blockingSites(model, totalsOf(model));
  assert.equal(first?.stack, 0);
  assert.equal(model.stacks[second!.stack]![0]!.func, "read");
});

const annotation = (time: number, kind: OrderedEvent["kind"], name: string, task: bigint): OrderedEvent =>
  event({ kind, time, name, task, goroutine: 1 });

test("tasks and regions by type: only complete ones have a latency", () => {
  const model = build([
    sync(0),
    go(1, 1, "Undetermined->Running", { proc: 0 }),
    annotation(10, "TaskBegin", "get", 1n),
    annotation(12, "RegionBegin", "parse", 1n),
    annotation(15, "RegionEnd", "parse", 1n),
    annotation(20, "TaskEnd", "get", 1n),
    annotation(30, "TaskBegin", "get", 2n),
    annotation(40, "TaskEnd", "put", 3n),
    annotation(50, "RegionBegin", "parse", 2n),
    sync(90),
  ]);
  const tasks = taskTypes(model).map((type) => [type.type, type.count, type.complete, type.latency?.p50]);
  assert.deepEqual(tasks, [
    ["get", 2, 1, 10],
    ["put", 1, 0, undefined],
  ]);
  const regions = regionTypes(model).map((type) => [type.type, type.count, type.complete, type.latency?.max]);
  assert.deepEqual(regions, [["parse", 2, 1, 3]]);
});

test("ranges by name", () => {
  const model = build([
    sync(0),
    event({ kind: "RangeBegin", time: 10, name: "mark" }),
    event({ kind: "RangeEnd", time: 15, name: "mark" }),
    event({ kind: "RangeBegin", time: 20, name: "mark" }),
    sync(40),
  ]);
  assert.deepEqual(rangeSummaries(model), [{ name: "mark", count: 2, total: 25, longest: 20 }]);
});

const cpuSample = (time: number, ...functions: string[]): OrderedEvent =>
  event({ kind: "StackSample", time, stack: stack(...functions) });

test("CPU samples: self at the leaf, total once a sample however deep the recursion", () => {
  const model = build([
    sync(0),
    cpuSample(1, "fib", "fib", "main"),
    cpuSample(2, "fib", "main"),
    cpuSample(3, "main"),
    sync(9),
  ]);
  const rows = functionSamples(model, 10).map((row) => [row.func, row.self, row.total]);
  assert.deepEqual(rows, [
    ["fib", 2, 2],
    ["main", 1, 3],
  ]);
  assert.equal(functionSamples(model, 1).length, 1);
});

test("distribution: nearest rank", () => {
  assert.equal(distributionOf(new Float64Array(0)), null);
  const hundred = distributionOf(Float64Array.from({ length: 100 }, (_, i) => 100 - i));
  assert.deepEqual(hundred, {
    count: 100,
    total: 5050,
    min: 1,
    p50: 50,
    p90: 90,
    p95: 95,
    p99: 99,
    max: 100,
    mean: 50.5,
  });
  const one = distributionOf(Float64Array.of(7));
  assert.deepEqual([one?.min, one?.p50, one?.p99, one?.max], [7, 7, 7, 7]);
});

test("property: a percentile is a measured value that enough values do not pass, and the smallest such", () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percentile) => {
      const sorted = Float64Array.from(list).toSorted();
      const value = sorted[nearestRank(sorted.length, percentile)]!;
      const upTo = (limit: number): number => (list.filter((v) => v <= limit).length * 100) / list.length;
      assert.ok(list.includes(value));
      assert.ok(upTo(value) >= percentile);
      const smaller = list.filter((v) => v < value);
      if (smaller.length > 0) assert.ok(upTo(Math.max(...smaller)) < percentile);
    }),
  );
});
