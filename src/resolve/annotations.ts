import { ResourceKind } from "../base/facts.ts";
import type { Frame } from "../wire/format.ts";
import { makeActivation } from "./graph.ts";
import type { Activation, RegionNode, RootEnd, Site } from "./graph.ts";
import { activationOf } from "./scopes.ts";
import { callbackEntry } from "./names.ts";
import { HTTP_CATEGORY, RESERVED_CATEGORY } from "./ops.ts";
import type { Annotation } from "./ops.ts";
import type { LoopThread, Shared } from "./thread.ts";

/** Open regions of one activation at the most: more can only come of regions that are never ended. */
const MAX_REGIONS = 1000;

/**
 * Tasks, regions, logs, syscalls and Workers' activations: what the format wants a running goroutine for.
 *
 * Regions are a stack in each activation. One that is ended when it is not the innermost, or while its activation does
 * not run, ends as soon as it is and does. Ending it out of order, on another activation, or never is misuse and is
 * counted. Messages and ends of tasks that come while nothing runs are written when something does; the end of a root
 * makes its own activation run.
 */
export class Annotations {
  readonly #thread: LoopThread;
  readonly #shared: Shared;
  #deferred: Annotation[] = [];
  #syscalls = 0;

  constructor(thread: LoopThread, shared: Shared) {
    this.#thread = thread;
    this.#shared = shared;
  }

  /** Something waits to be written. */
  get waiting(): boolean {
    return this.#deferred.length > 0;
  }

  write(op: Annotation, time: number): void {
    const activation = this.#thread.active;
    if (op.what === "region-end") {
      this.#regionEnd(op.region, op.explicit, activation, time);
    } else if (op.what === "root-end") {
      this.#rootEnds(op, time);
    } else if (op.what === "closed") {
      this.#shared.closed(op.key);
    } else if (activation !== null) {
      this.#write(op, activation, time);
    } else if (op.what === "log" || op.what === "note" || op.what === "task-end") {
      this.#deferred.push(op);
    }
  }

  /** The activation runs: writes what waited for one to do so. */
  started(time: number): void {
    if (this.#deferred.length === 0) return;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const op of deferred) this.#write(op, this.#thread.current!, time);
  }

  /** The activation leaves, or does what nobody does inside of a syscall: that is over. */
  leaving(time: number): void {
    if (this.#syscalls > 0) this.#thread.out.syscallEnd(this.#thread.m, time);
    this.#syscalls = 0;
  }

  /** The activation, which is current, ends. */
  ending(activation: Activation, time: number): void {
    this.#endRoot(activation, time);
    for (let region = activation.regions.pop(); region !== undefined; region = activation.regions.pop()) {
      this.#thread.out.regionEnd(this.#thread.m, time, region.task?.id ?? 0, region.name, 0);
      if (!region.ended) this.#shared.stats.misuse++;
      region.ended = true;
    }
  }

  #write(op: Annotation, activation: Activation, time: number): void {
    const { out, m } = this.#thread;
    switch (op.what) {
      case "region-begin": {
        const { region } = op;
        if (activation.regions.length >= MAX_REGIONS) {
          region.ended = true;
          this.#shared.stats.misuse++;
          return;
        }
        region.owner = activation;
        activation.regions.push(region);
        out.regionBegin(m, time, region.task?.id ?? 0, region.name, this.#stack(op.site));
        return;
      }
      case "task-begin": {
        const { task, parent } = op;
        out.taskBegin(m, time, task.id, parent?.id ?? 0, task.name, this.#stack(op.site));
        return;
      }
      case "task-end": {
        const { task } = op;
        if (task.ended) return;
        task.ended = true;
        out.taskEnd(m, time, task.id, this.#thread.currentStack());
        return;
      }
      case "root-end":
        this.#writeRootEnd(op.end, activation, time);
        return;
      case "log":
        out.log(m, time, op.task?.id ?? 0, op.category, op.message, this.#stack(op.site));
        return;
      case "note":
        out.log(m, time, 0, RESERVED_CATEGORY, op.message, 0);
        return;
      case "syscall-begin":
        if (this.#syscalls++ === 0) out.syscallBegin(m, time, this.#stack(op.site));
        return;
      case "syscall-end":
        if (this.#syscalls > 0 && --this.#syscalls === 0) out.syscallEnd(m, time);
        return;
      case "worker-start": {
        const { file, line } = op.site?.frame ?? { file: "node", line: 1 };
        const frame = { func: "worker main", file, line };
        this.#shared.workerStarted(op.threadId, this.#make(frame, op.site, time));
        return;
      }
      case "send":
        this.#shared.sent(op.key, this.#make(callbackEntry(ResourceKind.Port), op.site, time));
        return;
      case "taken": {
        const sent = this.#shared.takeSent(op.key);
        if (sent !== null) this.#thread.adopt(sent, null);
        return;
      }
      default:
    }
  }

  /** A new activation, for another loop to run. */
  #make(frame: Frame, site: Site | null, time: number): Activation {
    this.leaving(time);
    const made = makeActivation(this.#shared.nextGoroutine(), frame);
    this.#thread.out.goCreate(
      this.#thread.m,
      time,
      made.g,
      this.#shared.stacks.one(frame),
      this.#stack(site),
    );
    made.status = "runnable";
    made.since = time;
    this.#shared.stats.activations++;
    return made;
  }

  /** The root's activation need not live for it any more, and runs for its end. */
  #rootEnds(op: Annotation & { what: "root-end" }, time: number): void {
    const owner = activationOf(op.end.scope);
    if (owner === null || owner.status === "dead") {
      this.#deferred.push(op);
      return;
    }
    owner.rootEnd = op.end;
    this.#thread.release(owner);
    this.#thread.runAside(owner, time);
  }

  #endRoot(activation: Activation, time: number): void {
    const { rootEnd } = activation;
    if (rootEnd === null) return;
    activation.rootEnd = null;
    this.#writeRootEnd(rootEnd, activation, time);
  }

  /** The activation that runs is the root's own, or where that has ended any. */
  #writeRootEnd({ scope, message }: RootEnd, activation: Activation, time: number): void {
    const { out, m } = this.#thread;
    const { task, region } = scope;
    if (message !== "") out.log(m, time, task?.id ?? 0, HTTP_CATEGORY, message, 0);
    if (region !== null) {
      region.ended = true;
      this.closeRegions(activation, time);
    } else if (task !== null && !task.ended) {
      task.ended = true;
      out.taskEnd(m, time, task.id, 0);
    }
  }

  #regionEnd(region: RegionNode, explicit: boolean, activation: Activation | null, time: number): void {
    if (region.ended) return;
    region.ended = true;
    const { owner } = region;
    if (owner === null || owner.status === "dead") return;
    const inOrder = owner === activation && owner.regions.at(-1) === region;
    if (explicit && !inOrder) this.#shared.stats.misuse++;
    if (owner === activation) this.closeRegions(owner, time);
    else this.#thread.putOff(owner);
  }

  /** The activation, which is current, runs for what was put off. */
  catchUp(activation: Activation, time: number): void {
    this.#endRoot(activation, time);
    this.closeRegions(activation, time);
  }

  /** Ends the innermost regions of the current activation whose end was asked for. */
  closeRegions(activation: Activation, time: number): void {
    const { regions } = activation;
    while (regions.length > 0 && regions[regions.length - 1]!.ended) {
      const region = regions.pop()!;
      const stack = this.#thread.currentStack();
      this.#thread.out.regionEnd(this.#thread.m, time, region.task?.id ?? 0, region.name, stack);
    }
  }

  #stack(site: Site | null): number {
    return site === null ? this.#thread.currentStack() : this.#thread.stackAt(site.frame);
  }
}
