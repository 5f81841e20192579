/**
 * Spans as they are recorded, in order of their ends, in chunks: growing copies nothing, and the only copy is the one
 * that groups them by owner at the end. These are the big tables of a trace, one row for nearly every event.
 */
import { State } from "./types.ts";
import type { ProcSpanTable, SpanTable } from "./types.ts";

/** Columns of a span that is handed over: doubles in one place, since arguments that are doubles cost an object each. */
export const SpanField = { State: 0, Start: 1, End: 2, Reason: 3, Stack: 4, By: 5, Count: 6 } as const;

/** Where the spans of activations go as they end: all rows are those of the recorder. */
export interface SpanSink {
  /** The trace begins, before all spans. */
  begin(time: number): void;
  /** A span of an activation: the `SpanField`s in `fields` from `at` on, valid for this call. */
  push(owner: number, fields: Float64Array, at: number): void;
  /** As `push`, of an activation that had not ended when the trace did. */
  pushOpen(owner: number, fields: Float64Array, at: number): void;
  /** Ends the recording. `place` and `procPlace`: the final row of each recorded activation and proc row. */
  take(
    place: Uint32Array,
    procPlace: Uint32Array,
  ): { readonly firstSpan: Uint32Array; readonly spans: SpanTable };
}

/** As `SpanField`, of a span of a proc. */
export const ProcSpanField = { Start: 0, End: 1, Activation: 2, Count: 3 } as const;

/** As `SpanSink`, for the spans of procs. */
export interface ProcSpanSink {
  /** As of `SpanSink`. */
  begin(time: number): void;
  /** A span of a proc: the `ProcSpanField`s in `fields` from `at` on, valid for this call. */
  push(owner: number, fields: Float64Array, at: number): void;
  take(
    place: Uint32Array,
    activationPlace: Uint32Array,
  ): { readonly firstSpan: Uint32Array; readonly procSpans: ProcSpanTable };
}

/** Both of a model's. */
export interface SpanSinks {
  readonly spans: SpanSink;
  readonly procSpans: ProcSpanSink;
}

const CHUNK_ROWS = 1 << 16;

class SpanChunk {
  readonly owner = new Int32Array(CHUNK_ROWS);
  readonly start = new Float64Array(CHUNK_ROWS);
  readonly end = new Float64Array(CHUNK_ROWS);
  readonly state = new Uint8Array(CHUNK_ROWS);
  readonly reason = new Int32Array(CHUNK_ROWS);
  readonly stack = new Int32Array(CHUNK_ROWS);
  readonly by = new Int32Array(CHUNK_ROWS);
  rows = 0;
}

/** States of activations: owner and waker are recorded activation rows, `by` a recorded proc row where on a proc. */
export class SpanLog implements SpanSink {
  readonly #chunks: SpanChunk[] = [];
  #last = new SpanChunk();
  #count = 0;

  begin(): void {}

  push(owner: number, fields: Float64Array, at: number): void {
    if (this.#count++ % CHUNK_ROWS === 0) this.#chunks.push((this.#last = new SpanChunk()));
    const chunk = this.#last;
    const row = chunk.rows++;
    chunk.owner[row] = owner;
    chunk.start[row] = fields[at + SpanField.Start]!;
    chunk.end[row] = fields[at + SpanField.End]!;
    chunk.state[row] = fields[at + SpanField.State]!;
    chunk.reason[row] = fields[at + SpanField.Reason]!;
    chunk.stack[row] = fields[at + SpanField.Stack]!;
    chunk.by[row] = fields[at + SpanField.By]!;
  }

  pushOpen(owner: number, fields: Float64Array, at: number): void {
    this.push(owner, fields, at);
  }

  /** The table, grouped by final row of the activation; empties the log. `firstSpan` has one more row than `place`. */
  take(place: Uint32Array, procPlace: Uint32Array): { readonly firstSpan: Uint32Array; spans: SpanTable } {
    const count = this.#count;
    const chunks = this.#chunks;
    const { firstSpan, next } = groups(chunks, place);
    const start = new Float64Array(count);
    const end = new Float64Array(count);
    const state = new Uint8Array(count);
    const reason = new Int32Array(count);
    const stack = new Int32Array(count);
    const by = new Int32Array(count);
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      for (let row = 0; row < chunk.rows; row++) {
        const owner = place[chunk.owner[row]!]!;
        const to = next[owner]!;
        next[owner] = to + 1;
        start[to] = chunk.start[row]!;
        end[to] = chunk.end[row]!;
        state[to] = chunk.state[row]!;
        reason[to] = chunk.reason[row]!;
        stack[to] = chunk.stack[row]!;
        const recorded = chunk.by[row]!;
        if (recorded < 0) by[to] = recorded;
        else by[to] = chunk.state[row] === State.Runnable ? place[recorded]! : procPlace[recorded]!;
      }
    }
    this.#count = 0;
    return { firstSpan, spans: { count, start, end, state, reason, stack, by } };
  }
}

class ProcSpanChunk {
  readonly owner = new Int32Array(CHUNK_ROWS);
  readonly start = new Float64Array(CHUNK_ROWS);
  readonly end = new Float64Array(CHUNK_ROWS);
  readonly activation = new Int32Array(CHUNK_ROWS);
  rows = 0;
}

/** Who ran on a proc: owner is a recorded proc row, the activation a recorded row or -1. */
export class ProcSpanLog implements ProcSpanSink {
  readonly #chunks: ProcSpanChunk[] = [];
  #last = new ProcSpanChunk();
  #count = 0;

  begin(): void {}

  push(owner: number, fields: Float64Array, at: number): void {
    if (this.#count++ % CHUNK_ROWS === 0) this.#chunks.push((this.#last = new ProcSpanChunk()));
    const chunk = this.#last;
    const row = chunk.rows++;
    chunk.owner[row] = owner;
    chunk.start[row] = fields[at + ProcSpanField.Start]!;
    chunk.end[row] = fields[at + ProcSpanField.End]!;
    chunk.activation[row] = fields[at + ProcSpanField.Activation]!;
  }

  /** As `SpanLog.take`, grouped by proc. */
  take(
    place: Uint32Array,
    activationPlace: Uint32Array,
  ): { readonly firstSpan: Uint32Array; procSpans: ProcSpanTable } {
    const count = this.#count;
    const chunks = this.#chunks;
    const { firstSpan, next } = groups(chunks, place);
    const start = new Float64Array(count);
    const end = new Float64Array(count);
    const activation = new Int32Array(count);
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      for (let row = 0; row < chunk.rows; row++) {
        const owner = place[chunk.owner[row]!]!;
        const to = next[owner]!;
        next[owner] = to + 1;
        start[to] = chunk.start[row]!;
        end[to] = chunk.end[row]!;
        const recorded = chunk.activation[row]!;
        activation[to] = recorded < 0 ? recorded : activationPlace[recorded]!;
      }
    }
    this.#count = 0;
    return { firstSpan, procSpans: { count, start, end, activation } };
  }
}

/** Where the group of each owner begins, and a copy of that to count up while rows are moved. */
function groups(
  chunks: readonly { readonly owner: Int32Array; readonly rows: number }[],
  place: Uint32Array,
): { readonly firstSpan: Uint32Array; readonly next: Uint32Array } {
  const firstSpan = new Uint32Array(place.length + 1);
  for (const { owner, rows } of chunks) {
    for (let row = 0; row < rows; row++) {
      const next = place[owner[row]!]! + 1;
      firstSpan[next] = firstSpan[next]! + 1;
    }
  }
  for (let i = 0; i < place.length; i++) firstSpan[i + 1] = firstSpan[i + 1]! + firstSpan[i]!;
  return { firstSpan, next: firstSpan.slice(0, place.length) };
}
