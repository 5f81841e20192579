import { Awaited, PromiseClass, ResourceKind, WaitsFor } from "../base/facts.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Pending } from "./calls.ts";
import type { Decisions } from "./decisions.ts";
import { makePromise } from "./graph.ts";
import type { PromiseNode, ResourceNode, Site } from "./graph.ts";
import { UNKNOWN } from "./names.ts";
import { Bits, OpKind } from "./ops.ts";
import { EntryKind } from "./running.ts";
import {
  added,
  isJoint,
  isJointSite,
  isMessage,
  isOfCalls,
  isOfProgram,
  isOutside,
  isUncertain,
} from "./promise-kinds.ts";
import { Reactions, isCalled, makeReaction } from "./reactions.ts";
import type { Running } from "./running.ts";
import { makeScope } from "./scopes.ts";
import type { Scope } from "./scopes.ts";
import { awaitedBy, leave, withWaiter } from "./waiters.ts";

/** Frames that end with each other's promises that are followed at the most. */
const MAX_TAILS = 1_000;
/** Promises that settle with each other that are asked who waits for them. */
const MAX_FOLLOWED = 100;
/** Promises of which one is a member that are told when it settles: one that never does may be in any number of races. */
const MAX_FOLLOWERS = 1_000;
/** Promises of Promise.all and the like, members of each other, that are told that one may have settled. */
const MAX_DOUBTS = 4;
/** Pending frames known at the most; the oldest are forgotten, and nothing stays alive for them. */
const FRAMES_KEPT = 250_000;
/** Other promises known at the most that can be awaited: many are never seen to settle. */
const OTHERS_KEPT = 50_000;

/**
 * What frames (frames.ts) wait for, and what wakes them: pending frames and the other promises they can await, by id,
 * each with those who wait for it or follow it.
 *
 * A frame is its own promise, and waits for one thing at a time, so neither needs a node of its own.
 *
 * Of a member of Promise.all and its like that settles it is noted that it may be what the frame has waited for; the last
 * one before the frame goes on, in the same turn, is. Where no members are known they are taken to be the calls that the
 * frame has made and not awaited.
 */
export class FrameWaits {
  readonly #running: Running;
  readonly #decisions: Decisions;
  readonly #lookAhead: number;
  readonly #closeCall: (time: number, id: number) => void;
  readonly #reactions: Reactions;
  readonly #frames = new RecentMap<Scope>(8192, FRAMES_KEPT);
  readonly #others = new RecentMap<PromiseNode>(4096, OTHERS_KEPT);
  /** What frames that await Promise.all, or Promise.race and its like, wait for. */
  readonly #all: PromiseNode;
  readonly #race: PromiseNode;
  readonly #kinds: PromiseNode[] = [];
  /** Promises of which it was noted that they may have settled, since one has. */
  #doubted = 0;

  /**
   * `closeCall` is told of every call (of the annotation API) that ends with a promise; `scopeOf` answers where the function of
   * that id was given to `then`.
   */
  constructor(
    running: Running,
    decisions: Decisions,
    lookAhead: number,
    closeCall: (time: number, id: number) => void,
    scopeOf: (id: number) => Scope | undefined,
  ) {
    this.#running = running;
    this.#decisions = decisions;
    this.#lookAhead = lookAhead;
    this.#closeCall = closeCall;
    this.#reactions = new Reactions(running, lookAhead, scopeOf);
    this.#all = makePromise(0, PromiseClass.All, running.root, null);
    this.#race = makePromise(0, PromiseClass.Race, running.root, null);
  }

  /** What has not settled of that id: a frame, an executor's promise or one of Node's. */
  get(id: number): Pending | undefined {
    const frame = this.#frames.get(id);
    if (frame === undefined) return this.#others.get(id);
    frame.isKept = true;
    return frame;
  }

  get size(): number {
    return this.#frames.size + this.#others.size;
  }

  clear(): void {
    this.#frames.clear();
    this.#others.clear();
    this.#reactions.clear();
  }

  /**
   * A promise that is settled by the completion of a resource of that kind; User: by code of the program. `delay`: that of
   * a timer in ms, else 0.
   */
  addSource(time: number, id: number, delay: number, kind: number): void {
    const isPrograms = kind === ResourceKind.User;
    const cls = isPrograms ? PromiseClass.New : PromiseClass.Native;
    const node = makePromise(id, cls, this.#running.root, null);
    node.source = isPrograms ? 0 : kind;
    node.sourceAt = time;
    if (delay > 0) node.due = time + delay * 1e6;
    this.#keep(time, node);
  }

  #keep(time: number, node: PromiseNode): void {
    const gone = this.#others.set(node.id, node);
    if (gone === null) return;
    for (const old of gone.values()) {
      // A call that one of these would have ended has ended as far as anybody will ever know.
      this.#closes(time, old);
      this.#reactions.forget(time, old);
    }
  }

  /** A promise of Promise.all or the like. */
  addJoint(time: number, id: number, cls: number): void {
    this.#keep(time, makePromise(id, cls, this.#running.root, null));
  }

  /** One of its members. */
  addMember(id: number, of: number): void {
    const node = this.#others.get(id);
    if (node === undefined) return;
    if (of <= 0) node.unsettled = Infinity;
    const frame = this.#frames.get(of);
    const member = frame ?? this.#others.get(of);
    if (member === undefined || member === node) return;
    // A list may hold one twice.
    if (member.followers?.at(-1) === node) return;
    if (member.followers?.length === MAX_FOLLOWERS)
      member.followers = member.followers.filter((follower) => !follower.settled);
    const isKnown = member.followers?.length !== MAX_FOLLOWERS;
    const isSure = frame !== undefined || !isUncertain(member as PromiseNode);
    node.unsettled += isKnown && isSure ? 1 : Infinity;
    if (!isKnown) return;
    member.followers = added(member.followers, node);
    node.isDerived = true;
  }

  /** The promise whose executor runs. */
  addExecutor(id: number): void {
    this.#others.set(id, makePromise(id, PromiseClass.New, this.#running.root, null));
  }

  /** The executor of the promise has asked for the resource. */
  link(time: number, resource: ResourceNode, id: number): void {
    const node = this.#others.get(id);
    if (node === undefined || node.source !== 0) return;
    node.source = resource.kind;
    node.sourceAt = time;
    resource.settles = node;
  }

  /** The frame of that id, if it has not ended. */
  pending(id: number): Scope | undefined {
    return this.#frames.get(id);
  }

  /** A frame by its id; one that began before the recording is an activation of its own. */
  frame(time: number, id: number): Scope {
    const known = this.#frames.get(id);
    if (known !== undefined) return known;
    const frame = makeScope("frame", null, "fork", time, { entry: UNKNOWN, fn: id, task: null });
    frame.speaks = true;
    this.add(time, id, frame);
    this.#running.count(OpKind.Add, time, frame, null);
    return frame;
  }

  /** A frame begins. */
  add(time: number, id: number, frame: Scope): void {
    const gone = this.#frames.set(id, frame);
    if (gone !== null) for (const old of gone.values()) this.#settleFrame(time, old, 0);
  }

  /** The caller awaits the call directly: no fork. */
  join(callee: Scope, caller: Scope): void {
    if (callee.decision === "open" && callee.parent === caller) this.#decisions.inline(callee);
  }

  /** The function is about to end with a promise, which its caller then waits for. */
  tail(frame: Scope, awaited: number, site: Site | null): void {
    if (awaited <= 0) {
      // Of all that it has called: what else it may wait for is not known.
      if (site?.waits === WaitsFor.All) frame.tail = { callee: null, id: 0, promise: this.#all, site };
      return;
    }
    const callee = this.#frames.get(awaited) ?? null;
    const promise = callee === null ? (this.#others.get(awaited) ?? null) : null;
    if (callee === null && promise === null) return;
    if (promise !== null && isJoint(promise)) {
      // Which of the calls that the frame has made settle it is all that is left to tell.
      const isOpen = promise.unsettled === Infinity;
      if (isOpen && promise.cls === PromiseClass.All)
        frame.tail = { callee: null, id: 0, promise: this.#all, site };
      if (promise.unsettled === 0 || (isOpen && (promise.cls === PromiseClass.All || !promise.isDerived)))
        return;
    }
    if (callee !== null) this.join(callee, frame);
    frame.tail = { callee, id: awaited, promise, site };
  }

  /** The frame ends: its promise settles now, or with the one that its function has returned. */
  end(time: number, frame: Scope): void {
    if (!this.#waitForTail(time, frame)) this.#settleFrame(time, frame, 0);
  }

  #waitForTail(time: number, frame: Scope): boolean {
    const { tail } = frame;
    if (tail === null) return false;
    const { callee, promise, id, site } = tail;
    if (callee !== null && callee.fn === id && !callee.settled) this.awaitFrame(time, frame, callee, site);
    else if (promise === this.#all && frame.called > 0) this.wait(time, frame, site, null, promise);
    else if (promise !== null && promise !== this.#all && !promise.settled)
      this.#awaitPromise(time, frame, promise, site);
    else return false;
    frame.isEnding = true;
    return true;
  }

  /** A promise settles: by a callback of that kind, 0 where code that is known to run calls resolve or reject. */
  settled(time: number, id: number, awaited: number, kind: number): void {
    const node = this.#others.get(id);
    // What has been resolved with another promise cannot be resolved again.
    if (node === undefined || node.followsAt !== 0) return;
    if (awaited > 0 && this.#follow(time, node, awaited)) return;
    if (awaited !== Awaited.Unknown) this.#settlePromise(time, node, kind);
  }

  /** False where it is not known what it follows. */
  #follow(time: number, node: PromiseNode, id: number): boolean {
    const callee = this.#frames.get(id);
    if (callee !== undefined) {
      node.callee = callee;
      node.calleeId = id;
      callee.followers = added(callee.followers, node);
    } else {
      const other = this.#others.get(id);
      if (other === undefined) return false;
      node.follows = other;
      other.followers = added(other.followers, node);
    }
    node.followsAt = time;
    return true;
  }

  /** A promise is made by `then` and the like of another one; `called` and `returned` will follow where `isTold`. */
  derived(time: number, id: number, of: number, isTold: boolean): void {
    const node = makePromise(id, PromiseClass.Then, this.#running.root, null);
    node.isDerived = true;
    if (isTold) node.reaction = makeReaction(this.#reacting(), time);
    const isPending = this.#follow(time, node, of);
    if (isPending || isTold) this.#keep(time, node);
    if (!isPending && of > 0) this.#expect(time, node, true);
  }

  #expect(time: number, node: PromiseNode, isSure: boolean): void {
    if (node.reaction !== null) this.#reactions.expect(time, node, node.reaction, isSure);
  }

  /**
   * The function that `then` and the like were given is called: what their promise was made of has settled. Answers their
   * promise.
   */
  called(time: number, id: number): PromiseNode | null {
    const node = this.#others.get(id);
    if (node === undefined || node.reaction === null) return null;
    this.#reactions.called(time, node, node.reaction);
    let of = node.follows;
    for (let depth = 0; depth < MAX_FOLLOWED && of !== null && !of.settled; depth++) {
      this.came(time, of);
      of = of.reaction?.result ?? of.follows;
    }
    return node;
  }

  /** Every job of the turn has run: a function that has not been called will not be, and its promise has settled. */
  endTurn(time: number): void {
    let uncalled = this.#reactions.takeUncalled();
    while (uncalled.length > 0) {
      for (const node of uncalled) this.#settlePromise(time, node, 0);
      uncalled = this.#reactions.takeUncalled();
    }
  }

  /** The function that `then` and the like were given has returned, or thrown: their promise settles, or follows another one. */
  returned(time: number, id: number, awaited: number): void {
    const node = this.#others.get(id);
    const reaction = node?.reaction ?? null;
    if (node === undefined || reaction === null || reaction.result !== null) return;
    const result = makePromise(0, PromiseClass.Then, this.#running.root, null);
    if (awaited > 0 && this.#follow(time, result, awaited)) {
      result.followers = [node];
      reaction.result = result;
      node.calledAt = Math.min(node.calledAt, time);
    } else if (awaited !== Awaited.Unknown) {
      this.#settlePromise(time, node, 0);
    } else {
      const isUnused = node.awaiters === null && node.followers === null && node.closes === 0;
      if (!isUnused) return this.#doubts(time, node, 0, 0);
      this.#others.delete(id);
      this.#reactions.forget(time, node);
    }
  }

  /** What the promise follows has settled; or perhaps has, on the way through so many of Promise.all and the like. */
  #follows(time: number, node: PromiseNode, kind: number, doubts = 0): void {
    const { reaction } = node;
    const hasReturned = !node.isDerived || (reaction !== null && reaction.result !== null);
    const isSure = doubts === 0 && (hasReturned || (node.cls === PromiseClass.All && --node.unsettled === 0));
    if (isSure) {
      this.#settlePromise(time, node, kind);
      return;
    }
    if (reaction === null) {
      // Its callback is still to run; most likely the promise settles with that, in the same turn.
      node.calledAt = time;
      this.#doubts(time, node, kind, doubts);
    } else if (!isCalled(node)) {
      this.#expect(time, node, doubts === 0);
      for (const frame of node.awaiters ?? []) if (frame.source === node) this.#maybeReady(time, frame);
    }
  }

  /** The promise has perhaps settled. */
  #doubts(time: number, node: PromiseNode, kind: number, doubts: number): void {
    const { awaiters, followers } = node;
    if (awaiters !== null) {
      for (const frame of awaiters) {
        if (frame.source !== node) continue;
        const isUnseen = frame.isEnding && frame.awaiter === null && frame.awaiters === null;
        if (isUnseen && node.cls === PromiseClass.Race) this.#settleFrame(time, frame, kind);
        else this.#maybeReady(time, frame);
      }
    }
    const passed = isJoint(node) ? doubts + 1 : doubts;
    if (followers === null || passed > MAX_DOUBTS) return;
    if (doubts === 0) this.#doubted = 0;
    for (const follower of followers) {
      if (passed > 0 && ++this.#doubted > MAX_FOLLOWED) return;
      this.#follows(time, follower, kind, passed);
    }
  }

  /** Settles a frame's promise and what follows it. */
  #settleFrame(time: number, frame: Scope, kind: number): void {
    if (frame.settled) return;
    const { queue } = this.#running;
    this.#frames.delete(frame.fn);
    frame.settled = true;
    const { awaiter, awaiters, followers, maker } = frame;
    const made = maker !== null && maker.fn === frame.makerId ? maker : null;
    if (made !== null) made.called--;
    const joint = made !== null && isOfCalls(made.source) ? made : null;
    const waits = awaiter !== null && awaiter.awaits === frame;
    const wakesOne = waits && !awaiter.isEnding && awaiters === null && frame.closes === 0 && joint === null;
    if (waits && !wakesOne) this.wake(time, awaiter, kind);
    if (awaiters !== null) {
      for (const other of awaiters) if (other.awaits === frame) this.wake(time, other, kind);
    }
    if (frame.closes !== 0) this.#closeCall(time, frame.closes);
    this.#decisions.frameEnded(frame);
    frame.isWaiting = false;
    leave(frame);
    const reacting = joint?.source?.reaction == null ? null : joint.source;
    if (reacting !== null) this.#expect(time, reacting, false);
    if (joint !== null && !joint.isEnding) this.#maybeReady(time, joint);
    frame.op = queue.add(OpKind.FrameEnd, time);
    queue.refer(frame);
    if (wakesOne) {
      queue.mark(frame.op, Bits.Wakes);
      queue.refer(awaiter);
    }
    if (followers !== null) for (const follower of followers) this.#follows(time, follower, kind);
    if (joint !== null && joint.isEnding && joint.called === 0 && reacting === null)
      this.#settleFrame(time, joint, kind);
  }

  #settlePromise(time: number, node: PromiseNode, kind: number): void {
    this.#others.delete(node.id);
    if (node.settled) return;
    const running = this.#running;
    // Who waits for it was said to wait for another activation: that is the one which settles it.
    const isNamed = isMessage(node) || (isOfProgram(node) && this.#isLate(time, node, 0));
    if (running.base === null && isNamed) running.ensureBase(time, node.source === 0 ? kind : node.source);
    const { base, innermost } = running;
    node.settled = true;
    node.settledAt = time;
    // Who settled it is asked when a frame blocks on it, which is before: a callback's scope need not be kept for it.
    if (innermost.kind !== "callback") innermost.isKept = true;
    node.settledBy = base === null ? null : innermost;
    // What ends with it ends when whatever has settled it is over.
    if (base === null) running.inTurn = true;
    node.settledKind = base?.what === EntryKind.Resource ? base.kind : kind;
    const settledIn = this.#reacting();
    node.settledIn = settledIn === node ? null : settledIn;
    this.#reactions.forget(time, node);
    const { awaiters, followers } = node;
    node.awaiters = null;
    node.followers = null;
    if (awaiters !== null) {
      for (const frame of awaiters) if (frame.source === node) this.wake(time, frame, kind);
    }
    if (node.closes !== 0) this.#closeCall(time, node.closes);
    if (followers !== null) for (const follower of followers) this.#follows(time, follower, kind);
  }

  /** What `then` and the like have made of the function that runs, null where it is none. */
  #reacting(): PromiseNode | null {
    const { base } = this.#running;
    return base?.kind === ResourceKind.Reaction ? (this.#others.get(base.id) ?? null) : null;
  }

  /** Whether frames wait for it whose reason had to be told before it settles at `time` (reasons.ts, leftToOthers). */
  #isLate(time: number, { awaiters, followers }: PromiseNode, depth: number): boolean {
    for (const frame of awaiters ?? []) if (time - frame.waitsSince > this.#lookAhead) return true;
    if (followers === null || depth > MAX_FOLLOWED) return false;
    return followers.some((follower) => this.#isLate(time, follower, depth + 1));
  }

  /** What the frame waits for has settled. */
  wake(time: number, frame: Scope, kind: number): void {
    // What was noted before is not what it has waited for.
    frame.isMaybe = false;
    frame.turn = -1;
    if (frame.isEnding) this.#settleFrame(time, frame, kind);
    else this.#running.push(OpKind.FrameReady, time, frame);
  }

  /** Something has settled that the frame may wait for: of one that ends with it, whoever awaits that. */
  #maybeReady(time: number, of: Scope): void {
    let frame = of;
    for (let depth = 0; frame.isEnding && depth < MAX_TAILS; depth++) {
      const { awaiter } = frame;
      if (awaiter === null || awaiter.awaits !== frame) break;
      frame = awaiter;
    }
    frame.op = this.#running.queue.add(OpKind.MaybeReady, time);
    this.#running.queue.refer(frame);
    frame.isMaybe = true;
    frame.turn = this.#running.turn;
  }

  suspend(time: number, frame: Scope, awaited: number, site: Site | null): void {
    if (awaited > 0) {
      const callee = this.#frames.get(awaited);
      if (callee !== undefined) {
        this.join(callee, frame);
        this.awaitFrame(time, frame, callee, site);
        return;
      }
      const promise = this.#others.get(awaited);
      if (promise !== undefined) {
        this.#awaitPromise(time, frame, promise, site);
        return;
      }
    }
    if (awaited <= Awaited.Kind) {
      this.wait(time, frame, site, null, this.#ofKind(Awaited.Kind - awaited));
      return;
    }
    const waits = awaited > 0 || site === null ? WaitsFor.Other : site.waits;
    const joint = waits === WaitsFor.All ? this.#all : waits === WaitsFor.Race ? this.#race : null;
    this.wait(time, frame, site, null, joint);
    if (awaited === Awaited.Settled) this.#running.queue.mark(frame.op, Bits.Ready);
  }

  /** What is known by its kind only. */
  #ofKind(kind: number): PromiseNode {
    const known = this.#kinds[kind];
    if (known !== undefined) return known;
    const node = makePromise(0, PromiseClass.New, this.#running.root, null);
    node.source = kind;
    return (this.#kinds[kind] = node);
  }

  awaitFrame(time: number, frame: Scope, callee: Scope, site: Site | null): void {
    leave(frame);
    if (callee.awaiter === null) callee.awaiter = frame;
    else callee.awaiters = withWaiter(callee.awaiters, frame);
    this.wait(time, frame, site, callee, null);
  }

  #awaitPromise(time: number, frame: Scope, promise: PromiseNode, site: Site | null): void {
    leave(frame);
    const isOpen = promise.reaction !== null && promise.followsAt === 0 && !isCalled(promise);
    if (isOpen && isJointSite(site)) {
      promise.follows = site.waits === WaitsFor.All ? this.#all : this.#race;
      promise.followsAt = time;
    }
    promise.awaiters = withWaiter(promise.awaiters, frame);
    this.wait(time, frame, site, null, promise);
  }

  /** What a call returned is the promise of a frame: the call waits for it, unless that is part of the call itself. */
  follow(time: number, call: Scope, id: number): void {
    const callee = this.#frames.get(id);
    if (callee === undefined) return;
    let part: Scope | null = callee;
    while (part !== null && part !== call && part.decision !== "fork") part = part.parent;
    if (part !== call) this.awaitFrame(time, call, callee, call.site);
  }

  wait(
    time: number,
    frame: Scope,
    site: Site | null,
    callee: Scope | null,
    promise: PromiseNode | null,
  ): void {
    leave(frame);
    frame.isWaiting = true;
    frame.isMaybe = false;
    frame.isEnding = false;
    frame.isYielding = false;
    frame.awaits = callee;
    frame.awaitsId = callee === null ? 0 : callee.fn;
    frame.source = promise;
    frame.turn = this.#running.turn;
    frame.waitsSince = time;
    frame.op = this.#running.suspend(time, frame, site, callee, promise);
  }

  #closes(time: number, { closes }: PromiseNode): void {
    if (closes !== 0) this.#closeCall(time, closes);
  }

  /** Resource kind of what will settle the promise of that id, 0 where it is not known. */
  sourceOf(id: number): number {
    return this.#others.get(id)?.source ?? 0;
  }

  /** The frame goes on: what it waited for outside of the program's code has come. */
  came(time: number, promise: PromiseNode): void {
    // Others that waited for it have told so.
    if (promise.settled) return;
    const isKnown = promise.id !== 0 && (isJoint(promise) || isOfProgram(promise));
    const isMade = isKnown || promise.isDerived || promise.followsAt !== 0;
    if (!isOutside(promise) && !isMade) return;
    this.#closes(time, promise);
    this.#settledUnseen(time, promise);
  }

  #settledUnseen(time: number, promise: PromiseNode): void {
    this.#others.delete(promise.id);
    promise.settled = true;
    promise.settledAt = time;
    promise.settledKind = promise.source;
    this.#reactions.forget(time, promise);
  }

  /** The frame's wait is over. */
  over(time: number, frame: Scope): void {
    const awaits = awaitedBy(frame);
    if (awaits?.isEnding === true && !awaits.settled) this.#endTails(time, awaits);
    if (frame.isWaiting) this.#readyAt(time, frame);
    frame.isWaiting = false;
    leave(frame);
  }

  /** The frame has ended with a promise that has settled unseen, as the going on of who awaits it tells. */
  #endTails(time: number, frame: Scope): void {
    let last = frame;
    // No program's frames end with each other's promises in a circle, but facts may say so.
    for (let depth = 0; depth < MAX_TAILS; depth++) {
      const { awaits } = last;
      if (awaits === null || !awaits.isEnding || awaits.settled) break;
      last = awaits;
    }
    const { source } = last;
    if (source !== null && source !== this.#all && !source.settled) this.#settledUnseen(time, source);
    this.#settleFrame(time, last, 0);
  }

  /** What woke the frame, as far as only its going on tells. */
  #readyAt(time: number, frame: Scope): void {
    const { turn, queue } = this.#running;
    if (frame.turn !== turn) return;
    if (frame.isMaybe) queue.markEarlier(frame.op, 1, time, this.#lookAhead);
    else if (
      frame.awaits === null &&
      (frame.source === null ||
        frame.source.id === 0 ||
        isJoint(frame.source) ||
        (isOfProgram(frame.source) && frame.source.settledAt === time))
    )
      queue.markEarlier(frame.op, Bits.Soon, time, this.#lookAhead);
  }
}
