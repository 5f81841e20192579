import type { Decisions } from "./decisions.ts";
import type { FramePool } from "./frame-pool.ts";
import type { Site } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { Bits, OpKind } from "./ops.ts";
import type { OpQueue } from "./ops.ts";

/** A call of more operations than this is not looked at. */
const MOST = 256;

/**
 * Calls of which nothing is to be told: a frame awaits a call that ends in the same turn, and nothing ran meanwhile but
 * what the call itself has called. However much is awaited inside, the activation just keeps running, so all that is
 * left of it is the place at which the frame goes on. Most calls of most programs are of this kind.
 *
 * Found when the frame goes on: the operations since it called are then the last ones in the queue, and are looked
 * through. They go if each is of a frame that was called since, or is the one by which the frame itself suspended. The
 * frames are free for use again at once. Whatever else may have happened (a timer was made, another activation ran, a
 * call was left pending) has left an operation, and all stays as it is.
 */
export class QuietCalls {
  readonly #queue: OpQueue;
  readonly #decisions: Decisions;
  readonly #pool: FramePool;
  readonly #lookAhead: number;
  /** The frames that were called. */
  readonly #called: Scope[] = [];

  constructor(queue: OpQueue, decisions: Decisions, pool: FramePool, lookAhead: number) {
    this.#queue = queue;
    this.#decisions = decisions;
    this.#pool = pool;
    this.#lookAhead = lookAhead;
  }

  /** The frame `caller` goes on at `time` after it has awaited `callee`. True where that call is dropped. */
  drop(time: number, caller: Scope, callee: Scope): boolean {
    const queue = this.#queue;
    if (!callee.settled || !callee.isTold || callee.parent !== caller || callee.decision !== "inline")
      return false;
    const { callOp, callRef } = callee;
    const count = (queue.next - callOp) | 0;
    if (count > MOST || !queue.isYoung(callOp, time, this.#lookAhead)) return false;
    const calls = this.#look(caller, callOp, callRef, count);
    if (calls === 0) return false;
    queue.rewind(callOp, callRef);
    this.#decisions.forget(calls);
    // Callees before callers.
    for (let i = calls - 1; i >= 0; i--) this.#pool.forget(this.#called[i]!);
    this.moved(time, caller, this.#site);
    return true;
  }

  /** Where the caller awaits. */
  #site: Site | null = null;

  /** How many frames were called by the operations from `from` on, which can be dropped; 0 where they cannot. */
  #look(caller: Scope, from: number, fromRef: number, count: number): number {
    const queue = this.#queue;
    let calls = 0;
    let isSuspended = false;
    let ref = fromRef;
    for (let i = 0; i < count; i++) {
      const number = (from + i) | 0;
      const kind = queue.kindAt(number);
      if (kind === 0 || kind > OpKind.FrameEnd) {
        if (kind !== OpKind.Move) return 0;
      } else if (kind < OpKind.Call || kind === OpKind.CallEnd) return 0;
      const frame = queue.scopeAt(ref);
      ref++;
      const isCallers = frame === caller;
      if (!isCallers && (!frame.isTold || ((frame.callOp - from) | 0) < 0)) return 0;
      switch (kind) {
        case OpKind.Call:
          if (!frame.settled || frame.isKept || frame.decision !== "inline") return 0;
          this.#called[calls++] = frame;
          break;
        case OpKind.AwaitFrame:
        case OpKind.AwaitPromise:
        case OpKind.Await:
          if (isCallers) {
            // In its synchronous part it has returned to whoever called it.
            if ((queue.valueAt(number) & Bits.Leaves) === 0) return 0;
            isSuspended = true;
            this.#site = queue.siteAt(ref);
          }
          ref += kind === OpKind.Await ? 1 : 2;
          break;
        case OpKind.Resume:
          if (isCallers) return 0;
          break;
        case OpKind.FrameEnd:
          if ((queue.valueAt(number) & Bits.Wakes) !== 0) {
            const woken = queue.scopeAt(ref++);
            if (woken !== caller && (!woken.isTold || ((woken.callOp - from) | 0) < 0)) return 0;
          }
          break;
        default:
          ref++;
      }
    }
    return isSuspended ? calls : 0;
  }

  /** Such a call is over: the frame goes on where it awaits. */
  moved(time: number, frame: Scope, site: Site | null): void {
    const queue = this.#queue;
    const { last } = queue;
    const siteRef = (queue.nextRef - 1) | 0;
    const isMove = queue.isYoung(last, time, this.#lookAhead) && queue.kindAt(last) === OpKind.Move;
    if (isMove && queue.scopeAt((siteRef - 1) | 0) === frame) {
      if (site !== null) queue.setSite(siteRef, site);
      return;
    }
    queue.add(OpKind.Move, time);
    queue.refer(frame);
    queue.refer(site);
  }
}
