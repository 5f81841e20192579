import { Fact } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";

/** The monotonic clock of every fact, in ns; V8's CPU profiles use the same. */
export const now: () => bigint = process.hrtime.bigint;

/**
 * Facts that their hooks could not write because the program has used up the stack. A hook that catches that may call
 * nothing any more, so it counts here; the next fact that is written carries the count on.
 */
export const unwritten: { facts: number } = { facts: 0 };

/** Distinct names of an isolate, and their characters: every further name is `OTHER`, so that memory is bounded. */
const MAX_STRINGS = 100_000;
const MAX_CHARACTERS = 2 ** 25;
const OTHER = "(other)";

/**
 * The fact writer of one recording in one isolate: the ring, plus text that is sent once and then named by its id.
 * Ids of promises, resources and calls come from here too, so that they never repeat in an isolate.
 */
export class FactWriter {
  /** For facts of the moment on hot paths. */
  readonly ring: RingWriter;
  readonly #strings = new Map<string, number>();
  #characters = 0;

  /** Time of the last fact. */
  lastTime: bigint = now();

  constructor(ring: RingWriter) {
    this.ring = ring;
  }

  put(kind: number, time: bigint, a: number, b: number, c: number): void {
    if (unwritten.facts !== 0) {
      this.ring.drop(unwritten.facts);
      unwritten.facts = 0;
    }
    this.lastTime = time;
    this.ring.put(kind, time, a, b, c);
  }

  /** Id of a text that comes again; 0 where the ring has no room for it. */
  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const full = this.#strings.size >= MAX_STRINGS || this.#characters + text.length > MAX_CHARACTERS;
    if (full && text !== OTHER) return this.string(OTHER);
    const id = this.#strings.size + 1;
    // A text that found no room in the ring is sent again the next time it is needed.
    if (!this.ring.putText(now(), id, text)) return 0;
    this.#strings.set(text, id);
    this.#characters += text.length;
    return id;
  }

  /** A fact whose text is its own, such as a log message. */
  message(kind: number, time: bigint, a: number, c: number, text: string): void {
    if (this.ring.putText(time, 0, text)) this.ring.put(kind, time, a, 0, c);
    else this.ring.put(Fact.Gap, time, 0, 0, 0);
  }
}

let ids = 0;

let sites = 0;

/** The first of `count` new site ids, unique in this isolate over all recordings. */
export function newSites(count: number): number {
  const first = sites + 1;
  sites += count;
  return first;
}

/** A new id, unique in this isolate over all recordings. */
export function newId(): number {
  return ++ids;
}
