/**
 * The time that a CPU sample stands for, which the format does not tell; estimated from the gaps between the samples of a thread.
 *
 * Go's timers count a thread's CPU time: a thread that is busy is sampled at every period, idle time makes gaps longer,
 * and only jitter makes them shorter. So the lower quartile of the gaps is near the period, and the median of those
 * around it is taken. V8 samples by the clock and at events besides, so that many gaps are shorter than its period:
 * there the median of all gaps is what a sample stands for, but no more than the period that our recorder has asked for
 * and noted (the usual one, where it has not), since idle time is not sampled. Both are rounded to a whole number of samples a second.
 */

/** Go's and our own recorder's rate: 100 a second. Taken where there are too few samples to tell. */
const USUAL_NS = 10_000_000;
const FEWEST = 16;
const MOST = 65_536;

/** Estimates the period from the times of samples, handed in as they come. */
export class SamplePeriod {
  readonly #lastByThread = new Map<number, number>();
  readonly #gaps: number[] = [];
  /** Whether V8 made the samples. */
  #isV8 = false;
  /** The period that V8 was asked for. */
  #asked = USUAL_NS;

  /** The trace has a note of our recorder, which is Node's: V8 made the samples, and the note may say how many a second. */
  note(json: string): void {
    this.#isV8 = true;
    if (!json.includes('"cpuHz"')) return;
    try {
      const { process } = JSON.parse(json) as { readonly process?: { readonly cpuHz?: unknown } | null };
      const hz = process?.cpuHz;
      if (typeof hz === "number" && hz >= 1 && hz <= 1e6) this.#asked = Math.round(1e9 / hz);
    } catch {
      // No note of ours, whatever the category says.
    }
  }

  /** A sample of a thread at a time in ns. */
  add(thread: number, time: number): void {
    const last = this.#lastByThread.get(thread);
    this.#lastByThread.set(thread, time);
    if (last !== undefined && this.#gaps.length < MOST) this.#gaps.push(time - last);
  }

  /** Nanoseconds. */
  estimate(): number {
    if (this.#gaps.length < FEWEST) return this.#asked;
    const gaps = this.#gaps.toSorted((a, b) => a - b);
    const typical = this.#isV8 ? Math.min(gaps[gaps.length >> 1]!, this.#asked) : shortest(gaps);
    const perSecond = Math.max(1, Math.round(1e9 / Math.max(1, typical)));
    // Rates are chosen by people: a few percent off a round one is jitter.
    const round = ROUND.find((rate) => Math.abs(perSecond - rate) <= rate * 0.04);
    return Math.round(1e9 / (round ?? perSecond));
  }
}

/** The median of the gaps around the lower quartile; `gaps` are in order. */
function shortest(gaps: readonly number[]): number {
  const quartile = gaps[gaps.length >> 2]!;
  const near = gaps.filter((gap) => gap > quartile * 0.6 && gap < quartile * 1.4);
  return near[near.length >> 1] ?? quartile;
}

const ROUND = [10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000];
