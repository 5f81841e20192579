/**
 * The order of a v1 trace: the events of all procs, merged by time as far as the states of goroutines allow. An event is
 * ready when its goroutine is in the state, and has the sequence number, that the event needs; of the ready ones the
 * earliest goes first. What is merged must be in order of time already: where it is not, clocks were broken.
 *
 * (The table of needs is section 10.3 of the specification. Go takes procs in a random order, so the order of events
 * of one time may be another than in any run of Go's tool.)
 */
import { V1Batches, signed } from "../decode/v1-index.ts";
import type { V1Index } from "../decode/v1-index.ts";
import type { V1Records } from "../decode/v1-records.ts";
import { Reading } from "../decode/v1-records.ts";
import type { V1Tables } from "../decode/v1-tables.ts";
import type { WideValues } from "../decode/wide.ts";
import { V1 } from "../wire/v1-events.ts";
import { IdIndex } from "./id-index.ts";

/** A column of whole numbers: as narrow as they allow. */
export type Column = Int32Array | Uint32Array | Float64Array;

/** All events in order, as columns: times (in ticks), types, procs, goroutines (codes), and where the records are. */
export interface V1Events {
  readonly count: number;
  readonly times: Float64Array;
  readonly types: Uint8Array;
  readonly procs: Int32Array;
  readonly goroutines: Column;
  readonly offsets: Column;
}

const State = { Dead: 0, Runnable: 1, Running: 2, Waiting: 3 } as const;
/** In place of a sequence number: whichever comes, as the largest number of the wire says to Go, too; one more than the last. */
const ANY = -1;
const NEXT = -Infinity;
/** The goroutine that garbage collections are ordered by, which no trace can name. */
const GARBAGE = -Infinity;

class GoroutineStates {
  readonly #wide: WideValues;
  readonly #rows = new IdIndex();
  #sequence = new Float64Array(64);
  #state = new Uint8Array(64);
  // What the event needs that was asked about last, and what it makes of it.
  #goroutine = 0;
  #isOrdered = false;
  #fromSequence = 0;
  #from = 0;
  #toSequence = 0;
  #to = 0;

  constructor(wide: WideValues) {
    this.#wide = wide;
  }

  /** Whether the source's next event can happen now. */
  isReady(source: V1Batches): boolean {
    this.#ask(source);
    if (!this.#isOrdered) return true;
    const row = this.#rows.get(this.#goroutine);
    const state = row < 0 ? State.Dead : this.#state[row]!;
    const sequence = row < 0 ? 0 : this.#sequence[row]!;
    return state === this.#from && (this.#fromSequence === ANY || this.#fromSequence === sequence);
  }

  /** It happens: false where it cannot any more. */
  apply(source: V1Batches): boolean {
    if (!this.isReady(source)) return false;
    if (!this.#isOrdered) return true;
    let row = this.#rows.get(this.#goroutine);
    if (row < 0) row = this.#add(this.#goroutine);
    this.#state[row] = this.#to;
    if (this.#toSequence === NEXT) this.#sequence[row]! += 1;
    else if (this.#toSequence !== ANY) this.#sequence[row] = this.#toSequence;
    return true;
  }

  #ask({ types, goroutines, firsts, seconds, next }: V1Batches): void {
    switch (types[next]) {
      case V1.GoCreate:
        this.#need(firsts[next]!, 0, State.Dead, 1, State.Runnable);
        break;
      case V1.GoWaiting:
      case V1.GoInSyscall:
        this.#need(goroutines[next]!, 1, State.Runnable, 2, State.Waiting);
        break;
      case V1.GoStart:
      case V1.GoStartLabel:
        this.#needNext(goroutines[next]!, seconds[next]!, State.Runnable, State.Running);
        break;
      case V1.GoStartLocal:
        this.#need(goroutines[next]!, ANY, State.Runnable, NEXT, State.Running);
        break;
      case V1.GoBlock:
      case V1.GoBlockSend:
      case V1.GoBlockRecv:
      case V1.GoBlockSelect:
      case V1.GoBlockSync:
      case V1.GoBlockCond:
      case V1.GoBlockNet:
      case V1.GoBlockGC:
      case V1.GoSleep:
      case V1.GoSysBlock:
        this.#need(goroutines[next]!, ANY, State.Running, ANY, State.Waiting);
        break;
      case V1.GoSched:
      case V1.GoPreempt:
        this.#need(goroutines[next]!, ANY, State.Running, ANY, State.Runnable);
        break;
      case V1.GoUnblock:
      case V1.GoSysExit:
        this.#needNext(firsts[next]!, seconds[next]!, State.Waiting, State.Runnable);
        break;
      case V1.GoUnblockLocal:
      case V1.GoSysExitLocal:
        this.#need(firsts[next]!, ANY, State.Waiting, NEXT, State.Runnable);
        break;
      case V1.GCStart:
        this.#needNext(GARBAGE, firsts[next]!, State.Dead, State.Dead);
        break;
      default:
        this.#isOrdered = false;
    }
  }

  #needNext(goroutine: number, sequence: number, from: number, to: number): void {
    const next =
      sequence >= 0 ? sequence + 1 : this.#wide.code(BigInt.asUintN(64, this.#wide.value(sequence) + 1n));
    this.#need(goroutine, sequence, from, next, to);
  }

  #need(goroutine: number, fromSequence: number, from: number, toSequence: number, to: number): void {
    // Go takes the largest goroutine id for none.
    this.#isOrdered = goroutine !== -1;
    this.#goroutine = goroutine;
    this.#fromSequence = fromSequence;
    this.#from = from;
    this.#toSequence = toSequence;
    this.#to = to;
  }

  #add(goroutine: number): number {
    const row = this.#rows.add(goroutine);
    if (row >= this.#state.length) {
      const state = new Uint8Array(2 * row);
      state.set(this.#state);
      this.#state = state;
      const sequence = new Float64Array(2 * row);
      sequence.set(this.#sequence);
      this.#sequence = sequence;
    }
    return row;
  }
}

/** Sources whose next events are ready, earliest first: a binary heap. */
class Ready {
  readonly #heap: V1Batches[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(source: V1Batches): void {
    const heap = this.#heap;
    const time = timeOf(source);
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (timeOf(heap[parent]!) <= time) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = source;
  }

  pop(): V1Batches {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return first;
    const time = timeOf(last);
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && timeOf(heap[child + 1]!) < timeOf(heap[child]!)) child++;
      if (timeOf(heap[child]!) >= time) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function timeOf({ times, next }: V1Batches): number {
  return times[next]!;
}

/** Merges all events of a trace. Throws TraceError: what cannot be read, ERR_TRACE_ORDER, ERR_TRACE_TIME. */
export function mergeEvents(
  records: V1Records,
  index: V1Index,
  tables: V1Tables,
  wide: WideValues,
): V1Events {
  const all = [...index.batches].map(
    ([proc, batches]) => new V1Batches(Number(BigInt.asIntN(32, wide.value(proc))), batches),
  );
  const samples = samplesOf(index);
  const waiting: V1Batches[] = [...all, samples];
  const ready = new Ready();
  const states = new GoroutineStates(wide);
  const times = new Float64Array(index.records);
  const types = new Uint8Array(index.records);
  const procs = new Int32Array(index.records);
  let goroutines: Column = new Int32Array(index.records);
  const offsets = columnOf(records.bytes.length, index.records);
  let count = 0;
  for (;;) {
    for (let i = 0; i < waiting.length; i++) {
      const source = waiting[i]!;
      let isOver = false;
      while (source.next === source.count && !isOver) isOver = !source.load(records, tables, wide);
      if (!isOver && !states.isReady(source)) continue;
      if (!isOver) ready.push(source);
      waiting[i--] = waiting.at(-1)!;
      waiting.pop();
    }
    if (ready.size === 0) {
      if (waiting.length === 0) break;
      const { offsets: at, next } = waiting[0]!;
      throw records.errorAt(at[next]!, "ERR_TRACE_ORDER", "no consistent ordering of events possible");
    }
    const source = ready.pop();
    const { next } = source;
    if (!states.apply(source)) {
      const message = "encountered impossible goroutine state transition";
      throw records.errorAt(source.offsets[next]!, "ERR_TRACE_ORDER", message);
    }
    times[count] = source.times[next]!;
    types[count] = withoutLocal(source.types[next]!);
    procs[count] = source === samples ? index.samples[next]!.proc : source.proc;
    const goroutine = source.goroutines[next]!;
    if (goroutines instanceof Int32Array && goroutine !== (goroutine | 0))
      goroutines = new Float64Array(goroutines);
    goroutines[count] = goroutine;
    offsets[count] = source.offsets[next]!;
    count++;
    source.next++;
    waiting.push(source);
  }
  for (let i = 1; i < count; i++) if (times[i]! < times[i - 1]!) throw records.outOfOrder(offsets[i]!);
  const events = { count, times, types, procs, goroutines, offsets };
  exitsAtTheirTimes(events, records, wide);
  return events;
}

/** A column for numbers from 0 to `limit`. */
function columnOf(limit: number, size: number): Column {
  return limit < 2 ** 32 ? new Uint32Array(size) : new Float64Array(size);
}

/** Events that say that they are their proc's own are only so for the sake of order. */
function withoutLocal(type: number): number {
  if (type === V1.GoStartLocal) return V1.GoStart;
  if (type === V1.GoUnblockLocal) return V1.GoUnblock;
  return type === V1.GoSysExitLocal ? V1.GoSysExit : type;
}

/** CPU samples as one more source, in order of time. */
function samplesOf({ samples }: V1Index): V1Batches {
  const source = new V1Batches(0, []);
  source.count = samples.length;
  source.times = Float64Array.from(samples, ({ time }) => time);
  source.types = new Uint8Array(samples.length).fill(V1.CPUSample);
  source.goroutines = Float64Array.from(samples, ({ goroutine }) => goroutine);
  source.offsets = Float64Array.from(samples, ({ offset }) => offset);
  source.firsts = new Float64Array(samples.length);
  source.seconds = source.firsts;
  return source;
}

/**
 * The exit from a system call is written long after it happened, and says when that was: it is moved there. Those that
 * stay where they are keep their order, and so do those that move to one time.
 */
function exitsAtTheirTimes(events: V1Events, records: V1Records, wide: WideValues): void {
  const { count, times, types, goroutines, offsets } = events;
  const blockedAt = new Map<number, number>();
  const moved: number[] = [];
  for (let i = 0; i < count; i++) {
    const type = types[i]!;
    if (type === V1.GoSysBlock || type === V1.GoInSyscall) blockedAt.set(goroutines[i]!, times[i]!);
    else if (type === V1.GoSysExit) {
      const time = exitTime(records, offsets[i]!, wide);
      if (time === 0) continue;
      const blocked = blockedAt.get(goroutines[i]!) ?? 0;
      if (blocked === 0) throw records.errorAt(offsets[i]!, "ERR_TRACE_ORDER", "stray syscall exit");
      if (time < blocked) throw records.outOfOrder(offsets[i]!);
      times[i] = time;
      moved.push(i);
    }
  }
  if (moved.length > 0) putInOrder(events, moved);
}

function exitTime(records: V1Records, offset: number, wide: WideValues): number {
  records.at = offset;
  records.next(Reading.Whole);
  return records.type === V1.GoSysExit ? signed(wide, records.args[3]!) : 0;
}

/**
 * Puts the events in order of time again, all of which but those in the rows `moved` are in order: stable, and in
 * place, so that only the moved ones are copied.
 */
function putInOrder(
  { count, times, types, procs, goroutines, offsets }: V1Events,
  moved: readonly number[],
): void {
  const rows = Uint32Array.from(moved);
  // By rank among the moved: which one, and the row it goes to.
  const late = Uint32Array.from(rows.keys()).sort((a, b) => times[rows[a]!]! - times[rows[b]!]! || a - b);
  const targets = new Uint32Array(rows.length);
  let rank = 0;
  let next = 0;
  for (let row = 0, stayed = 0; row < count && rank < late.length; row++) {
    if (rows[next] === row) {
      next++;
      continue;
    }
    while (rank < late.length && comesBefore(times, rows[late[rank]!]!, row)) targets[rank] = rank++ + stayed;
    stayed++;
  }
  const stays = count - rows.length;
  for (; rank < late.length; rank++) targets[rank] = rank + stays;
  for (const column of [times, types, procs, goroutines, offsets]) {
    const kept = Float64Array.from(rows, (row) => column[row]!);
    let to = rows[0]!;
    for (let i = 0; i < rows.length; i++) {
      const from = rows[i]! + 1;
      const end = rows[i + 1] ?? count;
      column.copyWithin(to, from, end);
      to += end - from;
    }
    let end = stays;
    for (let i = rows.length - 1; i >= 0; i--) {
      const target = targets[i]!;
      column.copyWithin(target + 1, target - i, end);
      column[target] = kept[late[i]!]!;
      end = target - i;
    }
  }
}

function comesBefore(times: Float64Array, a: number, b: number): boolean {
  return times[a]! < times[b]! || (times[a] === times[b] && a < b);
}
