import { Fact, OUTSIDE, ResourceKind, RootKind, HANDLED } from "../base/facts.ts";
import { RecentMap } from "../base/recent-map.ts";
import type { Decisions } from "./decisions.ts";
import { makeScope } from "./scopes.ts";
import type { RegionNode, Site, TaskNode } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import type { Names } from "./names.ts";
import { OpKind } from "./ops.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";

/** Roots, regions and tasks known at the most that were begun and not ended; the oldest are forgotten. */
const OPEN_KEPT = 100_000;

interface OpenCall {
  readonly scope: Scope;
  readonly task: TaskNode | null;
  /** It has returned a promise, which is pending. */
  isPending: boolean;
  /** It waits for something outside, as Hold and Release say. */
  isHeld: boolean;
  /** Id of the call before it that ends with the same promise, or 0. */
  before: number;
}

/** A promise, or the frame whose promise it is. */
export interface Pending {
  readonly settled: boolean;
  /** Id of the latest call (region, task, go) that ends when it settles, or 0. */
  closes: number;
}

/** Roots, the calls of withRegion, withTask and go, and annotations. */
export class CallReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #decisions: Decisions;
  readonly #promise: (id: number) => Pending | undefined;
  readonly #sourceOf: (id: number) => number;
  readonly #follow: (time: number, scope: Scope, id: number) => void;
  readonly #newTask: (name: string) => TaskNode;
  readonly #lookAhead: number;
  readonly #roots = new RecentMap<Scope>(1024, OPEN_KEPT);
  /** Calls that have not returned, or whose promise is pending: bounded by the stack and the pending promises. */
  readonly #calls = new Map<number, OpenCall>();
  readonly #regions = new RecentMap<RegionNode>(1024, OPEN_KEPT);
  readonly #tasks = new RecentMap<TaskNode>(1024, OPEN_KEPT);
  /** Text of the next log or note. */
  #text = "";

  constructor(
    running: Running,
    names: Names,
    decisions: Decisions,
    promise: (id: number) => Pending | undefined,
    sourceOf: (id: number) => number,
    follow: (time: number, scope: Scope, id: number) => void,
    newTask: (name: string) => TaskNode,
    lookAhead: number,
  ) {
    this.#running = running;
    this.#names = names;
    this.#decisions = decisions;
    this.#promise = promise;
    this.#sourceOf = sourceOf;
    this.#follow = follow;
    this.#newTask = newTask;
    this.#lookAhead = lookAhead;
  }

  get size(): number {
    return this.#roots.size + this.#calls.size + this.#regions.size + this.#tasks.size;
  }

  text(text: string): void {
    this.#text = text;
  }

  /** Forgets what facts that were lost may have ended. */
  clear(): void {
    this.#roots.clear();
    this.#calls.clear();
    this.#regions.clear();
  }

  /**
   * A root takes over the callback that runs. Another root of the same callback is done with it. A server's, of whose
   * callback nothing else tells, is all that is known to run.
   */
  root(time: number, id: number, name: number, kind: number): void {
    const running = this.#running;
    const of = kind < 2 * HANDLED ? kind % HANDLED : RootKind.Main;
    const isHandled = kind >= HANDLED && kind < 2 * HANDLED;
    const isServers = of === RootKind.Request || of === RootKind.Connection;
    if (isHandled && running.base?.what === EntryKind.Handler) running.popTo(0, time);
    if (isServers && running.base?.what === EntryKind.Loose) running.leaveLoose(time);
    const entry = this.#names.entry(this.#names.string(name, "root"), null);
    const scope = makeScope("root", null, "fork", time, { entry, task: null });
    if (isServers && running.depth === 0) {
      const what = isHandled ? EntryKind.Handler : EntryKind.Loose;
      running.enter(what, scope, id, time, null, 0, 0, null);
    } else {
      running.ensureBase(time);
      const { stack } = running;
      let other = stack[running.depth - 1]!.baseAt + 1;
      while (other < running.depth && stack[other]!.scope.kind !== "root") other++;
      running.popTo(other, time);
      running.call(EntryKind.Call, scope, id, time);
    }
    if (isServers) this.#hold(time, id, scope);
  }

  /** The root lives until it is released. */
  #hold(time: number, id: number, scope: Scope): void {
    this.#running.hold(time, scope, ResourceKind.Net);
    const gone = this.#roots.set(id, scope);
    if (gone !== null) for (const old of gone.values()) this.#release(time, old, "");
  }

  release(time: number, id: number, message: string): void {
    const scope = this.#roots.get(id);
    if (scope === undefined) return;
    this.#roots.delete(id);
    this.#release(time, scope, message);
  }

  #release(time: number, scope: Scope, message: string): void {
    const running = this.#running;
    if (scope.task === null && scope.region === null) running.push(OpKind.Release, time, scope);
    else running.annotate(time, { what: "root-end", end: { scope, message } });
  }

  /** The task of a root, which ends with it. What has begun in the root before is in no task. */
  rootTask(time: number, id: number, name: string): void {
    const scope = this.#roots.get(id);
    if (scope === undefined || scope.task !== null || scope.region !== null) return;
    this.#running.ensureBase(time);
    const task = this.#newTask(name);
    task.since = time;
    scope.task = task;
    this.#running.annotate(time, { what: "task-begin", task, parent: null, site: null });
  }

  /**
   * A root's task is called otherwise. Where it began longer ago than the look-ahead its beginning may have been written,
   * and whether it has must not make a difference.
   */
  taskName(time: number, id: number, name: string): void {
    const task = id === 0 ? this.#running.innermost.task : this.#roots.get(id)?.task;
    if (task != null && task.since >= 0 && time - task.since < this.#lookAhead) task.name = name;
  }

  /** An activation of its own for what the running code has asked for: it waits, and runs nothing. */
  outgoing(time: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const outer = running.top;
    const region = { name, task: outer.task, owner: null, ended: false };
    const scope = makeScope("call", outer, "fork", time, {
      entry: this.#names.entry(name, site),
      region,
      site,
    });
    running.call(EntryKind.Call, scope, id, time);
    running.annotate(time, { what: "region-begin", region, site });
    this.#hold(time, id, scope);
    running.popTo(running.depth - 1, time);
  }

  /** Go, RegionCall or TaskCall. */
  call(time: number, kind: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const outer = running.top;
    const task = kind === Fact.TaskCall ? this.#newTask(name) : null;
    const region = kind === Fact.RegionCall ? { name, task: outer.task, owner: null, ended: false } : null;
    const scope = makeScope("call", outer, kind === Fact.Go ? "fork" : "open", time, {
      entry: this.#names.entry(name, site),
      region,
      site,
      task: task ?? outer.task,
    });
    if (scope.decision === "open") this.#decisions.add(scope);
    this.#calls.set(id, { scope, task, isPending: false, isHeld: false, before: 0 });
    running.call(EntryKind.Call, scope, id, time);
    if (region !== null) running.annotate(time, { what: "region-begin", region, site });
    if (task !== null) running.annotate(time, { what: "task-begin", task, parent: outer.task, site });
  }

  /** Its function returned, with a promise or not. */
  return(time: number, id: number, promiseId: number): void {
    const call = this.#calls.get(id);
    const running = this.#running;
    if (call === undefined) {
      // A root's: its handler returned.
      const nested = running.find(EntryKind.Call, id);
      const place = nested >= 0 ? nested : running.find(EntryKind.Handler, id);
      if (place >= 0) running.popTo(place, time);
      return;
    }
    if (call.isPending) return;
    const { scope } = call;
    const at = running.findCall(scope);
    if (at >= 0) running.popTo(at + 1, time);
    const promise = promiseId === 0 ? undefined : this.#promise(promiseId);
    if (promise !== undefined && !promise.settled) {
      if (scope.decision === "open") this.#decisions.fork(scope);
      call.isPending = true;
      call.before = promise.closes;
      promise.closes = id;
      const source = this.#sourceOf(promiseId);
      call.isHeld = source !== 0;
      if (call.isHeld) running.hold(time, scope, source);
      else running.count(OpKind.Add, time, scope, null);
      this.#follow(time, scope, promiseId);
    } else {
      if (scope.decision === "open") this.#decisions.inline(scope);
      this.#close(time, id, call);
    }
    if (at >= 0) running.popTo(at, time);
  }

  /** The promise that the call returned has settled; so did those of the calls before it, and the first ends first. */
  promiseSettled(time: number, id: number): void {
    const ids: number[] = [];
    for (let at = id; at !== 0; at = this.#calls.get(at)?.before ?? 0) ids.push(at);
    for (let i = ids.length - 1; i >= 0; i--) {
      const call = this.#calls.get(ids[i]!);
      if (call === undefined) continue;
      this.#close(time, ids[i]!, call);
      if (call.isHeld) this.#running.push(OpKind.Release, time, call.scope);
      else this.#running.count(OpKind.Done, time, call.scope, null);
    }
  }

  #close(time: number, id: number, { scope, task }: OpenCall): void {
    this.#calls.delete(id);
    const { region } = scope;
    if (region !== null) this.#running.annotate(time, { what: "region-end", region, explicit: false });
    if (task !== null) this.#running.annotate(time, { what: "task-end", task });
  }

  regionBegin(time: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const { task } = running.innermost;
    const region = { name, task, owner: null, ended: false };
    const gone = this.#regions.set(id, region);
    if (gone !== null) for (const old of gone.values()) this.#endRegion(time, old, true);
    running.annotate(time, { what: "region-begin", region, site });
  }

  regionEnd(time: number, id: number, explicit: boolean): void {
    const region = this.#regions.get(id);
    if (region === undefined) return;
    this.#regions.delete(id);
    this.#running.ensureBase(time);
    this.#endRegion(time, region, explicit);
  }

  #endRegion(time: number, region: RegionNode, explicit: boolean): void {
    this.#running.annotate(time, { what: "region-end", region, explicit });
  }

  taskBegin(time: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const parent = running.innermost.task;
    const task = this.#newTask(name);
    const gone = this.#tasks.set(id, task);
    if (gone !== null) for (const old of gone.values()) this.#endTask(time, old);
    running.annotate(time, { what: "task-begin", task, parent, site });
  }

  taskEnd(time: number, id: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    this.#running.ensureBase(time);
    this.#endTask(time, task);
  }

  #endTask(time: number, task: TaskNode): void {
    this.#running.annotate(time, { what: "task-end", task });
  }

  taskEnter(time: number, id: number): void {
    const running = this.#running;
    running.ensureBase(time);
    const outer = running.top;
    const task = id === OUTSIDE ? null : (this.#tasks.get(id) ?? outer.task);
    running.call(EntryKind.Task, makeScope("callback", outer, "inline", time, { task }), id, time);
  }

  taskExit(time: number, id: number): void {
    const at = this.#running.find(EntryKind.Task, id);
    if (at >= 0) this.#running.popTo(at, time);
  }

  log(time: number, category: string, site: Site | null): void {
    this.#running.ensureBase(time);
    const { task } = this.#running.innermost;
    this.#running.annotate(time, { what: "log", task, category, message: this.#text, site });
    this.#text = "";
  }

  /** A message of the reserved category, on what runs or will run next. */
  note(time: number): void {
    this.#running.annotate(time, { what: "note", message: this.#text });
    this.#text = "";
  }

  syscallBegin(time: number, site: Site | null): void {
    this.#running.ensureBase(time);
    this.#running.annotate(time, { what: "syscall-begin", site });
  }

  syscallEnd(time: number): void {
    this.#running.annotate(time, { what: "syscall-end" });
  }

  send(time: number, key: number, site: Site | null): void {
    this.#running.ensureBase(time);
    this.#running.annotate(time, { what: "send", key, site });
  }

  taken(time: number, key: number): void {
    this.#running.ensureBase(time);
    this.#running.annotate(time, { what: "taken", key });
  }

  workerStart(time: number, threadId: number, site: Site | null): void {
    this.#running.ensureBase(time);
    this.#running.annotate(time, { what: "worker-start", threadId, site });
  }
}
