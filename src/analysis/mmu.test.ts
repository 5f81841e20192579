import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mmuOf } from "./mmu.ts";
import type { UtilizationSeries } from "./mutator-utilization.ts";

function series(...points: readonly (readonly [time: number, value: number])[]): UtilizationSeries {
  return {
    time: Float64Array.from(points, ([time]) => time),
    value: Float64Array.from(points, ([, value]) => value),
  };
}

/** Mean in [time, time + window], by the definition. */
function mean({ time, value }: UtilizationSeries, from: number, window: number): number {
  let area = 0;
  for (let i = 0; i + 1 < time.length; i++)
    area += value[i]! * Math.max(0, Math.min(time[i + 1]!, from + window) - Math.max(time[i]!, from));
  return area / window;
}

/** Begins of windows at which the mean can bend. */
function bends(one: UtilizationSeries, window: number): number[] {
  const start = one.time[0]!;
  const last = one.time.at(-1)! - window;
  return [...one.time, ...Array.from(one.time, (time) => time - window), last]
    .filter((time) => time >= start && time <= last)
    .toSorted((a, b) => a - b);
}

function bruteMmu(all: readonly UtilizationSeries[], window: number): number {
  return Math.min(
    ...all.map((one) => {
      const clipped = Math.min(window, one.time.at(-1)! - one.time[0]!);
      return Math.min(...bends(one, clipped).map((time) => mean(one, time, clipped)));
    }),
  );
}

/** Thousands of steps, short ones and long ones. */
function manySteps(): { readonly one: UtilizationSeries; readonly end: number } {
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  let time = 1e9;
  const points: [number, number][] = [];
  for (let i = 0; i < 5_000; i++) {
    points.push([time, Math.round(random() * 4) / 4]);
    time += 1 + Math.floor(random() * 1_000 * (i % 97 === 0 ? 100 : 1));
  }
  return { one: series(...points, [time, 0]), end: time };
}

const STEP = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom(0, 0, 0.25, 0.5, 0.75, 1, 1));
const SERIES = fc
  .tuple(fc.integer({ min: 0, max: 1e6 }), fc.array(STEP, { minLength: 1, maxLength: 60 }))
  .map(([start, steps]) => {
    let time = start;
    const points: [number, number][] = [];
    for (const [duration, value] of steps) {
      points.push([time, value]);
      time += duration;
    }
    return series(...points, [time, 0]);
  });
const MANY = fc.array(SERIES, { minLength: 1, maxLength: 4 });
const WINDOW = fc.integer({ min: 1, max: 8_000 });

test("the minimum is that of all windows", () => {
  fc.assert(
    fc.property(MANY, WINDOW, (all, window) => {
      const got = mmuOf(all, false).mmu(window);
      assert.ok(Math.abs(got - bruteMmu(all, window)) < 1e-9, `${got}, want ${bruteMmu(all, window)}`);
    }),
    { numRuns: 500 },
  );
});

test("the minimum holds where there are more steps than blocks", () => {
  const { one, end } = manySteps();
  const mmu = mmuOf([one], false);
  for (const window of [1, 100, 5_000, 40_000, 1_000_000, end - 1e9]) {
    const sums = bruteMmu([one], window);
    assert.ok(Math.abs(mmu.mmu(window) - sums) < 1e-9, `${window}: ${mmu.mmu(window)}, want ${sums}`);
  }
});

test("quantiles are those of the windows at many begins", () => {
  const SAMPLES = 4_000;
  fc.assert(
    fc.property(MANY, WINDOW, (all, window) => {
      const long = all.filter((one) => one.time.at(-1)! - one.time[0]! > window);
      fc.pre(long.length > 0);
      const spans = long.map((one) => one.time.at(-1)! - one.time[0]! - window);
      const total = spans.reduce((sum, span) => sum + span, 0);
      const quantiles = [0.001, 0.01, 0.05, 0.5, 0.9];
      const got = mmuOf(all, false).quantiles(window, quantiles);
      // The share of windows at or below a value, numerically; a kink of the mean costs a sample at most.
      const below = (value: number): number =>
        long.reduce((sum, one, i) => {
          let hits = 0;
          for (let k = 0; k < SAMPLES; k++)
            if (mean(one, one.time[0]! + ((k + 0.5) / SAMPLES) * spans[i]!, window) <= value) hits++;
          return sum + (hits / SAMPLES) * spans[i]!;
        }, 0) / total;
      for (const [i, q] of quantiles.entries()) {
        assert.ok(below(got[i]! + 1e-9) >= q - 0.01, `${q}: ${got[i]} is too low`);
        assert.ok(below(got[i]! - 1e-9) <= q + 0.01, `${q}: ${got[i]} is too high`);
      }
    }),
    { numRuns: 25 },
  );
});

test("quantiles of many steps are those of the sorted means of all windows", () => {
  const { one, end } = manySteps();
  const mmu = mmuOf([one], false);
  const sum = [0];
  for (let i = 0; i + 1 < one.time.length; i++)
    sum.push(sum[i]! + one.value[i]! * (one.time[i + 1]! - one.time[i]!));
  for (const window of [100, 5_000, 40_000, 1_000_000]) {
    const means: number[] = [];
    let [left, right] = [0, 0];
    const step = (end - one.time[0]! - window) / 400_000;
    for (let at = one.time[0]! + step / 2; at < end - window; at += step) {
      while (one.time[left + 1]! <= at) left++;
      while (right + 2 < one.time.length && one.time[right + 1]! <= at + window) right++;
      const upTo = (i: number, time: number): number => sum[i]! + one.value[i]! * (time - one.time[i]!);
      means.push((upTo(right, at + window) - upTo(left, at)) / window);
    }
    means.sort((a, b) => a - b);
    for (const q of [0.001, 0.01, 0.05, 0.5, 0.99]) {
      const got = mmu.quantiles(window, [q])[0]!;
      const rank = (share: number): number =>
        means[Math.min(means.length - 1, Math.floor(share * means.length))]!;
      assert.ok(
        got >= rank(q - 2e-4) - 1e-3 && got <= rank(q + 2e-4) + 1e-3,
        `${window} ${q}: ${got}, want ${rank(q)}`,
      );
    }
    // Several at once are as each alone.
    const both = mmu.quantiles(window, [0.01, 0.9]);
    assert.ok(Math.abs(both[0]! - mmu.quantiles(window, [0.01])[0]!) < 1e-9);
  }
});

test("quantiles by hand", () => {
  const mmu = mmuOf([series([0, 1], [100, 0], [200, 1], [1_000, 0])], false);
  // Windows of 100: at 0 to 100 the mean falls from 1 to 0, at 100 to 200 it rises again, then it is 1 to the end.
  const want = [0, 0.045, 0.45, 0.9];
  for (const [i, q] of [0, 0.01, 0.1, 0.2].entries())
    assert.ok(Math.abs(mmu.quantiles(100, [q])[0]! - want[i]!) < 1e-9, `${q}: ${mmu.quantiles(100, [q])[0]}`);
  assert.deepEqual(mmu.quantiles(100, [0.3, 1]), [1, 1]);
  assert.deepEqual(mmu.quantiles(1_000, [0, 0.5]), [0.9, 0.9], "one window only: the minimum");
});

test("the worst windows do not overlap, and each is the worst of what is left", () => {
  fc.assert(
    fc.property(MANY, fc.integer({ min: 1, max: 2_000 }), (all, window) => {
      const got = mmuOf(all, false).worst(window, 10);
      let least = 0;
      const taken: number[] = [];
      for (const { time, utilization } of got) {
        assert.ok(taken.every((other) => Math.abs(other - time) >= window));
        assert.ok(utilization >= least - 1e-12);
        least = utilization;
        const free = all.flatMap((one) => {
          const clipped = Math.min(window, one.time.at(-1)! - one.time[0]!);
          return [...bends(one, clipped), ...taken.flatMap((other) => [other - window, other + window])]
            .filter((at) => at >= one.time[0]! && at + clipped <= one.time.at(-1)!)
            .filter((at) => taken.every((other) => Math.abs(other - at) >= window))
            .map((at) => mean(one, at, clipped));
        });
        assert.ok(Math.abs(Math.min(...free) - utilization) < 1e-9);
        taken.push(time);
      }
    }),
    { numRuns: 300 },
  );
});

test("windows of 0 and less, and those longer than the trace", () => {
  const mmu = mmuOf([series([5, 1], [15, 0.5], [25, 0])], false);
  assert.deepEqual(
    [-1, 0, 1, 10, 20, 99].map((window) => mmu.mmu(window)),
    [0, 0, 0.5, 0.5, 0.75, 0.75],
  );
  assert.deepEqual(mmu.worst(0, 10), []);
  assert.deepEqual(mmu.worst(99, 10), [{ time: 5, utilization: 0.75 }]);
});
