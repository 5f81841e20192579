/**
 * What the analyses of a summary need of the spans, summed as the spans come: a summary of a long trace need not keep
 * them. Rows are those of the recorder until the builder of the model tells where they went (`take`).
 */
import { Longest } from "./longest.ts";
import type { Stretch } from "./longest.ts";
import { TimeSums } from "./time-sums.ts";
import { Values } from "./values.ts";
import { FloatColumn } from "../model/columns.ts";
import { ProcSpanField, SpanField } from "../model/span-log.ts";
import type { ProcSpanSink, SpanSink } from "../model/span-log.ts";
import { State } from "../model/types.ts";
import type { ProcSpanTable, SpanTable, TraceModel } from "../model/types.ts";

/** Sums of one activation, by column. */
export const Sum = { Execution: 0, SchedWait: 1, Syscall: 2, SyscallBlock: 3, Block: 4 } as const;
/** Where its last span was a runnable one: the length of that, and 1. Else 0. */
const READY = 5;
/** Where its last span was the longest wait of a place so far: the place's index, and 1. Else 0. */
const LONGEST = 6;
const COLUMNS = 7;

const Cell = { Reason: 0, Total: 1, Next: 2 } as const;
const Site = { Reason: 0, Stack: 1, Count: 2, Total: 3, Longest: 4, Start: 5, Owner: 6, Waker: 7 } as const;
const SITE_COLUMNS = 8;

const FIRST_ROWS = 1024;

/** Waits at one stack for one reason: rows of the model's strings and stacks. Times in nanoseconds. */
export interface WaitSite {
  readonly reason: number;
  readonly stack: number;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
  /** When the longest (the first of them) began, on which activation, and which one woke it, -1 for none. */
  readonly start: number;
  readonly activation: number;
  readonly waker: number;
}

/** The state of an activation that had not ended when the trace did, and when the state began. */
export interface OpenSpan {
  readonly activation: number;
  readonly state: number;
  readonly start: number;
  readonly reason: number;
  readonly stack: number;
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
  /** By proc + 1. */
  readonly #latencies: Values[] = [];
  /** Activations that were ready to run. */
  readonly runnable = new TimeSums();
  readonly #open: OpenSpan[] = [];
  #place: Uint32Array = new Uint32Array(0);

  begin(time: number): void {
    this.runnable.begin(time);
  }

  push(owner: number, fields: Float64Array, at: number): void {
    if (owner >= this.#rows) this.#grow(owner);
    const sums = this.#sums;
    const first = owner * COLUMNS;
    const start = fields[at + SpanField.Start]!;
    const end = fields[at + SpanField.End]!;
    const time = end - start;
    const state = fields[at + SpanField.State]!;
    let column: number = Sum.Block;
    let ready = 0;
    if (state === State.Running) {
      column = Sum.Execution;
      const waited = sums[first + READY]!;
      if (waited > 0) this.#latenciesOf(fields[at + SpanField.By]! + 1).push(waited - 1);
    } else if (state === State.Runnable) {
      column = Sum.SchedWait;
      ready = time + 1;
      this.runnable.add(start, end);
      const longest = sums[first + LONGEST]!;
      if (longest > 0) this.#wake(longest - 1, owner, fields, at);
    } else if (state === State.Syscall) {
      column = fields[at + SpanField.By] === -1 ? Sum.SyscallBlock : Sum.Syscall;
    } else {
      this.#addWait(owner, fields, at);
    }
    sums[first + READY] = ready;
    sums[first + column] = sums[first + column]! + time;
  }

  pushOpen(owner: number, fields: Float64Array, at: number): void {
    this.push(owner, fields, at);
    this.#open.push({
      activation: owner,
      state: fields[at + SpanField.State]!,
      start: fields[at + SpanField.Start]!,
      reason: fields[at + SpanField.Reason]!,
      stack: fields[at + SpanField.Stack]!,
    });
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
        start: data[at + Site.Start]!,
        activation: this.#place[data[at + Site.Owner]!]!,
        waker: data[at + Site.Waker] === -1 ? -1 : this.#place[data[at + Site.Waker]!]!,
      };
    });
  }

  /** What was still going on at the trace's end. */
  open(): OpenSpan[] {
    return this.#open.map((span) => ({ ...span, activation: this.#place[span.activation]! }));
  }

  /** How long activations were ready before they ran, a copy in no particular order; `proc`: those of a recorded proc. */
  latencies(proc?: number): Float64Array {
    if (proc !== undefined) return this.#latencies[proc + 1]?.all() ?? new Float64Array(0);
    const all = new Float64Array(this.#latencies.reduce((sum, values) => sum + values.length, 0));
    let at = 0;
    for (const values of this.#latencies) {
      all.set(values.all(), at);
      at += values.length;
    }
    return all;
  }

  #latenciesOf(index: number): Values {
    while (this.#latencies.length <= index) this.#latencies.push(new Values());
    return this.#latencies[index]!;
  }

  #addWait(owner: number, fields: Float64Array, at: number): void {
    const reason = fields[at + SpanField.Reason]! | 0;
    const start = fields[at + SpanField.Start]!;
    const time = fields[at + SpanField.End]! - start;
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

    const site = this.#site(reason, fields[at + SpanField.Stack]! | 0);
    const sites = this.#sites.data;
    sites[site + Site.Count]! += 1;
    sites[site + Site.Total]! += time;
    const longest = sites[site + Site.Longest]!;
    const isLongest = time > longest || (time === longest && start < sites[site + Site.Start]!);
    this.#sums[owner * COLUMNS + LONGEST] = isLongest ? site + 1 : 0;
    if (!isLongest) return;
    sites[site + Site.Longest] = time;
    sites[site + Site.Start] = start;
    sites[site + Site.Owner] = owner;
    sites[site + Site.Waker] = -1;
  }

  /** A runnable span that follows the longest wait of a place says who woke it. */
  #wake(site: number, owner: number, fields: Float64Array, at: number): void {
    const sites = this.#sites.data;
    const end = sites[site + Site.Start]! + sites[site + Site.Longest]!;
    if (sites[site + Site.Owner] === owner && end === fields[at + SpanField.Start])
      sites[site + Site.Waker] = fields[at + SpanField.By]!;
    this.#sums[owner * COLUMNS + LONGEST] = 0;
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
  #place: Uint32Array = new Uint32Array(0);
  #activationPlace: Uint32Array = new Uint32Array(0);
  #rowOf = new Uint32Array(0);
  readonly #turns = new Longest();
  /** Procs that were awake. */
  readonly awake = new TimeSums();

  begin(time: number): void {
    this.awake.begin(time);
  }

  push(owner: number, fields: Float64Array, at: number): void {
    while (this.#busy.length <= owner) {
      this.#busy.push(0);
      this.#overhead.push(0);
    }
    const start = fields[at + ProcSpanField.Start]!;
    const end = fields[at + ProcSpanField.End]!;
    const activation = fields[at + ProcSpanField.Activation]!;
    const sums = activation === -1 ? this.#overhead : this.#busy;
    sums[owner] = sums[owner]! + (end - start);
    this.awake.add(start, end);
    if (activation !== -1 && end - start > this.#turns.least)
      this.#turns.add({ start, end, activation, proc: owner });
  }

  /** As `SpanTotals.take`. */
  take(
    place: Uint32Array,
    activationPlace: Uint32Array,
  ): { readonly firstSpan: Uint32Array; readonly procSpans: ProcSpanTable } {
    this.#place = place;
    this.#activationPlace = activationPlace;
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

  /** The longest that one activation kept a proc, the longest first: final rows. */
  turns(): Stretch[] {
    return this.#turns.all.map((turn) => ({
      ...turn,
      activation: this.#activationPlace[turn.activation]!,
      proc: this.#place[turn.proc]!,
    }));
  }

  /** The recorded row of a final one. */
  recorded(proc: number): number {
    return this.#rowOf[proc]!;
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
  totals.spans.begin(model.startTime);
  totals.procSpans.begin(model.startTime);
  for (let row = 0; row < activations.count; row++) {
    const end = activations.firstSpan[row + 1]!;
    const isOpen = Number.isNaN(activations.ended[row]!);
    for (let i = activations.firstSpan[row]!; i < end; i++) {
      fields[SpanField.State] = spans.state[i]!;
      fields[SpanField.Start] = spans.start[i]!;
      fields[SpanField.End] = spans.end[i]!;
      fields[SpanField.Reason] = spans.reason[i]!;
      fields[SpanField.Stack] = spans.stack[i]!;
      fields[SpanField.By] = spans.by[i]!;
      if (isOpen && i + 1 === end) totals.spans.pushOpen(row, fields, 0);
      else totals.spans.push(row, fields, 0);
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
  const places = Uint32Array.from({ length: activations.count }, (_, row) => row);
  totals.spans.take(places);
  totals.procSpans.take(
    Uint32Array.from({ length: procs.count }, (_, row) => row),
    places,
  );
  return totals;
}
