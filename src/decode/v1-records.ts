import { TraceError } from "../base/error.ts";
import { V1, V1_CPU_SAMPLE_SINCE, V1_MAX_ARGS, V1_MAX_STRING, V1_SPECS } from "../wire/v1-events.ts";
import { decodeText } from "./text.ts";
import type { WideValues } from "./wide.ts";

/** How much of a record is read: its arguments, or only its length (those of CPU samples and batches all the same). */
export const Reading = { Whole: 0, Index: 1 } as const;

const MALFORMED = "malformatted base-128 varint";
const CUT = "failed to read trace: unexpected EOF";

/**
 * A cursor over the records of a v1 trace, all of which is in memory. `next` reads one into the fields below; its
 * errors, and what it passes over in silence, are those of Go's reader.
 */
export class V1Records {
  /** Where the next record begins, and where the last one did: offsets in `bytes`. */
  at = 0;
  start = 0;
  type = 0;
  /** Arguments of the last record, as codes; time first, stack last. */
  count = 0;
  readonly args = new Float64Array(V1_MAX_ARGS);
  /** Of a String, or the message of a UserLog: where its text is. */
  textAt = 0;
  textLength = 0;
  readonly bytes: Uint8Array;
  readonly #base: number;
  readonly #version: number;
  readonly #wide: WideValues;
  #malformed = false;

  /** `bytes` is the file behind its header, from the offset `base` on. */
  constructor(bytes: Uint8Array, base: number, version: number, wide: WideValues) {
    this.bytes = bytes;
    this.#base = base;
    this.#version = version;
    this.#wide = wide;
  }

  get text(): string {
    return decodeText(this.bytes.subarray(this.textAt, this.textAt + this.textLength));
  }

  /** False at the end of the file. Throws ERR_TRACE_EVENT. */
  next(reading: number): boolean {
    const { bytes } = this;
    this.start = this.at;
    this.count = 0;
    if (this.at >= bytes.length) return false;
    const head = bytes[this.at++]!;
    const type = (this.type = head & 63);
    const shape = head >> 6;
    if (
      type === 0 ||
      type >= V1_SPECS.length ||
      (type === V1.CPUSample && this.#version < V1_CPU_SAMPLE_SINCE)
    )
      throw this.error(`unknown event type ${type}`);
    if (type === V1.String) {
      this.#string(reading);
      return true;
    }
    if (type === V1.Batch) {
      if (shape !== 1) throw this.error(`EvBatch has wrong number of arguments: got ${shape + 1}, want 2`);
      this.#batch();
      return true;
    }
    if (shape < 3) {
      for (let i = 0; i <= shape; i++) {
        this.args[this.count++] = this.#uvarint(bytes.length);
        if (this.#malformed) throw this.error(`failed to read event ${type} argument: ${MALFORMED}`);
      }
      if (reading === Reading.Index) this.count = 0;
      return true;
    }
    const length = this.#uvarint(bytes.length);
    if (this.#malformed) throw this.error(`failed to read event ${type} argument: ${MALFORMED}`);
    if (length < 0 || length > V1_MAX_ARGS) {
      const got = `${this.#wide.value(length)} bytes, limit is ${V1_MAX_ARGS}`;
      throw this.error(`failed to read event ${type} argument: length-prefixed argument too big: ${got}`);
    }
    const end = this.at + length;
    if (reading === Reading.Whole || type === V1.CPUSample) {
      if (this.at >= bytes.length || end > bytes.length) throw this.error(CUT);
      while (this.at < end) {
        this.args[this.count++] = this.#uvarint(end);
        if (this.#malformed) throw this.error(MALFORMED);
      }
    } else {
      if (end > bytes.length) throw this.error("failed to read trace: EOF");
      this.at = end;
    }
    return type === V1.UserLog ? this.#message(reading) : true;
  }

  /** An error at the last record. */
  error(message: string): TraceError {
    return this.errorAt(this.start, "ERR_TRACE_EVENT", message);
  }

  /** An error at a record that began at `start`. */
  errorAt(start: number, code: string, message: string): TraceError {
    return new TraceError(code, message, { offset: this.#base + start });
  }

  /** What Go says where a clock went backwards. */
  outOfOrder(start: number): TraceError {
    return this.errorAt(start, "ERR_TRACE_TIME", "time stamps out of order");
  }

  #string(reading: number): void {
    const id = (this.args[this.count++] = this.#uvarint(this.bytes.length));
    if (this.#malformed) throw this.error(MALFORMED);
    const isWhole = reading === Reading.Whole;
    if (isWhole && id === 0) throw this.error("string has invalid id 0");
    const length = this.#uvarint(this.bytes.length);
    if (this.#malformed) throw this.error(MALFORMED);
    if (isWhole && length === 0) throw this.error("string has invalid length 0");
    if (isWhole && (length < 0 || length > V1_MAX_STRING))
      throw this.error(`string has too large length ${this.#wide.value(length)}`);
    if (length < 0 || this.at + length > this.bytes.length)
      throw this.error(isWhole ? CUT : "failed to read trace: EOF");
    this.textAt = this.at;
    this.textLength = length;
    this.at += length;
  }

  #batch(): void {
    const proc = (this.args[this.count++] = this.#uvarint(this.bytes.length));
    if (this.#malformed) throw this.error(MALFORMED);
    if (proc < -1 || proc > 0x7fffffff) {
      const limit = "18446744073709551615";
      throw this.error(`processor ID ${this.#wide.value(proc)} is larger than maximum of ${limit}`);
    }
    this.args[this.count++] = this.#uvarint(this.bytes.length);
    if (this.#malformed) throw this.error(MALFORMED);
  }

  /** The text behind a UserLog. A file that ends in it ends there in silence while it is only indexed. */
  #message(reading: number): boolean {
    const length = this.#uvarint(this.bytes.length);
    if (this.#malformed) throw this.error(MALFORMED);
    if (reading === Reading.Index) {
      if (length < 0 || this.at + length > this.bytes.length) return false;
    } else if (length !== 0) {
      if (length < 0 || length > V1_MAX_STRING)
        throw this.error(`string is too large (len=${this.#wide.value(length)})`);
      if (this.at >= this.bytes.length || this.at + length > this.bytes.length) throw this.error(CUT);
    }
    this.textAt = this.at;
    this.textLength = length;
    this.at += length;
    return true;
  }

  /** The number at `at`, which must end before `end`, as a code. Sets #malformed. */
  #uvarint(end: number): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    let { at } = this;
    this.#malformed = false;
    for (let i = 0; i < 7; i++) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      if (byte < 128) {
        this.at = at;
        return value + byte * scale;
      }
      value += (byte - 128) * scale;
      scale *= 128;
    }
    let rest = BigInt(value);
    for (let i = 7; i < 10; i++) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      rest |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) {
        if (i === 9 && byte > 1) break;
        this.at = at;
        return this.#wide.code(rest);
      }
    }
    return this.#fail();
  }

  #fail(): number {
    this.#malformed = true;
    return 0;
  }
}
