import { FACT_BYTES, Fact } from "./facts.ts";

/**
 * A ring of facts in shared memory: one isolate writes, the tracer thread reads. Neither ever waits for the other:
 * a full ring drops the fact and counts it, and the first fact that fits again is preceded by a Gap record.
 *
 * Layout: a control block of 64 bytes (Int32 words), a map, then `capacity` records in segments. WRITTEN and READ count
 * records modulo 2^32; capacity is a power of two. The map says which segment holds the records of each stretch of these
 * counts. A stretch that begins gets the segment that was freed last: as long as the reader keeps up, writer and reader
 * pass few segments to and fro, which stay in the processor's caches, and most of the memory is never touched. (On an
 * HTTP server 15 us a request against a ring that goes round 64 MB, where every record was a line not in any cache.)
 */
const CONTROL_BYTES = 64;
const WRITTEN = 0;
const READ = 1;
const DROPPED = 2;
/** Log2 of the records of a segment, and the number of segments. */
const SHIFT = 3;
const SEGMENTS = 4;

/** Characters of a text that is worth no encoder. */
const SHORT_TEXT = 200;
const SEGMENT_RECORDS = 4096;
const LEAST_SEGMENTS = 4;

/** Made at once: Node fetches the class when it is first asked for, which fails once globalThis is frozen. */
const encoder = new TextEncoder();

/** A ring's shared memory for at least `bytes` of facts. */
export function createRing(bytes: number): SharedArrayBuffer {
  let capacity = 1024;
  while (capacity * FACT_BYTES < bytes) capacity *= 2;
  const records = Math.min(SEGMENT_RECORDS, capacity / LEAST_SEGMENTS);
  const segments = capacity / records;
  const ring = new SharedArrayBuffer(dataAt(segments) + capacity * FACT_BYTES);
  const control = new Int32Array(ring, 0, 16);
  control[SHIFT] = Math.log2(records);
  control[SEGMENTS] = segments;
  return ring;
}

function dataAt(segments: number): number {
  return CONTROL_BYTES + Math.ceil((segments * 4) / FACT_BYTES) * FACT_BYTES;
}

/** Makes the memory of a ring that nobody writes or reads any more a new one. */
export function resetRing(ring: SharedArrayBuffer): void {
  const control = new Int32Array(ring, 0, 16);
  for (const word of [WRITTEN, READ, DROPPED]) Atomics.store(control, word, 0);
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
  readonly #map: Int32Array;
  readonly #shift: number;
  /** Offset of a record in its segment. */
  readonly #mask: number;
  readonly #segments: number;
  readonly #reserve = 2;
  #written = 0;
  /** The stretch of counts whose first record is at #base, the last one that has a segment, and the first not freed. */
  #stretch = -1;
  #base = 0;
  #mapped = -1;
  #unfreed = 0;
  /** Segments that nobody uses, the one freed last on top. */
  readonly #unused: Int32Array;
  #unusedCount: number;
  readonly #clock: () => bigint;
  readonly #isOrdered: boolean;
  /** Records known to be free without looking at the reader's counter again. */
  #free = 0;
  #gap = 0;
  #closed = false;
  /** The two words of the time of the last record. */
  #low = 0;
  #high = 0;

  /**
   * `clock`: ns, for facts that are not dated by the caller. `isOrdered`: other threads see this processor's stores in
   * the order in which they were made, as those of x64 promise. Then a plain store publishes a record; an atomic one waits for
   * the line that the reader looks at, which was a quarter of the time of a program that does nothing but await.
   */
  constructor(ring: SharedArrayBuffer, clock: () => bigint, isOrdered = false) {
    this.#clock = clock;
    this.#isOrdered = isOrdered;
    this.#control = new Int32Array(ring, 0, 16);
    this.#shift = this.#control[SHIFT]!;
    this.#segments = this.#control[SEGMENTS]!;
    this.#mask = 2 ** this.#shift - 1;
    this.#map = new Int32Array(ring, CONTROL_BYTES, this.#segments);
    const at = dataAt(this.#segments);
    this.#times = new BigUint64Array(ring, at);
    this.#floats = new Float64Array(ring, at);
    this.#words = new Uint32Array(ring, at);
    this.#bytes = new Uint8Array(ring, at);
    this.#unused = Int32Array.from({ length: this.#segments }, (_, i) => this.#segments - 1 - i);
    this.#unusedCount = this.#segments;
  }

  /** Facts lost since the last Gap record was written. */
  get pendingGap(): number {
    return this.#gap;
  }

  /** Nothing is written from here on, and nothing counted: the memory may be another's. */
  close(): void {
    this.#closed = true;
    this.#free = 0;
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
    if (this.#closed) return;
    this.#gap += facts;
    Atomics.add(this.#control, DROPPED, facts);
  }

  /** A fact of this moment. */
  now(kind: number, a: number, b: number, c: number): void {
    if (this.#free <= this.#reserve && !this.#makeRoom(1)) return;
    let at = this.#written;
    if (this.#gap !== 0) at = this.#storeGap(at, this.#clock());
    this.#times[this.#slot(at) * 4] = this.#clock();
    this.#finish(at, kind, a, b, c);
  }

  /**
   * Reads the clock into the next record, which is not written by it, and answers the time in ns since the last fact of
   * `now` or `elapsedFact`; 0 where the ring is full. `elapsedFact` may follow and saves reading the clock again.
   */
  elapsed(): number {
    if (this.#free <= this.#reserve && !this.#makeRoom(0)) return 0;
    const slot = this.#slot(this.#written);
    this.#times[slot * 4] = this.#clock();
    return (this.#words[slot * 8 + 1]! - this.#high) * 4_294_967_296 + (this.#words[slot * 8]! - this.#low);
  }

  /** A fact of the moment of `elapsed`, which must have been called right before, and have answered more than 0. */
  elapsedFact(kind: number, a: number, b: number, c: number): void {
    if (this.#gap === 0) this.#finish(this.#written, kind, a, b, c);
    else this.now(kind, a, b, c);
  }

  /** A Text record and its bytes (at most 64 KiB are kept), visible to the reader at once. */
  putText(time: bigint, id: number, text: string): boolean {
    if (text.length <= SHORT_TEXT && this.#putShort(time, id, text)) return true;
    let bytes = encoder.encode(text);
    if (bytes.length > 65_536) bytes = bytes.subarray(0, 65_536);
    const records = Math.ceil(bytes.length / FACT_BYTES);
    if (this.#free <= this.#reserve + records && !this.#makeRoom(1 + records)) return false;
    let at = this.#written;
    if (this.#gap !== 0) at = this.#storeGap(at, time);
    this.#store(at, Fact.Text, time, id, 0, bytes.length);
    for (let i = 0; i < records; i++) {
      at = (at + 1) | 0;
      this.#bytes.set(bytes.subarray(i * FACT_BYTES, (i + 1) * FACT_BYTES), this.#slot(at) * FACT_BYTES);
    }
    this.#publish((at + 1) | 0);
    return true;
  }

  /** A text of ASCII characters, byte by byte: half of what an encoder takes. False where it is none, or there is no room. */
  #putShort(time: bigint, id: number, text: string): boolean {
    const { length } = text;
    const records = Math.ceil(length / FACT_BYTES);
    if (this.#free <= this.#reserve + records + 1) return false;
    let at = this.#written;
    if (this.#gap !== 0) at = this.#storeGap(at, time);
    this.#store(at, Fact.Text, time, id, 0, length);
    let to = 0;
    for (let i = 0; i < length; i++) {
      if (i % FACT_BYTES === 0) {
        at = (at + 1) | 0;
        to = this.#slot(at) * FACT_BYTES;
      }
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      this.#bytes[to++] = code;
    }
    this.#publish((at + 1) | 0);
    return true;
  }

  #store(at: number, kind: number, time: bigint, a: number, b: number, c: number): void {
    const slot = this.#slot(at);
    this.#times[slot * 4] = time;
    this.#floats[slot * 4 + 1] = a;
    this.#floats[slot * 4 + 2] = b;
    this.#words[slot * 8 + 6] = kind;
    this.#words[slot * 8 + 7] = c;
  }

  /** Completes record `at`, whose time is stored. */
  #finish(at: number, kind: number, a: number, b: number, c: number): void {
    const slot = this.#slot(at);
    this.#floats[slot * 4 + 1] = a;
    this.#floats[slot * 4 + 2] = b;
    this.#words[slot * 8 + 6] = kind;
    this.#words[slot * 8 + 7] = c;
    this.#low = this.#words[slot * 8]!;
    this.#high = this.#words[slot * 8 + 1]!;
    this.#publish((at + 1) | 0);
  }

  #storeGap(at: number, time: bigint): number {
    this.#store(at, Fact.Gap, time, this.#gap, 0, 0);
    return (at + 1) | 0;
  }

  /** Everything up to record `end` is complete; a Gap was stored with it where one was due. */
  #publish(end: number): void {
    if (this.#isOrdered) this.#control[WRITTEN] = end;
    else Atomics.store(this.#control, WRITTEN, end);
    this.#free -= (end - this.#written) | 0;
    this.#written = end;
    this.#gap = 0;
  }

  /** Where record `at` lies; it is at most one further than the last one that was asked for. */
  #slot(at: number): number {
    if (at >>> this.#shift !== this.#stretch) this.#move(at >>> this.#shift);
    return this.#base + (at & this.#mask);
  }

  /** Goes to the segment of a stretch, which gets one where it is new. There is one: `#makeRoom` has seen to it. */
  #move(stretch: number): void {
    const { length } = this.#map;
    if (stretch !== this.#mapped && this.#isNext(stretch)) {
      const reading = Atomics.load(this.#control, READ) >>> this.#shift;
      for (; this.#unfreed !== reading; this.#unfreed = this.#next(this.#unfreed)) {
        this.#unused[this.#unusedCount++] = this.#map[this.#unfreed & (length - 1)]!;
      }
      this.#map[stretch & (length - 1)] = this.#unused[--this.#unusedCount]!;
      this.#mapped = stretch;
    }
    this.#base = this.#map[stretch & (length - 1)]! << this.#shift;
    this.#stretch = stretch;
  }

  #next(stretch: number): number {
    return (stretch + 1) & (0xffff_ffff >>> this.#shift);
  }

  #isNext(stretch: number): boolean {
    return this.#mapped < 0 || stretch === this.#next(this.#mapped);
  }

  /** Looks at the reader's counter; counts a drop and answers false where `records` and a Gap do not fit. */
  #makeRoom(records: number): boolean {
    if (this.#closed) return false;
    const reading = Atomics.load(this.#control, READ) >>> this.#shift;
    this.#free = (((reading + this.#segments) << this.#shift) - this.#written) >>> 0;
    if (this.#free > this.#reserve + records) return true;
    if (records === 0) return false;
    this.#gap++;
    Atomics.add(this.#control, DROPPED, 1);
    return false;
  }
}

/** Takes what RingReader finds, in order. Times are ns as numbers. Text ids are the writer's. */
export interface FactVisitor {
  fact(kind: number, time: number, a: number, b: number, c: number): void;
  text(id: number, text: string): void;
  /**
   * Asked before a FrameCall is handed over: takes as many of the `most` records from `at` on as it likes at once, none
   * of which may be later than `until`. Answers how many.
   */
  skip?(records: FactRecords, at: number, most: number, until: number): number;
}

/** Fields of the records of a ring's memory, by the number of the record there. */
export class FactRecords {
  readonly #floats: Float64Array;
  readonly #words: Uint32Array;

  /** `from`: where the first record lies in `memory`. */
  constructor(memory: SharedArrayBuffer, from: number) {
    this.#floats = new Float64Array(memory, from);
    this.#words = new Uint32Array(memory, from);
  }

  kind(at: number): number {
    return this.#words[at * 8 + 6]!;
  }

  time(at: number): number {
    return this.#words[at * 8 + 1]! * 4_294_967_296 + this.#words[at * 8]!;
  }

  a(at: number): number {
    return this.#floats[at * 4 + 1]!;
  }

  b(at: number): number {
    return this.#floats[at * 4 + 2]!;
  }

  c(at: number): number {
    return this.#words[at * 8 + 7]!;
  }
}

/** The reading end. */
export class RingReader {
  readonly #control: Int32Array;
  readonly #records: FactRecords;
  readonly #bytes: Uint8Array;
  readonly #map: Int32Array;
  readonly #shift: number;
  readonly #mask: number;
  readonly #decoder = new TextDecoder();

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, 16);
    this.#shift = this.#control[SHIFT]!;
    this.#mask = 2 ** this.#shift - 1;
    const segments = this.#control[SEGMENTS]!;
    this.#map = new Int32Array(ring, CONTROL_BYTES, segments);
    const at = dataAt(segments);
    this.#records = new FactRecords(ring, at);
    this.#bytes = new Uint8Array(ring, at);
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
    const records = this.#records;
    const skips = visitor.skip !== undefined;
    while (at !== end && read < most) {
      const slot = this.#slot(at);
      const time = records.time(slot);
      if (time > until) break;
      const kind = records.kind(slot);
      if (skips && kind === Fact.FrameCall) {
        // Up to the end of the segment, or of what is written.
        const ahead = Math.min(this.#mask + 1 - (at & this.#mask), (end - at) >>> 0);
        const skipped = visitor.skip!(records, slot, ahead, until);
        if (skipped > 0) {
          at = (at + skipped) | 0;
          read += skipped;
          continue;
        }
      }
      const c = records.c(slot);
      const a = records.a(slot);
      at = (at + 1) | 0;
      read++;
      if (kind === Fact.Text) {
        const ofText = Math.ceil(c / FACT_BYTES);
        visitor.text(a, this.#textAt(at, c));
        at = (at + ofText) | 0;
        read += ofText;
      } else {
        visitor.fact(kind, time, a, records.b(slot), c);
      }
      if ((read & 1023) === 0) Atomics.store(this.#control, READ, at);
    }
    Atomics.store(this.#control, READ, at);
    return read;
  }

  #slot(at: number): number {
    return (this.#map[(at >>> this.#shift) & (this.#map.length - 1)]! << this.#shift) + (at & this.#mask);
  }

  #textAt(at: number, length: number): string {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; done += FACT_BYTES) {
      const from = this.#slot(at) * FACT_BYTES;
      const part = Math.min(FACT_BYTES, length - done);
      bytes.set(this.#bytes.subarray(from, from + part), done);
      at = (at + 1) | 0;
    }
    return this.#decoder.decode(bytes);
  }
}
