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

/** The distribution of `values`, which it sorts in place; null where there are none. */
export function distributionOf(values: Float64Array): Distribution | null {
  const count = values.length;
  if (count === 0) return null;
  values.sort();
  let total = 0;
  for (let i = 0; i < count; i++) total += values[i]!;
  return {
    count,
    total,
    min: values[0]!,
    p50: nearestRank(values, 50),
    p90: nearestRank(values, 90),
    p95: nearestRank(values, 95),
    p99: nearestRank(values, 99),
    max: values[count - 1]!,
    mean: total / count,
  };
}

/** The percentile of sorted, non-empty values; `percent` in (0, 100]. */
export function nearestRank(sorted: Float64Array, percent: number): number {
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
}
