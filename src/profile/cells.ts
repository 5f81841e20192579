/**
 * The sums of a profile while it is built: one cell for each goroutine, stack and tag, in columns. Sums are kept by
 * goroutine and not only by stack, because what a goroutine is called, and whether its waits count at all, is known
 * only later; so memory follows goroutines and the places where they wait, never events.
 */
export class Cells {
  #size = 0;
  #goroutine = new Int32Array(FIRST);
  #stack = new Int32Array(FIRST);
  #tag = new Int32Array(FIRST);
  /** Cell of the same goroutine that was made before, plus 1; 0: none. */
  #before = new Int32Array(FIRST);
  #count = new Float64Array(FIRST);
  #sum = new Float64Array(FIRST);
  /** When it last counted: how many waits had, then. */
  #latest = new Float64Array(FIRST);
  #counted = 0;
  /** The sums over everything, where a filter may turn out to let all of it in. */
  #wholeCount: Float64Array | null;
  #wholeSum: Float64Array | null;
  /** Open addressing: a cell plus 1; 0: free. */
  #slots = new Int32Array(FIRST * 2);
  /** By goroutine: its last cell, plus 1. */
  #last = new Int32Array(FIRST);

  /** `keepWhole`: also sum up what a filter leaves out, for `letAllIn`. */
  constructor(options: { readonly keepWhole: boolean }) {
    this.#wholeCount = options.keepWhole ? new Float64Array(FIRST) : null;
    this.#wholeSum = options.keepWhole ? new Float64Array(FIRST) : null;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one wait of `spent` ns, `whole` ns without the filter, and answers its cell. A `spent` of 0 is no wait. */
  add(goroutine: number, stack: number, tag: number, spent: number, whole: number): number {
    const cell = this.#cell(goroutine, stack, tag);
    if (spent > 0) {
      this.#count[cell]!++;
      this.#sum[cell]! += spent;
      this.#latest[cell] = ++this.#counted;
    }
    if (this.#wholeCount !== null && whole > 0) {
      this.#wholeCount[cell]!++;
      this.#wholeSum![cell]! += whole;
    }
    return cell;
  }

  /** Takes one wait back. */
  remove(cell: number, spent: number): void {
    this.#count[cell]!--;
    this.#sum[cell]! -= spent;
  }

  /** Forgets everything of a goroutine. */
  clear(goroutine: number): void {
    for (let at = this.#last[goroutine] ?? 0; at > 0; at = this.#before[at - 1]!) {
      this.#count[at - 1] = 0;
      this.#sum[at - 1] = 0;
    }
  }

  /** The filter lets in all that the goroutine has done so far. */
  letAllIn(goroutine: number): void {
    if (this.#wholeCount === null) return;
    for (let at = this.#last[goroutine] ?? 0; at > 0; at = this.#before[at - 1]!) {
      this.#count[at - 1] = this.#wholeCount[at - 1]!;
      this.#sum[at - 1] = this.#wholeSum![at - 1]!;
    }
  }

  goroutine(cell: number): number {
    return this.#goroutine[cell]!;
  }

  stack(cell: number): number {
    return this.#stack[cell]!;
  }

  tag(cell: number): number {
    return this.#tag[cell]!;
  }

  /** Waits, or samples, of the cell. */
  count(cell: number): number {
    return this.#count[cell]!;
  }

  /** Greater for the one of two cells that counted last. */
  latest(cell: number): number {
    return this.#latest[cell]!;
  }

  /** Nanoseconds. */
  sum(cell: number): number {
    return this.#sum[cell]!;
  }

  #cell(goroutine: number, stack: number, tag: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(goroutine, stack, tag) & mask;
    for (let at = this.#slots[slot]!; at > 0; at = this.#slots[slot]!) {
      const cell = at - 1;
      if (this.#stack[cell] === stack && this.#goroutine[cell] === goroutine && this.#tag[cell] === tag)
        return cell;
      slot = (slot + 1) & mask;
    }
    const cell = this.#size++;
    if (cell === this.#stack.length) this.#grow();
    this.#goroutine[cell] = goroutine;
    this.#stack[cell] = stack;
    this.#tag[cell] = tag;
    if (goroutine >= this.#last.length) this.#last = doubled(this.#last, goroutine + 1);
    this.#before[cell] = this.#last[goroutine]!;
    this.#last[goroutine] = cell + 1;
    this.#place(cell);
    return cell;
  }

  #place(cell: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.#goroutine[cell]!, this.#stack[cell]!, this.#tag[cell]!) & mask;
    while (this.#slots[slot]! > 0) slot = (slot + 1) & mask;
    this.#slots[slot] = cell + 1;
  }

  #grow(): void {
    this.#goroutine = doubled(this.#goroutine);
    this.#stack = doubled(this.#stack);
    this.#tag = doubled(this.#tag);
    this.#before = doubled(this.#before);
    this.#count = doubled(this.#count);
    this.#sum = doubled(this.#sum);
    this.#latest = doubled(this.#latest);
    if (this.#wholeCount !== null) this.#wholeCount = doubled(this.#wholeCount);
    if (this.#wholeSum !== null) this.#wholeSum = doubled(this.#wholeSum);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let cell = 0; cell < this.#size - 1; cell++) this.#place(cell);
  }
}

const FIRST = 1024;

function hash(goroutine: number, stack: number, tag: number): number {
  let mixed = Math.imul(goroutine, 0x9e3779b1) ^ Math.imul(stack, 0x85ebca6b) ^ Math.imul(tag, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

function doubled<Column extends Int32Array | Float64Array>(column: Column, least = 0): Column {
  let length = column.length * 2;
  while (length < least) length *= 2;
  const larger = column instanceof Int32Array ? new Int32Array(length) : new Float64Array(length);
  larger.set(column);
  return larger as Column;
}
