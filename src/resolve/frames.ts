import { Awaited, PromiseClass, ResourceKind, WaitsFor } from "../base/facts.ts";
import type { Pending } from "./calls.ts";
import type { Decisions } from "./decisions.ts";
import type { FramePool } from "./frame-pool.ts";
import { makePromise } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import type { PromiseNode, ResourceNode, Site } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { callbackEntry } from "./names.ts";
import type { Names } from "./names.ts";
import { Bits, OpKind } from "./ops.ts";
import { RecentMap } from "../base/recent-map.ts";
import { QuietCalls } from "./quiet.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";

/** Entry of a frame that began before the recording, until it says where it is. */
const UNKNOWN = callbackEntry(0);
/** Frames that end with each other's promises that are followed at the most. */
const MAX_TAILS = 1_000;
/** What the frame of a module that awaits is called. */
const MODULE = "(module)";
/** Pending frames known at the most; the oldest are forgotten, and nothing stays alive for them. */
const FRAMES_KEPT = 250_000;
/** Other promises known at the most that can be awaited: many are never seen to settle. */
const OTHERS_KEPT = 50_000;

/**
 * Async functions whose code says itself when it begins, suspends, goes on and ends (the load-time transform).
 *
 * Unlike the promises of PromiseReader these facts name the frame, so nothing has to be matched; what an await waits
 * for is named where it is the promise of a frame, of an executor or of one of Node's functions. What settles such a
 * promise is known, too. Of every other promise nothing is known but that the frame goes on.
 *
 * A frame is its own promise, and waits for one thing at a time, so neither needs a node of its own.
 *
 * Promise.all and its like are known as such only. Their members are taken to be the calls that the frame has made and
 * not awaited: each that ends notes that it may be what the frame waited for, and the last one before the frame goes
 * on, in the same turn, is.
 */
export class FrameReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #decisions: Decisions;
  readonly #pool: FramePool;
  readonly #quiet: QuietCalls;
  readonly #lookAhead: number;
  readonly #closeCall: (time: number, id: number) => void;
  readonly #endTurn: (time: number) => void;
  readonly #frames = new RecentMap<Scope>(8192, FRAMES_KEPT);
  readonly #others = new RecentMap<PromiseNode>(4096, OTHERS_KEPT);
  /** What frames that await Promise.all, or Promise.race and its like, wait for. */
  readonly #all: PromiseNode;
  readonly #race: PromiseNode;
  readonly #kinds: PromiseNode[] = [];
  /** A frame that asks its iterator for the next value, and where, until the next fact tells whose that is. */
  #asking: Scope | null = null;
  #askingAt: Site | null = null;
  #askingFor = 0;
  /** The executor that was called last, if nothing else has happened since. */
  #executor: PromiseNode | null = null;

  constructor(
    running: Running,
    names: Names,
    decisions: Decisions,
    pool: FramePool,
    lookAhead: number,
    closeCall: (time: number, id: number) => void,
    endTurn: (time: number) => void,
  ) {
    this.#running = running;
    this.#names = names;
    this.#decisions = decisions;
    this.#pool = pool;
    this.#quiet = new QuietCalls(running.queue, decisions, pool, lookAhead);
    this.#lookAhead = lookAhead;
    this.#closeCall = closeCall;
    this.#endTurn = endTurn;
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
  }

  /** A promise that is settled by the completion of a resource of that kind. */
  addSource(time: number, id: number, kind: number): void {
    const node = makePromise(id, PromiseClass.Native, this.#running.root, null);
    node.source = kind;
    node.sourceAt = time;
    this.#others.set(id, node);
  }

  executor(id: number): void {
    this.#executor = makePromise(id, PromiseClass.New, this.#running.root, null);
    this.#others.set(id, this.#executor);
  }

  /** What an executor asks for before anything else happens is what settles its promise. */
  asked(time: number, resource: ResourceNode | undefined): void {
    const executor = this.#executor;
    // A timer that repeats is an activation of its own.
    if (executor === null || resource === undefined || resource.kind === ResourceKind.Interval) return;
    executor.source = resource.kind;
    resource.settles = executor;
    executor.sourceAt = time;
    this.#executor = null;
  }

  /** `b`: whether nothing is known of who calls it, and the place of the last marked call. */
  call(time: number, id: number, b: number, siteId: number): void {
    const running = this.#running;
    const unknown = b % 2 === 1;
    running.codeTells = true;
    this.#executor = null;
    const site = this.#names.site(siteId);
    const asking = site !== null && isAsked(site) ? this.#asking : null;
    if (asking === null) {
      this.stopAsking(time);
      if (unknown) running.leaveLoose(time);
    }
    const entry = site === null ? callbackEntry(0) : site.frame;
    if (asking === null && (running.depth === 0 || unknown)) {
      // Nothing tells who calls it: an activation of its own. The bodies of modules are the main script's.
      const scope =
        entry.func === MODULE ? running.root : makeScope("root", null, "fork", time, { entry, task: null });
      running.enter(EntryKind.Loose, scope, 0, time, null, 0, 0, null);
    }
    const caller = running.innermost;
    const frame = this.#pool.take(caller, time, entry, id, site);
    frame.callSite = b < 2 ? null : this.#placeIn(caller, this.#names.site(Math.floor(b / 2)));
    this.#add(time, id, frame);
    let maker: Scope | null = caller;
    while (maker !== null && maker.kind === "call") maker = maker.parent;
    if (maker !== null && maker.kind === "frame") {
      frame.maker = maker;
      frame.makerId = maker.fn;
      maker.called++;
    }
    this.#decisions.add(frame);
    if (asking !== null) this.#asks(frame, asking);
    frame.isTold = true;
    frame.callOp = running.queue.next;
    frame.callRef = running.queue.nextRef;
    running.call(EntryKind.Call, frame, 0, time);
  }

  /** The place if it is in the code that runs in the scope, for the mark may be another's. */
  #placeIn(caller: Scope, place: Site | null): Site | null {
    if (place === null) return null;
    return caller.kind === "frame" && this.#names.site(place.fn)?.frame === caller.entry ? place : null;
  }

  block(time: number, id: number, awaited: number, siteId: number): void {
    this.#executor = null;
    const running = this.#running;
    const frame = this.#frame(time, id);
    const at = this.#enter(time, frame);
    running.popTo(at + 1, time);
    const site = this.#names.site(siteId);
    if (frame.entry === UNKNOWN && site !== null && time - frame.since <= this.#lookAhead)
      frame.entry = site.frame;
    if (awaited === Awaited.Iterates || awaited <= Awaited.Kind) {
      this.#asking = frame;
      this.#askingAt = site;
      this.#askingFor = awaited === Awaited.Iterates ? Awaited.Unknown : awaited;
      return;
    }
    if (awaited === Awaited.Yielded) this.#yields(time, frame, site);
    else this.#suspend(time, frame, awaited, site);
    running.popWith(frame.op);
    this.#asked(time, frame);
  }

  /** `inside`: running code asks the generator for its next value. */
  resume(time: number, id: number, inside: boolean): void {
    const frame = this.#frame(time, id);
    const asking = frame.isYielding ? this.#asking : null;
    if (asking === null) this.stopAsking(time);
    const isAlone = this.#running.depth === 0 || this.#running.findScope(frame) >= 0;
    if (asking === null && (!inside || isAlone)) {
      this.#enter(time, frame);
      return;
    }
    this.#executor = null;
    frame.isYielding = false;
    frame.isWaiting = false;
    // Who asks a generator that hands on to another waits for all of them.
    let outermost = frame;
    while (outermost.awaiter?.isDelegating === true && outermost.awaiter.awaits === outermost)
      outermost = outermost.awaiter;
    if (asking !== null) this.#asks(outermost, asking);
    this.#running.resume(frame, time, false);
  }

  /** What is asked for is not a generator's, as far as is known. */
  stopAsking(time: number): void {
    const frame = this.#asking;
    if (frame === null) return;
    this.#asking = null;
    this.#running.popTo(this.#running.findScope(frame) + 1, time);
    this.#suspend(time, frame, this.#askingFor, this.#askingAt);
    this.#running.popWith(frame.op);
  }

  /** The generator runs, or one that it hands on to, because the frame asks it. */
  #asks(generator: Scope, frame: Scope): void {
    this.#asking = null;
    frame.isDelegating = this.#askingAt?.waits === WaitsFor.Delegate;
    this.#join(generator, frame);
    generator.askedBy = frame;
    generator.askedById = frame.fn;
    generator.askedAt = this.#askingAt;
  }

  /** The generator's code has stopped running: whoever has asked it suspends. */
  #asked(time: number, ran: Scope): void {
    const running = this.#running;
    if (running.depth === 0) return;
    const frame = running.innermost;
    let generator = ran;
    while (generator.askedBy !== frame || generator.askedById !== frame.fn) {
      const { awaiter } = generator;
      if (awaiter === null || !awaiter.isDelegating || awaiter.awaits !== generator) return;
      generator = awaiter;
    }
    generator.askedBy = null;
    if (ran.settled || ran.isYielding) {
      this.#wait(time, frame, generator.askedAt, null, null);
      running.queue.mark(frame.op, Bits.Ready);
    } else {
      this.#awaitFrame(time, frame, generator, generator.askedAt);
    }
    running.popWith(frame.op);
    this.#asked(time, frame);
  }

  /** The generator has a value for whoever asked it, directly or through others that hand it on. */
  #yields(time: number, frame: Scope, site: Site | null): void {
    let generator = frame;
    let { awaiter } = generator;
    while (awaiter !== null && awaiter.isDelegating && awaiter.awaits === generator) {
      generator = awaiter;
      awaiter = generator.awaiter;
    }
    if (awaiter !== null && awaiter.awaits === generator && awaiter.isWaiting) {
      this.#wake(time, awaiter, 0);
      awaiter.awaits = null;
      generator.awaiter = null;
    }
    this.#wait(time, frame, site, null, null);
    frame.isYielding = true;
  }

  /**
   * The frame, whose code runs in a job of its own, has awaited a call of which nothing is to be told, and goes on at
   * `time`.
   */
  quiet(time: number, frame: Scope, siteId: number): void {
    const running = this.#running;
    running.codeTells = true;
    this.#executor = null;
    frame.turn = running.turn;
    frame.isMaybe = false;
    frame.isEnding = false;
    this.#quiet.moved(time, frame, this.#names.site(siteId));
  }

  /** The function is about to end with a promise, which its caller then waits for. */
  tail(time: number, id: number, awaited: number, siteId: number): void {
    const frame = this.#frame(time, id);
    if (awaited <= 0) {
      const site = this.#names.site(siteId);
      // Of all that it has called: what else it may wait for is not known.
      if (site?.waits === WaitsFor.All) frame.tail = { callee: null, id: 0, promise: this.#all, site };
      return;
    }
    const callee = this.#frames.get(awaited) ?? null;
    const promise = callee === null ? (this.#others.get(awaited) ?? null) : null;
    if (callee === null && promise === null) return;
    if (callee !== null) this.#join(callee, frame);
    frame.tail = { callee, id: awaited, promise, site: this.#names.site(siteId) };
  }

  end(time: number, id: number): void {
    const frame = this.#frames.get(id);
    if (frame === undefined) return;
    const running = this.#running;
    const at = this.#enter(time, frame);
    running.popTo(at + 1, time);
    if (!this.#waitForTail(time, frame)) this.#settleFrame(time, frame, 0);
    if (running.queue.last === frame.op) running.popWith(frame.op);
    else running.popTo(at, time);
    this.#asked(time, frame);
  }

  #waitForTail(time: number, frame: Scope): boolean {
    const { tail } = frame;
    if (tail === null) return false;
    const { callee, promise, id, site } = tail;
    if (callee !== null && callee.fn === id && !callee.settled) this.#awaitFrame(time, frame, callee, site);
    else if (promise === this.#all && frame.called > 0) this.#wait(time, frame, site, null, promise);
    else if (promise !== null && promise !== this.#all && !promise.settled)
      this.#awaitPromise(time, frame, promise, site);
    else return false;
    frame.isEnding = true;
    return true;
  }

  /** `by`: 0 where code that is known to run calls resolve or reject, else 32 + kind of the callback that does. */
  settled(time: number, id: number, awaited: number, by: number): void {
    this.#executor = null;
    if (by >= 32) this.#running.leaveLoose(time);
    const kind = by & 31;
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

  /** A promise is made by `then` and the like of another one. */
  derived(time: number, id: number, of: number): void {
    const node = makePromise(id, PromiseClass.Then, this.#running.root, null);
    node.isDerived = true;
    if (this.#follow(time, node, of)) this.#others.set(id, node);
  }

  /** What the promise follows has settled. */
  #follows(time: number, node: PromiseNode, kind: number): void {
    if (!node.isDerived) {
      this.#settlePromise(time, node, kind);
      return;
    }
    // Its callback is still to run; most likely the promise settles with that, in the same turn.
    const { awaiters, followers } = node;
    if (awaiters !== null) {
      for (const frame of awaiters) if (frame.source === node) this.#maybeReady(time, frame);
    }
    if (followers !== null) for (const follower of followers) this.#follows(time, follower, kind);
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
    const joint = made !== null && this.#isJoint(made.source) ? made : null;
    const waits = awaiter !== null && awaiter.awaits === frame;
    const wakesOne = waits && !awaiter.isEnding && awaiters === null && frame.closes === 0 && joint === null;
    if (waits && !wakesOne) this.#wake(time, awaiter, kind);
    if (awaiters !== null) {
      for (const other of awaiters) if (other.awaits === frame) this.#wake(time, other, kind);
    }
    if (frame.closes !== 0) this.#closeCall(time, frame.closes);
    this.#decisions.frameEnded(frame);
    frame.isWaiting = false;
    frame.awaits = null;
    frame.source = null;
    if (joint !== null && !joint.isEnding) this.#maybeReady(time, joint);
    frame.op = queue.add(OpKind.FrameEnd, time);
    queue.refer(frame);
    if (wakesOne) {
      queue.mark(frame.op, Bits.Wakes);
      queue.refer(awaiter);
    }
    if (followers !== null) for (const follower of followers) this.#follows(time, follower, kind);
    if (joint !== null && joint.isEnding && joint.called === 0) this.#settleFrame(time, joint, kind);
  }

  #isJoint(promise: PromiseNode | null): boolean {
    return promise !== null && (promise === this.#all || promise === this.#race);
  }

  #settlePromise(time: number, node: PromiseNode, kind: number): void {
    this.#others.delete(node.id);
    if (node.settled) return;
    const { base, innermost } = this.#running;
    node.settled = true;
    node.settledAt = time;
    // Who settled it is asked when a frame blocks on it, which is before: a callback's scope need not be kept for it.
    if (innermost.kind !== "callback") innermost.isKept = true;
    node.settledBy = base === null ? null : innermost;
    node.settledKind = base?.what === EntryKind.Resource ? base.kind : kind;
    const { awaiters, followers } = node;
    node.awaiters = null;
    node.followers = null;
    if (awaiters !== null) {
      for (const frame of awaiters) if (frame.source === node) this.#wake(time, frame, kind);
    }
    if (node.closes !== 0) this.#closeCall(time, node.closes);
    if (followers !== null) for (const follower of followers) this.#follows(time, follower, kind);
  }

  /** What the frame waits for has settled. */
  #wake(time: number, frame: Scope, kind: number): void {
    if (frame.isEnding) this.#settleFrame(time, frame, kind);
    else this.#running.push(OpKind.FrameReady, time, frame);
  }

  /** A call of the frame has ended that Promise.all or the like may have waited for. */
  #maybeReady(time: number, frame: Scope): void {
    frame.op = this.#running.queue.add(OpKind.MaybeReady, time);
    this.#running.queue.refer(frame);
    frame.isMaybe = true;
    frame.turn = this.#running.turn;
  }

  #suspend(time: number, frame: Scope, awaited: number, site: Site | null): void {
    if (awaited > 0) {
      const callee = this.#frames.get(awaited);
      if (callee !== undefined) {
        this.#join(callee, frame);
        this.#awaitFrame(time, frame, callee, site);
        return;
      }
      const promise = this.#others.get(awaited);
      if (promise !== undefined) {
        this.#awaitPromise(time, frame, promise, site);
        return;
      }
    }
    if (awaited <= Awaited.Kind) {
      this.#wait(time, frame, site, null, this.#ofKind(Awaited.Kind - awaited));
      return;
    }
    const waits = awaited > 0 || site === null ? WaitsFor.Other : site.waits;
    if (waits === WaitsFor.All) this.#wait(time, frame, site, null, this.#all);
    else if (waits === WaitsFor.Race) this.#wait(time, frame, site, null, this.#race);
    else this.#wait(time, frame, site, null, null);
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

  #awaitFrame(time: number, frame: Scope, callee: Scope, site: Site | null): void {
    if (callee.awaiter === null || callee.awaiter === frame) callee.awaiter = frame;
    else callee.awaiters = added(callee.awaiters, frame);
    this.#wait(time, frame, site, callee, null);
  }

  #awaitPromise(time: number, frame: Scope, promise: PromiseNode, site: Site | null): void {
    promise.awaiters = added(promise.awaiters, frame);
    this.#wait(time, frame, site, null, promise);
  }

  #wait(
    time: number,
    frame: Scope,
    site: Site | null,
    callee: Scope | null,
    promise: PromiseNode | null,
  ): void {
    frame.isWaiting = true;
    frame.isMaybe = false;
    frame.isEnding = false;
    frame.isYielding = false;
    frame.awaits = callee;
    frame.source = promise;
    frame.turn = this.#running.turn;
    frame.op = this.#running.suspend(time, frame, site, callee, promise);
  }

  /** The frame runs again, unless it is running. Answers the index of its entry on the stack. */
  #enter(time: number, frame: Scope): number {
    const running = this.#running;
    const known = running.findScope(frame);
    if (known >= 0) return known;
    const { source, awaits } = frame;
    running.leaveLoose(time);
    if (source !== null && source.cls === PromiseClass.Native && !source.settled) {
      // Node's own promise: the loop has come back from outside.
      if (running.depth === 0) this.#endTurn(time);
      this.#others.delete(source.id);
      source.settled = true;
      source.settledAt = time;
      source.settledKind = source.source;
    } else if (source !== null && source.isDerived) {
      this.#others.delete(source.id);
      source.settled = true;
    }
    running.popTo(0, time);
    if (awaits !== null && awaits.isEnding && !awaits.settled) this.#endTails(time, awaits);
    if (frame.isWaiting) this.#readyAt(time, frame);
    frame.isWaiting = false;
    frame.awaits = null;
    frame.source = null;
    running.resume(frame, time, awaits !== null && this.#quiet.drop(time, frame, awaits));
    return running.depth - 1;
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
    if (last.source !== null && last.source !== this.#all) {
      this.#others.delete(last.source.id);
      last.source.settled = true;
      last.source.settledAt = time;
      last.source.settledKind = last.source.source;
    }
    this.#settleFrame(time, last, 0);
  }

  /** What woke the frame, as far as only its going on tells. */
  #readyAt(time: number, frame: Scope): void {
    const { turn, queue } = this.#running;
    if (frame.turn !== turn) return;
    if (frame.isMaybe) queue.markEarlier(frame.op, 1, time, this.#lookAhead);
    else if (frame.awaits === null && (frame.source === null || frame.source.id === 0))
      queue.markEarlier(frame.op, Bits.Soon, time, this.#lookAhead);
  }

  /** A frame by its id; one that began before the recording is an activation of its own. */
  #frame(time: number, id: number): Scope {
    const known = this.#frames.get(id);
    if (known !== undefined) return known;
    const frame = makeScope("frame", null, "fork", time, { entry: UNKNOWN, fn: id, task: null });
    frame.speaks = true;
    this.#add(time, id, frame);
    this.#running.count(OpKind.Add, time, frame, null);
    return frame;
  }

  #add(time: number, id: number, frame: Scope): void {
    const gone = this.#frames.set(id, frame);
    if (gone !== null) for (const old of gone.values()) this.#settleFrame(time, old, 0);
  }

  /** The caller awaits the call directly: no fork. */
  #join(callee: Scope, caller: Scope): void {
    if (callee.decision === "open" && callee.parent === caller) this.#decisions.inline(callee);
  }
}

/** Whether it is a generator, or the method that an iterator is asked by. */
function isAsked({ waits, frame }: Site): boolean {
  return waits === WaitsFor.Generator || frame.func === "next" || frame.func.endsWith(".next");
}

/** The list with one more member; where there was none it has room for that one only, for most stay so. */
function added<T>(list: T[] | null, member: T): T[] {
  if (list === null) return [member];
  list.push(member);
  return list;
}
