/** How much history is kept, in switches. */
const KEPT = 200_000;

/** Which goroutine ran when on one thread, for CPU samples that come in later. */
export class RunHistory {
  #times: number[] = [];
  #ids: number[] = [];

  /** From `time` on `g` runs, 0 for none. Times do not decrease. */
  add(time: number, g: number): void {
    this.#times.push(time);
    this.#ids.push(g);
    if (this.#times.length < 2 * KEPT) return;
    this.#times = this.#times.slice(KEPT);
    this.#ids = this.#ids.slice(KEPT);
  }

  /** The goroutine that ran at `time`, or 0. */
  at(time: number): number {
    let low = 0;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#ids[low - 1]!;
  }
}
