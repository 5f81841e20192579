import type { InSteps } from "../../analysis/aggregate.ts";
import { SpanWalk, type Part } from "../../analysis/part.ts";
import type { TraceModel } from "../../model/types.ts";
import { State } from "../../model/types.ts";

/** A ready span that was run: its row, and how long it took, in nanoseconds. */
export interface ReadySpans {
  readonly span: Uint32Array;
  readonly latency: Float64Array;
}

/** All ready spans of a part that a running one follows, in steps. */
export class ReadyWalk implements InSteps<ReadySpans> {
  readonly #model: TraceModel;
  readonly #walk: SpanWalk;
  readonly #rows: number[] = [];

  constructor(model: TraceModel, part: Part) {
    this.#model = model;
    this.#walk = new SpanWalk(model, part);
  }

  get progress(): number {
    return this.#walk.progress;
  }

  step(most: number): boolean {
    const { spans, activations } = this.#model;
    return this.#walk.step(most, (i, row) => {
      if (spans.state[i] !== State.Runnable || i + 1 >= activations.firstSpan[row + 1]!) return;
      if (spans.state[i + 1] === State.Running) this.#rows.push(i);
    });
  }

  take(): ReadySpans {
    const { spans } = this.#model;
    return {
      span: Uint32Array.from(this.#rows),
      latency: Float64Array.from(this.#rows, (i) => spans.end[i]! - spans.start[i]!),
    };
  }
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
