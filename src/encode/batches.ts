import { ByteBuffer } from "../base/buffer.ts";
import { Ev } from "../wire/events.ts";
import { MAX_BATCH_SIZE } from "../wire/format.ts";

/** Thread id of the batches that belong to no thread: tables, clock data, statuses. On the wire 2^64 - 1. */
export const NO_THREAD = -1;

/** Room for one event: its type, its time delta and at most five arguments. */
const MAX_EVENT_SIZE = 64;

const TICKS_PER_SECOND = 1e9;

/** The generation that is being written, shared by all its batches. */
export interface Generation {
  /** From 1; 0 before the first. */
  number: number;
  /** Time of its beginning, in ns: the base time of its tables. At least 1. */
  start: number;
}

/** What ties a trace's times to other clocks: the monotonic clock in ns, and the wall clock at the same moment. */
export interface ClockSnapshot {
  readonly mono: number;
  readonly wallSec: number;
  readonly wallNsec: number;
}

/** Collects records into batches of one thread, each within the format's limit. */
class Batches {
  protected readonly generation: Generation;
  protected readonly payload = new ByteBuffer();
  /** Base time of the open batch. */
  protected base = 0;
  readonly #thread: number;
  readonly #sealed = new ByteBuffer();

  constructor(thread: number, generation: Generation) {
    this.#thread = thread;
    this.generation = generation;
  }

  /** Moves everything collected to the end of `out`, as whole batches. */
  drain(out: ByteBuffer): void {
    this.seal();
    out.append(this.#sealed.view());
    this.#sealed.clear();
  }

  /** Closes the open batch. */
  protected seal(): void {
    if (this.payload.length === 0) return;
    const sealed = this.#sealed;
    sealed.byte(Ev.EventBatch);
    sealed.uvarint(this.generation.number);
    sealed.varint(this.#thread);
    sealed.uvarint(this.base);
    sealed.uvarint(this.payload.length);
    sealed.append(this.payload.view());
    this.payload.clear();
  }
}

/** Records of one table (strings, stacks, CPU samples): each batch begins with the table's marker byte. */
export class TableBatches extends Batches {
  readonly #marker: number;

  constructor(marker: number, generation: Generation) {
    super(NO_THREAD, generation);
    this.#marker = marker;
  }

  /** Begins a record of at most `size` bytes and returns where to write it, its type byte first. */
  record(size: number): ByteBuffer {
    const payload = this.payload;
    if (payload.length + size > MAX_BATCH_SIZE) this.seal();
    if (payload.length === 0) {
      this.base = this.generation.start;
      payload.byte(this.#marker);
    }
    return payload;
  }
}

/** Timed events of one thread. The caller gives them in order of time. */
export class EventBatches extends Batches {
  #last = 0;

  /** Begins an event at `time` (ns, not before the one before) and returns where to write its arguments. */
  event(type: number, time: number): ByteBuffer {
    const payload = this.payload;
    if (payload.length > MAX_BATCH_SIZE - MAX_EVENT_SIZE) this.seal();
    if (payload.length === 0) {
      this.base = time;
      this.#last = time;
    }
    payload.byte(type);
    payload.uvarint(time - this.#last);
    this.#last = time;
    return payload;
  }
}

/** The clock batch of a generation; from 1.25 on with the snapshot that ties its times to the wall clock. */
export class SyncBatch extends Batches {
  /** Writes the batch into the generation that begins. The snapshot is in whole, non-negative numbers. */
  begin(version: number, snapshot: ClockSnapshot): void {
    const payload = this.payload;
    this.base = Math.max(1, Math.min(this.generation.start, snapshot.mono));
    if (version >= 25) payload.byte(Ev.Sync);
    payload.byte(Ev.Frequency);
    payload.uvarint(TICKS_PER_SECOND);
    if (version >= 25) {
      payload.byte(Ev.ClockSnapshot);
      payload.uvarint(Math.max(0, snapshot.mono - this.base));
      payload.uvarint(snapshot.mono);
      payload.uvarint(snapshot.wallSec);
      payload.uvarint(snapshot.wallNsec);
    }
  }
}
