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
import { ProcSpanField, SpanField } from "./span-log.ts";
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
  /** The open span of each proc: the `ProcSpanField`s, by row. */
  #openProc = new Float64Array(FIRST_ROWS * ProcSpanField.Count);

  readonly #procSpans: ProcSpanSink;

  /** Time of the last Sync: what is told of with its state held that state by then. */
  syncTime = 0;
  /** Time of the event, and when what it tells of began: fields, since doubles as arguments are objects. */
  #now = 0;
  #since = 0;

  constructor(strings: StringInterner, stacks: StackInterner, { spans, procSpans }: SpanSinks) {
    this.#spans = spans;
    this.#procSpans = procSpans;
    this.#strings = strings;
    this.#stacks = stacks;
  }

  /** The trace begins: before all events. */
  begin(time: number): void {
    this.syncTime = time;
    this.#spans.begin(time);
    this.#procSpans.begin(time);
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
    const row = this.#rowOfProc.add(id);
    const at = row * ProcSpanField.Count;
    if (at >= this.#openProc.length) this.#openProc = doubled(this.#openProc);
    this.#openProc[at + ProcSpanField.Activation] = NONE;
    return row;
  }

  /**
   * Takes a goroutine's transition. Returns the row of the activation when it ended with this event, else -1.
   */
  goroutineTransition(e: OrderedEvent): number {
    if (e.from === e.to) return NONE;
    const state = stateOf(e.to);
    const from = stateOf(e.from);
    this.#now = this.#since = e.time;
    let row: number;
    if (from === ENDED) {
      if (e.from === "Undetermined") this.#since = this.syncTime;
      row = this.#add(e);
    } else {
      row = this.activation(e.resourceId);
      if (row === NONE) return NONE;
      this.#closeSpan(row);
      if (
        isOnProc(from) &&
        !(isOnProc(state) && this.proc(e.proc) === this.#open[row * SpanField.Count + SpanField.By])
      ) {
        this.#leaveProc(row);
      }
    }
    if (e.transitionStack !== null && this.#name.data[row] === 0)
      this.#name.data[row] = this.#entryFunction(e);

    const open = this.#open;
    const at = row * SpanField.Count;
    open[at + SpanField.State] = state;
    open[at + SpanField.Start] = this.#since;
    open[at + SpanField.Reason] = 0;
    open[at + SpanField.Stack] = 0;
    open[at + SpanField.By] = NONE;
    switch (state) {
      case State.Running:
        this.#enterProc(e, row);
        break;
      case State.Runnable:
        // Preempted or yielding, it says why; woken, by whom.
        if (from === State.Running) open[at + SpanField.Reason] = this.#strings.row(e.reason);
        open[at + SpanField.Stack] = this.#stackOf(e);
        if (e.from !== "Undetermined") {
          const waker = this.activation(e.goroutine);
          if (waker !== row) open[at + SpanField.By] = waker;
        }
        break;
      case State.Waiting:
        open[at + SpanField.Reason] = this.#strings.row(e.reason);
        open[at + SpanField.Stack] = this.#stackOf(e);
        break;
      case State.Syscall:
        open[at + SpanField.Stack] = this.#stackOf(e);
        this.#enterProc(e, row);
        break;
      default:
        this.#ended.data[row] = e.time;
        return row;
    }
    return NONE;
  }

  /** Takes a proc's transition. */
  procTransition(e: OrderedEvent): void {
    const proc = this.proc(e.resourceId);
    this.#now = e.time;
    const open = this.#openProc;
    const at = proc * ProcSpanField.Count;
    if (e.to === "Running") {
      if (this.#procAcquired.data[proc] === 0) {
        this.#procAcquired.data[proc] = 1;
        open[at + ProcSpanField.Start] = e.from === "Undetermined" ? this.syncTime : e.time;
        open[at + ProcSpanField.Activation] = NONE;
      }
      return;
    }
    if (this.#procAcquired.data[proc] === 0) return;
    const activation = open[at + ProcSpanField.Activation]!;
    this.#closeProcSpan(proc);
    this.#procAcquired.data[proc] = 0;
    open[at + ProcSpanField.Activation] = NONE;
    if (activation === NONE) return;
    const span = activation * SpanField.Count;
    if (this.#open[span + SpanField.State] === State.Syscall) {
      this.#closeSpan(activation);
      this.#open[span + SpanField.Start] = e.time;
      this.#open[span + SpanField.By] = NONE;
    }
  }

  #add(e: OrderedEvent): number {
    this.#id.push(e.resourceId);
    this.#name.push(0);
    const made = e.from === "NotExist";
    this.#creator.push(made ? this.activation(e.goroutine) : NONE);
    this.#creationStack.push(made ? this.#stacks.row(e.stack) : 0);
    this.#created.push(this.#since);
    this.#ended.push(Number.NaN);
    const row = this.#rowOfGoroutine.add(e.resourceId);
    const at = row * SpanField.Count;
    if (at >= this.#open.length) this.#open = doubled(this.#open);
    this.#open[at + SpanField.By] = NONE;
    return row;
  }

  #entryFunction(e: OrderedEvent): number {
    const frames = e.transitionStack?.frames;
    const outermost = frames === undefined ? undefined : frames[frames.length - 1];
    return outermost === undefined ? 0 : this.#strings.row(outermost.func);
  }

  /** The stack that explains the state: the activation's own, or that of whoever made it runnable. */
  #stackOf(e: OrderedEvent): number {
    return this.#stacks.row(e.from === "Undetermined" ? e.transitionStack : e.stack);
  }

  /** Ends the activation's open span now. */
  #closeSpan(row: number): void {
    const open = this.#open;
    const at = row * SpanField.Count;
    if (open[at + SpanField.State] === ENDED) return;
    open[at + SpanField.End] = this.#now;
    this.#spans.push(row, open, at);
  }

  /** The activation is on the event's proc since `#since`. */
  #enterProc(e: OrderedEvent, row: number): void {
    const proc = this.proc(e.proc);
    this.#open[row * SpanField.Count + SpanField.By] = proc;
    const open = this.#openProc;
    const at = proc * ProcSpanField.Count;
    if (proc === NONE || open[at + ProcSpanField.Activation] === row) return;
    if (this.#procAcquired.data[proc] === 0) {
      this.#procAcquired.data[proc] = 1;
      open[at + ProcSpanField.Start] = this.#since;
    } else if (this.#since > open[at + ProcSpanField.Start]!) {
      open[at + ProcSpanField.End] = this.#since;
      this.#procSpans.push(proc, open, at);
      open[at + ProcSpanField.Start] = this.#since;
    }
    open[at + ProcSpanField.Activation] = row;
  }

  /** The activation leaves its proc now. */
  #leaveProc(row: number): void {
    const proc = this.#open[row * SpanField.Count + SpanField.By]!;
    if (proc === NONE) return;
    const open = this.#openProc;
    const at = proc * ProcSpanField.Count;
    if (open[at + ProcSpanField.Activation] !== row) return;
    this.#closeProcSpan(proc);
    open[at + ProcSpanField.Start] = this.#now;
    open[at + ProcSpanField.Activation] = NONE;
  }

  /** Ends the proc's open span now. */
  #closeProcSpan(proc: number): void {
    const at = proc * ProcSpanField.Count;
    this.#openProc[at + ProcSpanField.End] = this.#now;
    this.#procSpans.push(proc, this.#openProc, at);
  }

  /** Closes what is open at `endTime` and builds the tables. The name of proc `id` is `procName(id)`. */
  finish(endTime: number, procName: (id: number) => string): ActivationTables {
    this.#now = endTime;
    for (let row = 0; row < this.#id.length; row++) {
      const at = row * SpanField.Count;
      if (this.#open[at + SpanField.State] === ENDED) continue;
      this.#open[at + SpanField.End] = endTime;
      this.#spans.pushOpen(row, this.#open, at);
    }
    for (let proc = 0; proc < this.#procId.length; proc++) {
      if (this.#procAcquired.data[proc] === 1) this.#closeProcSpan(proc);
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

function doubled(data: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(data.length * 2);
  grown.set(data);
  return grown;
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
