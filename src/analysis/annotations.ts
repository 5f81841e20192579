import type { TraceModel } from "../model/types.ts";
import { distributionOf } from "./distribution.ts";
import type { Distribution } from "./distribution.ts";
import { compareText } from "./text.ts";

/** Tasks, or regions, of one type. */
export interface AnnotationType {
  readonly type: string;
  /** All of this type, complete or not. */
  readonly count: number;
  /** Those whose begin and end are both in the trace. */
  readonly complete: number;
  /** Durations of the complete ones, in nanoseconds; null where there are none. */
  readonly latency: Distribution | null;
}

/** Tasks by type, most total time first. A task that is only mentioned counts under its empty type. */
export function taskTypes(model: TraceModel): AnnotationType[] {
  const { count, name, start, end } = model.tasks;
  return byType(model.strings, count, name, start, end);
}

/** Regions by type, most total time first. */
export function regionTypes(model: TraceModel): AnnotationType[] {
  const { count, name, start, end } = model.regions;
  return byType(model.strings, count, name, start, end);
}

function byType(
  strings: readonly string[],
  rows: number,
  name: Int32Array,
  start: Float64Array,
  end: Float64Array,
): AnnotationType[] {
  const types = new Map<number, { count: number; durations: number[] }>();
  for (let row = 0; row < rows; row++) {
    let type = types.get(name[row]!);
    if (type === undefined) {
      type = { count: 0, durations: [] };
      types.set(name[row]!, type);
    }
    type.count++;
    const duration = end[row]! - start[row]!;
    if (!Number.isNaN(duration)) type.durations.push(duration);
  }
  return [...types]
    .map(([type, { count, durations }]) => ({
      type: strings[type]!,
      count,
      complete: durations.length,
      latency: distributionOf(Float64Array.from(durations)),
    }))
    .toSorted((a, b) => (b.latency?.total ?? 0) - (a.latency?.total ?? 0) || compareText(a.type, b.type));
}
