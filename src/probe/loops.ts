import { Awaited } from "../base/facts.ts";
import { kindOfEmitter } from "./kinds.ts";

/**
 * The frame whose `for await` or `yield*` asks for a value, and what is known of the loops of frames.
 *
 * Between asking and suspending only the iterator's own method runs. Then the engine makes a promise that reacts to what the
 * method has returned: this is how it is seen what the loop waits for, and that it does.
 */
export class Loops {
  /** The frame that asks, 0 where none does, and where. */
  frame = 0;
  site = 0;
  /** It will be seen when that frame suspends; until then its code runs. */
  isOpen = false;
  /** By frame: what its latest loop of which that is known waits for. */
  readonly #known = new Map<number, { readonly site: number; readonly awaited: number }>();

  /** The frame is about to ask `value`, undefined where that is still to be made; answers what is known of what it will wait for. */
  asks(frame: number, site: number, value: unknown): number {
    const known = this.#known.size === 0 ? undefined : this.#known.get(frame);
    const awaited = known?.site === site ? known.awaited : iterated(value);
    this.frame = frame;
    this.site = site;
    return awaited;
  }

  /** The loop of the frame waits for that, in its next passes, too. */
  knows(frame: number, site: number, awaited: number): void {
    this.#known.set(frame, { site, awaited });
    this.over();
  }

  /** Nobody asks any more. */
  over(): void {
    this.frame = 0;
    this.isOpen = false;
  }

  /** The frame has ended. */
  ends(frame: number): void {
    if (this.#known.size > 0) this.#known.delete(frame);
  }

  clear(): void {
    this.#known.clear();
    this.over();
  }
}

/** What a loop waits for that goes over the value. */
function iterated(value: unknown): number {
  if (value === undefined) return Awaited.Iterates;
  try {
    const kind = kindOfEmitter(value);
    return kind === 0 ? Awaited.Asks : Awaited.Kind - kind;
  } catch {
    return Awaited.Asks;
  }
}
