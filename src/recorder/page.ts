/**
 * The control page: a few words of shared memory between the main thread and the tracer thread, so that either can
 * learn about the other while it is blocked.
 */
export const Word = {
  /** One of `State`. */
  State: 0,
  /** Counts the tracer's steps: a waiter gives up on a tracer that makes none. */
  Progress: 1,
  /** KiB posted to the main thread for a stream sink and not yet taken by the stream. */
  Queued: 2,
  /** Steps of the inspector's disconnection: 1, the main thread waits; 2, the tracer has disconnected. */
  Detach: 3,
  /** 1: the recording is to end; tells a tracer that still boots what it need not begin. 2: it waits no longer. */
  Finish: 4,
  /** The number of the last ping that the main thread has answered, and how long it took, in us. */
  Pong: 5,
  PongUs: 6,
  /** Scripts that run inside of each other in the main thread and may be stopped (stoppable.ts). */
  Stoppable: 7,
  /** Requests through the inspector that were announced, and that the main thread has served. */
  Asked: 8,
  Answered: 9,
} as const;

/** Booting: started, not yet listening. Ready: drains. Ended: the sink has everything, or has failed. */
export const State = { Booting: 0, Ready: 1, Ended: 2 } as const;

const WORDS = 16;

/** With so many words more for the isolates (`transferWords`). */
export function createPage(transfers: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer((WORDS + transfers) * 4));
}

/** The page's part by which isolates tell each other of ports that are under way. */
export function transferWords(page: Int32Array): Int32Array {
  return page.subarray(WORDS);
}

/** A request through the inspector has been served, or will not be. */
export function answered(page: Int32Array): void {
  Atomics.add(page, Word.Answered, 1);
}

/** Moves the page on to `state` and wakes whoever waits for it. */
export function setState(page: Int32Array, state: number): void {
  Atomics.store(page, Word.State, state);
  Atomics.notify(page, Word.State);
}

/**
 * Blocks until the page's state is at least `state`, for at most `limitMs`, or until the tracer makes no step for
 * `stallMs`. Calls `between` about every 20 ms. Answers whether the state was reached.
 */
export function waitForState(
  page: Int32Array,
  state: number,
  limitMs: number,
  stallMs: number,
  between: () => void = () => {},
): boolean {
  const start = performance.now();
  let progress = Atomics.load(page, Word.Progress);
  let moved = start;
  for (;;) {
    const seen = Atomics.load(page, Word.State);
    if (seen >= state) return true;
    const now = performance.now();
    const step = Atomics.load(page, Word.Progress);
    if (step !== progress) {
      progress = step;
      moved = now;
    }
    if (now - start >= limitMs || now - moved >= stallMs) return false;
    Atomics.wait(page, Word.State, seen, Math.min(20, limitMs));
    between();
  }
}
