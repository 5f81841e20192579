import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TimeSums } from "./time-sums.ts";

/** Times from 0 to some 0.5 s: the first slices cover 16 ms, so the width doubles several times. */
const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 5e8 }), fc.integer({ min: 1, max: 5e7 }))
    .map(([start, length]) => ({ start, end: start + length })),
  { minLength: 1, maxLength: 60 },
);

test("the means of all parts make up all that was told, in whatever order it came", () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: 256 }), (told, columns) => {
      const sums = new TimeSums();
      sums.begin(1000);
      for (const { start, end } of told) sums.add(1000 + start, 1000 + end);
      const end = Math.max(...told.map((span) => span.end));
      const { width, means } = sums.means(1000 + end, columns);
      assert.equal(means.length, columns);
      const total = told.reduce((sum, span) => sum + span.end - span.start, 0);
      const found = means.reduce((sum, mean) => sum + mean * width, 0);
      assert.ok(Math.abs(found - total) <= total * 1e-9, `${found} of ${total}`);
    }),
  );
});

test("a part's mean is how much there was in it, to the width of a slice", () => {
  fc.assert(
    fc.property(spans, (told) => {
      const sums = new TimeSums();
      sums.begin(0);
      for (const { start, end } of told) sums.add(start, end);
      const end = 5.5e8;
      const { width, means } = sums.means(end, 10);
      for (const [column, mean] of means.entries()) {
        const [from, to] = [column * width, (column + 1) * width];
        let want = 0;
        for (const span of told) want += Math.max(0, Math.min(span.end, to) - Math.max(span.start, from));
        // A slice is 4.2 ms wide by now; what lies in one that a part's edge cuts is spread over it.
        const slack = 2 * 4.2e6 * told.length;
        assert.ok(Math.abs(mean * width - want) <= slack, `part ${column}: ${mean * width}, want ${want}`);
      }
    }),
  );
});

test("nothing, and no time, have no parts that are more than nothing", () => {
  const sums = new TimeSums();
  sums.begin(5);
  assert.deepEqual(sums.means(5, 8), { width: 0, means: [] });
  assert.deepEqual(sums.means(5e6, 2).means, [0, 0]);
});
