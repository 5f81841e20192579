/**
 * The sums of a profile while it is built: one cell for each goroutine, stack and tag, in columns. Sums are kept by
 * goroutine and not only by stack, because what a goroutine is called, and whether its waits count at all, is known
 * only later; so memory follows goroutines and the places where they wait, never events.
 */
export class Cells {
  #size = 0;
  /** Eight numbers a cell, so that an addition touches one line of the cache. */
  #rows = new Float64Array(FIRST * WIDTH);
  #waits = 0;
  readonly #keepsWhole: boolean;
  /** Open addressing: a cell plus 1; 0: free. */
  #slots = new Int32Array(FIRST * 2);
  /** By goroutine: its last cell, plus 1. */
  #last = new Int32Array(FIRST);

  /** `keepWhole`: also sum up what a filter leaves out, for `letAllIn`. */
  constructor(options: { readonly keepWhole: boolean }) {
    this.#keepsWhole = options.keepWhole;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one wait of `spent` ns, `whole` ns without the filter, and answers its cell. A `spent` of 0 is no wait. */
  add(goroutine: number, stack: number, tag: number, spent: number, whole: number): number {
    const cell = this.#cell(goroutine, stack, tag);
    const rows = this.#rows;
    const at = cell * WIDTH;
    if (spent > 0) {
      rows[at + COUNT]!++;
      rows[at + SUM]! += spent;
      rows[at + LATEST] = ++this.#waits;
    }
    if (this.#keepsWhole && whole > 0) {
      rows[at + WHOLE_COUNT]!++;
      rows[at + WHOLE_SUM]! += whole;
    }
    return cell;
  }

  /** Takes one wait back. */
  remove(cell: number, spent: number): void {
    this.#rows[cell * WIDTH + COUNT]!--;
    this.#rows[cell * WIDTH + SUM]! -= spent;
  }

  /** Forgets everything of a goroutine. */
  clear(goroutine: number): void {
    const rows = this.#rows;
    for (let cell = this.#lastOf(goroutine); cell >= 0; cell = rows[cell * WIDTH + BEFORE]! - 1) {
      rows[cell * WIDTH + COUNT] = 0;
      rows[cell * WIDTH + SUM] = 0;
    }
  }

  /** The filter lets in all that the goroutine has done so far. */
  letAllIn(goroutine: number): void {
    const rows = this.#rows;
    for (let cell = this.#lastOf(goroutine); cell >= 0; cell = rows[cell * WIDTH + BEFORE]! - 1) {
      rows[cell * WIDTH + COUNT] = rows[cell * WIDTH + WHOLE_COUNT]!;
      rows[cell * WIDTH + SUM] = rows[cell * WIDTH + WHOLE_SUM]!;
    }
  }

  goroutine(cell: number): number {
    return Math.trunc(this.#rows[cell * WIDTH]! / IDS);
  }

  stack(cell: number): number {
    return this.#rows[cell * WIDTH]! % IDS;
  }

  tag(cell: number): number {
    return this.#rows[cell * WIDTH + TAG]!;
  }

  /** Waits, or samples, of the cell. */
  count(cell: number): number {
    return this.#rows[cell * WIDTH + COUNT]!;
  }

  /** Nanoseconds. */
  sum(cell: number): number {
    return this.#rows[cell * WIDTH + SUM]!;
  }

  /** Greater for the one of two cells that counted last. */
  latest(cell: number): number {
    return this.#rows[cell * WIDTH + LATEST]!;
  }

  #lastOf(goroutine: number): number {
    return (this.#last[goroutine] ?? 0) - 1;
  }

  #cell(goroutine: number, stack: number, tag: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const rows = this.#rows;
    const key = goroutine * IDS + stack;
    let slot = hash(goroutine, stack, tag) & mask;
    for (let at = slots[slot]!; at > 0; at = slots[slot]!) {
      const row = (at - 1) * WIDTH;
      if (rows[row] === key && rows[row + TAG] === tag) return at - 1;
      slot = (slot + 1) & mask;
    }
    return this.#make(goroutine, stack, tag);
  }

  #make(goroutine: number, stack: number, tag: number): number {
    const cell = this.#size++;
    if (this.#size * WIDTH > this.#rows.length) this.#grow();
    if (goroutine >= this.#last.length) this.#last = larger(this.#last, goroutine + 1);
    const at = cell * WIDTH;
    this.#rows[at] = goroutine * IDS + stack;
    this.#rows[at + TAG] = tag;
    this.#rows[at + BEFORE] = this.#last[goroutine]!;
    this.#last[goroutine] = cell + 1;
    this.#place(cell);
    return cell;
  }

  #place(cell: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.goroutine(cell), this.stack(cell), this.tag(cell)) & mask;
    while (this.#slots[slot]! > 0) slot = (slot + 1) & mask;
    this.#slots[slot] = cell + 1;
  }

  #grow(): void {
    const rows = new Float64Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let cell = 0; cell < this.#size - 1; cell++) this.#place(cell);
  }
}

const FIRST = 1024;
/** More than there are stacks, and goroutines: both are in one number. */
const IDS = 2 ** 26;

/** What is where in a cell, behind its goroutine and stack. */
const WIDTH = 8;
const TAG = 1;
const COUNT = 2;
const SUM = 3;
const LATEST = 4;
const WHOLE_COUNT = 5;
const WHOLE_SUM = 6;
/** Cell of the same goroutine that was made before, plus 1; 0: none. */
const BEFORE = 7;

function hash(goroutine: number, stack: number, tag: number): number {
  let mixed = Math.imul(goroutine, 0x9e3779b1) ^ Math.imul(stack, 0x85ebca6b) ^ Math.imul(tag, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function larger(column: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(column.length * 2, least));
  grown.set(column);
  return grown;
}
