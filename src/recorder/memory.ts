/** What a flight recorder keeps. */
export interface MemoryLimits {
  /** The age in ns up to which generations are kept; the one that reaches beyond it is kept, too. */
  readonly minAgeNs: number;
  /** Wins over the age. The open generation may come on top, at a quarter of it. */
  readonly maxBytes: number;
}

interface Generation {
  /** When it began, in ns. */
  readonly start: number;
  readonly chunks: Uint8Array[];
  bytes: number;
}

/** The share of the room that one generation may take. */
const LARGE = 1 / 4;

/**
 * The last seconds of a recording in memory, as whole generations: when one is complete, those are let go that are not
 * needed to reach back `minAgeNs`, and the oldest while all together are more than `maxBytes`. The last complete one
 * always stays.
 */
export class Memory {
  readonly #header: Uint8Array;
  readonly #limits: MemoryLimits;
  #kept: Generation[] = [];
  #open: Generation;

  /** `now`, in ns: the first generation begins. */
  constructor(header: Uint8Array, limits: MemoryLimits, now: number) {
    this.#header = header;
    this.#limits = limits;
    this.#open = { start: now, chunks: [], bytes: 0 };
  }

  write(bytes: Uint8Array): void {
    this.#open.chunks.push(bytes.slice());
    this.#open.bytes += bytes.length;
  }

  /** Whether the open generation should end, whatever its age. */
  get isLarge(): boolean {
    return this.#open.bytes > this.#limits.maxBytes * LARGE;
  }

  /** The open generation is complete at `end`, in ns. */
  rotated(end: number): void {
    const { minAgeNs, maxBytes } = this.#limits;
    if (this.#open.bytes > 0) this.#kept.push(this.#open);
    this.#open = { start: end, chunks: [], bytes: 0 };
    let first = this.#kept.length - 1;
    let bytes = this.#kept[first]?.bytes ?? 0;
    while (first > 0 && end - this.#kept[first]!.start < minAgeNs) {
      bytes += this.#kept[first - 1]!.bytes;
      if (bytes > maxBytes) break;
      first--;
    }
    if (first > 0) this.#kept = this.#kept.slice(first);
  }

  /** A trace of everything kept, in parts. */
  parts(): Uint8Array[] {
    return [this.#header, ...this.#kept.flatMap(({ chunks }) => chunks), ...this.#open.chunks];
  }
}
