import { Fact, PromiseClass, ResourceKind, RootKind } from "../base/facts.ts";
import type { Frame } from "../wire/format.ts";
import { entryOf, makeScope } from "./graph.ts";
import type { PromiseNode, RegionNode, ResourceNode, Scope, Site, TaskNode } from "./graph.ts";
import { Op, OpKind } from "./ops.ts";

/**
 * Reads the facts of one event loop into operations.
 *
 * A turn is what runs between two visits of the loop to its sources: one callback with all microtasks and ticks that
 * follow it. Inside a turn a stack of entries mirrors what is running: a base entry for each callback or reaction,
 * above it the calls (async functions, regions, tasks) whose synchronous part is running.
 *
 * An async function's synchronous part ends in one of three ways: it suspends (its await is a fact; awaits match the
 * innermost running frame of the same function), its promise settles, or it returns another promise (no fact: it is
 * popped when an outer frame awaits or the turn ends). Whether it is a fork is known at the end of the turn: pending
 * and not directly awaited by its caller. One exception: the only such call of a callback that leaves the activation
 * nothing else to do is its continuation, not a fork (an async request handler is the request).
 */

/** Settled promises stay known for so many further ones, for late reactions. */
const SETTLED_KEPT = 20_000;
/** Pending promises and resources known at the most; the oldest are forgotten, which costs detail only. */
const NODES_KEPT = 1_000_000;

/** Frames without a beginning known at the most. */
const UNSTARTED_KEPT = 4_096;
/** Idle shorter than this is not worth two events. */
const MIN_IDLE_NS = 10_000;

const BASE_NONE = 0;
const BASE_RESOURCE = 1;
const BASE_REACTION = 2;
const BASE_BOOT = 3;
const BASE_TASK = 4;

interface Entry {
  readonly scope: Scope;
  readonly base: number;
  readonly id: number;
  readonly kind: number;
}

const ONE_SHOT: ReadonlySet<number> = new Set([
  ResourceKind.Timeout,
  ResourceKind.Immediate,
  ResourceKind.Tick,
  ResourceKind.Fs,
  ResourceKind.Dns,
  ResourceKind.Crypto,
  ResourceKind.Connect,
  ResourceKind.Child,
]);

const KIND_NAMES: readonly string[] = [
  "",
  "timer",
  "interval",
  "immediate",
  "tick",
  "fs",
  "dns",
  "crypto",
  "zlib",
  "network",
  "connect",
  "child process",
  "message",
  "async resource",
  "timer of node",
  "worker",
  "signal",
];

/** Name of the activation of a callback whose maker is not known or no longer alive. */
export function callbackEntry(kind: number): Frame {
  const name = KIND_NAMES[kind] ?? "";
  return { func: name === "" ? "callback" : `${name} callback`, file: "node", line: 1 };
}

export class TurnReader {
  readonly queue: Op[] = [];
  readonly root: Scope;
  /** Timers with a due time, for wakeups while the loop is busy. */
  readonly onTimer: (resource: ResourceNode) => void;
  lastFact: number;
  facts = 0;
  ended = false;
  dropped = 0;

  readonly #strings = new Map<number, string>();
  readonly #sites = new Map<number, Site>();
  readonly #promises = new Map<number, PromiseNode>();
  readonly #resources = new Map<number, ResourceNode>();
  readonly #roots = new Map<number, Scope>();
  readonly #calls = new Map<number, { scope: Scope; task: TaskNode | null }>();
  readonly #regions = new Map<number, RegionNode>();
  readonly #tasks = new Map<number, TaskNode>();
  readonly #settled: number[] = [];
  readonly #stack: Entry[] = [];
  readonly #notes: Op[] = [];
  /** Frames that returned without having suspended or ended, by function: their body may begin later. */
  readonly #unstarted = new Map<number, Scope>();
  readonly #newTask: (name: string) => TaskNode;
  #open: Scope[] = [];
  #text = "";
  #inTurn = true;
  /** The main script's own turn is over: the loop has been idle once. */
  #idled = false;

  constructor(options: {
    root: Scope;
    time: number;
    newTask: (name: string) => TaskNode;
    onTimer: (resource: ResourceNode) => void;
  }) {
    this.root = options.root;
    this.lastFact = options.time;
    this.#newTask = options.newTask;
    this.onTimer = options.onTimer;
    this.#stack.push({ scope: options.root, base: BASE_BOOT, id: 0, kind: 0 });
    this.#push(OpKind.Enter, options.time, options.root);
    this.#push(OpKind.Hold, options.time, options.root);
  }

  /** Whether code of the program is running as far as the facts tell. */
  get busy(): boolean {
    return this.#stack.length > 0;
  }

  get inTurn(): boolean {
    return this.#inTurn;
  }

  text(id: number, text: string): void {
    if (id === 0) this.#text = text;
    else this.#strings.set(id, text);
  }

  fact(kind: number, time: number, a: number, b: number, c: number): void {
    this.facts++;
    if (kind !== Fact.Gc && kind !== Fact.Site && time > this.lastFact) this.lastFact = time;
    switch (kind) {
      case Fact.Site:
        this.#site(a, b, c);
        return;
      case Fact.Promise:
        this.#promise(time, a, b, c);
        return;
      case Fact.ReactionBegin:
        this.#reactionBegin(time, a);
        return;
      case Fact.ReactionEnd:
        this.#reactionEnd(time, a);
        return;
      case Fact.Settle:
        this.#settle(time, a);
        return;
      case Fact.Before:
        this.#before(time, a, b, c);
        return;
      case Fact.After:
        this.#after(time, a);
        return;
      case Fact.Init:
        this.#init(time, a, b, c);
        return;
      case Fact.Clear:
        this.#clear(time, a);
        return;
      case Fact.Link: {
        const resource = this.#resources.get(a);
        const promise = this.#promises.get(b);
        if (resource !== undefined && promise !== undefined) promise.source = resource.kind;
        return;
      }
      case Fact.Root:
        this.#rootBegin(time, a, b, c);
        return;
      case Fact.Release: {
        const scope = this.#roots.get(a);
        if (scope !== undefined) this.#push(OpKind.Release, time, scope);
        this.#roots.delete(a);
        return;
      }
      case Fact.Gap:
        this.#gap(time, a);
        return;
      case Fact.Idle:
        this.endTurn(time - a);
        if (a >= MIN_IDLE_NS) this.#push(OpKind.Idle, time - a, null);
        if (!this.#idled) this.#push(OpKind.Release, time - a, this.root);
        this.#idled = true;
        if (a >= MIN_IDLE_NS) this.#push(OpKind.Awake, time, null);
        return;
      case Fact.Gc: {
        const op = new Op(OpKind.Gc, time, null);
        op.end = time + a;
        op.value = c;
        this.#insert(op);
        return;
      }
      case Fact.Heap: {
        const op = this.#push(OpKind.Heap, time, null);
        op.end = a;
        op.value = b;
        return;
      }
      case Fact.LoopEnd:
        this.end(time);
        return;
      default:
        this.#annotation(kind, time, a, b, c);
    }
  }

  /** The turn is over at `time`: what is still open is decided. */
  endTurn(time: number): void {
    this.#popTo(0, time);
    this.#decide();
    if (this.#inTurn) this.#push(OpKind.TurnEnd, time, null);
    this.#inTurn = false;
  }

  /** Decisions open since before `horizon` are taken as forks: legal whichever way they end. */
  force(horizon: number): void {
    if (this.#open.length === 0 || this.#open[0]!.since > horizon) return;
    for (const scope of this.#open) {
      if (scope.decision === "open" && scope.since <= horizon) this.#fork(scope);
    }
    this.#open = this.#open.filter((scope) => scope.decision === "open");
  }

  /** A JSON message for the reserved category, on what runs at `time`. */
  note(time: number, json: string): void {
    const op = new Op(OpKind.Log, time, null);
    op.text = "runtrace";
    op.message = json;
    this.#notes.push(op);
  }

  /** Puts the notes up to `time` where they belong; every fact up to then has been read. */
  placeNotes(time: number): void {
    let kept = 0;
    for (const note of this.#notes) {
      if (note.time <= time) this.#insert(note);
      else this.#notes[kept++] = note;
    }
    this.#notes.length = kept;
  }

  /** The loop ended at `time`, whether or not it said so. */
  end(time: number): void {
    if (this.ended) return;
    this.ended = true;
    this.endTurn(time);
    this.#push(OpKind.LoopEnd, time, null);
  }

  #push(kind: number, time: number, scope: Scope | null): Op {
    const op = new Op(kind, time, scope);
    this.queue.push(op);
    return op;
  }

  /** Puts an operation that became known late where its time belongs. */
  #insert(op: Op): void {
    let at = this.queue.length;
    while (at > 0 && this.queue[at - 1]!.time > op.time) at--;
    this.queue.splice(at, 0, op);
  }

  #top(): Scope {
    const entry = this.#stack[this.#stack.length - 1];
    return entry === undefined ? this.root : entry.scope;
  }

  /** Ends every entry at and above `depth`: the calls among them return to their callers. */
  #popTo(depth: number, time: number): void {
    while (this.#stack.length > depth) {
      const entry = this.#stack.pop()!;
      if (entry.base === BASE_NONE) {
        const { scope } = entry;
        if (scope.kind === "frame" && !scope.started && !scope.ended) {
          this.#unstarted.set(scope.fn, scope);
          if (this.#unstarted.size > UNSTARTED_KEPT) forgetOldest(this.#unstarted);
        }
        scope.calling = false;
        this.#push(OpKind.CallEnd, time, entry.scope);
      } else if (entry.base !== BASE_TASK) {
        this.#push(OpKind.Leave, time, entry.scope);
      }
    }
  }

  #baseIndex(): number {
    let at = this.#stack.length - 1;
    while (at > 0 && (this.#stack[at]!.base === BASE_NONE || this.#stack[at]!.base === BASE_TASK)) at--;
    return Math.max(at, 0);
  }

  #leaveBoot(time: number): void {
    if (this.#stack[0]?.base === BASE_BOOT) this.#popTo(0, time);
  }

  #site(a: number, b: number, c: number): void {
    const id = a % 67_108_864;
    const func = this.#strings.get(b % 67_108_864) ?? "(anonymous)";
    const file = this.#strings.get(Math.floor(b / 67_108_864)) ?? "";
    this.#sites.set(id, {
      frame: { func, file: file === "" ? "node" : file, line: c || 1 },
      fn: Math.floor(a / 67_108_864),
    });
  }

  // Decisions.

  #decide(): void {
    if (this.#open.length === 0) return;
    const waiting = new Map<Scope, number>();
    for (const scope of this.#open) {
      const caller = callerOf(scope);
      if (scope.decision === "open" && !scope.ended && caller !== null) {
        waiting.set(caller, (waiting.get(caller) ?? 0) + 1);
      }
    }
    for (const scope of this.#open) {
      if (scope.decision !== "open") continue;
      if (scope.ended) {
        scope.decision = "inline";
        continue;
      }
      const caller = callerOf(scope);
      const entry = caller === null ? null : entryOf(caller);
      const alone = caller !== null && caller.kind !== "frame" && waiting.get(caller) === 1;
      if (scope.kind === "frame" && alone && entry !== null && entry.openFrames === 0) {
        scope.decision = "inline";
        scope.adopted = true;
        entry.openFrames++;
      } else {
        this.#fork(scope);
      }
    }
    this.#open = [];
  }

  #fork(scope: Scope): void {
    scope.decision = "fork";
    if (scope.kind === "frame") scope.openFrames = 1;
  }

  // Promises and frames.

  #promise(time: number, id: number, parentId: number, c: number): void {
    const cls = c & 15;
    const site = this.#sites.get(c >>> 4) ?? null;
    const parent = parentId === 0 ? null : (this.#promises.get(parentId) ?? null);
    if (cls === PromiseClass.Call) {
      const entry = site?.frame ?? callbackEntry(0);
      // Node's own async functions run in the activation that called them, however they are joined.
      const decision = isNodes(entry) ? "inline" : "open";
      const scope = makeScope("frame", this.#top(), decision, time, { entry, fn: site?.fn ?? 0, site });
      const node = this.#node(id, cls, scope, null);
      scope.promise = node;
      if (decision === "open") this.#open.push(scope);
      this.#stack.push({ scope, base: BASE_NONE, id: 0, kind: 0 });
      this.#inTurn = true;
      this.#push(OpKind.Call, time, scope);
      return;
    }
    if (cls === PromiseClass.Await && site !== null && this.#await(time, id, parent, site)) return;
    const node = this.#node(id, cls, this.#top(), parent);
    if (parentId === 0) return;
    if (parent !== null) this.#tail(node, parent, time);
    this.#push(OpKind.Add, time, node.scope).node = node;
    if (parent === null) return;
    if (parent.settled) this.#push(OpKind.Ready, time, node.scope);
    else (parent.reactions ??= []).push(node);
  }

  /** The innermost running frame of the site's function suspends. False where there is none. */
  #await(time: number, id: number, parent: PromiseNode | null, site: Site): boolean {
    const base = this.#baseIndex();
    let at = this.#stack.length - 1;
    while (at >= base && !(this.#stack[at]!.scope.kind === "frame" && this.#stack[at]!.scope.fn === site.fn))
      at--;
    if (at < base || this.#stack.length === 0) return this.#awaitLate(time, id, parent, site);
    const frame = this.#stack[at]!.scope;
    if (parent !== null && parent === frame.promise) {
      // Awaiting what is no promise: the engine wraps it first, naming the frame's own promise as parent.
      this.#node(id, PromiseClass.Native, frame, null);
      return true;
    }
    this.#popTo(at + 1, time);
    if (parent !== null) joined(parent, frame);
    this.#suspend(time, id, frame, parent, site);
    if (this.#stack[at]!.base === BASE_NONE) this.#popTo(at, time);
    return true;
  }

  /** A frame whose body began after its promise was made (a module with top-level await) suspends. */
  #awaitLate(time: number, id: number, parent: PromiseNode | null, site: Site): boolean {
    const frame = this.#unstarted.get(site.fn);
    if (frame === undefined || frame.ended || this.#stack.length === 0) return false;
    this.#unstarted.delete(site.fn);
    const base = this.#baseIndex();
    this.#popTo(base + 1, time);
    if (parent !== null) joined(parent, this.#stack[base]!.scope);
    this.#suspend(time, id, frame, parent, site);
    return true;
  }

  #suspend(time: number, id: number, frame: Scope, parent: PromiseNode | null, site: Site): void {
    const node = this.#node(id, PromiseClass.Await, frame, parent);
    node.frame = frame;
    frame.site = site;
    frame.started = true;
    this.#push(OpKind.Suspend, time, frame).node = node;
    if (parent === null) return;
    if (parent.settled) this.#push(OpKind.Ready, time, frame).node = node;
    else (parent.reactions ??= []).push(node);
  }

  /** The engine follows a promise that an async function returned: the function waits for it as its last act. */
  #tail(node: PromiseNode, parent: PromiseNode, time: number): void {
    const base = this.#stack[this.#baseIndex()];
    if (base === undefined || base.base !== BASE_REACTION) return;
    const follower = this.#promises.get(base.id);
    if (follower === undefined || follower.cls !== PromiseClass.Call || follower.settled) return;
    joined(parent, follower.scope);
    this.#unstarted.delete(follower.scope.fn);
    this.#push(OpKind.Suspend, time, follower.scope).node = node;
  }

  #node(id: number, cls: number, scope: Scope, parent: PromiseNode | null): PromiseNode {
    const node: PromiseNode = {
      id,
      cls,
      scope,
      parent,
      settled: false,
      settledBy: null,
      settledKind: 0,
      source: 0,
      reactions: null,
      frame: null,
      closes: 0,
      awaited: false,
      counted: null,
    };
    this.#promises.set(id, node);
    if (this.#promises.size > NODES_KEPT) forgetOldest(this.#promises);
    return node;
  }

  #settle(time: number, id: number): void {
    const node = this.#promises.get(id);
    if (node === undefined || node.settled) return;
    node.settled = true;
    const base = this.#stack[this.#baseIndex()];
    node.settledBy = this.#stack.length === 0 ? null : this.#top();
    node.settledKind = base === undefined || base.base !== BASE_RESOURCE ? 0 : base.kind;
    if (node.cls === PromiseClass.Call) {
      const frame = node.scope;
      frame.ended = true;
      if (this.#unstarted.get(frame.fn) === frame) this.#unstarted.delete(frame.fn);
      if (frame.adopted) {
        const entry = entryOf(frame);
        if (entry !== null && entry.openFrames > 0) entry.openFrames--;
      }
      if (frame.decision === "open") frame.decision = "inline";
      this.#push(OpKind.FrameEnd, time, frame);
    }
    if (node.reactions !== null) {
      for (const reaction of node.reactions) {
        this.#push(OpKind.Ready, time, reaction.frame ?? reaction.scope).node = reaction;
      }
      node.reactions = null;
    }
    const call = this.#calls.get(node.closes);
    if (call !== undefined) {
      this.#close(time, node.closes, call);
      this.#push(OpKind.Done, time, call.scope);
    }
    if (node.cls === PromiseClass.Call) {
      const at = this.#stack.findLastIndex((entry) => entry.scope === node.scope && entry.base === BASE_NONE);
      if (at >= 0) this.#popTo(at, time);
    }
    this.#settled.push(id);
    if (this.#settled.length > 2 * SETTLED_KEPT) {
      for (const old of this.#settled.splice(0, SETTLED_KEPT)) this.#promises.delete(old);
    }
  }

  #reactionBegin(time: number, id: number): void {
    this.#leaveBoot(time);
    this.#inTurn = true;
    const node = this.#promises.get(id);
    const scope = node?.frame ?? makeScope("callback", node?.scope ?? this.root, "inline", time);
    this.#stack.push({ scope, base: BASE_REACTION, id, kind: 0 });
    this.#push(OpKind.Enter, time, scope).node = node ?? null;
  }

  #reactionEnd(time: number, id: number): void {
    const at = this.#stack.findLastIndex((entry) => entry.base === BASE_REACTION && entry.id === id);
    if (at < 0) {
      this.#leaveBoot(time);
      return;
    }
    const node = this.#promises.get(id);
    if (node !== undefined && node.parent !== null && node.frame === null) {
      this.#push(OpKind.Done, time, node.scope).node = node;
    }
    if (node?.frame != null) this.#promises.delete(id);
    this.#popTo(at, time);
  }

  // Resources.

  #before(time: number, id: number, due: number, kind: number): void {
    this.#leaveBoot(time);
    if (this.#stack.length === 0 && kind !== ResourceKind.Tick && kind !== ResourceKind.User)
      this.endTurn(time);
    this.#inTurn = true;
    const resource = this.#resources.get(id);
    let scope: Scope;
    if (resource === undefined || kind === ResourceKind.Port) {
      scope = makeScope("root", null, "fork", time, { entry: callbackEntry(kind), task: null });
    } else {
      scope = makeScope("callback", resource.scope, "inline", time);
      if (!resource.oneShot) {
        this.#resources.delete(id);
        this.#resources.set(id, resource);
      }
    }
    this.#stack.push({ scope, base: BASE_RESOURCE, id, kind });
    const op = this.#push(OpKind.Enter, time, scope);
    op.resource = resource ?? null;
    // Node counts in whole milliseconds from the last one; the program means the time of its call.
    op.end = due === 0 ? 0 : Math.max(due, resource?.due ?? 0);
    op.value = kind;
    if (resource?.kind === ResourceKind.Interval && !resource.done) this.#push(OpKind.Hold, time, scope);
  }

  #after(time: number, id: number): void {
    const at = this.#stack.findLastIndex((entry) => entry.base === BASE_RESOURCE && entry.id === id);
    if (at < 0) {
      this.#leaveBoot(time);
      return;
    }
    const resource = this.#resources.get(id);
    if (resource !== undefined && resource.oneShot && !resource.done) this.#finish(time, resource);
    this.#popTo(at, time);
  }

  #init(time: number, id: number, siteId: number, c: number): void {
    const kind = c & 31;
    const delay = c >>> 5;
    const site = this.#sites.get(siteId) ?? null;
    let scope = this.#top();
    if (kind === ResourceKind.Interval) {
      const func = site === null ? "setInterval" : `setInterval in ${site.frame.func}`;
      const entry = { func, file: site?.frame.file ?? "node", line: site?.frame.line ?? 1 };
      scope = makeScope("root", null, "fork", time, { entry, task: null });
    }
    const resource: ResourceNode = {
      id,
      kind,
      scope,
      site,
      oneShot: ONE_SHOT.has(kind),
      due: kind === ResourceKind.Timeout ? time + delay * 1e6 : 0,
      done: false,
    };
    this.#resources.set(id, resource);
    if (this.#resources.size > NODES_KEPT) forgetOldest(this.#resources);
    if (!resource.oneShot) return;
    this.#push(OpKind.SourceAdd, time, scope).resource = resource;
    if (kind === ResourceKind.Tick || kind === ResourceKind.Immediate) this.#push(OpKind.Ready, time, scope);
    else if (resource.due !== 0) this.onTimer(resource);
  }

  #clear(time: number, id: number): void {
    const resource = this.#resources.get(id);
    if (resource === undefined || resource.done) return;
    if (resource.kind === ResourceKind.Interval) {
      resource.done = true;
      this.#resources.delete(id);
      this.#push(OpKind.Release, time, resource.scope);
    } else if (resource.oneShot) {
      this.#finish(time, resource).value = 1;
    }
  }

  /** A one-shot resource is done; the operation's value is 1 where it was cleared. */
  #finish(time: number, resource: ResourceNode): Op {
    resource.done = true;
    this.#resources.delete(resource.id);
    const op = this.#push(OpKind.SourceDone, time, resource.scope);
    op.resource = resource;
    return op;
  }

  // Roots, calls and annotations.

  #rootBegin(time: number, id: number, name: number, kind: number): void {
    const base = this.#baseIndex();
    const outer = this.#stack.findIndex((entry, at) => at > base && entry.scope.kind === "root");
    if (outer > 0) this.#popTo(outer, time);
    const entry = { func: this.#strings.get(name) ?? "root", file: "node", line: 1 };
    const scope = makeScope("root", null, "fork", time, { entry, task: null });
    this.#stack.push({ scope, base: BASE_NONE, id: 0, kind: 0 });
    this.#inTurn = true;
    this.#push(OpKind.Call, time, scope);
    if (kind === RootKind.Request || kind === RootKind.Connection) {
      this.#roots.set(id, scope);
      this.#push(OpKind.Hold, time, scope);
    }
  }

  #callBegin(time: number, kind: number, id: number, name: string, site: Site | null): void {
    const outer = this.#top();
    const task = kind === Fact.TaskCall ? this.#newTask(name) : null;
    const region = kind === Fact.RegionCall ? { name, task: outer.task, owner: null, ended: false } : null;
    const entry = { func: name, file: site?.frame.file ?? "node", line: site?.frame.line ?? 1 };
    const scope = makeScope("call", outer, kind === Fact.Go ? "fork" : "open", time, {
      entry,
      region,
      site,
      task: task ?? outer.task,
    });
    if (scope.decision === "open") this.#open.push(scope);
    this.#calls.set(id, { scope, task });
    if (task !== null) this.#tasks.set(id, task);
    this.#stack.push({ scope, base: BASE_NONE, id, kind: 0 });
    this.#inTurn = true;
    this.#push(OpKind.Call, time, scope);
    if (region !== null) {
      const op = this.#push(OpKind.RegionBegin, time, scope);
      op.region = region;
      op.site = site;
    }
    if (task !== null) {
      const op = this.#push(OpKind.TaskBegin, time, scope);
      op.task = task;
      op.parentTask = outer.task;
      op.site = site;
    }
  }

  #callReturn(time: number, id: number, promiseId: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const at = this.#stack.findLastIndex((entry) => entry.scope === call.scope);
    if (at >= 0) this.#popTo(at + 1, time);
    const node = promiseId === 0 ? undefined : this.#promises.get(promiseId);
    if (node !== undefined && !node.settled && node.closes === 0) {
      if (call.scope.decision === "open") this.#fork(call.scope);
      node.closes = id;
      this.#push(OpKind.Add, time, call.scope);
    } else {
      if (call.scope.decision === "open") call.scope.decision = "inline";
      this.#close(time, id, call);
    }
    if (at >= 0) this.#popTo(at, time);
  }

  #close(time: number, id: number, call: { scope: Scope; task: TaskNode | null }): void {
    this.#calls.delete(id);
    if (call.scope.region !== null) this.#push(OpKind.RegionEnd, time, call.scope).region = call.scope.region;
    if (call.task !== null) {
      this.#push(OpKind.TaskEnd, time, call.scope).task = call.task;
      this.#tasks.delete(id);
    }
  }

  #annotation(kind: number, time: number, a: number, b: number, c: number): void {
    const site = this.#sites.get(c) ?? null;
    switch (kind) {
      case Fact.Go:
      case Fact.RegionCall:
      case Fact.TaskCall:
        this.#callBegin(time, kind, a, this.#strings.get(b) ?? "", site);
        return;
      case Fact.Return:
        this.#callReturn(time, a, b);
        return;
      case Fact.RegionBegin: {
        const scope = this.#top();
        const region = { name: this.#strings.get(b) ?? "", task: scope.task, owner: null, ended: false };
        this.#regions.set(a, region);
        const op = this.#push(OpKind.RegionBegin, time, scope);
        op.region = region;
        op.site = site;
        return;
      }
      case Fact.RegionEnd: {
        const region = this.#regions.get(a);
        if (region === undefined) return;
        this.#regions.delete(a);
        this.#push(OpKind.RegionEnd, time, this.#top()).region = region;
        return;
      }
      case Fact.TaskBegin: {
        const scope = this.#top();
        const task = this.#newTask(this.#strings.get(b) ?? "");
        this.#tasks.set(a, task);
        const op = this.#push(OpKind.TaskBegin, time, scope);
        op.task = task;
        op.parentTask = scope.task;
        op.site = site;
        return;
      }
      case Fact.TaskEnd: {
        const task = this.#tasks.get(a);
        if (task === undefined) return;
        this.#tasks.delete(a);
        this.#push(OpKind.TaskEnd, time, this.#top()).task = task;
        return;
      }
      case Fact.TaskEnter: {
        const task = this.#tasks.get(a) ?? this.#top().task;
        const scope = makeScope("callback", this.#top(), "inline", time, { task });
        this.#stack.push({ scope, base: BASE_TASK, id: a, kind: 0 });
        return;
      }
      case Fact.TaskExit: {
        const at = this.#stack.findLastIndex((entry) => entry.base === BASE_TASK && entry.id === a);
        if (at >= 0) this.#popTo(at, time);
        return;
      }
      case Fact.Log:
      case Fact.Note: {
        const op = this.#push(OpKind.Log, time, kind === Fact.Log ? this.#top() : null);
        op.text = kind === Fact.Log ? (this.#strings.get(a) ?? "") : "runtrace";
        op.message = this.#text;
        op.site = site;
        this.#text = "";
        return;
      }
      case Fact.SyscallBegin:
        this.#push(OpKind.SyscallBegin, time, this.#top()).site = site;
        return;
      case Fact.SyscallEnd:
        this.#push(OpKind.SyscallEnd, time, this.#top());
        return;
      case Fact.WorkerStart: {
        const op = this.#push(OpKind.WorkerStart, time, this.#top());
        op.end = a;
        op.site = site;
        return;
      }
      default:
    }
  }

  #gap(time: number, lost: number): void {
    this.dropped += lost;
    this.endTurn(time);
    for (const map of [this.#promises, this.#resources, this.#roots, this.#calls, this.#regions]) map.clear();
    this.#push(OpKind.Reset, time, null);
  }
}

/** The caller awaits the call directly: no fork. */
function joined(promise: PromiseNode, caller: Scope): void {
  if (promise.cls !== PromiseClass.Call) return;
  const callee = promise.scope;
  if (callee.parent !== caller || callee.decision !== "open") return;
  callee.decision = "inline";
  promise.awaited = true;
}

function isNodes(entry: Frame): boolean {
  return entry.file.startsWith("node:");
}

/** Who called, past Node's own async functions: a module body called by the loader is the main script's. */
function callerOf(scope: Scope): Scope | null {
  let at = scope.parent;
  while (at !== null && at.kind === "frame" && isNodes(at.entry)) at = at.parent;
  return at;
}

function forgetOldest(map: Map<number, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
