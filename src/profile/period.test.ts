import assert from "node:assert/strict";
import { test } from "node:test";
import { SamplePeriod } from "./period.ts";

/** Samples of threads that are busy and idle by turns; every gap is off by up to 3 %. */
function estimate(perSecond: number, samples: number, threads = 2): number {
  const period = new SamplePeriod();
  const times = Array.from({ length: threads }, () => 0);
  for (let i = 0; i < samples; i++) {
    const thread = i % threads;
    const idle = i % 7 === 0 ? 5 + (i % 3) : 0;
    const jitter = 1 + (((i * 37) % 13) - 6) / 200;
    times[thread]! += (1e9 / perSecond) * (1 + idle) * jitter;
    period.add(thread, times[thread]!);
  }
  return period.estimate();
}

const CASES = [
  [100, 200, 10_000_000],
  [1000, 200, 1_000_000],
  [250, 200, 4_000_000],
  // Too few samples to tell: the usual rate.
  [1000, 12, 10_000_000],
] as const;

for (const [perSecond, samples, want] of CASES) {
  test(`${samples} samples at ${perSecond} a second: a period of ${want} ns`, () => {
    assert.equal(estimate(perSecond, samples), want);
  });
}

test("a rate that is not round stays what it is", () => {
  const got = estimate(370, 400);
  assert.ok(Math.abs(got - 1e9 / 370) < 1e9 / 370 / 20, String(got));
});

test("V8 samples between its periods, too, and not while idle: the median gap, but not more than the period that is told", () => {
  const ofGaps = (perSecond: number, ...gaps: readonly number[]): number => {
    const period = new SamplePeriod();
    period.byV8(perSecond);
    let time = 0;
    period.add(1, time);
    for (let i = 0; i < 20; i++) for (const gap of gaps) period.add(1, (time += gap * 1e6));
    return period.estimate();
  };
  assert.equal(ofGaps(0, 0.1, 4, 4, 10, 12), 4e6);
  assert.equal(ofGaps(0, 0.1, 30, 40, 50), 10e6);
  assert.equal(ofGaps(25, 0.1, 30, 40, 50), 40e6);
  assert.equal(ofGaps(1_000, 0.1, 1, 40, 50), 1e6);
  const few = new SamplePeriod();
  few.byV8(1_000);
  assert.equal(few.estimate(), 1e6);
});
