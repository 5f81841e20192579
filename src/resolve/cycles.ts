import type { SchedulerOut } from "./out.ts";

/**
 * Cycles of garbage collection: an isolate's cycle goes from its first step of incremental marking, or from the major
 * pause itself where there is none, to the end of that pause. A trace has room for one open cycle: while several
 * isolates collect it is theirs together, from the first one's beginning to the last one's end.
 *
 * Asked in the order in which the pauses end. Of two pauses that overlap the one that ends first may be told first:
 * then the cycle begins with that one, later than the truth by less than a pause.
 */
export class Cycles {
  readonly #out: SchedulerOut;
  readonly #pausedAt: (m: number, time: number) => number;
  /** Threads whose isolates are in a cycle. */
  readonly #threads = new Set<number>();
  /** Time of the last beginning or end. */
  last = 0;

  /** `pausedAt`: the thread, not `m`, that is in a major pause at a time and after; 0 where there is none. */
  constructor(out: SchedulerOut, pausedAt: (m: number, time: number) => number) {
    this.#out = out;
    this.#pausedAt = pausedAt;
  }

  /** Whether the isolate of thread `m` is in a cycle. */
  has(m: number): boolean {
    return this.#threads.has(m);
  }

  /** The isolate of thread `m`, on which something runs, collects from `time` on. */
  begin(m: number, time: number): void {
    const isFirst = this.#threads.size === 0;
    this.#threads.add(m);
    if (!isFirst) return;
    this.last = Math.max(this.last, time);
    this.#out.gcBegin(m, this.last, 0);
  }

  /** It has collected at `time`; something runs on the thread. */
  end(m: number, time: number): void {
    if (!this.#threads.delete(m) || this.#threads.size > 0) return;
    const other = this.#pausedAt(m, time);
    if (other !== 0) {
      this.#threads.add(other);
      return;
    }
    this.last = Math.max(this.last, time);
    this.#out.gcEnd(m, this.last);
  }
}
