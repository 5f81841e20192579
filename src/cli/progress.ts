/** How far a command is in reading a file, for people who wait: a bar on a terminal's stderr, gone when it is done. */
import type { SingleBar } from "cli-progress";

/** Who waits less than this sees nothing. */
const PATIENCE_MS = 1000;

/** Where a bar is drawn: `process.stderr`. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** Shows a share of `total`. Nothing is drawn in the first second, nor where the stream is no terminal. */
export class Progress {
  readonly #bar: SingleBar;
  readonly #total: number;
  readonly #now: () => number;
  readonly #begin: number;
  #done = 0;
  #isShown = false;

  private constructor(bar: SingleBar, total: number, now: () => number) {
    this.#bar = bar;
    this.#total = total;
    this.#now = now;
    this.#begin = now();
  }

  /** Null where nobody would see it: no terminal, or a total that is not known (0). `now` in milliseconds. */
  static async of(
    name: string,
    total: number,
    stream: ProgressStream,
    now: () => number = () => performance.now(),
  ): Promise<Progress | null> {
    if (stream.isTTY !== true || total === 0) return null;
    const { default: progress } = await import("cli-progress");
    const bar = new progress.SingleBar({
      stream,
      format: `${name.replaceAll(/[{}]/g, "")} [{bar}] {percentage} %`,
      barCompleteChar: "#",
      barIncompleteChar: ".",
      barsize: 30,
      clearOnComplete: true,
      hideCursor: null,
    });
    return new Progress(bar, total, now);
  }

  /** `amount` more is done. */
  add(amount: number): void {
    this.#done += amount;
    if (!this.#isShown) {
      if (this.#now() - this.#begin < PATIENCE_MS) return;
      this.#isShown = true;
      this.#bar.start(this.#total, Math.min(this.#done, this.#total));
      return;
    }
    this.#bar.update(Math.min(this.#done, this.#total));
  }

  /** Takes the bar away. */
  end(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#bar.stop();
  }
}
