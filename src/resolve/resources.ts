import { ResourceKind } from "../base/facts.ts";
import { RecentMap } from "../base/recent-map.ts";
import { makeResource } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import type { PromiseNode, ResourceNode } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { callbackEntry } from "./names.ts";
import type { Names } from "./names.ts";
import { OpKind } from "./ops.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";

/** Pending one-shot resources and intervals known at the most; the oldest are forgotten, and nothing stays alive for them. */
const PENDING_KEPT = 250_000;
/** Resources known that call back any number of times (no fact tells of their end); the longest silent go first. */
const HANDLES_KEPT = 50_000;
/** A callback of unknown making in which nothing is told is shown if it takes so long: a period of the CPU profiler. */
const SHOWN_NS = 10e6;

/** Not crypto: a synchronous job is made like one that calls back, and never does. */
const ONE_SHOT: ReadonlySet<number> = new Set([
  ResourceKind.Timeout,
  ResourceKind.Immediate,
  ResourceKind.Tick,
  ResourceKind.Fs,
  ResourceKind.Dns,
  ResourceKind.Connect,
  ResourceKind.Child,
]);

/** Callbacks that only the loop itself makes, never from inside of running code. */
const OUTERMOST: ReadonlySet<number> = new Set([
  ResourceKind.Timeout,
  ResourceKind.Interval,
  ResourceKind.InternalTimer,
  ResourceKind.Immediate,
  ResourceKind.Tick,
  ResourceKind.Reaction,
]);

/** Whether such a callback goes on with the turn, if nothing runs. */
function isOfTurn(kind: number): boolean {
  return kind === ResourceKind.Tick || kind === ResourceKind.User || kind === ResourceKind.Reaction;
}

/** Callbacks, and the resources that make them. A callback runs in the activation in which its resource was made. */
export class ResourceReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #endTurn: (time: number) => void;
  readonly #onTimer: (timer: ResourceNode) => void;
  readonly #pending = new RecentMap<ResourceNode>(4096, PENDING_KEPT);
  readonly #handles = new RecentMap<ResourceNode>(4096, HANDLES_KEPT);
  readonly #lookAhead: number;
  /** The callback of unknown making that began last: number of its operation, of its first reference, and since when. */
  #silentOp = -1;
  #silentRef = 0;
  #silentSince = -Infinity;

  /** `onTimer`: a one-shot timer was made. */
  constructor(
    running: Running,
    names: Names,
    lookAhead: number,
    endTurn: (time: number) => void,
    onTimer: (timer: ResourceNode) => void,
  ) {
    this.#running = running;
    this.#names = names;
    this.#lookAhead = lookAhead;
    this.#endTurn = endTurn;
    this.#onTimer = onTimer;
  }

  get(id: number): ResourceNode | undefined {
    return this.#pending.get(id) ?? this.#handles.get(id);
  }

  get size(): number {
    return this.#pending.size + this.#handles.size;
  }

  clear(): void {
    this.#pending.clear();
    this.#handles.clear();
  }

  make(time: number, id: number, siteId: number, c: number): void {
    const kind = c & 31;
    const delay = c >>> 5;
    const oneShot = ONE_SHOT.has(kind);
    // One that calls back once counts as a reference until it has (SourceDone).
    let scope = oneShot ? this.#running.innermost : this.#running.top;
    if (kind === ResourceKind.Interval) {
      const site = this.#names.site(siteId);
      const func = site === null ? "setInterval" : `setInterval in ${site.frame.func}`;
      scope = makeScope("root", null, "fork", time, { entry: this.#names.entry(func, site), task: null });
    }
    const due = kind === ResourceKind.Timeout ? time + delay * 1e6 : 0;
    const resource = makeResource(id, kind, scope, oneShot, due);
    if (!oneShot && kind !== ResourceKind.Interval) {
      this.#handles.set(id, resource);
      return;
    }
    this.#await(time, resource);
  }

  /** A timer begins anew. */
  refresh(time: number, id: number, delay: number): void {
    const old = this.get(id);
    // It has called back already: the running code asks for it anew.
    if (old === undefined && this.#running.base !== null)
      this.make(time, id, 0, ResourceKind.Timeout + 32 * delay);
    if (old?.kind !== ResourceKind.Timeout) return;
    this.#await(time, makeResource(id, old.kind, old.scope, true, time + delay * 1e6));
    old.clearedAt = time;
    this.#running.source(OpKind.SourceDone, time, old);
  }

  #await(time: number, resource: ResourceNode): void {
    const gone = this.#pending.set(resource.id, resource);
    if (gone !== null) for (const old of gone.values()) this.#finish(time, old);
    if (resource.oneShot) {
      resource.scope.refs++;
      this.#running.source(OpKind.SourceAdd, time, resource);
    }
    if (resource.due !== 0) this.#onTimer(resource);
  }

  /** `made`: what `then` and the like have made, where they were given what is called. */
  before(time: number, id: number, due: number, kind: number, made: PromiseNode | null): void {
    const running = this.#running;
    running.leaveLoose(time);
    // What is still on the stack then has lost its end.
    if (running.depth > 0 && OUTERMOST.has(kind)) running.popTo(0, time);
    if (running.depth === 0 && !isOfTurn(kind)) this.#endTurn(time);
    const resource = this.get(id);
    let scope: Scope;
    if (resource === undefined || kind === ResourceKind.Port) {
      scope = makeScope("root", null, "fork", time, { entry: callbackEntry(kind), task: null });
    } else {
      scope = makeScope("callback", resource.scope, "inline", time);
      resource.called = true;
      if (resource.calledAt === 0) resource.calledAt = time;
      if (this.#handles.delete(id)) this.#handles.set(id, resource);
    }
    // Node counts in whole milliseconds from the last one; the program means the time of its call.
    const meant = due === 0 ? 0 : Math.max(due, resource?.due ?? 0);
    const { queue } = running;
    // What handles a message was made by who has sent it.
    if (resource === undefined && running.codeTells && id >= 0) {
      this.#silentOp = queue.next;
      this.#silentRef = queue.nextRef;
      this.#silentSince = time;
    }
    running.enter(EntryKind.Resource, scope, id, time, made, meant, kind, null);
    if (resource?.kind === ResourceKind.Interval) running.hold(time, scope, kind);
  }

  after(time: number, id: number): void {
    const at = this.#running.find(EntryKind.Resource, id);
    if (at < 0) {
      this.#running.leaveLoose(time);
      return;
    }
    if (this.#isSilent(at, time)) {
      this.#running.forget(this.#silentOp, this.#silentRef);
      return;
    }
    if (this.#running.stack[at]!.kind === ResourceKind.Reaction) this.#handles.delete(id);
    const resource = this.#pending.get(id);
    // What calls back any number of times may yet settle it.
    const settles = resource?.oneShot === true ? resource.settles : null;
    if (settles !== null && !settles.settled && settles.followsAt === 0) settles.sourceUntil = time;
    // One that was refreshed meanwhile will call back once more.
    if (resource?.oneShot === true && resource.called) this.#finish(time, resource);
    this.#running.popTo(at, time);
  }

  /** The entry is the innermost and of unknown making, and nothing has been told since it began: Node's own, most likely. */
  #isSilent(at: number, time: number): boolean {
    const { queue, depth } = this.#running;
    return (
      at === depth - 1 &&
      ((this.#silentOp + 1) | 0) === queue.next &&
      time - this.#silentSince < SHOWN_NS &&
      queue.isYoung(this.#silentOp, time, this.#lookAhead)
    );
  }

  clearResource(time: number, id: number): void {
    const resource = this.#pending.get(id);
    if (resource === undefined) return;
    resource.clearedAt = time;
    this.#finish(time, resource);
  }

  /** It will not call back any more. */
  #finish(time: number, resource: ResourceNode): void {
    this.#pending.delete(resource.id);
    if (resource.oneShot) this.#running.source(OpKind.SourceDone, time, resource);
    else this.#running.push(OpKind.Release, time, resource.scope);
  }
}
