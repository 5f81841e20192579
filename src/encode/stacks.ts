import type { ByteBuffer } from "../base/buffer.ts";
import { Ev } from "../wire/events.ts";
import type { Frame } from "../wire/format.ts";
import { MAX_STACK_FRAMES } from "../wire/format.ts";
import type { Generation } from "./batches.ts";
import { TableBatches } from "./batches.ts";
import type { StringTable } from "./strings.ts";

/**
 * Stacks are interned for the life of the writer, because callers keep the ids, and defined on the wire once in
 * every generation that uses them. A stack is a run of pcs in one flat array, found through an open hash table of
 * ids; a pc is the dense number of a distinct (func, file, line), for Go's readers key frame data by pc.
 *
 * Ids stay valid for ever, so nothing is evicted; instead what a writer takes in is bounded. When `fullStacks`
 * distinct stacks are known, a new one is shortened to its leaf and its outermost frame (what it does and who it
 * belongs to); when twice as many are known, an unknown stack is the empty one. Beyond `MAX_FRAMES` distinct
 * frames an unknown frame is left out. A program whose stacks come from its source reaches none of these limits.
 */

/** Distinct stacks that are kept with all their frames. */
const FULL_STACKS = 100_000;
const MAX_FRAMES = 1 << 18;

export class StackTable {
  /** Number of `intern` calls answered with less than they asked for because a limit was reached. */
  shortened = 0;

  readonly #strings: StringTable;
  readonly #batches: TableBatches;
  readonly #fullStacks: number;

  // Frames, by pc; pc 0 is none. A frame object that was seen before is found without looking inside.
  readonly #pcOfFrame = new WeakMap<Frame, number>();
  readonly #pcOfKey = new Map<string, number>();
  readonly #funcs: string[] = [""];
  readonly #files: string[] = [""];
  readonly #lines: number[] = [0];
  // String ids of func and file, valid where the frame was last defined in this epoch.
  readonly #frameEpoch: number[] = [0];
  readonly #funcIds: number[] = [0];
  readonly #fileIds: number[] = [0];

  // Stacks, by id; the frames of id are #pcs[#ends[id - 1] .. #ends[id]).
  #count = 0;
  #pcs = new Uint32Array(1024);
  #ends = new Uint32Array(256);
  #stackEpoch = new Uint32Array(256);
  #slots = new Uint32Array(512);
  readonly #scratch = new Uint32Array(MAX_STACK_FRAMES);

  #epoch = 1;

  constructor(generation: Generation, strings: StringTable, fullStacks = FULL_STACKS) {
    this.#strings = strings;
    this.#batches = new TableBatches(Ev.Stacks, generation);
    this.#fullStacks = fullStacks;
  }

  /** Id of a stack, leaf first; 0 is the empty one. Of more than 128 frames the leaf end and the outermost stay. */
  intern(frames: readonly Frame[]): number {
    const pcs = this.#scratch;
    const kept = Math.min(frames.length, MAX_STACK_FRAMES);
    let length = 0;
    for (let i = 0; i < kept; i++) {
      const pc = this.#pc(frames[i === MAX_STACK_FRAMES - 1 ? frames.length - 1 : i]!);
      if (pc !== 0) pcs[length++] = pc;
    }
    if (length < kept) this.shortened++;
    if (length === 0) return 0;
    const known = this.#find(length);
    if (known !== 0) return known;
    if (this.#count < this.#fullStacks) return this.#add(length);
    if (length > 2) {
      pcs[1] = pcs[length - 1]!;
      length = 2;
      this.shortened++;
      const short = this.#find(length);
      if (short !== 0) return short;
    } else if (this.#count >= 2 * this.#fullStacks) {
      this.shortened++;
    }
    return this.#count < 2 * this.#fullStacks ? this.#add(length) : 0;
  }

  /** True where both stacks have the same outermost frame; false where one is empty. */
  sameEntry(a: number, b: number): boolean {
    if (a === 0 || b === 0) return a === b;
    return this.#pcs[this.#ends[a]! - 1] === this.#pcs[this.#ends[b]! - 1];
  }

  /** True where `id` is 0 or was given out by `intern`. */
  has(id: number): boolean {
    return id >>> 0 === id && id <= this.#count;
  }

  /** The frames of stack `id`, given out by `intern`, leaf first. */
  frames(id: number): Frame[] {
    if (id === 0) return [];
    return Array.from(this.#pcs.subarray(this.#ends[id - 1]!, this.#ends[id]!), (pc) => ({
      func: this.#funcs[pc]!,
      file: this.#files[pc]!,
      line: this.#lines[pc]!,
    }));
  }

  /** Makes sure that stack `id`, given out by `intern`, is defined in this generation. Returns it. */
  use(id: number): number {
    if (id !== 0 && this.#stackEpoch[id] !== this.#epoch) this.#define(id);
    return id;
  }

  /** Moves the stacks that are new in this generation since the last call to the end of `out`. */
  drain(out: ByteBuffer): void {
    this.#batches.drain(out);
  }

  /** Forgets what is defined on the wire: the next generation begins. */
  reset(): void {
    this.#epoch++;
  }

  #pc(frame: Frame): number {
    const seen = this.#pcOfFrame.get(frame);
    if (seen !== undefined) return seen;
    const line = Number.isSafeInteger(frame.line) && frame.line > 0 ? frame.line : 0;
    const key = `${line}:${frame.func.length}:${frame.func}${frame.file}`;
    let pc = this.#pcOfKey.get(key);
    if (pc === undefined) {
      pc = this.#funcs.length;
      if (pc > MAX_FRAMES) return 0;
      this.#pcOfKey.set(key, pc);
      this.#funcs.push(frame.func);
      this.#files.push(frame.file);
      this.#lines.push(line);
      this.#frameEpoch.push(0);
      this.#funcIds.push(0);
      this.#fileIds.push(0);
    }
    this.#pcOfFrame.set(frame, pc);
    return pc;
  }

  #define(id: number): void {
    this.#stackEpoch[id] = this.#epoch;
    const end = this.#ends[id]!;
    const start = this.#ends[id - 1]!;
    for (let i = start; i < end; i++) this.#name(this.#pcs[i]!);
    const record = this.#batches.record(24 + (end - start) * 40);
    record.byte(Ev.Stack);
    record.uvarint(id);
    record.uvarint(end - start);
    for (let i = start; i < end; i++) {
      const pc = this.#pcs[i]!;
      record.uvarint(pc);
      record.uvarint(this.#funcIds[pc]!);
      record.uvarint(this.#fileIds[pc]!);
      record.uvarint(this.#lines[pc]!);
    }
  }

  #name(pc: number): void {
    if (this.#frameEpoch[pc] === this.#epoch) return;
    this.#frameEpoch[pc] = this.#epoch;
    this.#funcIds[pc] = this.#strings.id(this.#funcs[pc]!, "end");
    this.#fileIds[pc] = this.#strings.id(this.#files[pc]!, "end");
  }

  #find(length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(this.#scratch, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]!;
      if (id === 0 || this.#equals(id, length)) return id;
    }
  }

  #equals(id: number, length: number): boolean {
    const start = this.#ends[id - 1]!;
    if (this.#ends[id]! - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#pcs[start + i] !== this.#scratch[i]) return false;
    return true;
  }

  #add(length: number): number {
    const start = this.#ends[this.#count]!;
    const id = ++this.#count;
    if (start + length > this.#pcs.length) this.#pcs = grown(this.#pcs);
    if (id >= this.#ends.length) {
      this.#ends = grown(this.#ends);
      this.#stackEpoch = grown(this.#stackEpoch);
    }
    this.#pcs.set(this.#scratch.subarray(0, length), start);
    this.#ends[id] = start + length;
    if (id * 2 > this.#slots.length) {
      this.#slots = new Uint32Array(this.#slots.length * 2);
      for (let other = 1; other < id; other++) this.#place(other);
    }
    this.#place(id);
    return id;
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.#pcs, this.#ends[id - 1]!, this.#ends[id]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(array.length * 2);
  more.set(array);
  return more;
}

/** A mixing hash of pcs[start .. end) (multiply and rotate, with a final avalanche, for the table is a power of two). */
function hash(pcs: Uint32Array, start: number, end: number): number {
  let h = 0x9e37_79b9;
  for (let i = start; i < end; i++) {
    h = Math.imul(h ^ pcs[i]!, 0x85eb_ca6b);
    h = (h << 13) | (h >>> 19);
  }
  h = Math.imul(h ^ (h >>> 16), 0xc2b2_ae35);
  return (h ^ (h >>> 13)) >>> 0;
}
