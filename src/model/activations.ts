/**
 * Turns state transitions into spans: what each activation did, and who ran on each event loop.
 *
 * An activation has exactly one open span from its first sight to its end. One that was there before the trace began
 * (Undetermined -> X) starts at the last Sync, when that state was already true. A syscall that loses its proc is
 * split there: the first span names the proc, the second has -1, which is how the time off the proc is told from the
 * time on it. Transitions to the same state (statuses repeated at each generation) change nothing.
 *
 * A proc is acquired when it goes Running and released when it goes Idle. While it is acquired it has one open span:
 * of the activation that runs on it, or of none.
 */
import { IdIndex } from "../order/id-index.ts";
import type { OrderedEvent } from "../order/types.ts";
import { ByteColumn, FloatColumn, IntColumn, moveFloats, moveInts, renumber } from "./columns.ts";
import type { StackInterner, StringInterner } from "./interner.ts";
import { SpanField } from "./span-log.ts";
import type { ProcSpanSink, SpanSink, SpanSinks } from "./span-log.ts";
import { State } from "./types.ts";
import type { ActivationTable, ProcSpanTable, ProcTable, SpanTable } from "./types.ts";

const NONE = -1;
/** Open-state marker of an activation that has ended. */
const ENDED = 0;

function stateOf(text: string): number {
  switch (text) {
    case "Running":
      return State.Running;
    case "Runnable":
      return State.Runnable;
    case "Waiting":
      return State.Waiting;
    case "Syscall":
      return State.Syscall;
    default:
      return ENDED;
  }
}

const FIRST_ROWS = 256;

/** The finished tables, and where the rows of the recorder went when they were put in their final order. */
export interface ActivationTables {
  readonly activations: ActivationTable;
  readonly spans: SpanTable;
  readonly procs: ProcTable;
  readonly procSpans: ProcSpanTable;
  /** Final row of each recorded activation row. */
  readonly activationPlace: Uint32Array;
  /** Final row of each recorded proc row. */
  readonly procPlace: Uint32Array;
}

/** Records activations and procs from ordered state transitions. */
export class ActivationRecorder {
  readonly #strings: StringInterner;
  readonly #stacks: StackInterner;

  readonly #rowOfGoroutine = new IdIndex();
  readonly #id = new FloatColumn();
  readonly #name = new IntColumn();
  readonly #creator = new IntColumn();
  readonly #creationStack = new IntColumn();
  readonly #created = new FloatColumn();
  readonly #ended = new FloatColumn();

  /** The open span of each activation: the `SpanField`s, by row. */
  #open = new Float64Array(FIRST_ROWS * SpanField.Count);

  readonly #spans: SpanSink;

  readonly #rowOfProc = new IdIndex();
  readonly #procId = new FloatColumn();
  readonly #procAcquired = new ByteColumn();
  readonly #procSince = new FloatColumn();
  readonly #procActivation = new IntColumn();

  readonly #procSpans: ProcSpanSink;

  constructor(strings: StringInterner, stacks: StackInterner, { spans, procSpans }: SpanSinks) {
    this.#spans = spans;
    this.#procSpans = procSpans;
    this.#strings = strings;
    this.#stacks = stacks;
  }

  /** Row of a goroutine id, or -1 where the trace has not told of it. */
  activation(goroutine: number): number {
    return this.#rowOfGoroutine.get(goroutine);
  }

  /** Row of a proc id, made at its first mention; -1 for none. */
  proc(id: number): number {
    if (id < 0) return NONE;
    const known = this.#rowOfProc.get(id);
    if (known !== NONE) return known;
    this.#procId.push(id);
    this.#procAcquired.push(0);
    this.#procSince.push(0);
    this.#procActivation.push(NONE);
    return this.#rowOfProc.add(id);
  }

  /**
   * Takes a goroutine's transition. Returns the row of the activation when it ended with this event, else -1.
   * `syncTime` is the time of the last Sync.
   */
  goroutineTransition(e: OrderedEvent, syncTime: number): number {
    if (e.from === e.to) return NONE;
    const state = stateOf(e.to);
    const from = stateOf(e.from);
    let since = e.time;
    let row: number;
    if (from === ENDED) {
      if (e.from === "Undetermined") since = syncTime;
      row = this.#add(e, since);
    } else {
      row = this.activation(e.resourceId);
      if (row === NONE) return NONE;
      this.#closeSpan(row, e.time);
      if (
        isOnProc(from) &&
        !(isOnProc(state) && this.proc(e.proc) === this.#open[row * SpanField.Count + SpanField.By])
      ) {
        this.#leaveProc(row, e.time);
      }
    }
    if (e.transitionStack !== null && this.#name.data[row] === 0)
      this.#name.data[row] = this.#entryFunction(e);

    const open = this.#open;
    const at = row * SpanField.Count;
    open[at + SpanField.State] = state;
    open[at + SpanField.Start] = since;
    if (state === ENDED) {
      this.#ended.data[row] = e.time;
      return row;
    }
    const by = this.#byOf(e, state, row);
    open[at + SpanField.Reason] = this.#reasonOf(e, state);
    open[at + SpanField.Stack] = this.#stackOf(e, state);
    open[at + SpanField.By] = by;
    if (by !== NONE && isOnProc(state)) this.#enterProc(by, row, since);
    return NONE;
  }

  /** Takes a proc's transition. `syncTime` as above. */
  procTransition(e: OrderedEvent, syncTime: number): void {
    const proc = this.proc(e.resourceId);
    const since = e.from === "Undetermined" ? syncTime : e.time;
    if (e.to === "Running") {
      if (this.#procAcquired.data[proc] === 0) {
        this.#procAcquired.data[proc] = 1;
        this.#procSince.data[proc] = since;
        this.#procActivation.data[proc] = NONE;
      }
      return;
    }
    if (this.#procAcquired.data[proc] === 0) return;
    const activation = this.#procActivation.data[proc]!;
    this.#closeProcSpan(proc, e.time);
    this.#procAcquired.data[proc] = 0;
    this.#procActivation.data[proc] = NONE;
    if (activation === NONE) return;
    const open = activation * SpanField.Count;
    if (this.#open[open + SpanField.State] === State.Syscall) {
      this.#closeSpan(activation, e.time);
      this.#open[open + SpanField.Start] = e.time;
      this.#open[open + SpanField.By] = NONE;
    }
  }

  #add(e: OrderedEvent, created: number): number {
    this.#id.push(e.resourceId);
    this.#name.push(0);
    const made = e.from === "NotExist";
    this.#creator.push(made ? this.activation(e.goroutine) : NONE);
    this.#creationStack.push(made ? this.#stacks.row(e.stack) : 0);
    this.#created.push(created);
    this.#ended.push(Number.NaN);
    const row = this.#rowOfGoroutine.add(e.resourceId);
    const at = row * SpanField.Count;
    if (at >= this.#open.length) {
      const grown = new Float64Array(this.#open.length * 2);
      grown.set(this.#open);
      this.#open = grown;
    }
    this.#open[at + SpanField.By] = NONE;
    return row;
  }

  #entryFunction(e: OrderedEvent): number {
    const frames = e.transitionStack?.frames;
    const outermost = frames === undefined ? undefined : frames[frames.length - 1];
    return outermost === undefined ? 0 : this.#strings.row(outermost.func);
  }

  #reasonOf(e: OrderedEvent, state: number): number {
    const told = state === State.Waiting || (state === State.Runnable && e.from === "Running");
    return told ? this.#strings.row(e.reason) : 0;
  }

  /** The stack that explains the state: the activation's own, or that of whoever made it runnable. */
  #stackOf(e: OrderedEvent, state: number): number {
    if (state === State.Running) return 0;
    if (e.from === "Undetermined") return this.#stacks.row(e.transitionStack);
    return this.#stacks.row(e.stack);
  }

  #byOf(e: OrderedEvent, state: number, row: number): number {
    if (state === State.Running || state === State.Syscall) return this.proc(e.proc);
    if (state !== State.Runnable || e.from === "Undetermined") return NONE;
    const waker = this.activation(e.goroutine);
    return waker === row ? NONE : waker;
  }

  #closeSpan(row: number, end: number): void {
    const open = this.#open;
    const at = row * SpanField.Count;
    if (open[at + SpanField.State] === ENDED) return;
    open[at + SpanField.End] = end;
    this.#spans.push(row, open, at);
  }

  #enterProc(proc: number, row: number, since: number): void {
    if (this.#procActivation.data[proc] === row) return;
    if (this.#procAcquired.data[proc] === 0) {
      this.#procAcquired.data[proc] = 1;
      this.#procSince.data[proc] = since;
    } else if (since > this.#procSince.data[proc]!) {
      this.#closeProcSpan(proc, since);
      this.#procSince.data[proc] = since;
    }
    this.#procActivation.data[proc] = row;
  }

  #leaveProc(row: number, time: number): void {
    const proc = this.#open[row * SpanField.Count + SpanField.By]!;
    if (proc === NONE || this.#procActivation.data[proc] !== row) return;
    this.#closeProcSpan(proc, time);
    this.#procSince.data[proc] = time;
    this.#procActivation.data[proc] = NONE;
  }

  #closeProcSpan(proc: number, end: number): void {
    this.#procSpans.push(proc, this.#procSince.data[proc]!, end, this.#procActivation.data[proc]!);
  }

  /** Closes what is open at `endTime` and builds the tables. The name of proc `id` is `procName(id)`. */
  finish(endTime: number, procName: (id: number) => string): ActivationTables {
    for (let row = 0; row < this.#id.length; row++) this.#closeSpan(row, endTime);
    for (let proc = 0; proc < this.#procId.length; proc++) {
      if (this.#procAcquired.data[proc] === 1) this.#closeProcSpan(proc, endTime);
    }
    const activationPlace = ascendingPlace(this.#created.take());
    const procPlace = ascendingPlace(this.#procId.take());
    return {
      ...this.#finishActivations(activationPlace, procPlace),
      ...this.#finishProcs(activationPlace, procPlace, procName),
      activationPlace,
      procPlace,
    };
  }

  #finishActivations(
    place: Uint32Array,
    procPlace: Uint32Array,
  ): { activations: ActivationTable; spans: SpanTable } {
    const { firstSpan, spans } = this.#spans.take(place, procPlace);
    return {
      activations: {
        count: this.#id.length,
        id: moveFloats(this.#id.data, place),
        name: moveInts(this.#name.data, place),
        creator: renumber(moveInts(this.#creator.data, place), place),
        creationStack: moveInts(this.#creationStack.data, place),
        created: moveFloats(this.#created.data, place),
        ended: moveFloats(this.#ended.data, place),
        firstSpan,
      },
      spans,
    };
  }

  #finishProcs(
    activationPlace: Uint32Array,
    place: Uint32Array,
    procName: (id: number) => string,
  ): { procs: ProcTable; procSpans: ProcSpanTable } {
    const { firstSpan, procSpans } = this.#procSpans.take(place, activationPlace);
    const id = moveFloats(this.#procId.data, place);
    return {
      procs: {
        count: this.#procId.length,
        id,
        name: Int32Array.from(id, (proc) => this.#strings.row(procName(proc))),
        firstSpan,
      },
      procSpans,
    };
  }
}

/** In these states an activation sits on a proc, and the `by` of its span is that proc. */
function isOnProc(state: number): boolean {
  return state === State.Running || state === State.Syscall;
}

/** Where each row goes when rows are sorted by ascending key, equal keys in their old order. */
function ascendingPlace(keys: Float64Array): Uint32Array {
  const order = Uint32Array.from(keys, (_, row) => row).toSorted((a, b) => keys[a]! - keys[b]! || a - b);
  const place = new Uint32Array(keys.length);
  for (let i = 0; i < order.length; i++) place[order[i]!] = i;
  return place;
}
