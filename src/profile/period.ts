/**
 * The time between two CPU samples, which no trace tells. A thread that is busy is sampled at every period; idle time
 * makes gaps longer, never shorter, but by jitter. So the lower quartile of the gaps within threads is near the
 * period, and the median of those around it is taken, rounded to a whole number of samples a second.
 */

/** Go's and our own recorder's rate: 100 a second. Taken where there are too few samples to tell. */
const USUAL_NS = 10_000_000;
const FEWEST = 16;
const MOST = 65_536;

/** Estimates the period from the times of samples, handed in as they come. */
export class SamplePeriod {
  readonly #lastByThread = new Map<number, number>();
  readonly #gaps: number[] = [];

  /** A sample of a thread at a time in ns. */
  add(thread: number, time: number): void {
    const last = this.#lastByThread.get(thread);
    this.#lastByThread.set(thread, time);
    if (last !== undefined && this.#gaps.length < MOST) this.#gaps.push(time - last);
  }

  /** Nanoseconds. */
  estimate(): number {
    if (this.#gaps.length < FEWEST) return USUAL_NS;
    const gaps = this.#gaps.toSorted((a, b) => a - b);
    const quartile = gaps[gaps.length >> 2]!;
    const near = gaps.filter((gap) => gap > quartile * 0.6 && gap < quartile * 1.4);
    const typical = near[near.length >> 1] ?? quartile;
    const perSecond = Math.max(1, Math.round(1e9 / Math.max(1, typical)));
    // Rates are chosen by people: a few percent off a round one is jitter.
    const round = ROUND.find((rate) => Math.abs(perSecond - rate) <= rate * 0.04);
    return Math.round(1e9 / (round ?? perSecond));
  }
}

const ROUND = [10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000];
