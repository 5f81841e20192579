/** How much history is kept, in switches; a power of two. */
const KEPT = 1 << 18;

/** Which goroutine ran when on one thread, for CPU samples that come in later. */
export class RunHistory {
  #times = new Float64Array(1024);
  #ids = new Float64Array(1024);
  #count = 0;

  /** From `time` on `g` runs, 0 for none. Times do not decrease. */
  add(time: number, g: number): void {
    if (this.#count === this.#times.length && this.#count < KEPT) {
      this.#times = grown(this.#times);
      this.#ids = grown(this.#ids);
    }
    const at = this.#count++ & (this.#times.length - 1);
    this.#times[at] = time;
    this.#ids[at] = g;
  }

  /** The goroutine that ran at `time`, or 0. */
  at(time: number): number {
    const mask = this.#times.length - 1;
    const oldest = Math.max(0, this.#count - this.#times.length);
    let low = oldest;
    let high = this.#count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#times[middle & mask]! <= time) low = middle + 1;
      else high = middle;
    }
    return low === oldest ? 0 : this.#ids[(low - 1) & mask]!;
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const more = new Float64Array(2 * array.length);
  more.set(array);
  return more;
}
