import { Fact, ResourceKind, RootKind } from "../base/facts.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Decisions } from "./decisions.ts";
import { makeScope } from "./graph.ts";
import type { PromiseNode, RegionNode, Scope, Site, TaskNode } from "./graph.ts";
import { entryAt } from "./names.ts";
import type { Names } from "./names.ts";
import { OpKind, RESERVED_CATEGORY } from "./ops.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";

/** Roots, regions and tasks known at the most that were begun and not ended; the oldest are forgotten. */
const OPEN_KEPT = 100_000;

interface OpenCall {
  readonly scope: Scope;
  readonly task: TaskNode | null;
}

/** Roots, the calls of withRegion, withTask and go, and annotations. */
export class CallReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #decisions: Decisions;
  readonly #promise: (id: number) => PromiseNode | undefined;
  readonly #newTask: (name: string) => TaskNode;
  readonly #roots = new BoundedMap<Scope>(OPEN_KEPT);
  /** Calls that have not returned, or whose promise is pending: bounded by the stack and the pending promises. */
  readonly #calls = new Map<number, OpenCall>();
  readonly #regions = new BoundedMap<RegionNode>(OPEN_KEPT);
  readonly #tasks = new BoundedMap<TaskNode>(OPEN_KEPT);
  /** Text of the next log or note. */
  #text = "";

  constructor(
    running: Running,
    names: Names,
    decisions: Decisions,
    promise: (id: number) => PromiseNode | undefined,
    newTask: (name: string) => TaskNode,
  ) {
    this.#running = running;
    this.#names = names;
    this.#decisions = decisions;
    this.#promise = promise;
    this.#newTask = newTask;
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

  /** A root takes over the callback that runs. Another root of the same callback is done with it. */
  root(time: number, id: number, name: number, kind: number): void {
    const running = this.#running;
    running.ensureBase(time);
    const { baseAt } = running.stack.at(-1)!;
    const other = running.stack.findIndex(({ scope }, at) => at > baseAt && scope.kind === "root");
    if (other > 0) running.popTo(other, time);
    const entry = entryAt(this.#names.string(name, "root"), null);
    const scope = makeScope("root", null, "fork", time, { entry, task: null });
    running.call(EntryKind.Call, scope, 0, time);
    if (kind !== RootKind.Request && kind !== RootKind.Connection) return;
    running.push(OpKind.Hold, time, scope).value = ResourceKind.Net;
    const gone = this.#roots.set(id, scope);
    if (gone !== null) for (const old of gone.values()) running.push(OpKind.Release, time, old);
  }

  release(time: number, id: number): void {
    const scope = this.#roots.get(id);
    if (scope === undefined) return;
    this.#roots.delete(id);
    this.#running.push(OpKind.Release, time, scope);
  }

  /** Go, RegionCall or TaskCall. */
  call(time: number, kind: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const outer = running.top;
    const task = kind === Fact.TaskCall ? this.#newTask(name) : null;
    const region = kind === Fact.RegionCall ? { name, task: outer.task, owner: null, ended: false } : null;
    const scope = makeScope("call", outer, kind === Fact.Go ? "fork" : "open", time, {
      entry: entryAt(name, site),
      region,
      site,
      task: task ?? outer.task,
    });
    if (scope.decision === "open") this.#decisions.add(scope);
    this.#calls.set(id, { scope, task });
    running.call(EntryKind.Call, scope, id, time);
    if (region !== null) {
      const op = running.push(OpKind.RegionBegin, time, scope);
      op.detail = { region };
      op.site = site;
    }
    if (task !== null) {
      const op = running.push(OpKind.TaskBegin, time, scope);
      op.detail = { task, parentTask: outer.task };
      op.site = site;
    }
  }

  /** Its function returned, with a promise or not. */
  return(time: number, id: number, promiseId: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { scope } = call;
    const running = this.#running;
    const at = running.findCall(scope);
    if (at >= 0) running.popTo(at + 1, time);
    const promise = promiseId === 0 ? undefined : this.#promise(promiseId);
    if (promise !== undefined && !promise.settled && promise.closes === 0) {
      if (scope.decision === "open") this.#decisions.fork(scope);
      promise.closes = id;
      running.push(OpKind.Add, time, scope);
    } else {
      if (scope.decision === "open") this.#decisions.inline(scope);
      this.#close(time, id, call);
    }
    if (at >= 0) running.popTo(at, time);
  }

  /** The promise that the call returned has settled. */
  promiseSettled(time: number, id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#close(time, id, call);
    this.#running.push(OpKind.Done, time, call.scope);
  }

  #close(time: number, id: number, { scope, task }: OpenCall): void {
    this.#calls.delete(id);
    const { region } = scope;
    if (region !== null) this.#running.push(OpKind.RegionEnd, time, scope).detail = { region };
    if (task !== null) this.#running.push(OpKind.TaskEnd, time, scope).detail = { task };
  }

  regionBegin(time: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const scope = running.top;
    const region = { name, task: scope.task, owner: null, ended: false };
    const gone = this.#regions.set(id, region);
    if (gone !== null) for (const old of gone.values()) this.#endRegion(time, old);
    const op = running.push(OpKind.RegionBegin, time, scope);
    op.detail = { region };
    op.site = site;
  }

  regionEnd(time: number, id: number): void {
    const region = this.#regions.get(id);
    if (region === undefined) return;
    this.#regions.delete(id);
    this.#running.ensureBase(time);
    this.#endRegion(time, region);
  }

  #endRegion(time: number, region: RegionNode): void {
    const op = this.#running.push(OpKind.RegionEnd, time, this.#running.top);
    op.detail = { region };
    op.value = 1;
  }

  taskBegin(time: number, id: number, name: string, site: Site | null): void {
    const running = this.#running;
    running.ensureBase(time);
    const scope = running.top;
    const task = this.#newTask(name);
    const gone = this.#tasks.set(id, task);
    if (gone !== null) for (const old of gone.values()) this.#endTask(time, old);
    const op = running.push(OpKind.TaskBegin, time, scope);
    op.detail = { task, parentTask: scope.task };
    op.site = site;
  }

  taskEnd(time: number, id: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    this.#running.ensureBase(time);
    this.#endTask(time, task);
  }

  #endTask(time: number, task: TaskNode): void {
    this.#running.push(OpKind.TaskEnd, time, this.#running.top).detail = { task };
  }

  taskEnter(time: number, id: number): void {
    const running = this.#running;
    running.ensureBase(time);
    const outer = running.top;
    const task = this.#tasks.get(id) ?? outer.task;
    running.call(EntryKind.Task, makeScope("callback", outer, "inline", time, { task }), id, time);
  }

  taskExit(time: number, id: number): void {
    const at = this.#running.find(EntryKind.Task, id);
    if (at >= 0) this.#running.popTo(at, time);
  }

  log(time: number, category: string, site: Site | null): void {
    this.#running.ensureBase(time);
    const op = this.#running.push(OpKind.Log, time, this.#running.top);
    op.detail = { category, message: this.#text };
    op.site = site;
    this.#text = "";
  }

  /** A message of the reserved category, on what runs or will run next. */
  note(time: number): void {
    const op = this.#running.push(OpKind.Log, time, null);
    op.detail = { category: RESERVED_CATEGORY, message: this.#text };
    this.#text = "";
  }

  syscallBegin(time: number, site: Site | null): void {
    this.#running.ensureBase(time);
    this.#running.push(OpKind.SyscallBegin, time, this.#running.top).site = site;
  }

  syscallEnd(time: number): void {
    this.#running.push(OpKind.SyscallEnd, time, this.#running.top);
  }

  workerStart(time: number, threadId: number, site: Site | null): void {
    this.#running.ensureBase(time);
    const op = this.#running.push(OpKind.WorkerStart, time, this.#running.top);
    op.end = threadId;
    op.site = site;
  }
}
