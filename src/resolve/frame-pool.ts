import type { Frame } from "../wire/format.ts";
import { Scope, reparent } from "./scopes.ts";
import type { Site } from "./graph.ts";

/** Frames that are kept for later at the most. */
const KEPT = 1 << 15;

/**
 * Frames of frames.ts to be used again. There are so many of them, and all live as long as the look-ahead, that making
 * and collecting them anew would cost more than everything else that is done with them.
 *
 * A frame comes back when a turn ends after its own end, if nothing refers to it then (see Scope); what does keeps it
 * from ever coming back, and it is collected. So reading facts must not tell a frame that has ended from one that has
 * come back: that depends on how far the writing has got.
 */
export class FramePool {
  readonly #free: Scope[] = [];
  /** Scopes that have ended, callees mostly before callers: the first `#count` of the list. */
  readonly #over: (Scope | null)[] = [];
  #count = 0;

  take(parent: Scope, time: number, entry: Frame, id: number, site: Site | null): Scope {
    const frame = this.#free.pop();
    if (frame === undefined) {
      const made = new Scope("frame", parent, "open", time, { entry, fn: id, site });
      made.speaks = true;
      return made;
    }
    frame.parent = parent;
    parent.refs++;
    frame.decision = "open";
    frame.entry = entry;
    frame.fn = id;
    frame.task = parent.task;
    frame.since = time;
    frame.site = site;
    return frame;
  }

  /** The end of the frame has been written, or the beginning of a callback's scope, which ends with the turn. */
  ended(scope: Scope): void {
    this.#over[this.#count++] = scope;
  }

  /** The turn is over: takes back what can be. */
  endTurn(): void {
    const over = this.#over;
    for (let i = 0; i < this.#count; i++) {
      const scope = over[i]!;
      over[i] = null;
      if (scope.refs !== 0 || scope.isKept) continue;
      // Not itself to be used again, but what it refers to.
      if (scope.kind === "callback") reparent(scope, null);
      else if (this.#free.length < KEPT) this.#takeBack(scope);
    }
    this.#count = 0;
  }

  /** A frame has ended of which nothing was or will be written. */
  forget(frame: Scope): void {
    frame.over = true;
    if (frame.refs !== 0 || frame.isKept || this.#free.length >= KEPT) return;
    frame.over = false;
    this.#reset(frame);
  }

  #takeBack(frame: Scope): void {
    frame.activation = null;
    frame.counted = null;
    frame.readied = null;
    frame.isSuspended = false;
    frame.callee = null;
    frame.waitingFor = null;
    frame.isSoon = false;
    frame.over = false;
    frame.chain?.remove(frame);
    this.#reset(frame);
  }

  /** Makes the reading side's fields of a frame that has ended those of a new one, where they may differ. */
  #reset(frame: Scope): void {
    if (frame.parent !== null) frame.parent.refs--;
    frame.parent = null;
    frame.fn = 0;
    frame.settled = false;
    frame.isTold = false;
    frame.openCalls = 0;
    frame.called = 0;
    frame.openFrames = 0;
    frame.adopted = false;
    frame.closes = 0;
    frame.maker = null;
    frame.isMaybe = false;
    frame.isEnding = false;
    frame.isYielding = false;
    frame.isDelegating = false;
    frame.askedBy = null;
    frame.tail = null;
    frame.awaiter = null;
    frame.awaiters = null;
    frame.followers = null;
    this.#free.push(frame);
  }
}
