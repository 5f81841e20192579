import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderedEvent } from "../order/types.ts";
import { event, sync } from "../testing/ordered-events.ts";
import { mmuOf } from "./mmu.ts";
import { mmuReport } from "./mmu-report.ts";
import type { MmuReport } from "./mmu-report.ts";
import type { UtilizationSeries } from "./mutator-utilization.ts";
import { UtilizationRecorder } from "./utilization-log.ts";

const FLAGS = { perProc: false, stw: true, background: true, assist: true, sweep: true };

const procs = (time: number, value: number): OrderedEvent =>
  event({ kind: "Metric", time, name: "/sched/gomaxprocs:threads", value, proc: 0, goroutine: 1 });

/** Pauses as [begin, end] on one proc of `of`, in a trace of that length. */
function report(
  length: number,
  pauses: readonly (readonly [begin: number, end: number])[],
  options: { compat?: boolean; window?: number; proc?: number; of?: number; perProc?: boolean } = {},
): MmuReport {
  const { compat = false, window = null, proc = 0, of = 1, perProc = false } = options;
  const recorder = new UtilizationRecorder({ compat });
  const sweep = { name: "GC incremental sweep", scope: "proc", scopeId: proc, proc } as const;
  for (const e of [
    sync(0),
    procs(0, of),
    ...pauses.flatMap(([begin, end]) => [
      event({ kind: "RangeBegin", time: begin, ...sweep }),
      event({ kind: "RangeEnd", time: end, ...sweep }),
    ]),
    sync(length),
  ])
    recorder.event(e);
  const flags = { ...FLAGS, perProc };
  return mmuReport(recorder.finish(), { flags, quantiles: true, window })!.report;
}

test("percentiles are more than the minimum, with compat they are not", () => {
  const pauses = [[4e8, 4e8 + 2e6]] as const;
  const right = report(1e9, pauses).curve.find((row) => row[0]! > 1e6)!;
  assert.equal(right[1], 0);
  assert.ok(right[1]! <= right[2]! && right[2]! < right[4]! && right[4] === 1, String(right));
  const compat = report(1e9, pauses, { compat: true }).curve.find((row) => row[0]! > 1e6)!;
  assert.deepEqual(new Set(compat.slice(1)), new Set([compat[1]]));
});

test("windows of the curve are whole, in the trace and evenly spread; cut off with compat", () => {
  const pauses = [[4e8, 4e8 + 2e6]] as const;
  const right = report(2e9, pauses);
  assert.deepEqual([right.xMin, right.xMax, right.curve.length], [1e6, 2e9, 100]);
  assert.deepEqual([right.curve[0]![0], right.curve.at(-1)![0]], [1e6, 2e9]);
  assert.ok(Math.abs(right.curve[50]![0]! / right.curve[49]![0]! - 2000 ** (1 / 99)) < 1e-3);
  assert.equal(report(2e9, pauses, { compat: true }).curve[0]![0], 999_999);
  // A trace of 5 ms with a pause of 1 ms.
  const short = report(5e6, [[2e6, 3e6]]);
  assert.deepEqual([short.xMin, short.xMax], [1e3, 5e6]);
  assert.deepEqual([short.start, short.end, short.mean], [0, 5e6, 0.8]);
  const goes = report(5e6, [[2e6, 3e6]], { compat: true });
  assert.deepEqual([goes.xMin, goes.xMax], [1e6, 5e6]);
  const all = report(5e6, [[0, 5e6]], { compat: true });
  assert.deepEqual([all.xMin, all.xMax], [1e9, 0.005e9]);
});

test("the worst windows: the first of equals, from where the mean is least", () => {
  const { worst, window } = report(1e9, [
    [5e8, 5.3e8],
    [7e8, 7.05e8],
  ]);
  assert.equal(window, 1e7);
  assert.deepEqual(worst.slice(0, 4), [
    { time: 5e8, utilization: 0 },
    { time: 5.1e8, utilization: 0 },
    { time: 5.2e8, utilization: 0 },
    { time: 6.95e8, utilization: 0.5 },
  ]);
  assert.equal(worst.length, 10);
  assert.equal(report(2e7, [[5e6, 6e6]]).window, 1e6);
  assert.equal(report(2e7, [[5e6, 6e6]], { window: 123 }).window, 123);
});

test("no window hangs over the end; with compat one does", () => {
  // 1,500 steps of 3 ns and 7 ns more: 1,000 bands of 5 ns, the last of which begin too late.
  const time = Float64Array.from({ length: 1_500 }, (_, i) => 3 * i);
  time[1_499] = 4_507;
  const value = Float64Array.from(time, (_, i) => (i === 1_499 ? 0 : i % 2 === 0 ? 0.75 : 0.5));
  const series: UtilizationSeries = { time, value };
  const window = 4_500;
  const right = mmuOf([series], false).mmu(window);
  const compat = mmuOf([series], true).mmu(window);
  assert.ok(right > 0.62 && compat < right - 1e-9, `${right}, ${compat}`);
});

test("a proc beyond GOMAXPROCS counts, passed over with compat", () => {
  const pauses = [[1e6, 2e6]] as const;
  assert.equal(report(1e7, pauses, { proc: 5, of: 2 }).mean, 0.95);
  assert.equal(report(1e7, pauses, { proc: 5, of: 2, compat: true }).mean, 1);
});
