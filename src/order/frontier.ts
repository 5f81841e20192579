import type { ThreadEvents } from "../decode/thread-events.ts";
import { sortLikeGo } from "../decode/sort.ts";

/**
 * The threads of a generation as a binary heap by the time of their current event. Which of two equal times comes
 * first follows from the mechanics of the heap, and shows in the output, so the steps are exactly those of the
 * specification (section 6.2).
 */
export class Frontier {
  readonly threads: ThreadEvents[] = [];

  /** Time of the earliest thread but the first, Infinity where there is none. */
  secondTime(): number {
    const { threads } = this;
    if (threads.length < 2) return Infinity;
    const left = threads[1]!.time;
    if (threads.length === 2) return left;
    const right = threads[2]!.time;
    return right < left ? right : left;
  }

  insert(thread: ThreadEvents): void {
    this.threads.push(thread);
    this.#up(this.threads.length - 1);
  }

  /** Restores order after the time of the thread at `index` changed. */
  update(index: number): void {
    if (this.#up(index) === index) this.#down(index);
  }

  remove(index: number): void {
    const threads = this.threads;
    for (let i = index; i > 0;) {
      const parent = (i - 1) >> 1;
      this.#swap(i, parent);
      i = parent;
    }
    this.#swap(0, threads.length - 1);
    threads.pop();
    this.#down(0);
  }

  /** Sorts by time, which leaves a heap. */
  sort(): void {
    sortLikeGo(this.threads, isEarlier);
  }

  #up(from: number): number {
    const threads = this.threads;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isEarlier(threads[index]!, threads[parent]!)) break;
      this.#swap(index, parent);
      index = parent;
    }
    return index;
  }

  #down(from: number): void {
    const threads = this.threads;
    const length = threads.length;
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= length) return;
      const right = left + 1;
      const child = right < length && isEarlier(threads[right]!, threads[left]!) ? right : left;
      if (!isEarlier(threads[child]!, threads[index]!)) return;
      this.#swap(index, child);
      index = child;
    }
  }

  #swap(i: number, j: number): void {
    const threads = this.threads;
    const thread = threads[i]!;
    threads[i] = threads[j]!;
    threads[j] = thread;
  }
}

/** Whether the current event of `a` is strictly earlier. Rounding keeps order, so only ties need the exact times. */
function isEarlier(a: ThreadEvents, b: ThreadEvents): boolean {
  if (a.time !== b.time) return a.time < b.time;
  const exactA = a.exactTime(a.index);
  const exactB = b.exactTime(b.index);
  if (exactA === undefined && exactB === undefined) return false;
  return (exactA ?? BigInt(a.time)) < (exactB ?? BigInt(b.time));
}
