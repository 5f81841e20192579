import { TraceError } from "../base/error.ts";
import { Ev, EVENTS } from "../wire/events.ts";
import type { Batch } from "./batch.ts";
import { toNanoseconds } from "./clock.ts";
import type { ThreadBatches } from "./generation.ts";
import type { WideValues } from "./wide.ts";

/**
 * The events of one thread in one generation, decoded piece by piece into columns. Events are not looked at before
 * they are needed, one event ahead of the one being ordered: that decides which error of a broken file comes first.
 *
 * Row i has `kinds[i]` (event number), `times[i]` (ns, not yet clamped), `args[4 * i ...]` (codes) and `offsets[i]`
 * (in the file). `index` is the current row, there is one while `index < count`.
 */
export class ThreadEvents {
  /** Thread id, as a code. */
  readonly thread: number;
  /** Row of the thread in the scheduler's table, which the scheduler keeps here; -1: not looked up yet. */
  threadRow = -1;
  readonly kinds: Uint8Array;
  readonly times: Float64Array;
  readonly args: Float64Array;
  readonly offsets: Float64Array;
  index = 0;
  count = 0;
  /** Time of the current row. */
  time = 0;
  /** Why decoding ended before the end of the batches; it is due when row `count` is asked for. */
  error: TraceError | null = null;

  readonly #batches: readonly Batch[];
  readonly #perUnit: number;
  readonly #wide: WideValues;
  readonly #capacity: number;
  /** Exact times of the rows whose time a float64 cannot hold. */
  readonly #exact = new Map<number, bigint>();
  #next = 0;
  #ended = false;
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  #offset = 0;
  #base = 0;
  #last = 0;
  /** The exact last time where it is beyond 2^53, else null. */
  #wideLast: bigint | null = null;

  constructor(source: ThreadBatches, perUnit: number, wide: WideValues) {
    this.thread = source.thread;
    this.#batches = source.batches;
    this.#perUnit = perUnit;
    this.#wide = wide;
    let bytes = 0;
    for (const batch of source.batches) bytes += batch.payload.length;
    // An event has at least two bytes. At least two rows: the current one and the one ahead.
    this.#capacity = Math.max(2, Math.min(ROWS, (bytes >> 1) + 1));
    this.kinds = new Uint8Array(this.#capacity);
    this.times = new Float64Array(this.#capacity);
    this.args = new Float64Array(this.#capacity * 4);
    this.offsets = new Float64Array(this.#capacity);
    this.#decode(0);
    this.time = this.times[0]!;
  }

  /** Makes sure that row `index + 1` is decoded where there is one, keeping the current row. */
  lookAhead(): void {
    if (this.index + 1 < this.count || this.#ended) return;
    const from = this.index;
    this.kinds[0] = this.kinds[from]!;
    this.times[0] = this.times[from]!;
    this.offsets[0] = this.offsets[from]!;
    this.args.copyWithin(0, from * 4, from * 4 + 4);
    const exact = this.#exact.get(from);
    this.#exact.clear();
    if (exact !== undefined) this.#exact.set(0, exact);
    this.index = 0;
    this.#decode(1);
  }

  /** Moves to the next row; false where there is none (see `error`). The old row stays readable. */
  advance(): boolean {
    if (++this.index >= this.count) return false;
    this.time = this.times[this.index]!;
    return true;
  }

  /** The exact time of a row where `times` cannot hold it, else undefined. */
  exactTime(row: number): bigint | undefined {
    return Math.abs(this.times[row]!) > MAX_SAFE ? this.#exact.get(row) : undefined;
  }

  #decode(firstRow: number): void {
    const { kinds, times, args, offsets } = this;
    const capacity = this.#capacity;
    const perUnit = this.#perUnit;
    let row = firstRow;
    for (;;) {
      if (this.#at >= this.#bytes.length && !this.#openBatch()) {
        this.#ended = true;
        break;
      }
      const bytes = this.#bytes;
      const length = bytes.length;
      const offset = this.#offset;
      const base = this.#base;
      let last = this.#last;
      let at = this.#at;
      while (at < length && row < capacity) {
        const kind = bytes[at]!;
        const arity = ARITY[kind]!;
        offsets[row] = offset + at;
        if (arity < 0) {
          this.#break(kindMessage(kind), offset + at);
          break;
        }
        at++;
        // Most numbers have one to three bytes; a read beyond the end gives undefined, which is none of them.
        let value: number = bytes[at]!;
        let byte = 0;
        if (value < 128) at++;
        else if ((byte = bytes[at + 1]!) < 128) {
          value = (value & 127) | (byte << 7);
          at += 2;
        } else {
          this.#at = at;
          value = this.#longVarint();
          at = this.#at;
          if (value !== value) {
            this.#break("found invalid uvarint for timestamp", offset + at);
            break;
          }
        }
        if (last === 0) last = base;
        const span = Math.trunc(value * perUnit);
        // Written so that NaN and codes of large values take the slow way too.
        if (value >= 0 && span < SAFE_SPAN && last < SAFE_SPAN && last > -SAFE_SPAN) last += span;
        else last = this.#addWide(row, last, value);
        times[row] = last;
        kinds[row] = kind;
        const firstArg = row * 4;
        let arg = 0;
        for (; arg < arity; arg++) {
          value = bytes[at]!;
          if (value < 128) at++;
          else if ((byte = bytes[at + 1]!) < 128) {
            value = (value & 127) | (byte << 7);
            at += 2;
          } else {
            this.#at = at;
            value = this.#longVarint();
            at = this.#at;
            if (value !== value) break;
          }
          args[firstArg + arg] = value;
        }
        if (arg < arity) {
          this.#break("found invalid uvarint", offset + at);
          break;
        }
        row++;
      }
      this.#at = at;
      this.#last = last;
      if (row === capacity || this.#ended) break;
    }
    this.count = row;
  }

  #openBatch(): boolean {
    while (this.#next < this.#batches.length) {
      const batch = this.#batches[this.#next++]!;
      if (batch.payload.length === 0) continue;
      this.#bytes = batch.payload;
      this.#offset = batch.offset;
      this.#at = 0;
      this.#base = toNanoseconds(this.#wide.toNumber(batch.time), this.#perUnit);
      this.#last = 0;
      this.#wideLast = null;
      return true;
    }
    return false;
  }

  /** A varint at `#at`, moving it; NaN where it is cut or too long. */
  #longVarint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at + 4 <= bytes.length) {
      const low = (bytes[at]! & 127) | ((bytes[at + 1]! & 127) << 7);
      if (bytes[at + 1]! < 128) {
        this.#at = at + 2;
        return low;
      }
      if (bytes[at + 2]! < 128) {
        this.#at = at + 3;
        return low | (bytes[at + 2]! << 14);
      }
      if (bytes[at + 3]! < 128) {
        this.#at = at + 4;
        return low | ((bytes[at + 2]! & 127) << 14) | (bytes[at + 3]! << 21);
      }
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      if (at >= bytes.length) return NaN;
      const byte = bytes[at++]!;
      if (byte < 128) {
        this.#at = at;
        return value + byte * scale;
      }
      value += (byte - 128) * scale;
      scale *= 128;
    }
    let rest = BigInt(value);
    for (let i = 7; i < 10; i++) {
      if (at >= bytes.length) return NaN;
      const byte = bytes[at++]!;
      rest |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) {
        if (i === 9 && byte > 1) return NaN;
        this.#at = at;
        return this.#wide.code(rest);
      }
    }
    return NaN;
  }

  /** The next time where a float64 cannot add it exactly: int64 arithmetic that wraps, as Go's does. */
  #addWide(row: number, last: number, delta: number): number {
    const before = this.#wideLast ?? BigInt(last);
    const span = toNanoseconds(this.#wide.toNumber(delta), this.#perUnit);
    const exact = BigInt.asIntN(64, before + BigInt(span));
    const time = Number(exact);
    const isWide = Math.abs(time) > MAX_SAFE;
    this.#wideLast = isWide ? exact : null;
    if (isWide) this.#exact.set(row, exact);
    return time;
  }

  #break(message: string, offset: number): void {
    this.error = new TraceError("ERR_TRACE_EVENT", message, { offset });
    this.#ended = true;
  }
}

const EMPTY = new Uint8Array(0);
const ROWS = 1024;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;
/** Two of these can be added without leaving the exact range. */
const SAFE_SPAN = 2 ** 52;

const NO_TIME = -1;
const UNKNOWN = -2;

/** Arguments after the time delta, by event number. A clock snapshot has a delta and is refused when it is ordered. */
const ARITY: Int8Array = (() => {
  const table = new Int8Array(256)
    .fill(NO_TIME, 0, Ev.GoroutineStackFree + 1)
    .fill(UNKNOWN, Ev.GoroutineStackFree + 1);
  for (const spec of EVENTS) if (spec.timed) table[spec.type] = spec.args.length;
  table[Ev.ClockSnapshot] = 3;
  return table;
})();

function kindMessage(kind: number): string {
  return ARITY[kind] === UNKNOWN
    ? `found invalid event type: ${kind}`
    : `found event without a timestamp: type=${kind}`;
}
