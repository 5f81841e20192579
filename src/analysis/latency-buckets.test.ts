import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf, latencyBuckets } from "./latency-buckets.ts";

test("buckets are Go's, its rounding included", () => {
  const table: readonly (readonly [number, number])[] = [
    [-5, 0],
    [0, 0],
    [1, 0],
    [100, 9],
    [101, 10],
    [1000, 14],
    [1001, 15],
    [10_000, 19],
    [1e9, 44],
  ];
  for (const [nanoseconds, bucket] of table) assert.equal(bucketOf(nanoseconds), bucket, `${nanoseconds} ns`);
});

test("buckets run from the least to the greatest without a gap and count everything", () => {
  assert.deepEqual(latencyBuckets([]), []);
  const durations = [3, 150, 151, 2_000_000];
  const buckets = latencyBuckets(durations);
  assert.equal(
    buckets.reduce((sum, { count }) => sum + count, 0),
    durations.length,
  );
  for (const [i, bucket] of buckets.entries()) if (i > 0) assert.equal(bucket.from, buckets[i - 1]!.to);
  assert.equal(buckets[0]!.count, 1);
  assert.equal(buckets.at(-1)!.count, 1);
});
