import type { Scope } from "./scopes.ts";
import { entryOf } from "./scopes.ts";

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
  /** What was open when it was added: the first `#count` of the list, from `#from` on not decided by time. */
  readonly #open: (Scope | null)[] = [];
  #count = 0;
  #from = 0;
  /** Whether each of what `decide` asks about is alone. */
  readonly #alone: boolean[] = [];

  /** `scope` must be open; scopes come in order of `since`. */
  add(scope: Scope): void {
    if (this.#count === 0) this.since = scope.since;
    this.#open[this.#count++] = scope;
    const caller = callerOf(scope);
    if (caller !== null) caller.openCalls++;
  }

  /** Of the scopes added last so many have been decided and are forgotten. */
  forget(count: number): void {
    const left = this.#count - count;
    while (this.#count > left) this.#open[--this.#count] = null;
    if (this.#from >= this.#count) this.#clear();
  }

  /** The open scope begins an activation. */
  fork(scope: Scope): void {
    this.#decide(scope, "fork");
    if (scope.kind === "frame") scope.openFrames = 1;
  }

  /** The open scope continues its caller's activation. */
  inline(scope: Scope): void {
    this.#decide(scope, "inline");
  }

  #decide(scope: Scope, decision: "fork" | "inline"): void {
    const caller = callerOf(scope);
    if (caller !== null) caller.openCalls--;
    scope.decision = decision;
  }

  /** Since when the longest open call is open that is not decided by time; Infinity where there is none. */
  since = Infinity;

  /** The turn is over: everything is decided. */
  decide(): void {
    const open = this.#open;
    // Who is alone is asked before anything is decided.
    let left = 0;
    for (let i = this.#from; i < this.#count; i++) {
      const scope = open[i]!;
      if (scope.decision !== "open") continue;
      open[left] = scope;
      this.#alone[left++] = isAlone(scope);
    }
    // Callers come before their callees, so theirs are decided.
    for (let i = 0; i < left; i++) {
      const scope = open[i]!;
      if (!this.#alone[i] || !this.#adopt(scope)) this.fork(scope);
    }
    this.#clear();
  }

  /** Decides what is open since `horizon` or before. */
  force(horizon: number): void {
    if (this.since > horizon) return;
    for (; this.#from < this.#count; this.#from++) {
      const scope = this.#open[this.#from]!;
      this.since = scope.since;
      if (scope.since > horizon) return;
      if (scope.decision === "open" && !(isAlone(scope) && this.#adopt(scope))) this.fork(scope);
    }
    this.#clear();
  }

  #clear(): void {
    for (let i = 0; i < this.#count; i++) this.#open[i] = null;
    this.#count = 0;
    this.#from = 0;
    this.since = Infinity;
  }

  /** The frame goes on in its caller's activation, unless that has adopted another one. */
  #adopt(scope: Scope): boolean {
    const entry = entryOf(scope.parent!);
    if (entry === null || entry.openFrames > 0) return false;
    this.inline(scope);
    scope.adopted = true;
    entry.openFrames++;
    return true;
  }

  /** The frame's function has ended. */
  frameEnded(frame: Scope): void {
    if (frame.decision === "open") {
      this.inline(frame);
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

/** The frame is all that a callback has called and that is not decided. */
function isAlone(scope: Scope): boolean {
  const caller = callerOf(scope);
  return scope.kind === "frame" && caller !== null && caller.kind !== "frame" && caller.openCalls === 1;
}
