import type { TraceModel } from "../../model/types.ts";
import { State } from "../../model/types.ts";

/** A ready span that was run: its row, and how long it took, in nanoseconds. */
export interface ReadySpans {
  readonly span: Uint32Array;
  readonly latency: Float64Array;
}

/** All ready spans of a range of time that a running one follows; on the loop of row `proc`, or on all (-1). */
export function readySpans(model: TraceModel, from: number, to: number, proc: number): ReadySpans {
  const { spans, activations } = model;
  const rows: number[] = [];
  for (let row = 0; row < activations.count; row++) {
    const last = activations.firstSpan[row + 1]! - 1;
    for (let i = activations.firstSpan[row]!; i < last; i++) {
      if (spans.state[i] !== State.Runnable || spans.state[i + 1] !== State.Running) continue;
      if (spans.end[i]! < from || spans.start[i]! > to) continue;
      if (proc < 0 || spans.by[i + 1] === proc) rows.push(i);
    }
  }
  return {
    span: Uint32Array.from(rows),
    latency: Float64Array.from(rows, (i) => spans.end[i]! - spans.start[i]!),
  };
}

/**
 * Places (indexes into `span`) of the longest at least `from` and less than `to`, the longest first, at most `limit`: a long
 * trace has millions.
 */
export function longestReady({ latency }: ReadySpans, from: number, to: number, limit: number): Uint32Array {
  const inside = latency.filter((value) => value >= from && value < to);
  const least = inside.length <= limit ? from : inside.sort()[inside.length - limit]!;
  const places: number[] = [];
  for (const [i, value] of latency.entries()) if (value >= least && value < to) places.push(i);
  return Uint32Array.from(places.toSorted((a, b) => latency[b]! - latency[a]! || a - b).slice(0, limit));
}
