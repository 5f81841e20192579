import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { select } from "./select.ts";

test("select puts every rank in its sorted place", () => {
  const number = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.double({ noNaN: true }).map((value) => value + 0),
  );
  const run = fc.tuple(fc.array(number, { minLength: 1, maxLength: 60 }), fc.nat(), fc.nat());
  fc.assert(
    fc.property(run, ([given, a, b]) => {
      const sorted = Float64Array.from(given).sort();
      const values = Float64Array.from(given);
      const low = Math.min(a % given.length, b % given.length);
      const high = Math.max(a % given.length, b % given.length);
      assert.equal(select(values, low, 0, values.length), sorted[low]);
      assert.equal(select(values, high, low, values.length), sorted[high]);
      assert.deepEqual(values.toSorted(), sorted);
      for (let i = 0; i < low; i++) assert.ok(values[i]! <= values[low]!);
      for (let i = high; i < values.length; i++) assert.ok(values[i]! >= values[high]!);
    }),
  );
});

test("select is linear on sorted, reversed and equal values", () => {
  for (const value of [(i: number) => i, (i: number) => -i, () => 7]) {
    const values = Float64Array.from({ length: 200_000 }, (_, i) => value(i));
    const want = values.toSorted()[150_000];
    assert.equal(select(values, 150_000, 0, values.length), want);
  }
});
