import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { TraceError } from "../base/error.ts";
import { completeFlight, flightFromText } from "./flight-options.ts";
import type { FlightOptions } from "./flight-options.ts";

test("RUNTRACE_FLIGHT has the options of a flight recorder, in short", () => {
  const all =
    "lag:200ms, task:1.5s,heap:+50MB,signal:SIGUSR2,every:1m,keep:3,out:f-%n.out,age:5s,size:2MiB,cpu:off,";
  assert.deepEqual(flightFromText(all), {
    minAgeMs: 5_000,
    maxBytes: 2 * 2 ** 20,
    cpu: "off",
    triggers: {
      lagMs: 200,
      taskMs: 1_500,
      heapGrowth: 50e6,
      signal: "SIGUSR2",
      everyMs: 60_000,
      keep: 3,
      out: "f-%n.out",
    },
  });
  assert.deepEqual(flightFromText("heap:1GiB,cpu:250"), { cpu: 250, triggers: { heapBytes: 2 ** 30 } });
  assert.deepEqual(flightFromText("task:20"), { triggers: { taskMs: 20 } });
  assert.deepEqual(flightFromText(""), { triggers: {} });
});

test("what is left out is as the documentation says", () => {
  const { minAgeNs, maxBytes, watch, signal, recording } = completeFlight({ triggers: { lagMs: 100 } });
  assert.deepEqual([minAgeNs, maxBytes, signal, recording.cpuHz], [10e9, 10 * 2 ** 20, undefined, 100]);
  assert.deepEqual(watch, {
    triggers: { lagNs: 100e6 },
    everyNs: 60e9,
    keep: 10,
    out: path.resolve("flight-%p-%n.out"),
  });
  assert.equal(completeFlight({}).watch, undefined);
  assert.equal(completeFlight({ minAgeMs: 0 }).minAgeNs, 10e9);
});

const WRONG: readonly (readonly [() => unknown, string])[] = [
  [() => flightFromText("lag:soon"), "RUNTRACE_FLIGHT: got lag:soon, want a number with ms, s, m, h"],
  [
    () => flightFromText("heap:5XB"),
    "RUNTRACE_FLIGHT: got heap:5XB, want a number with B, kB, MB, GB, KiB, MiB, GiB",
  ],
  [
    () => flightFromText("lags:5ms"),
    "RUNTRACE_FLIGHT: got lags:5ms, want lag, task, heap, signal, every, keep, out, age, size or cpu",
  ],
  [() => completeFlight(flightFromText("keep:none")), "option keep: got NaN, want 1 to 10000 files"],
  [
    () => completeFlight(flightFromText("signal:SIGKILL")),
    "option signal: got SIGKILL, want a signal that can be listened to",
  ],
  [() => completeFlight({ triggers: { lagMs: 5 } }), "option lagMs: got 5, want 20 to 3600000 milliseconds"],
  [() => completeFlight({ maxBytes: 1 }), "option maxBytes: got 1, want 65536 to 1073741824 bytes"],
  [() => completeFlight({ minAgeMs: -1 }), "option minAgeMs: got -1, want 0 to 3600000 milliseconds"],
  [() => completeFlight({ cpu: -1 }), 'option cpu: got -1, want a number of Hz up to 10000, or "off"'],
  [() => completeFlight(null as unknown as FlightOptions), "options: got null, want an object"],
  [() => completeFlight({ triggers: 1 as unknown as object }), "option triggers: got 1, want an object"],
  [() => completeFlight({ triggers: { out: "" } }), "option out: got , want a file name"],
];

for (const [attempt, message] of WRONG) {
  test(`refused: ${message}`, () => {
    assert.throws(
      attempt,
      (error) =>
        error instanceof TraceError && error.code === "ERR_TRACE_OPTION" && error.message === message,
    );
  });
}
