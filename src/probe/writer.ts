import { Fact } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";

/** The monotonic clock of every fact, in ns; V8's CPU profiles use the same. */
export const now: () => bigint = process.hrtime.bigint;

/** Distinct names kept as strings of their own; beyond it names are cut to their kind, so that memory is bounded. */
const MAX_STRINGS = 100_000;

/**
 * The fact writer of one recording in one isolate: the ring, plus text that is sent once and then named by its id.
 * Ids of promises, resources and calls come from here too, so that they never repeat in an isolate.
 */
export class FactWriter {
  readonly #ring: RingWriter;
  readonly #strings = new Map<string, number>();

  /** Time of the last fact. */
  lastTime: bigint = now();

  constructor(ring: RingWriter) {
    this.#ring = ring;
  }

  put(kind: number, time: bigint, a: number, b: number, c: number): void {
    this.lastTime = time;
    this.#ring.put(kind, time, a, b, c);
  }

  /** Id of a text that comes again. */
  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size >= MAX_STRINGS) return 0;
    const id = this.#strings.size + 1;
    // A text that found no room in the ring is sent again the next time it is needed.
    if (!this.#ring.putText(now(), id, text)) return 0;
    this.#strings.set(text, id);
    return id;
  }

  /** A fact whose text is its own, such as a log message. */
  message(kind: number, a: number, c: number, text: string): void {
    const time = now();
    if (this.#ring.putText(time, 0, text)) this.#ring.put(kind, time, a, 0, c);
    else this.#ring.put(Fact.Gap, time, 0, 0, 0);
  }
}

let ids = 0;

/** A new id, unique in this isolate over all recordings. */
export function newId(): number {
  return ++ids;
}
