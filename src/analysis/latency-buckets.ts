/** Latencies by Go's buckets, five a decade (go tool trace's tables of tasks and regions). */

const RATIO = Math.log(10 ** 0.2);

/** One bucket: durations of at least `from` and less than `to`, in nanoseconds. */
export interface LatencyBucket {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** The bucket of a duration, in the floating-point arithmetic of Go, by which 1000 ns are in bucket 14, not 15. */
export function bucketOf(nanoseconds: number): number {
  return nanoseconds <= 0 ? 0 : Math.trunc(Math.log(nanoseconds) / RATIO);
}

/** The least duration of a bucket, in nanoseconds, without its fraction. */
export function bucketStart(bucket: number): number {
  return Math.trunc(Math.exp(bucket * RATIO));
}

/** The buckets from the least to the greatest that holds one of the durations, those between included. */
export function latencyBuckets(durations: Iterable<number>): LatencyBucket[] {
  const counts = new Map<number, number>();
  let least = Infinity;
  let greatest = -Infinity;
  for (const duration of durations) {
    const bucket = bucketOf(duration);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    if (bucket < least) least = bucket;
    if (bucket > greatest) greatest = bucket;
  }
  const buckets: LatencyBucket[] = [];
  for (let bucket = least; bucket <= greatest; bucket++)
    buckets.push({ from: bucketStart(bucket), to: bucketStart(bucket + 1), count: counts.get(bucket) ?? 0 });
  return buckets;
}
