import { FACT_BYTES, Fact } from "./facts.ts";

/**
 * A ring of facts in shared memory: one isolate writes, the tracer thread reads. Neither ever waits for the other:
 * a full ring drops the fact and counts it, and the first fact that fits again is preceded by a Gap record.
 *
 * Layout: a control block of 64 bytes (Int32 words: WRITTEN, READ, DROPPED, CLOSED), then `capacity` records. WRITTEN
 * and READ count records modulo 2^32; capacity is a power of two, so the difference tells the fill level.
 */
const CONTROL_BYTES = 64;
const WRITTEN = 0;
const READ = 1;
const DROPPED = 2;

/** Made at once: Node fetches the class when it is first asked for, which fails once globalThis is frozen. */
const encoder = new TextEncoder();

/** A ring's shared memory for at least `bytes` of facts. */
export function createRing(bytes: number): SharedArrayBuffer {
  let capacity = 1024;
  while (capacity * FACT_BYTES < bytes) capacity *= 2;
  return new SharedArrayBuffer(CONTROL_BYTES + capacity * FACT_BYTES);
}

/** Number of facts that were dropped so far, from any thread. */
export function droppedFacts(ring: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(ring, 0, 16), DROPPED) >>> 0;
}

/**
 * The writing end. `put` costs a few stores; the caller gives the clock so that a fact can be dated earlier. A writer
 * that is interrupted anywhere by an error (the program has used up its stack) has written nothing: its counters move
 * only when the records are complete.
 */
export class RingWriter {
  readonly #control: Int32Array;
  readonly #times: BigUint64Array;
  readonly #floats: Float64Array;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #reserve: number;
  #written: number;
  /** Records known to be free without looking at the reader's counter again. */
  #free = 0;
  #gap = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, 16);
    this.#times = new BigUint64Array(ring, CONTROL_BYTES);
    this.#floats = new Float64Array(ring, CONTROL_BYTES);
    this.#words = new Uint32Array(ring, CONTROL_BYTES);
    this.#bytes = new Uint8Array(ring, CONTROL_BYTES);
    const capacity = this.#bytes.length / FACT_BYTES;
    this.#mask = capacity - 1;
    this.#reserve = 2;
    this.#written = Atomics.load(this.#control, WRITTEN) | 0;
  }

  /** Facts lost since the last Gap record was written. */
  get pendingGap(): number {
    return this.#gap;
  }

  put(kind: number, time: bigint, a: number, b: number, c: number): void {
    if (this.#free <= this.#reserve && !this.#makeRoom(1)) return;
    let at = this.#written;
    if (this.#gap !== 0) at = this.#storeGap(at, time);
    this.#store(at, kind, time, a, b, c);
    this.#publish((at + 1) | 0);
  }

  /** Counts facts that their source could not write. */
  drop(facts: number): void {
    this.#gap += facts;
    Atomics.add(this.#control, DROPPED, facts);
  }

  /** A Text record and its bytes (at most 64 KiB are kept), visible to the reader at once. */
  putText(time: bigint, id: number, text: string): boolean {
    let bytes = encoder.encode(text);
    if (bytes.length > 65_536) bytes = bytes.subarray(0, 65_536);
    const records = Math.ceil(bytes.length / FACT_BYTES);
    if (this.#free <= this.#reserve + records && !this.#makeRoom(1 + records)) return false;
    let at = this.#written;
    if (this.#gap !== 0) at = this.#storeGap(at, time);
    this.#store(at, Fact.Text, time, id, 0, bytes.length);
    for (let i = 0; i < records; i++) {
      at = (at + 1) | 0;
      this.#bytes.set(bytes.subarray(i * FACT_BYTES, (i + 1) * FACT_BYTES), (at & this.#mask) * FACT_BYTES);
    }
    this.#publish((at + 1) | 0);
    return true;
  }

  #store(at: number, kind: number, time: bigint, a: number, b: number, c: number): void {
    const slot = at & this.#mask;
    this.#times[slot * 4] = time;
    this.#floats[slot * 4 + 1] = a;
    this.#floats[slot * 4 + 2] = b;
    this.#words[slot * 8 + 6] = kind;
    this.#words[slot * 8 + 7] = c;
  }

  #storeGap(at: number, time: bigint): number {
    this.#store(at, Fact.Gap, time, this.#gap, 0, 0);
    return (at + 1) | 0;
  }

  /** Everything up to record `end` is complete; a Gap was stored with it where one was due. */
  #publish(end: number): void {
    Atomics.store(this.#control, WRITTEN, end);
    this.#free -= (end - this.#written) | 0;
    this.#written = end;
    this.#gap = 0;
  }

  /** Looks at the reader's counter; counts a drop and answers false where `records` and a Gap do not fit. */
  #makeRoom(records: number): boolean {
    const used = (this.#written - Atomics.load(this.#control, READ)) >>> 0;
    this.#free = this.#mask + 1 - used;
    if (this.#free > this.#reserve + records) return true;
    this.#gap++;
    Atomics.add(this.#control, DROPPED, 1);
    return false;
  }
}

/** Takes what RingReader finds, in order. Times are ns as numbers. Text ids are the writer's. */
export interface FactVisitor {
  fact(kind: number, time: number, a: number, b: number, c: number): void;
  text(id: number, text: string): void;
}

/** The reading end. */
export class RingReader {
  readonly #control: Int32Array;
  readonly #floats: Float64Array;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #decoder = new TextDecoder();

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, 16);
    this.#floats = new Float64Array(ring, CONTROL_BYTES);
    this.#words = new Uint32Array(ring, CONTROL_BYTES);
    this.#bytes = new Uint8Array(ring, CONTROL_BYTES);
    this.#mask = this.#bytes.length / FACT_BYTES - 1;
  }

  /** Facts waiting to be read. */
  get pending(): number {
    return (Atomics.load(this.#control, WRITTEN) - Atomics.load(this.#control, READ)) >>> 0;
  }

  /**
   * Hands every fact with time <= `until` to the visitor and frees its place; stops early once it has read `most`
   * records. Answers how many records were read.
   */
  drain(until: number, visitor: FactVisitor, most = Infinity): number {
    let at = Atomics.load(this.#control, READ);
    const end = Atomics.load(this.#control, WRITTEN);
    let read = 0;
    while (at !== end && read < most) {
      const slot = at & this.#mask;
      const time = this.#words[slot * 8 + 1]! * 4_294_967_296 + this.#words[slot * 8]!;
      if (time > until) break;
      const kind = this.#words[slot * 8 + 6]!;
      const c = this.#words[slot * 8 + 7]!;
      const a = this.#floats[slot * 4 + 1]!;
      at = (at + 1) | 0;
      read++;
      if (kind === Fact.Text) {
        const records = Math.ceil(c / FACT_BYTES);
        visitor.text(a, this.#textAt(at, c));
        at = (at + records) | 0;
        read += records;
      } else {
        visitor.fact(kind, time, a, this.#floats[slot * 4 + 2]!, c);
      }
      if ((read & 1023) === 0) Atomics.store(this.#control, READ, at);
    }
    Atomics.store(this.#control, READ, at);
    return read;
  }

  #textAt(at: number, length: number): string {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; done += FACT_BYTES) {
      const from = (at & this.#mask) * FACT_BYTES;
      const part = Math.min(FACT_BYTES, length - done);
      bytes.set(this.#bytes.subarray(from, from + part), done);
      at = (at + 1) | 0;
    }
    return this.#decoder.decode(bytes);
  }
}
