const SMALLEST_COMPACTION = 1024;

/**
 * Pending one-shot timers, and what waits for one, by due time (ns). Timers that are over are dropped when they come up,
 * and all at once when the heap has doubled, so that its size is bounded by twice the timers that are alive.
 */
export class TimerHeap<T extends { readonly due: number }> {
  readonly #isOver: (timer: T) => boolean;
  #heap: T[] = [];
  /** Due time of the earliest timer, Infinity where there is none. */
  readonly #first = new Float64Array([Infinity]);
  #compactAt = SMALLEST_COMPACTION;

  /** `isOver`: the timer needs no wakeup any more; never turns back. */
  constructor(isOver: (timer: T) => boolean) {
    this.#isOver = isOver;
  }

  /** Whether a timer, which may be over, is due at `until` or before. */
  isDue(until: number): boolean {
    return this.#first[0]! <= until;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(timer: T): void {
    if (this.#heap.length >= this.#compactAt) this.#compact();
    this.#heap.push(timer);
    this.#rise(this.#heap.length - 1);
    this.#first[0] = this.#heap[0]!.due;
  }

  /** Takes the earliest timer that is due at `until` or before and not over; null where there is none. */
  takeDue(until: number): T | null {
    while (this.#heap.length > 0 && this.#heap[0]!.due <= until) {
      const first = this.#pop();
      this.#first[0] = this.#heap.length === 0 ? Infinity : this.#heap[0]!.due;
      if (!this.#isOver(first)) return first;
    }
    return null;
  }

  /** A sorted array is a heap. */
  #compact(): void {
    this.#heap = this.#heap.filter((timer) => !this.#isOver(timer)).sort((a, b) => a.due - b.due);
    this.#first[0] = this.#heap.length === 0 ? Infinity : this.#heap[0]!.due;
    this.#compactAt = Math.max(SMALLEST_COMPACTION, 2 * this.#heap.length);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const timer = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.due <= timer.due) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): T {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++;
      if (heap[child]!.due >= last.due) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
