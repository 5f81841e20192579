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

test("V8 samples between its periods, too, and not while idle: the median gap, but not more than the usual period", () => {
  const ofGaps = (...gaps: readonly number[]): number => {
    const period = new SamplePeriod();
    period.note('{"process":{"node":"v24"}}');
    let time = 0;
    period.add(1, time);
    for (let i = 0; i < 20; i++) for (const gap of gaps) period.add(1, (time += gap * 1e6));
    return period.estimate();
  };
  assert.equal(ofGaps(0.1, 4, 4, 10, 12), 4e6);
  assert.equal(ofGaps(0.1, 30, 40, 50), 10e6);
});

test("a note says what V8 was asked for: no sample stands for more, and few samples for that", () => {
  const ofNote = (note: string, gapMs: number, count: number): number => {
    const period = new SamplePeriod();
    period.note('{"process":{"loops":[]}}');
    period.note(note);
    for (let i = 0; i <= count; i++) period.add(1, i * gapMs * 1e6);
    return period.estimate();
  };
  const at = (cpuHz: unknown): string => JSON.stringify({ process: { cpuHz } });
  assert.equal(ofNote(at(1000), 40, 3), 1e6);
  assert.equal(ofNote(at(1000), 40, 300), 1e6);
  assert.equal(ofNote(at(20), 50, 300), 50e6);
  assert.equal(ofNote(at(20), 4, 300), 4e6);
  for (const odd of ['{"cpuHz":', '{"process":null,"cpuHz":1}', at(0), at("1000"), at(null)])
    assert.equal(ofNote(odd, 40, 3), 10e6, odd);
});
