import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { wallTime } from "./wall-time.ts";

for (const [seconds, nanoseconds, offset, text] of [
  [0n, 0, 0, "1970-01-01T00:00:00Z"],
  [1n, 1, 0, "1970-01-01T00:00:01.000000001Z"],
  [1_700_000_000n, 527_290_000, 0, "2023-11-14T22:13:20.52729Z"],
  [1_700_000_000n, 0, 330, "2023-11-15T03:43:20+05:30"],
  [951_782_400n, 0, -300, "2000-02-28T19:00:00-05:00"],
  [-1n, 0, 0, "1969-12-31T23:59:59Z"],
  [253_402_300_800n, 0, 0, "10000-01-01T00:00:00Z"],
  [-62_198_755_200n, 0, 0, "-0001-01-01T00:00:00Z"],
] as const) {
  test(`wall time: ${text}`, () => assert.equal(wallTime(seconds, nanoseconds, offset), text));
}

test("wall time: agrees with Date for every year of four digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (seconds) => {
      const want = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
      assert.equal(wallTime(BigInt(seconds), 0, 0), want);
    }),
  );
});
