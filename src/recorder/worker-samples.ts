import { BroadcastChannel } from "node:worker_threads";
import { sampleChannel } from "./messages.ts";
import type { AskSamples } from "./messages.ts";

/** What has become of the last question. Who was asked again meanwhile is late: it is not waited for. */
type Answer = "given" | "due" | "late";

/** The tracer thread's view of the Workers that sample themselves (worker-cpu.ts): asks all of them, and waits for answers. */
export class SampledWorkers {
  readonly #recording: string;
  #channel: BroadcastChannel | undefined;
  /** By thread id. */
  readonly #workers = new Map<number, Answer>();
  readonly #awaited = new Set<number>();
  #settle: () => void = () => {};

  constructor(recording: string) {
    this.#recording = recording;
  }

  /** That Worker samples itself from now on. */
  began(threadId: number): void {
    this.#workers.set(threadId, "given");
  }

  /** It has told samples, `last` those at its end. */
  answered(threadId: number, last: boolean): void {
    if (this.#workers.has(threadId)) this.#workers.set(threadId, "given");
    if (last) this.#workers.delete(threadId);
    this.#awaited.delete(threadId);
    if (this.#awaited.size === 0) this.#settle();
  }

  /** It is gone. */
  ended(threadId: number): void {
    this.answered(threadId, true);
  }

  /** Asks for the samples since the last time. Resolves when those that can answer at once have done so, after `patienceMs` at most. */
  async ask(patienceMs: number): Promise<void> {
    if (this.#workers.size === 0) return;
    for (const [threadId, answer] of this.#workers) {
      if (answer === "given") this.#awaited.add(threadId);
      this.#workers.set(threadId, answer === "given" ? "due" : "late");
    }
    this.#post({ end: false });
    if (this.#awaited.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#settle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#awaited.clear();
    this.#settle = () => {};
  }

  /** Whether one has not answered that has done so up to now: it is in a long turn, most likely. */
  get areLate(): boolean {
    for (const answer of this.#workers.values()) if (answer === "due") return true;
    return false;
  }

  /** No more samples are wanted. */
  end(): void {
    if (this.#workers.size > 0) this.#post({ end: true });
    this.#workers.clear();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #post(message: AskSamples): void {
    this.#channel ??= new BroadcastChannel(sampleChannel(this.#recording));
    this.#channel.postMessage(message);
  }
}
