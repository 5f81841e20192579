import type { PromiseNode } from "./graph.ts";
import { OpKind } from "./ops.ts";
import type { Running } from "./running.ts";
import type { Scope } from "./scopes.ts";

/** So many promises whose function is to be called in this turn are looked through for those of which it has been. */
const MANY_EXPECTED = 1_024;
/** Promises that have settled keep what they followed for so many further ones. */
const PAST_KEPT = 1_000;

/** A function given to `then` and the like that tells when it is called and what it returns, of the promise that they make. */
export interface Reaction {
  /** What they have made of the function that called them, if that was one, and when it did. */
  madeIn: PromiseNode | null;
  readonly madeAt: number;
  /** What follows the promise that the function has returned. */
  result: PromiseNode | null;
  /** The operation that says that it can be called, and in which turn that was. */
  readyOp: number;
  readyTurn: number;
}

export function makeReaction(madeIn: PromiseNode | null, madeAt: number): Reaction {
  return { madeIn, madeAt, result: null, readyOp: 0, readyTurn: -1 };
}

/** Whether the promise's function has been called. */
export function isCalled({ calledAt }: PromiseNode): boolean {
  return calledAt !== Infinity;
}

/** Which functions given to `then` are to be called, and what settled promises hold until nothing asks for it any more. */
export class Reactions {
  readonly #running: Running;
  readonly #lookAhead: number;
  readonly #scopeOf: (id: number) => Scope | undefined;
  /** Promises whose function is to be called in this turn, if it ever is: `catch` has one for rejections only. */
  #expected: PromiseNode[] = [];
  /** Promises that have settled and hold others: a chain of them without an end would be kept for ever. */
  #past: PromiseNode[] = [];

  /** `scopeOf` answers where the function of that id was given to `then`. */
  constructor(running: Running, lookAhead: number, scopeOf: (id: number) => Scope | undefined) {
    this.#running = running;
    this.#lookAhead = lookAhead;
    this.#scopeOf = scopeOf;
  }

  clear(): void {
    this.#expected = [];
    this.#past = [];
  }

  /** The promise's function can be called: in this turn, if ever, where that `isSure`. */
  expect(time: number, node: PromiseNode, reaction: Reaction, isSure: boolean): void {
    if (isSure) {
      const count = this.#expected.push(node);
      if (count >= MANY_EXPECTED && (count & (count - 1)) === 0)
        this.#expected = this.#expected.filter((one) => !isCalled(one) && !one.settled);
    }
    const scope = this.#scopeOf(node.id);
    if (scope === undefined) return;
    const { queue, turn } = this.#running;
    reaction.readyOp = queue.add(OpKind.MaybeCalled, time);
    reaction.readyTurn = turn;
    queue.refer(scope);
    queue.refer(node);
  }

  /** It is called. */
  called(time: number, node: PromiseNode, reaction: Reaction): void {
    const { queue, turn } = this.#running;
    if (reaction.readyTurn === turn) queue.markEarlier(reaction.readyOp, 1, time, this.#lookAhead);
    reaction.readyTurn = -1;
    node.calledAt = Math.min(node.calledAt, time);
  }

  /** The promises whose function was to be called by now and has not been. */
  takeUncalled(): readonly PromiseNode[] {
    if (this.#expected.length === 0) return this.#expected;
    const expected = this.#expected;
    this.#expected = [];
    return expected.filter((node) => !isCalled(node));
  }

  /** What has settled lets go of others, when nothing asks for them any more. */
  forget(time: number, node: PromiseNode): void {
    if (node.reaction === null && node.followsAt === 0 && node.settledIn === null) return;
    if (this.#past.push(node) < 2 * PAST_KEPT) return;
    const forgotten = this.#past.slice(0, PAST_KEPT);
    this.#past = this.#past.slice(PAST_KEPT);
    this.#running.queue.add(OpKind.Forget, time);
    this.#running.queue.refer(forgotten);
  }
}
