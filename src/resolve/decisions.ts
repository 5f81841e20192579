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
    const caller = callerOf(scope);
    if (caller !== null) caller.openCalls++;
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

  /** The turn is over: everything is decided. */
  decide(): void {
    if (this.#open.length === 0) return;
    const open = this.#open.slice(this.#from).filter(({ decision }) => decision === "open");
    this.#open = [];
    this.#from = 0;
    const alone = open.map(isAlone);
    // Callers come before their callees, so theirs are decided.
    for (const [i, scope] of open.entries()) if (!alone[i] || !this.#adopt(scope)) this.fork(scope);
  }

  /** Decides what is open since `horizon` or before. */
  force(horizon: number): void {
    for (let scope = this.#open[this.#from]; scope !== undefined; scope = this.#open[this.#from]) {
      if (scope.since > horizon) return;
      if (scope.decision === "open" && !(isAlone(scope) && this.#adopt(scope))) this.fork(scope);
      this.#from++;
    }
    this.#open = [];
    this.#from = 0;
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
    frame.ended = true;
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
