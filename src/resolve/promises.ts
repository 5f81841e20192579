import { PromiseClass } from "../base/facts.ts";
import { BoundedMap } from "../base/bounded-map.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Decisions } from "./decisions.ts";
import { makePromise } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import type { PromiseNode, Site } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { callbackEntry, isNodes } from "./names.ts";
import type { Names } from "./names.ts";
import { OpKind } from "./ops.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";

/** Settled promises stay known for so many further ones, for late reactions and for the reasons of waits. */
const SETTLED_KEPT = 20_000;
/** Pending promises known at the most; the oldest are forgotten, and nothing stays alive for them. */
const PENDING_KEPT = 250_000;
/** Frames known at the most of which nothing has been seen but that they were made. */
const UNSTARTED_KEPT = 4_096;
const RELEASED_KEPT = 100_000;
/** Reactions of one promise from which on those are looked for that nothing waits for any more. */
const MANY_REACTIONS = 16;

/**
 * Promises and async functions.
 *
 * An async function's synchronous part ends in one of three ways: it suspends (its await is a fact; awaits match the
 * innermost running frame of the same function), its promise settles, or it returns another promise. For the last the
 * engine runs a job of the function's own promise, which reacts to the other: the frame suspends on that there.
 *
 * The reactions that Promise.all and its like add to their members are no work of the program. They keep nothing
 * alive, wake nobody, and run on whatever settled the member, so that the last member's activation is seen to wake
 * the one that joins.
 */
export class PromiseReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #decisions: Decisions;
  readonly #closeCall: (time: number, id: number) => void;
  readonly #promises = new RecentMap<PromiseNode>(8192, PENDING_KEPT);
  #settled: PromiseNode[] = [];
  /** Members' reactions that are left when Promise.race or the like has settled: they run and do nothing. */
  readonly #released = new BoundedMap<true>(RELEASED_KEPT);
  /** Frames that have neither suspended nor ended, the last one of each function. */
  readonly #unstarted = new BoundedMap<Scope>(UNSTARTED_KEPT);
  /** The Promise.all or the like whose members are being added. */
  #joint: PromiseNode | null = null;

  /** `closeCall`: the promise that a call (region, task, go) returned has settled. */
  constructor(
    running: Running,
    names: Names,
    decisions: Decisions,
    closeCall: (time: number, id: number) => void,
  ) {
    this.#running = running;
    this.#names = names;
    this.#decisions = decisions;
    this.#closeCall = closeCall;
  }

  /** A promise that is known and has not been forgotten. */
  get(id: number): PromiseNode | undefined {
    return this.#promises.get(id);
  }

  get size(): number {
    return this.#promises.size;
  }

  clear(): void {
    this.#promises.clear();
    this.#unstarted.clear();
    this.#settled = [];
    this.#joint = null;
  }

  make(time: number, id: number, parentId: number, c: number): void {
    const cls = c & 15;
    const site = this.#names.site(c >>> 4);
    const parent = parentId === 0 ? null : (this.#promises.get(parentId) ?? null);
    if (cls === PromiseClass.Call) {
      this.#call(time, id, site);
      return;
    }
    if (cls === PromiseClass.Await) {
      this.#joint = null;
      if (site !== null && this.#await(time, id, parent, site)) return;
    }
    if (cls === PromiseClass.Then && parent !== null && this.#return(time, id, parent)) return;
    const node = this.#add(makePromise(id, cls, this.#running.top, parent), time);
    if (cls === PromiseClass.All || cls === PromiseClass.Race) this.#joint = node;
    if (parentId === 0) return;
    if (cls === PromiseClass.Then && this.#joint !== null) {
      if (parent !== this.#joint) {
        node.isMember = true;
        (this.#joint.members ??= []).push(node);
        if (parent !== null && !parent.settled) this.#react(parent, node);
        return;
      }
      this.#joint = null;
    }
    node.added = true;
    this.#running.count(OpKind.Add, time, node.scope, node);
    if (parent !== null) this.#wait(time, parent, node, node.scope);
  }

  /** An async function begins to run. */
  #call(time: number, id: number, site: Site | null): void {
    this.#joint = null;
    const running = this.#running;
    const entry = site?.frame ?? callbackEntry(0);
    // Node's own async functions run in the activation that called them, however they are joined.
    const decision = isNodes(entry) ? "inline" : "open";
    running.ensureBase(time);
    const scope = makeScope("frame", running.top, decision, time, { entry, fn: site?.fn ?? 0, site });
    scope.promise = this.#add(makePromise(id, PromiseClass.Call, scope, null), time);
    if (decision === "open") this.#decisions.add(scope);
    else scope.caller = running.top.caller ?? running.top;
    if (scope.fn !== 0) this.#unstarted.set(scope.fn, scope);
    running.call(EntryKind.Call, scope, 0, time);
  }

  /** The innermost running frame of the site's function suspends. False where there is none. */
  #await(time: number, id: number, parent: PromiseNode | null, site: Site): boolean {
    const { stack } = this.#running;
    let at = this.#running.depth - 1;
    for (; at >= 0; at--) {
      const { scope, baseAt } = stack[at]!;
      if (scope.kind === "frame" && scope.fn === site.fn) break;
      if (baseAt === at) return this.#awaitLate(time, id, parent, site);
    }
    if (at < 0) return false;
    const frame = stack[at]!.scope;
    if (parent !== null && parent === frame.promise) {
      // Awaiting what is no promise: the engine wraps it first, naming the frame's own promise as parent.
      this.#add(makePromise(id, PromiseClass.Native, frame, null), time);
      return true;
    }
    this.#running.popTo(at + 1, time);
    this.#suspend(time, id, frame, parent, site);
    if (stack[at]!.what === EntryKind.Call) this.#running.popTo(at, time);
    return true;
  }

  /** A frame whose body began after its promise was made, a module with top-level await, suspends. */
  #awaitLate(time: number, id: number, parent: PromiseNode | null, site: Site): boolean {
    const frame = this.#unstarted.get(site.fn);
    const { base } = this.#running;
    if (frame === undefined || base === null) return false;
    this.#running.popTo(base.baseAt + 1, time);
    if (parent !== null) this.#join(parent, base.scope);
    this.#suspend(time, id, frame, parent, site);
    return true;
  }

  /** A frame that returned another promise suspends on it. False where that is not what happens here. */
  #return(time: number, id: number, parent: PromiseNode): boolean {
    const { base } = this.#running;
    if (base === null || base.what !== EntryKind.Reaction || base.baseAt !== this.#running.depth - 1)
      return false;
    const own = this.#promises.get(base.id);
    if (own === undefined || own.cls !== PromiseClass.Call || own.settled) return false;
    this.#suspend(time, id, own.scope, parent, null);
    return true;
  }

  #suspend(time: number, id: number, frame: Scope, parent: PromiseNode | null, site: Site | null): void {
    const node = this.#add(makePromise(id, PromiseClass.Await, frame, parent), time);
    node.frame = frame;
    if (parent !== null) this.#join(parent, frame);
    if (this.#unstarted.get(frame.fn) === frame) this.#unstarted.delete(frame.fn);
    this.#running.suspend(time, frame, site, parent?.cls === PromiseClass.Call ? parent.scope : null, parent);
    if (parent !== null) this.#wait(time, parent, node, frame);
  }

  #wait(time: number, parent: PromiseNode, reaction: PromiseNode, scope: Scope): void {
    if (parent.settled) this.#running.count(OpKind.Ready, time, scope, reaction);
    else this.#react(parent, reaction);
  }

  #react(parent: PromiseNode, reaction: PromiseNode): void {
    const reactions = (parent.reactions ??= []);
    const count = reactions.push(reaction);
    if (count >= MANY_REACTIONS && (count & (count - 1)) === 0) {
      parent.reactions = reactions.filter(({ released }) => !released);
    }
  }

  settle(time: number, id: number): void {
    const node = this.#promises.get(id);
    if (node === undefined || node.settled) return;
    const running = this.#running;
    const { base } = running;
    node.settled = true;
    node.settledAt = time;
    node.settledBy = base === null ? null : running.top;
    node.settledKind = base === null || base.what !== EntryKind.Resource ? 0 : base.kind;
    const { reactions } = node;
    node.reactions = null;
    if (reactions !== null) {
      for (const reaction of reactions) {
        if (reaction.isMember || reaction.released) continue;
        running.count(OpKind.Ready, time, reaction.frame ?? reaction.scope, reaction);
      }
    }
    if (node.closes !== 0) this.#closeCall(time, node.closes);
    this.#end(time, node);
    if (node.cls === PromiseClass.Call) {
      const at = running.findCall(node.scope);
      if (at >= 0) running.popTo(at, time);
    }
    this.#settled.push(node);
    if (this.#settled.length >= 2 * SETTLED_KEPT) this.#forgetSettled();
  }

  /** Nothing stays alive for the promise any more. */
  #end(time: number, node: PromiseNode): void {
    if (node.cls === PromiseClass.Call) {
      node.scope.settled = true;
      this.#decisions.frameEnded(node.scope);
      if (this.#unstarted.get(node.scope.fn) === node.scope) this.#unstarted.delete(node.scope.fn);
      this.#running.push(OpKind.FrameEnd, time, node.scope);
    }
    if (node.members !== null) {
      for (const member of node.members) if (!member.settled) this.#release(member);
      node.members = null;
    }
  }

  #release(member: PromiseNode): void {
    member.released = true;
    this.#promises.delete(member.id);
    this.#released.set(member.id, true);
  }

  reactionBegin(time: number, id: number): void {
    const running = this.#running;
    this.#joint = null;
    running.leaveLoose(time);
    const missed = running.findReaction(-1);
    if (missed >= 0) running.popTo(missed, time);
    if (this.#released.delete(id)) {
      running.enterSilent(id);
      return;
    }
    const node = this.#promises.get(id);
    const scope = node?.frame ?? makeScope("callback", node?.scope ?? running.root, "inline", time);
    const other = node?.isMember === true ? (node.parent?.settledBy ?? null) : null;
    running.enter(EntryKind.Reaction, scope, id, time, node ?? null, 0, 0, other);
  }

  reactionEnd(time: number, id: number): void {
    const running = this.#running;
    this.#joint = null;
    const at = running.findReaction(id);
    if (at < 0) {
      running.leaveLoose(time);
      return;
    }
    const node = this.#promises.get(id);
    if (node !== undefined) {
      this.#done(time, node);
      if (node.frame !== null) this.#promises.delete(id);
    }
    running.popTo(at, time);
  }

  #done(time: number, node: PromiseNode): void {
    if (!node.added) return;
    node.added = false;
    this.#running.count(OpKind.Done, time, node.scope, node);
  }

  #add(node: PromiseNode, time: number): PromiseNode {
    const gone = this.#promises.set(node.id, node);
    if (gone !== null) for (const old of gone.values()) this.#giveUp(time, old);
    return node;
  }

  /** The promise is taken to be one that never settles. */
  #giveUp(time: number, node: PromiseNode): void {
    if (node.settled) return;
    node.settled = true;
    node.released = true;
    if (node.closes !== 0) this.#closeCall(time, node.closes);
    this.#end(time, node);
    this.#done(time, node);
  }

  #forgetSettled(): void {
    const forgotten = this.#settled.slice(0, SETTLED_KEPT);
    this.#settled = this.#settled.slice(SETTLED_KEPT);
    for (const { id } of forgotten) this.#promises.delete(id);
    this.#running.queue.add(OpKind.Forget, this.#running.lastFact);
    this.#running.queue.refer(forgotten);
  }

  /** The caller awaits the call directly: no fork. */
  #join(promise: PromiseNode, caller: Scope): void {
    const callee = promise.cls === PromiseClass.Call ? promise.scope : null;
    if (callee !== null && callee.decision === "open" && callee.parent === caller)
      this.#decisions.inline(callee);
  }
}
