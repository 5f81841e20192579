import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { sortLikeGo } from "./sort.ts";

interface Item {
  readonly key: number;
  readonly at: number;
}

const byKey = (a: Item, b: Item): boolean => a.key < b.key;

test("sort: sorts, and keeps every item", () => {
  const keys = fc.oneof(fc.array(fc.nat(5), { maxLength: 300 }), fc.array(fc.nat(), { maxLength: 300 }));
  fc.assert(
    fc.property(keys, (list) => {
      const items = list.map((key, at) => ({ key, at }));
      sortLikeGo(items, byKey);
      assert.deepEqual(
        items.map((item) => item.key),
        list.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(items.map((item) => item.at)).size, list.length);
    }),
  );
});

/** Sums over the places of equal items, as Go's slices.SortFunc of Go 1.26 left them. */
const SUMS_OF_GO: readonly (readonly [size: number, shape: string, sum: number])[] = [
  [12, "few", 2279360868],
  [13, "few", 2347940948],
  [49, "few", 3067074638],
  [50, "few", 1322644169],
  [200, "few", 124858954],
  [1000, "few", 787337798],
  [12, "falling", 3347581720],
  [13, "falling", 153233730],
  [49, "falling", 976972414],
  [50, "falling", 592705863],
  [200, "falling", 330445626],
  [1000, "falling", 1402229508],
  [12, "rising", 2374466984],
  [13, "rising", 564896586],
  [49, "rising", 347423084],
  [50, "rising", 1805204889],
  [200, "rising", 2701805080],
  [1000, "rising", 345226080],
  [12, "flat", 2075711690],
  [13, "flat", 1895599800],
  [49, "flat", 3482606438],
  [50, "flat", 1188164343],
  [200, "flat", 3021500238],
  [1000, "flat", 3126355958],
];

function keysOf(size: number, shape: string): number[] {
  let seed = size;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  return Array.from({ length: size }, (_, i) => {
    if (shape === "few") return random(3);
    if (shape === "falling") return size - i + random(3);
    if (shape === "rising") return Math.floor(i / 3) + random(3);
    return i < 40 ? random(20) : 0;
  });
}

for (const [size, shape, sum] of SUMS_OF_GO) {
  test(`sort: leaves ${size} ${shape} keys as Go does`, () => {
    const items = keysOf(size, shape).map((key, at) => ({ key, at }));
    sortLikeGo(items, byKey);
    assert.equal(
      items.reduce((hash, item) => (Math.imul(hash, 31) + item.at) >>> 0, 0),
      sum,
    );
  });
}
