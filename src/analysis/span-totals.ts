/**
 * What the analyses of a summary need of the spans, summed as the spans come: a summary of a long trace need not keep
 * them. Rows are those of the recorder until the builder of the model tells where they went (`take`).
 */
import { FloatColumn } from "../model/columns.ts";
import { ProcSpanField, SpanField } from "../model/span-log.ts";
import type { ProcSpanSink, SpanSink } from "../model/span-log.ts";
import { State } from "../model/types.ts";
import type { ProcSpanTable, SpanTable, TraceModel } from "../model/types.ts";

/** Sums of one activation, by column. */
export const Sum = { Execution: 0, SchedWait: 1, Syscall: 2, SyscallBlock: 3, Block: 4 } as const;
/** Where its last span was a runnable one: the length of that, and 1. Else 0. */
const READY = 5;
const COLUMNS = 6;

const Cell = { Reason: 0, Total: 1, Next: 2 } as const;
const Site = { Reason: 0, Stack: 1, Count: 2, Total: 3, Longest: 4 } as const;
const SITE_COLUMNS = 5;

/** Latencies are kept in pieces of this many: growing copies none. */
const CHUNK = 1 << 15;
const FIRST_ROWS = 1024;

/** Waits at one stack for one reason: rows of the model's strings and stacks. Times in nanoseconds. */
export interface WaitSite {
  readonly reason: number;
  readonly stack: number;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
}

/** Sums of the activations' spans. */
export class SpanTotals implements SpanSink {
  #rows = FIRST_ROWS;
  #sums = new Float64Array(FIRST_ROWS * COLUMNS);
  /** Blocked time of an activation by reason: a chain of cells, -1 at its end. */
  #firstCell = new Int32Array(FIRST_ROWS).fill(-1);
  readonly #cells = new FloatColumn();
  /** Sums of places where activations waited, in the order of their first wait. */
  readonly #sites = new FloatColumn();
  /** Nearly every stack waits for one reason: its site is found without a map. -1: not seen. */
  readonly #siteOfStack: number[] = [];
  readonly #otherSites = new Map<string, number>();
  readonly #latencies: Float64Array[] = [];
  #lastLatencies = new Float64Array(0);
  #latencyCount = 0;
  #place: Uint32Array = new Uint32Array(0);

  push(owner: number, fields: Float64Array, at: number): void {
    if (owner >= this.#rows) this.#grow(owner);
    const sums = this.#sums;
    const first = owner * COLUMNS;
    const time = fields[at + SpanField.End]! - fields[at + SpanField.Start]!;
    const state = fields[at + SpanField.State]!;
    let column: number = Sum.Block;
    let ready = 0;
    if (state === State.Running) {
      column = Sum.Execution;
      const waited = sums[first + READY]!;
      if (waited > 0) this.#addLatency(waited - 1);
    } else if (state === State.Runnable) {
      column = Sum.SchedWait;
      ready = time + 1;
    } else if (state === State.Syscall) {
      column = fields[at + SpanField.By] === -1 ? Sum.SyscallBlock : Sum.Syscall;
    } else {
      this.#addWait(owner, time, fields[at + SpanField.Reason]! | 0, fields[at + SpanField.Stack]! | 0);
    }
    sums[first + READY] = ready;
    sums[first + column] = sums[first + column]! + time;
  }

  /** Remembers where the rows went. The tables are empty: the spans were not kept. */
  take(place: Uint32Array): { readonly firstSpan: Uint32Array; readonly spans: SpanTable } {
    this.#place = place;
    if (place.length > this.#rows) this.#grow(place.length - 1);
    return {
      firstSpan: new Uint32Array(place.length + 1),
      spans: {
        count: 0,
        start: new Float64Array(0),
        end: new Float64Array(0),
        state: new Uint8Array(0),
        reason: new Int32Array(0),
        stack: new Int32Array(0),
        by: new Int32Array(0),
      },
    };
  }

  /** Final row of each row of these sums. */
  get place(): Uint32Array {
    return this.#place;
  }

  sum(row: number, column: (typeof Sum)[keyof typeof Sum]): number {
    return this.#sums[row * COLUMNS + column]!;
  }

  /** Tells the blocked time of a row by reason (string index). */
  blocked(row: number, tell: (reason: number, time: number) => void): void {
    const cells = this.#cells.data;
    for (let cell = this.#firstCell[row]!; cell >= 0; cell = cells[cell + Cell.Next]!)
      tell(cells[cell + Cell.Reason]!, cells[cell + Cell.Total]!);
  }

  /** Waits by reason and stack, in the order of their first. */
  sites(): WaitSite[] {
    const data = this.#sites.data;
    return Array.from({ length: this.#sites.length / SITE_COLUMNS }, (_, i) => {
      const at = i * SITE_COLUMNS;
      return {
        reason: data[at + Site.Reason]!,
        stack: data[at + Site.Stack]!,
        count: data[at + Site.Count]!,
        total: data[at + Site.Total]!,
        longest: data[at + Site.Longest]!,
      };
    });
  }

  /** How long activations were ready before they ran, a copy in no particular order. */
  latencies(): Float64Array {
    const all = new Float64Array(this.#latencies.length * CHUNK);
    for (const [i, chunk] of this.#latencies.entries()) all.set(chunk, i * CHUNK);
    return all.subarray(0, this.#latencyCount);
  }

  #addLatency(time: number): void {
    const place = this.#latencyCount++ % CHUNK;
    if (place === 0) this.#latencies.push((this.#lastLatencies = new Float64Array(CHUNK)));
    this.#lastLatencies[place] = time;
  }

  #addWait(owner: number, time: number, reason: number, stack: number): void {
    let cells = this.#cells.data;
    let cell = this.#firstCell[owner]!;
    while (cell >= 0 && cells[cell + Cell.Reason] !== reason) cell = cells[cell + Cell.Next]!;
    if (cell < 0) {
      cell = this.#cells.push(reason);
      this.#cells.push(0);
      this.#cells.push(this.#firstCell[owner]!);
      this.#firstCell[owner] = cell;
      cells = this.#cells.data;
    }
    cells[cell + Cell.Total] = cells[cell + Cell.Total]! + time;

    const site = this.#site(reason, stack);
    const sites = this.#sites.data;
    sites[site + Site.Count] = sites[site + Site.Count]! + 1;
    sites[site + Site.Total] = sites[site + Site.Total]! + time;
    if (time > sites[site + Site.Longest]!) sites[site + Site.Longest] = time;
  }

  /** Where the site's columns begin. */
  #site(reason: number, stack: number): number {
    while (this.#siteOfStack.length <= stack) this.#siteOfStack.push(-1);
    const known = this.#siteOfStack[stack]!;
    if (known >= 0 && this.#sites.data[known + Site.Reason] === reason) return known;
    const key = `${reason} ${stack}`;
    let at = this.#otherSites.get(key);
    if (at === undefined) {
      at = this.#sites.push(reason);
      this.#sites.push(stack);
      for (let column: number = Site.Count; column < SITE_COLUMNS; column++) this.#sites.push(0);
      this.#otherSites.set(key, at);
      this.#siteOfStack[stack] = at;
    }
    return at;
  }

  #grow(row: number): void {
    const before = this.#rows;
    this.#rows = Math.max(before * 2, row + 1);
    const sums = new Float64Array(this.#rows * COLUMNS);
    sums.set(this.#sums);
    this.#sums = sums;
    const firstCell = new Int32Array(this.#rows).fill(-1, before);
    firstCell.set(this.#firstCell);
    this.#firstCell = firstCell;
  }
}

/** Sums of the spans of event loops (procs). */
export class ProcTotals implements ProcSpanSink {
  readonly #busy: number[] = [];
  readonly #overhead: number[] = [];
  #rowOf = new Uint32Array(0);

  push(owner: number, fields: Float64Array, at: number): void {
    while (this.#busy.length <= owner) {
      this.#busy.push(0);
      this.#overhead.push(0);
    }
    const sums = fields[at + ProcSpanField.Activation] === -1 ? this.#overhead : this.#busy;
    sums[owner] = sums[owner]! + (fields[at + ProcSpanField.End]! - fields[at + ProcSpanField.Start]!);
  }

  /** As `SpanTotals.take`. */
  take(place: Uint32Array): { readonly firstSpan: Uint32Array; readonly procSpans: ProcSpanTable } {
    this.#rowOf = new Uint32Array(place.length);
    for (let row = 0; row < place.length; row++) this.#rowOf[place[row]!] = row;
    return {
      firstSpan: new Uint32Array(place.length + 1),
      procSpans: {
        count: 0,
        start: new Float64Array(0),
        end: new Float64Array(0),
        activation: new Int32Array(0),
      },
    };
  }

  /** Time in which an activation ran, or sat in a system call, on the proc of a final row. */
  busy(proc: number): number {
    return this.#busy[this.#rowOf[proc]!] ?? 0;
  }

  /** Time in which it was awake but ran no activation. */
  overhead(proc: number): number {
    return this.#overhead[this.#rowOf[proc]!] ?? 0;
  }
}

/** The sums of both. */
export interface Totals {
  readonly spans: SpanTotals;
  readonly procSpans: ProcTotals;
}

/** Sums to be filled while a model is built: give them to its builder. */
export function emptyTotals(): Totals {
  return { spans: new SpanTotals(), procSpans: new ProcTotals() };
}

/** The sums of a model that has kept its spans. */
export function totalsOf(model: TraceModel): Totals {
  const { activations, spans, procs, procSpans } = model;
  const totals = emptyTotals();
  const fields = new Float64Array(SpanField.Count);
  for (let row = 0; row < activations.count; row++) {
    for (let i = activations.firstSpan[row]!; i < activations.firstSpan[row + 1]!; i++) {
      fields[SpanField.State] = spans.state[i]!;
      fields[SpanField.Start] = spans.start[i]!;
      fields[SpanField.End] = spans.end[i]!;
      fields[SpanField.Reason] = spans.reason[i]!;
      fields[SpanField.Stack] = spans.stack[i]!;
      fields[SpanField.By] = spans.by[i]!;
      totals.spans.push(row, fields, 0);
    }
  }
  for (let row = 0; row < procs.count; row++) {
    for (let i = procs.firstSpan[row]!; i < procs.firstSpan[row + 1]!; i++) {
      fields[ProcSpanField.Start] = procSpans.start[i]!;
      fields[ProcSpanField.End] = procSpans.end[i]!;
      fields[ProcSpanField.Activation] = procSpans.activation[i]!;
      totals.procSpans.push(row, fields, 0);
    }
  }
  totals.spans.take(Uint32Array.from({ length: activations.count }, (_, row) => row));
  totals.procSpans.take(Uint32Array.from({ length: procs.count }, (_, row) => row));
  return totals;
}
