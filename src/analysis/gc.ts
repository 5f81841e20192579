import type { TraceModel } from "../model/types.ts";
import { compareText } from "./text.ts";

/** Ranges of one name: a phase of garbage collection, or one kind of stop-the-world. Times in nanoseconds. */
export interface RangeSummary {
  readonly name: string;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
}

/** Garbage collection and stop-the-world ranges by name, most total time first. */
export function rangeSummaries(model: TraceModel): RangeSummary[] {
  const { ranges, strings } = model;
  const names = new Map<number, { name: string; count: number; total: number; longest: number }>();
  for (let row = 0; row < ranges.count; row++) {
    const time = ranges.end[row]! - ranges.start[row]!;
    let range = names.get(ranges.name[row]!);
    if (range === undefined) {
      range = { name: strings[ranges.name[row]!]!, count: 0, total: 0, longest: 0 };
      names.set(ranges.name[row]!, range);
    }
    range.count++;
    range.total += time;
    if (time > range.longest) range.longest = time;
  }
  return [...names.values()].toSorted((a, b) => b.total - a.total || compareText(a.name, b.name));
}
