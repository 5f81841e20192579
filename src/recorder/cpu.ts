import inspector from "node:inspector";
import { toSamples } from "./cpu-samples.ts";
import { Word, answered } from "./page.ts";
import { SLOT_KEY } from "./slot.ts";
import type { Sample } from "./pipeline.ts";

/** How long the first request waits for scripts that may be stopped, before it looks whether it is still wanted. */
const SCRIPT_MS = 200;
/** The same for the last one, which is then made all the same. */
const CLOSE_MS = 2_000;

/**
 * CPU samples of the main isolate, taken from the tracer thread through the inspector: it is served even while the
 * main thread runs without a pause or waits for us at its exit.
 *
 * One profile for ever grows for ever, and stopping the only one makes the next start slow, so profiles overlap: the
 * next begins before the last ends (each step measured 0.1 ms on the main thread). What two profiles both saw is
 * taken from the first.
 */
export class CpuSampler {
  /** The recording: another one may begin before this one has ended, and each hears of the other's profiles. */
  readonly #recording: string;
  readonly #page: Int32Array;
  readonly #session = new inspector.Session();
  #connected = false;
  #title = 0;
  #finished: ((profile: inspector.Profiler.Profile) => void) | undefined;
  /** Time (us) up to which samples were handed out. */
  #seen = 0;
  #late: Sample[] = [];
  /** Profiles that were asked for and have not come. */
  #missing = 0;

  constructor(recording: string, page: Int32Array) {
    this.#recording = recording;
    this.#page = page;
  }

  /**
   * Begins to sample, as soon as that harms no script; answers false where it `isOver` before. Rejects where the inspector
   * refuses.
   */
  async start(hz: number, isOver: () => boolean): Promise<boolean> {
    while (!(await announce(this.#page, 1, SCRIPT_MS))) if (isOver()) return false;
    try {
      await this.#connect(hz);
    } catch (error) {
      answered(this.#page);
      throw error;
    }
    if (isOver()) {
      answered(this.#page);
      return false;
    }
    await this.#call("profile", this.#titleOf(this.#title));
    return true;
  }

  async #connect(hz: number): Promise<void> {
    this.#session.connectToMainThread();
    this.#connected = true;
    this.#session.on("Profiler.consoleProfileFinished", ({ params }) => {
      if (params.title?.startsWith(this.#titleOf("")) !== true) return;
      const samples = toSamples(params.profile, this.#seen);
      this.#seen = Math.max(this.#seen, params.profile.endTime);
      this.#late.push(...samples);
      this.#missing--;
      this.#finished?.(params.profile);
    });
    await this.#post("Profiler.enable");
    await this.#post("Profiler.setSamplingInterval", { interval: Math.max(100, Math.round(1e6 / hz)) });
  }

  /**
   * Answers the samples since the last call, after at most `patienceMs`: what comes later belongs to the next call.
   * `last` ends the sampling.
   */
  async take(last: boolean, patienceMs: number): Promise<Sample[]> {
    if (await announce(this.#page, last ? 1 : 2, patienceMs)) await this.#rotate(last, patienceMs);
    const samples = this.#late;
    this.#late = [];
    return samples;
  }

  async #rotate(last: boolean, patienceMs: number): Promise<void> {
    const done = new Promise<unknown>((resolve) => (this.#finished = resolve));
    const title = this.#title++;
    this.#missing++;
    const asked = Promise.all([
      last ? undefined : this.#call("profile", this.#titleOf(title + 1)),
      this.#call("profileEnd", this.#titleOf(title)),
    ]);
    await within(Promise.all([asked, done]), patienceMs).catch(() => {});
    this.#finished = undefined;
  }

  /** Whether a profile has not come yet: the main thread is in native code, most likely. */
  get isLate(): boolean {
    return this.#missing > 0;
  }

  /**
   * Lets go of the main thread. Node cannot stand a thread that ends while its session is being taken down on the main
   * thread (it aborts), nor a main thread that ends with the session open (it waits for "the debugger"). So the main
   * thread is held for the moment of the disconnection, inside the very dispatch that takes the session down; when it
   * goes on, the session is gone.
   */
  close(): void {
    if (!this.#connected) return;
    this.#connected = false;
    const page = this.#page;
    Atomics.add(page, Word.Asked, 1);
    const limit = performance.now() + CLOSE_MS;
    while (Atomics.load(page, Word.Stoppable) > 0 && performance.now() < limit)
      Atomics.wait(page, Word.Detach, 0, 1);
    this.#call("detach", this.#recording).catch(() => {});
    while (Atomics.load(page, Word.Detach) === 0) Atomics.wait(page, Word.Detach, 0, 100);
    this.#session.disconnect();
    Atomics.store(page, Word.Detach, 2);
  }

  #titleOf(number: number | ""): string {
    return `${this.#recording} ${number}`;
  }

  /** Calls what says itself that it was called (profilers.ts), unless it throws. */
  async #call(name: "profile" | "profileEnd" | "detach", argument: string): Promise<void> {
    const expression = `globalThis[Symbol.for("${SLOT_KEY}")].${name}(${JSON.stringify(argument)})`;
    try {
      const result = await this.#post("Runtime.evaluate", { expression, silent: true });
      if ((result as { readonly exceptionDetails?: unknown }).exceptionDetails !== undefined)
        answered(this.#page);
    } catch (error) {
      answered(this.#page);
      throw error;
    }
  }

  #post(method: string, params: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error: Error | null, result?: unknown) => {
        if (error) reject(new Error(error.message));
        else resolve(result);
      });
    });
  }
}

/**
 * Announces so many requests, each of which is answered once it has been served, and waits until no script runs that may
 * be stopped (stoppable.ts). After `patienceMs` it answers false, and nothing is announced.
 */
async function announce(page: Int32Array, requests: number, patienceMs: number): Promise<boolean> {
  const limit = performance.now() + patienceMs;
  Atomics.add(page, Word.Asked, requests);
  while (Atomics.load(page, Word.Stoppable) > 0) {
    if (performance.now() >= limit) {
      Atomics.sub(page, Word.Asked, requests);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return true;
}

/** Rejects when `promise` takes longer than `ms`. */
function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("too late")), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
