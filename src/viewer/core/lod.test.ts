import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  buildLod,
  ColumnCache,
  fillColumns,
  newColumns,
  spanAt,
  spanNear,
  wideSpans,
  type LaneSpans,
} from "./lod.ts";

const CATEGORIES = 5;

/** Lanes from lists of [gap before, length, category]. Integers: all sums are exact. */
function lanesOf(lists: readonly (readonly (readonly [number, number, number])[])[]): LaneSpans {
  const first = [0];
  const start: number[] = [];
  const end: number[] = [];
  const category: number[] = [];
  for (const list of lists) {
    let time = 100;
    for (const [gap, length, code] of list) {
      time += gap;
      start.push(time);
      time += length;
      end.push(time);
      category.push(code);
    }
    first.push(start.length);
  }
  return {
    first: Uint32Array.from(first),
    start: Float64Array.from(start),
    end: Float64Array.from(end),
    category: Uint8Array.from(category),
    categories: CATEGORIES,
  };
}

/** Time by category in [a, b), by looking at every span. */
function bruteForce(lanes: LaneSpans, lane: number, a: number, b: number): number[] {
  const times = Array.from({ length: CATEGORIES }, () => 0);
  for (let i = lanes.first[lane]!; i < lanes.first[lane + 1]!; i++) {
    const overlap = Math.min(lanes.end[i]!, b) - Math.max(lanes.start[i]!, a);
    if (overlap > 0) times[lanes.category[i]!]! += overlap;
  }
  return times;
}

const span = fc.tuple(
  fc.oneof(fc.constant(0), fc.nat(40)),
  fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 })),
  fc.integer({ min: 1, max: CATEGORIES - 1 }),
);
const lists = fc.array(fc.array(span, { maxLength: 700, size: "max" }), { minLength: 1, maxLength: 3 });

/** From many columns a span to hundreds of spans a column, where the prefix sums are used. */
const shapes = fc.oneof(
  fc.record({ all: lists, step: fc.integer({ min: 1, max: 900 }), k: fc.integer({ min: -20, max: 60 }) }),
  fc.record({
    all: fc.tuple(fc.array(span, { minLength: 500, maxLength: 900 })),
    step: fc.integer({ min: 10_000, max: 90_000 }),
    k: fc.integer({ min: -2, max: 2 }),
  }),
);

test("columns agree with brute force, whatever the scale", () => {
  let checked = 0;
  let dense = 0;
  fc.assert(
    fc.property(shapes, ({ all, step, k }) => {
      const lanes = lanesOf(all);
      const lod = buildLod(lanes);
      const width = 37;
      for (let lane = 0; lane < all.length; lane++) {
        const columns = newColumns(width);
        fillColumns(lod, lane, 100, step, k, 0, width, columns);
        for (let x = 0; x < width; x++) {
          const times = bruteForce(lanes, lane, 100 + (k + x) * step, 100 + (k + x + 1) * step);
          const total = times.reduce((sum, time) => sum + time, 0);
          checked++;
          if (columns.starts[x]! > 128) dense++;
          if (total === 0) {
            assert.equal(columns.dominant[x], 0);
            assert.equal(columns.coverage[x], 0);
            continue;
          }
          assert.equal(
            times[columns.dominant[x]!],
            Math.max(...times),
            "the dominant category has the most time",
          );
          assert.equal(columns.coverage[x], Math.max(1, Math.round((total / step) * 255)));
          const primary = times[1]! > 0 ? Math.max(1, Math.round((times[1]! / step) * 255)) : 0;
          assert.equal(columns.primary[x], primary);
        }
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(checked > 1000 && dense > 10);
});

test("a moved view reuses columns and shows the same as a fresh one", () => {
  fc.assert(
    fc.property(
      lists,
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.integer({ min: -90, max: 90 }), { maxLength: 8 }),
      (all, step, moves) => {
        const lod = buildLod(lanesOf(all));
        const cache = new ColumnCache(2);
        let k = 0;
        for (const move of moves) {
          k += move;
          for (let lane = 0; lane < all.length; lane++) {
            const fresh = newColumns(64);
            fillColumns(lod, lane, 100, step, k, 0, 64, fresh);
            const cached = cache.get(lod, lane, 100, step, k, 64);
            assert.deepEqual(cached.dominant, fresh.dominant);
            assert.deepEqual(cached.coverage, fresh.coverage);
            assert.deepEqual(cached.primary, fresh.primary);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("wide spans are exactly those that are wide and reach into the window", () => {
  fc.assert(
    fc.property(
      lists,
      fc.integer({ min: 1, max: 200 }),
      fc.nat(4000),
      fc.integer({ min: 1, max: 6000 }),
      (all, width, offset, length) => {
        const lanes = lanesOf(all);
        const from = 100 + offset;
        const to = from + length;
        const want: number[] = [];
        for (let i = 0; i < lanes.first[1]!; i++) {
          if (lanes.end[i]! - lanes.start[i]! >= width && lanes.end[i]! > from && lanes.start[i]! < to)
            want.push(i);
        }
        const got = wideSpans(lanes, 0, from, to, width);
        // A span that begins in the window's last `width` may be left out: its label would not fit.
        const sure = want.filter((i) => lanes.start[i]! <= to - width);
        assert.deepEqual(
          got.filter((i) => lanes.start[i]! <= to - width),
          sure,
        );
        for (const i of got) assert.ok(want.includes(i));
      },
    ),
    { numRuns: 200 },
  );
});

test("spanAt and spanNear find what is under the pointer", () => {
  const lanes = lanesOf([
    [
      [0, 10, 1],
      [20, 10, 2],
      [0, 5, 3],
    ],
  ]);
  const cases: readonly (readonly [number, number, number])[] = [
    [99, -1, 0],
    [100, 0, 0],
    [109, 0, 0],
    [110, -1, 0],
    [129, -1, 1],
    [130, 1, 1],
    [140, 2, 2],
    [145, -1, 2],
  ];
  for (const [time, at, near] of cases) {
    assert.equal(spanAt(lanes, 0, time), at, `at ${time}`);
    assert.equal(spanNear(lanes, 0, time, 3), near, `near ${time}`);
  }
  assert.equal(spanNear(lanes, 0, 120, 3), -1);
});
