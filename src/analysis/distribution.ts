import { select } from "./select.ts";

/**
 * How a set of values is spread. Percentiles are by nearest rank: p90 is the smallest value that at least 90 % of
 * the values do not pass, so every percentile is a value that was measured.
 */
export interface Distribution {
  readonly count: number;
  readonly total: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** The distribution of `values` (no NaN), which it puts in another order; null where there are none. */
export function distributionOf(values: Float64Array): Distribution | null {
  const count = values.length;
  if (count === 0) return null;
  let total = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    total += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  let from = 0;
  const percentile = (percent: number): number => {
    const rank = nearestRank(count, percent);
    const value = select(values, rank, from, count);
    from = rank;
    return value;
  };
  const p50 = percentile(50);
  const p90 = percentile(90);
  const p95 = percentile(95);
  const p99 = percentile(99);
  return { count, total, min, p50, p90, p95, p99, max, mean: total / count };
}

/** The 0-based rank of a percentile among `count` > 0 sorted values; `percent` in (0, 100]. */
export function nearestRank(count: number, percent: number): number {
  return Math.ceil((percent * count) / 100) - 1;
}
