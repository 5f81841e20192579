import type { ByteBuffer } from "../base/buffer.ts";
import { Ev } from "../wire/events.ts";
import { MAX_STRING_SIZE } from "../wire/format.ts";
import type { Generation } from "./batches.ts";
import { TableBatches } from "./batches.ts";

/** Most bytes that one UTF-16 unit takes in UTF-8. */
const BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The string table of a generation. Text longer than the format allows is cut where a character ends; lone
 * surrogates become U+FFFD.
 */
export class StringTable {
  readonly #ids = new Map<string, number>();
  readonly #batches: TableBatches;
  readonly #scratch = new Uint8Array(MAX_STRING_SIZE * BYTES_PER_UNIT);

  constructor(generation: Generation) {
    this.#batches = new TableBatches(Ev.Strings, generation);
  }

  /** Id of `text` in this generation, 0 for "". What is too long keeps its beginning, or its end where asked. */
  id(text: string, keep: "beginning" | "end" = "beginning"): number {
    if (text.length === 0) return 0;
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    return text.length <= MAX_STRING_SIZE / BYTES_PER_UNIT
      ? this.#define(text, 0, encoder.encodeInto(text, this.#scratch).written)
      : this.#long(text, keep);
  }

  /** Moves the strings that are new since the last call to the end of `out`. */
  drain(out: ByteBuffer): void {
    this.#batches.drain(out);
  }

  /** Forgets all ids: the next generation begins. */
  reset(): void {
    this.#ids.clear();
  }

  #define(key: string, from: number, to: number): number {
    const id = this.#ids.size + 1;
    this.#ids.set(key, id);
    const record = this.#batches.record(to - from + 24);
    record.byte(Ev.String);
    record.uvarint(id);
    record.uvarint(to - from);
    record.append(this.#scratch.subarray(from, to));
    return id;
  }

  #long(text: string, keep: "beginning" | "end"): number {
    const scratch = this.#scratch;
    let from = 0;
    let to = 0;
    if (keep === "beginning") {
      const { read, written } = encoder.encodeInto(text, scratch.subarray(0, MAX_STRING_SIZE));
      if (read === text.length) return this.#define(text, 0, written);
      to = written;
    } else {
      to = encoder.encodeInto(text.slice(-MAX_STRING_SIZE), scratch).written;
      if (text.length <= MAX_STRING_SIZE && to <= MAX_STRING_SIZE) return this.#define(text, 0, to);
      from = to - MAX_STRING_SIZE;
      while ((scratch[from]! & 0xc0) === 0x80) from++;
    }
    // Decoded anew, because a slice of the text would keep all of it in memory.
    const cut = decoder.decode(scratch.subarray(from, to));
    return this.#ids.get(cut) ?? this.#define(cut, from, to);
  }
}
