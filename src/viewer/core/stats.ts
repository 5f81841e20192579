import { withDescendants } from "../../analysis/part.ts";
import type { TraceModel } from "../../model/types.ts";
import { CATEGORIES } from "./categories.ts";
import type { TraceIndex } from "./trace-index.ts";

/** Durations sorted ascending, with the usual percentiles (nearest rank). */
export interface Distribution {
  readonly sorted: Float64Array;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentile by nearest rank: the smallest value that at least `part` of all do not exceed; NaN for none. */
export function percentile(sorted: Float64Array, part: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
}

/** Sorts a copy. */
export function distribution(durations: Float64Array): Distribution {
  const sorted = durations.toSorted();
  return {
    sorted,
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    max: sorted[sorted.length - 1] ?? Number.NaN,
  };
}

/** Counts in `buckets` steps of equal ratio between `low` and `high` (both above 0); outliers go to the ends. */
export function logHistogram(sorted: Float64Array, low: number, high: number, buckets: number): Uint32Array {
  const counts = new Uint32Array(buckets);
  const from = Math.log(Math.max(low, 1));
  const width = Math.max(Math.log(Math.max(high, 1)) - from, 1e-9) / buckets;
  for (const value of sorted) {
    const bucket = Math.floor((Math.log(Math.max(value, 1)) - from) / width);
    counts[Math.min(buckets - 1, Math.max(0, bucket))]!++;
  }
  return counts;
}

/** Tasks or regions of one type. */
export interface LatencyGroup {
  readonly name: string;
  /** Rows of the table, longest first. */
  readonly rows: Uint32Array;
  /** Of those with both ends in the trace; open ones are counted in `rows` only. */
  readonly latency: Distribution;
  readonly open: number;
}

interface Timed {
  readonly count: number;
  readonly name: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
}

/** Groups tasks or regions by type, most frequent first. Open instances sort before closed ones. */
export function latencyGroups(model: TraceModel, table: Timed): LatencyGroup[] {
  const byName = new Map<number, number[]>();
  for (let i = 0; i < table.count; i++) {
    const rows = byName.get(table.name[i]!);
    if (rows === undefined) byName.set(table.name[i]!, [i]);
    else rows.push(i);
  }
  const length = (row: number): number => {
    const value = table.end[row]! - table.start[row]!;
    return Number.isNaN(value) ? Infinity : value;
  };
  const groups: LatencyGroup[] = [];
  for (const [name, list] of byName) {
    const rows = Uint32Array.from(list).toSorted((a, b) => {
      const x = length(a);
      const y = length(b);
      return x === y ? a - b : y - x;
    });
    const closed = Float64Array.from(rows, length).filter((value) => value !== Infinity);
    groups.push({
      name: model.strings[name] || "(no name)",
      rows,
      latency: distribution(closed),
      open: rows.length - closed.length,
    });
  }
  return groups.toSorted((a, b) => b.rows.length - a.rows.length || (a.name < b.name ? -1 : 1));
}

/** Activations of one entry function. */
export interface ActivationGroup {
  readonly name: string;
  readonly rows: Uint32Array;
  /** Time by category of `CATEGORIES`, all of its activations together. */
  readonly time: Float64Array;
  readonly total: number;
}

/** Groups activations by entry function, the most time running first. */
export function activationGroups(model: TraceModel, index: TraceIndex): ActivationGroup[] {
  const { activations, spans } = model;
  const byName = new Map<number, { rows: number[]; time: Float64Array }>();
  for (let a = 0; a < activations.count; a++) {
    let entry = byName.get(activations.name[a]!);
    if (entry === undefined) {
      entry = { rows: [], time: new Float64Array(CATEGORIES.length) };
      byName.set(activations.name[a]!, entry);
    }
    entry.rows.push(a);
    for (let i = activations.firstSpan[a]!; i < activations.firstSpan[a + 1]!; i++) {
      entry.time[index.activations.category[i]!]! += spans.end[i]! - spans.start[i]!;
    }
  }
  const groups: ActivationGroup[] = [];
  for (const [name, { rows, time }] of byName) {
    let total = 0;
    for (const part of time) total += part;
    groups.push({ name: model.strings[name] || "(unknown)", rows: Uint32Array.from(rows), time, total });
  }
  return groups.toSorted(
    (a, b) => b.time[1]! - a.time[1]! || b.total - a.total || (a.name < b.name ? -1 : 1),
  );
}

/** Rows of the activations that worked for a task or one of its descendants: began it, ran its regions, logged. */
export function activationsOfTask(model: TraceModel, task: number): Set<number> {
  const tasks = withDescendants(model, task);
  const rows = new Set<number>();
  const add = (row: number): void => {
    if (row >= 0) rows.add(row);
  };
  for (const t of tasks) add(model.tasks.activation[t]!);
  for (let i = 0; i < model.regions.count; i++) {
    if (tasks.has(model.regions.task[i]!)) add(model.regions.activation[i]!);
  }
  for (let i = 0; i < model.logs.count; i++) {
    if (tasks.has(model.logs.task[i]!)) add(model.logs.activation[i]!);
  }
  return rows;
}
