import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { count, duration, percent, safeText, shorten, table } from "./format.ts";

const DURATIONS: readonly (readonly [nanoseconds: number, want: string])[] = [
  [0, "0"],
  [1, "1 ns"],
  [999, "999 ns"],
  [999.7, "1.00 µs"],
  [1_000, "1.00 µs"],
  [9_994, "9.99 µs"],
  [9_996, "10.0 µs"],
  [52_345, "52.3 µs"],
  [999_499, "999 µs"],
  [999_600, "1.00 ms"],
  [52_340_000, "52.3 ms"],
  [1_204_000_000, "1.20 s"],
  [83_210_000_000, "83.2 s"],
  [1_234_000_000_000, "1234 s"],
  [7_200_000_000_000, "2.00 h"],
  [Number.NaN, ""],
];

for (const [nanoseconds, want] of DURATIONS) {
  test(`duration ${nanoseconds} is "${want}"`, () => assert.equal(duration(nanoseconds), want));
}

test("property: a duration has at most four digits and is within half a percent", () => {
  const sizes: Readonly<Record<string, number>> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9, h: 3.6e12 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3.6e15 }), (nanoseconds) => {
      const [number = "", unit = ""] = duration(nanoseconds).split(" ");
      assert.ok(number.replace(".", "").length <= 4, number);
      assert.ok(Math.abs(Number(number) * sizes[unit]! - nanoseconds) <= nanoseconds * 0.005);
    }),
  );
});

test("counts and shares", () => {
  assert.deepEqual([0, 999, 1000, 1951718].map(count), ["0", "999", "1,000", "1,951,718"]);
  assert.deepEqual([0, 0.4321, 0.9999, 1].map(percent), ["0.0 %", "43.2 %", "100 %", "100 %"]);
});

test("text of a trace cannot steer a terminal", () => {
  assert.equal(safeText("a\u001B[31mb\nc\u202Ed\uDC80"), "a\\x1b[31mb\\x0ac\\x202ed\uFFFD");
  assert.equal(safeText("naïve 日本 🎉"), "naïve 日本 🎉");
});

test("long names keep both ends", () => {
  assert.equal(shorten("short", 5), "short");
  assert.equal(shorten("abcdefghij", 5), "ab…ij");
});

test("tables are aligned and have no space at a line's end", () => {
  assert.deepEqual(
    table(
      ["Name", "count", "<where"],
      [
        ["a", "1", "x.js:1"],
        ["long name", "1,000", ""],
      ],
    ),
    ["Name         count  where", "  a              1  x.js:1", "  long name  1,000"],
  );
});
