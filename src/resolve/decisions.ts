import type { Scope } from "./graph.ts";
import { entryOf } from "./graph.ts";

/**
 * Which calls continue their caller's activation and which begin one of their own.
 *
 * A call is open until it is known. It is inline where it ended, where its caller awaits it directly, or where it is
 * all that is left of its callback: the only call of the callback that is pending at the end of the turn, while its
 * activation has adopted no other frame that is still pending (so an async request handler is the request, and a
 * module's body, which Node's loader calls, the main script). Otherwise it is a fork. A call that is open for longer
 * than the look-ahead is decided as if the turn ended then: legal whichever way the call ends.
 */
export class Decisions {
  #open: Scope[] = [];
  /** Index from which on `#open` is not decided by time. */
  #from = 0;

  /** `scope` must be open; scopes come in order of `since`. */
  add(scope: Scope): void {
    this.#open.push(scope);
  }

  fork(scope: Scope): void {
    scope.decision = "fork";
    if (scope.kind === "frame") scope.openFrames = 1;
  }

  /** The turn is over: everything is decided. */
  decide(): void {
    if (this.#open.length === 0) return;
    if (this.#from > 0) this.#open = this.#open.slice(this.#from);
    this.#from = 0;
    const waiting = new Map<Scope, number>();
    for (const scope of this.#open) {
      const caller = callerOf(scope);
      if (scope.decision !== "open" || scope.ended || caller === null) continue;
      waiting.set(caller, (waiting.get(caller) ?? 0) + 1);
    }
    for (const scope of this.#open) {
      if (scope.decision !== "open") continue;
      const caller = callerOf(scope);
      const alone = caller !== null && caller.kind !== "frame" && waiting.get(caller) === 1;
      // Callers come before their callees, so this one's is decided.
      const entry = alone ? entryOf(caller) : null;
      if (scope.ended) {
        scope.decision = "inline";
      } else if (scope.kind === "frame" && entry !== null && entry.openFrames === 0) {
        scope.decision = "inline";
        scope.adopted = true;
        entry.openFrames++;
      } else {
        this.fork(scope);
      }
    }
    this.#open = [];
  }

  /** Decides what is open since `horizon` or before. */
  force(horizon: number): void {
    for (let scope = this.#open[this.#from]; scope !== undefined; scope = this.#open[this.#from]) {
      if (scope.since > horizon) return;
      if (scope.decision === "open" && !this.#adoptEarly(scope)) this.fork(scope);
      this.#from++;
    }
    this.#open = [];
    this.#from = 0;
  }

  /** Adopts a frame that is all that its callback has pending so far. */
  #adoptEarly(scope: Scope): boolean {
    const caller = callerOf(scope);
    if (scope.kind !== "frame" || caller === null || caller.kind === "frame") return false;
    const entry = entryOf(caller);
    if (entry === null || entry.openFrames > 0) return false;
    for (let at = this.#from + 1; at < this.#open.length; at++) {
      const other = this.#open[at]!;
      if (other.decision === "open" && !other.ended && callerOf(other) === caller) return false;
    }
    scope.decision = "inline";
    scope.adopted = true;
    entry.openFrames++;
    return true;
  }

  /** The frame's function has ended. */
  frameEnded(frame: Scope): void {
    frame.ended = true;
    if (frame.decision === "open") {
      frame.decision = "inline";
    } else if (frame.decision === "fork") {
      frame.openFrames--;
    } else if (frame.adopted) {
      const entry = entryOf(frame);
      if (entry !== null) entry.openFrames--;
    }
  }
}

/** Who called a scope that is open, past Node's own async functions. */
function callerOf({ parent }: Scope): Scope | null {
  return parent === null ? null : (parent.caller ?? parent);
}
