import { GcKind, ResourceKind } from "../base/facts.ts";
import type { Frame } from "../wire/format.ts";
import { entryOf } from "./graph.ts";
import type { Activation, PromiseNode, RegionNode, ResourceNode, Scope, Site } from "./graph.ts";
import { OpKind } from "./ops.ts";
import type { Op } from "./ops.ts";
import { waitOf } from "./reasons.ts";
import { callbackEntry } from "./turns.ts";

/** What the scheduler writes to: the trace writer's methods. m: thread, t: ns, stacks are ids from `stack`. */
export interface SchedulerOut {
  stack(frames: readonly Frame[]): number;
  procStart(m: number, t: number, p: number): void;
  procStop(m: number, t: number): void;
  goCreate(m: number, t: number, g: number, newStack: number, stack: number): void;
  goStart(m: number, t: number, g: number): void;
  goStop(m: number, t: number, reason: string, stack: number): void;
  goBlock(m: number, t: number, reason: string, stack: number): void;
  goUnblock(m: number, t: number, g: number, stack: number): void;
  goDestroy(m: number, t: number): void;
  syscallBegin(m: number, t: number, stack: number): void;
  syscallEnd(m: number, t: number): void;
  stwBegin(m: number, t: number, kind: string, stack: number): void;
  stwEnd(m: number, t: number): void;
  heapAlloc(m: number, t: number, bytes: number): void;
  heapGoal(m: number, t: number, bytes: number): void;
  procsChange(m: number, t: number, count: number, stack: number): void;
  taskBegin(m: number, t: number, task: number, parent: number, name: string, stack: number): void;
  taskEnd(m: number, t: number, task: number, stack: number): void;
  regionBegin(m: number, t: number, task: number, name: string, stack: number): void;
  regionEnd(m: number, t: number, task: number, name: string, stack: number): void;
  log(m: number, t: number, task: number, category: string, message: string, stack: number): void;
  cpuSample(t: number, m: number, p: number, g: number, stack: number): void;
}

/** What the loops of one trace share. */
export interface Shared {
  readonly out: SchedulerOut;
  /** The thread (without a proc) on which timers wake activations at their due time. */
  readonly timerThread: number;
  readonly stats: { misuse: number; activations: number };
  nextGoroutine(): number;
  loops(): number;
  /** Keeps the activation of a Worker's main script for the Worker's own loop. */
  workerStarted(threadId: number, activation: Activation): void;
}

const MAX_FRAMES = 128;
const YIELD = "runtime.Gosched";
const CALLEE_RUNS = "preempted";
/** How much history of who ran is kept for CPU samples, in switches. */
const RUNS_KEPT = 200_000;

const GC_NAMES: ReadonlyMap<number, string> = new Map([
  [GcKind.Minor, "GC scavenge"],
  [GcKind.MinorMarkSweep, "GC minor mark-sweep"],
  [GcKind.Major, "GC mark-sweep-compact"],
  [GcKind.Incremental, "GC incremental marking"],
  [GcKind.WeakCallbacks, "GC weak callbacks"],
]);

function isYield(resource: ResourceNode): boolean {
  return resource.kind === ResourceKind.Tick || resource.kind === ResourceKind.Immediate;
}

/** The frame waits no longer. */
function resumed(activation: Activation, frame: Scope): void {
  frame.waitingFor = null;
  const at = activation.suspended.lastIndexOf(frame);
  if (at >= 0) activation.suspended.splice(at, 1);
}

/** A new activation, not yet written. */
export function makeActivation(g: number, entry: Frame): Activation {
  return {
    g,
    entry,
    status: "new",
    pending: 0,
    ready: 0,
    suspended: [],
    sources: [],
    regions: [],
    held: false,
    lastScope: null,
    overdue: false,
    since: 0,
  };
}

/**
 * Schedules the activations of one event loop: turns operations into scheduler events that are legal in Go's sense,
 * whatever the operations are.
 *
 * One activation is current on the loop's thread. A callee that forks runs on top of its caller, which waits
 * ("preempted") until the callee suspends: strictly last in, first out. A callback's end is not written at once: if
 * the same activation goes on in the next reaction of the turn, it simply keeps running. What an activation that is
 * not current needs done on itself (ending it, ending its regions) is put off until nothing runs and done there in a
 * run of no length.
 */
export class LoopSchedule {
  readonly #shared: Shared;
  readonly #out: SchedulerOut;
  readonly #m: number;
  readonly #p: number;
  readonly #root: Scope;
  /** Activations under the current one, waiting for it to return. */
  readonly #under: Activation[] = [];
  readonly #nested: boolean[] = [];
  readonly #reap = new Set<Activation>();
  readonly #alive = new Set<Activation>();
  readonly #deferred: Op[] = [];
  #system: Activation | null = null;
  #current: Activation | null = null;
  #scope: Scope | null = null;
  /** Time at which the current activation left the processor without that being written, or -1. */
  #left = -1;
  #last: number;
  #procs = 0;
  #running = false;
  #syscallDepth = 0;
  #runTimes: number[] = [];
  #runIds: number[] = [];

  constructor(shared: Shared, loop: number, root: Scope, time: number) {
    this.#shared = shared;
    this.#out = shared.out;
    this.#m = loop + 1;
    this.#p = loop;
    this.#root = root;
    this.#last = time;
  }

  /** Does one operation. Its scope is decided. */
  process(op: Op): void {
    const time = op.time > this.#last ? op.time : this.#last;
    this.#last = time;
    switch (op.kind) {
      case OpKind.Enter:
        this.#enter(op, time);
        return;
      case OpKind.Leave:
        this.#leave(time);
        return;
      case OpKind.Call:
        this.#call(op.scope!, time);
        return;
      case OpKind.CallEnd:
        this.#callEnd(op.scope!, time);
        return;
      case OpKind.Suspend:
      case OpKind.FrameEnd:
      case OpKind.Add:
      case OpKind.SourceAdd:
      case OpKind.SourceDone:
      case OpKind.Ready:
      case OpKind.Hold:
      case OpKind.Release: {
        const activation = entryOf(op.scope!)?.activation ?? null;
        if (activation !== null && activation.status !== "dead") this.#count(op, activation, time);
        else if (op.kind === OpKind.FrameEnd) this.#uncount(op.scope!);
        return;
      }
      case OpKind.Done:
        this.#uncount(op.node ?? op.scope!);
        return;
      case OpKind.Gc:
        this.#gc(op, time);
        return;
      case OpKind.Idle:
        this.goIdle(time);
        return;
      case OpKind.Awake:
        this.#startProc(time);
        return;
      case OpKind.TurnEnd:
        this.turnEnd(time);
        return;
      case OpKind.Heap:
        this.#settleLeft();
        this.#startProc(time);
        this.#out.heapAlloc(this.#m, time, op.end);
        if (op.value > 0) this.#out.heapGoal(this.#m, time, op.value);
        return;
      case OpKind.Reset:
        this.#reset(time);
        return;
      case OpKind.LoopEnd:
        this.end(time);
        return;
      default:
        this.#annotate(op, time);
    }
  }

  /** A timer is due: wakes its activation if that waits. */
  timerDue(resource: ResourceNode, due: number): void {
    const activation = entryOf(resource.scope)?.activation ?? null;
    if (resource.done || activation === null) return;
    if (activation.status === "running" || this.#under.includes(activation)) activation.overdue = true;
    else if (activation.status === "waiting") this.#wake(activation, due);
  }

  /** A timer makes an activation runnable: on the thread of the timers, for the loop may be busy. */
  #wake(activation: Activation, due: number): void {
    this.#out.goUnblock(this.#shared.timerThread, Math.max(due, activation.since), activation.g, 0);
    activation.status = "runnable";
  }

  /** Nothing more runs in this turn: writes the end of the current run and does what was put off. */
  turnEnd(time: number): void {
    while (this.#under.length > 0) this.#popUnder(time);
    this.#nested.length = 0;
    const current = this.#current;
    if (current !== null) {
      if (this.#left < 0) this.#left = time;
      // All reactions and ticks of the turn have run; only immediates can be ready now.
      current.ready = current.sources.filter((source) => source.kind === ResourceKind.Immediate).length;
    }
    this.#settleLeft();
    this.#sweep(time);
  }

  /** The loop is idle since `time`: it said so, or nothing has happened in the look-ahead. */
  goIdle(time: number): void {
    this.turnEnd(time);
    if (!this.#running) return;
    this.#running = false;
    this.#last = Math.max(this.#last, time);
    this.#out.procStop(this.#m, this.#last);
  }

  get idle(): boolean {
    return !this.#running;
  }

  /** Writes annotations that still wait for something to run, on the loop's own activation. */
  writeLate(time: number): void {
    this.turnEnd(time);
    if (this.#deferred.length === 0) return;
    this.#last = Math.max(this.#last, time);
    this.#start(this.#systemActivation(this.#last), this.#last);
    this.#writeDeferred(this.#last);
    this.#stopSystem(this.#last);
  }

  /** Ends all activations and the loop. */
  end(time: number): void {
    this.writeLate(time);
    const t = (this.#last = Math.max(this.#last, time));
    for (const activation of this.#alive) {
      activation.pending = 0;
      this.#reap.add(activation);
    }
    this.#sweep(t);
    if (this.#running) this.#out.procStop(this.#m, t);
    this.#running = false;
  }

  /** Goroutine that ran at `time`, or 0. Valid for recent times that were processed. */
  ranAt(time: number): number {
    let low = 0;
    let high = this.#runTimes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runTimes[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#runIds[low - 1]!;
  }

  /** Takes over an activation that was created by another loop for this loop's main script. */
  adopt(activation: Activation): void {
    this.#root.activation = activation;
    this.#alive.add(activation);
  }

  // Activations.

  /** What keeps an activation alive, and what it waits for. */
  #count(op: Op, activation: Activation, time: number): void {
    switch (op.kind) {
      case OpKind.Suspend:
        op.scope!.waitingFor = op.node;
        activation.suspended.push(op.scope!);
        activation.lastScope = op.scope;
        return;
      case OpKind.FrameEnd:
        resumed(activation, op.scope!);
        this.#uncount(op.scope!);
        return;
      case OpKind.Add:
        this.#countOn(op.node ?? op.scope!, activation);
        return;
      case OpKind.SourceAdd:
        activation.pending++;
        activation.sources.push(op.resource!);
        return;
      case OpKind.SourceDone:
        this.#sourceDone(activation, op.resource!, op.value !== 0);
        return;
      case OpKind.Ready:
        this.#ready(activation, time);
        return;
      case OpKind.Hold:
        if (activation.held) return;
        activation.pending++;
        activation.held = true;
        return;
      default:
        if (!activation.held) return;
        activation.held = false;
        this.#done(activation);
    }
  }

  /** The activation of a decided scope, made if it does not exist or has ended. */
  #activationOf(scope: Scope, time: number, kind = 0): Activation {
    const entry = entryOf(scope) ?? this.#root;
    const known = entry.activation;
    if (known !== null && known.status !== "dead") return known;
    const frame = known === null || (entry === this.#root && kind === 0) ? entry.entry : callbackEntry(kind);
    const activation = makeActivation(this.#shared.nextGoroutine(), frame);
    entry.activation = activation;
    this.#alive.add(activation);
    this.#create(activation, time);
    return activation;
  }

  #create(activation: Activation, time: number): void {
    if (activation.status !== "new") return;
    this.#startProc(time);
    this.#out.goCreate(
      this.#m,
      time,
      activation.g,
      this.#out.stack([activation.entry]),
      this.#currentStack(),
    );
    activation.status = "runnable";
    this.#shared.stats.activations++;
    // Created by an operation on it (a timer's interval, a job of an ended request) while it is not run at once:
    // if nothing keeps it alive, it ends when nothing runs.
    this.#reap.add(activation);
  }

  #done(activation: Activation): void {
    if (activation.pending > 0) activation.pending--;
    if (activation.pending === 0) this.#reap.add(activation);
  }

  #countOn(what: Scope | PromiseNode, activation: Activation): void {
    if (what.counted !== null) return;
    what.counted = activation;
    activation.pending++;
  }

  #uncount(what: Scope | PromiseNode): void {
    const activation = what.counted;
    if (activation === null) return;
    what.counted = null;
    if (activation.status !== "dead") this.#done(activation);
  }

  #sourceDone(activation: Activation, resource: ResourceNode, cleared: boolean): void {
    const at = activation.sources.lastIndexOf(resource);
    if (at < 0) return;
    activation.sources.splice(at, 1);
    if (cleared && isYield(resource) && activation.ready > 0) activation.ready--;
    this.#done(activation);
  }

  #ready(activation: Activation, time: number): void {
    activation.ready++;
    if (activation.status !== "waiting" || this.#under.includes(activation)) return;
    this.#out.goUnblock(this.#m, time, activation.g, this.#currentStack());
    activation.status = "runnable";
  }

  // Running.

  #startProc(time: number): void {
    if (this.#running) return;
    this.#running = true;
    this.#out.procStart(this.#m, time, this.#p);
  }

  #start(activation: Activation, time: number): void {
    this.#startProc(time);
    if (activation.status === "waiting") this.#out.goUnblock(this.#m, time, activation.g, 0);
    this.#out.goStart(this.#m, time, activation.g);
    activation.status = "running";
    this.#current = activation;
    this.#left = -1;
    this.#ran(time, activation.g);
    if (this.#procs !== this.#shared.loops()) {
      this.#procs = this.#shared.loops();
      this.#out.procsChange(this.#m, time, this.#procs, 0);
    }
    if (activation !== this.#system) this.#writeDeferred(time);
  }

  #writeDeferred(time: number): void {
    while (this.#deferred.length > 0) this.#annotate(this.#deferred.shift()!, time);
  }

  #ran(time: number, g: number): void {
    this.#runTimes.push(time);
    this.#runIds.push(g);
    if (this.#runTimes.length > 2 * RUNS_KEPT) {
      this.#runTimes = this.#runTimes.slice(RUNS_KEPT);
      this.#runIds = this.#runIds.slice(RUNS_KEPT);
    }
  }

  /** The current activation stops running at `time`: ended, runnable or waiting. */
  #retire(time: number): void {
    const activation = this.#current!;
    this.#closeSyscalls(time);
    this.#current = null;
    this.#left = -1;
    this.#ran(time, 0);
    if (this.#under.includes(activation)) {
      this.#out.goBlock(this.#m, time, CALLEE_RUNS, this.#stackOf(activation.lastScope, activation));
      activation.status = "waiting";
    } else if (activation.pending === 0) {
      this.#destroy(activation, time);
    } else if (activation.ready > 0) {
      const { frame } = waitOf(activation);
      this.#out.goStop(this.#m, time, YIELD, this.#stackOf(frame ?? activation.lastScope, activation));
      activation.status = "runnable";
    } else {
      const { reason, frame } = waitOf(activation);
      this.#out.goBlock(this.#m, time, reason, this.#stackOf(frame ?? activation.lastScope, activation));
      activation.status = "waiting";
      activation.since = time;
      if (activation.overdue) this.#wake(activation, time);
      activation.overdue = false;
    }
  }

  #destroy(activation: Activation, time: number): void {
    for (let region = activation.regions.pop(); region !== undefined; region = activation.regions.pop()) {
      this.#out.regionEnd(this.#m, time, region.task?.id ?? 0, region.name, 0);
      if (!region.ended) this.#shared.stats.misuse++;
      region.ended = true;
    }
    this.#out.goDestroy(this.#m, time);
    activation.status = "dead";
    this.#alive.delete(activation);
    this.#reap.delete(activation);
  }

  #settleLeft(): void {
    if (this.#current === null || this.#left < 0) return;
    this.#retire(this.#left);
  }

  /** Does what was put off for activations that are not current. */
  #sweep(time: number): void {
    if (this.#current !== null || this.#under.length > 0) return;
    for (const activation of this.#reap) {
      this.#reap.delete(activation);
      const regions = activation.regions;
      const due = activation.pending === 0 || (regions.length > 0 && regions[regions.length - 1]!.ended);
      if (!due || activation.status === "dead" || activation.status === "new") continue;
      this.#start(activation, time);
      this.#closeEndedRegions(activation, time);
      this.#retire(time);
    }
  }

  #enter(op: Op, time: number): void {
    const scope = op.scope!;
    const activation = this.#activationOf(scope, time, op.value);
    if (op.node?.frame === scope) resumed(activation, scope);
    const isJob = op.node === null ? op.resource !== null && isYield(op.resource) : op.node.parent !== null;
    if (isJob && activation.ready > 0) activation.ready--;
    activation.overdue = false;
    if (this.#current !== null && this.#left < 0) {
      // A callback inside a running one (runInAsyncScope, a parser inside a socket's read).
      this.#nested.push(this.#current !== activation);
      if (this.#current !== activation) this.#pushUnder(activation, time);
    } else if (this.#current === activation) {
      this.#left = -1;
    } else {
      this.#settleLeft();
      if (op.end > 0 && activation.status === "waiting") this.#wake(activation, Math.min(op.end, time));
      this.#start(activation, time);
    }
    this.#scope = scope;
    activation.lastScope = scope;
    this.#closeEndedRegions(activation, time);
  }

  #leave(time: number): void {
    this.#scope = null;
    if (this.#nested.length > 0) {
      if (this.#nested.pop()!) this.#popUnder(time);
      return;
    }
    while (this.#under.length > 0) this.#popUnder(time);
    if (this.#current !== null) this.#left = time;
  }

  #call(scope: Scope, time: number): void {
    const fork = scope.decision === "fork";
    if (!fork) {
      const activation = this.#activationOf(scope, time);
      this.#ensureCurrent(activation, time);
      if (scope.kind === "frame") this.#countOn(scope, activation);
      this.#scope = scope;
      return;
    }
    if (this.#current !== null && this.#left >= 0) this.#settleLeft();
    const activation = makeActivation(this.#shared.nextGoroutine(), scope.entry);
    scope.activation = activation;
    this.#alive.add(activation);
    this.#create(activation, time);
    if (scope.kind === "frame") this.#countOn(scope, activation);
    if (this.#current === null) this.#start(activation, time);
    else this.#pushUnder(activation, time);
    this.#scope = scope;
    activation.lastScope = scope;
  }

  #callEnd(scope: Scope, time: number): void {
    if (scope.decision === "fork" && this.#current === scope.activation && this.#left < 0) {
      if (this.#under.length > 0) this.#popUnder(time);
      else this.#left = time;
    }
    this.#scope = scope.parent;
  }

  /** Something runs without a callback that the facts tell of: its activation is started. */
  #ensureCurrent(activation: Activation, time: number): void {
    if (this.#current !== null && this.#left < 0) return;
    if (this.#current === activation) {
      this.#left = -1;
      return;
    }
    this.#settleLeft();
    this.#start(activation, time);
  }

  #pushUnder(activation: Activation, time: number): void {
    const below = this.#current!;
    this.#under.push(below);
    this.#retire(time);
    this.#start(activation, time);
  }

  #popUnder(time: number): void {
    const below = this.#under.pop()!;
    if (this.#current !== null) this.#retire(time);
    if (below.status === "dead") return;
    this.#start(below, time);
  }

  // Everything else.

  #gc(op: Op, time: number): void {
    const end = Math.max(op.end, time);
    const name = GC_NAMES.get(op.value) ?? "GC";
    const onSystem = this.#current === null || this.#left >= 0;
    if (onSystem) {
      this.#settleLeft();
      this.#start(this.#systemActivation(time), time);
    }
    this.#out.stwBegin(this.#m, time, name, 0);
    this.#out.stwEnd(this.#m, end);
    this.#last = end;
    if (onSystem) this.#stopSystem(end);
  }

  #stopSystem(time: number): void {
    this.#current!.status = "waiting";
    this.#current = null;
    this.#out.goBlock(this.#m, time, "system goroutine wait", 0);
    this.#ran(time, 0);
  }

  #systemActivation(time: number): Activation {
    if (this.#system !== null) return this.#system;
    const entry = { func: "runtime.eventLoop", file: "node", line: 1 };
    const activation = makeActivation(this.#shared.nextGoroutine(), entry);
    activation.pending = 1;
    this.#system = activation;
    this.#alive.add(activation);
    this.#create(activation, time);
    return activation;
  }

  #reset(time: number): void {
    this.turnEnd(time);
    for (const activation of this.#alive) {
      if (activation === this.#system || activation === this.#root.activation) continue;
      activation.pending = 0;
      activation.ready = 0;
      this.#reap.add(activation);
    }
    this.#sweep(time);
  }

  #closeSyscalls(time: number): void {
    if (this.#syscallDepth > 0) this.#out.syscallEnd(this.#m, time);
    this.#syscallDepth = 0;
  }

  #annotate(op: Op, time: number): void {
    const activation = this.#current;
    if (activation === null || this.#left >= 0) {
      if (op.kind === OpKind.SyscallBegin || op.kind === OpKind.SyscallEnd) return;
      if (op.kind === OpKind.RegionEnd) this.#regionEnd(op.region!, null, time);
      else this.#deferred.push(op);
      return;
    }
    switch (op.kind) {
      case OpKind.RegionBegin: {
        const region = op.region!;
        region.owner = activation;
        activation.regions.push(region);
        const stack = this.#siteStack(op.site, activation);
        this.#out.regionBegin(this.#m, time, region.task?.id ?? 0, region.name, stack);
        return;
      }
      case OpKind.RegionEnd:
        this.#regionEnd(op.region!, activation, time);
        return;
      case OpKind.TaskBegin: {
        const task = op.task!;
        const stack = this.#siteStack(op.site, activation);
        this.#out.taskBegin(this.#m, time, task.id, op.parentTask?.id ?? 0, task.name, stack);
        return;
      }
      case OpKind.TaskEnd: {
        const task = op.task!;
        if (task.ended) return;
        task.ended = true;
        this.#out.taskEnd(this.#m, time, task.id, this.#currentStack());
        return;
      }
      case OpKind.Log: {
        const task = op.scope?.task ?? null;
        const stack = op.text === "runtrace" ? 0 : this.#siteStack(op.site, activation);
        this.#out.log(this.#m, time, task?.id ?? 0, op.text, op.message, stack);
        return;
      }
      case OpKind.SyscallBegin:
        if (this.#syscallDepth++ === 0)
          this.#out.syscallBegin(this.#m, time, this.#siteStack(op.site, activation));
        return;
      case OpKind.SyscallEnd:
        if (this.#syscallDepth > 0 && --this.#syscallDepth === 0) this.#out.syscallEnd(this.#m, time);
        return;
      case OpKind.WorkerStart: {
        const frame = {
          func: "worker main",
          file: op.site?.frame.file ?? "node",
          line: op.site?.frame.line ?? 1,
        };
        const worker = makeActivation(this.#shared.nextGoroutine(), frame);
        const stack = this.#siteStack(op.site, activation);
        this.#out.goCreate(this.#m, time, worker.g, this.#out.stack([frame]), stack);
        worker.status = "runnable";
        this.#shared.stats.activations++;
        this.#shared.workerStarted(op.end, worker);
        return;
      }
      default:
    }
  }

  /**
   * Ends a region if it is the innermost of the activation that runs. Otherwise its end waits until it is: out of
   * order or on another activation is misuse and is counted.
   */
  #regionEnd(region: RegionNode, activation: Activation | null, time: number): void {
    if (region.ended) return;
    region.ended = true;
    const owner = region.owner;
    if (owner === null || owner.status === "dead") return;
    if (owner !== activation) {
      if (activation !== null || owner.regions[owner.regions.length - 1] !== region)
        this.#shared.stats.misuse++;
      this.#reap.add(owner);
      return;
    }
    if (owner.regions[owner.regions.length - 1] !== region) this.#shared.stats.misuse++;
    this.#closeEndedRegions(owner, time);
  }

  #closeEndedRegions(activation: Activation, time: number): void {
    const regions = activation.regions;
    while (regions.length > 0 && regions[regions.length - 1]!.ended) {
      const region = regions.pop()!;
      this.#out.regionEnd(this.#m, time, region.task?.id ?? 0, region.name, this.#currentStack());
    }
  }

  // Stacks.

  #currentStack(): number {
    const activation = this.#current;
    return activation === null ? 0 : this.#stackOf(this.#scope ?? activation.lastScope, activation);
  }

  #siteStack(site: Site | null, activation: Activation): number {
    if (site === null) return this.#currentStack();
    return this.#out.stack(this.#frames(this.#scope ?? activation.lastScope, activation, site.frame));
  }

  #stackOf(scope: Scope | null, activation: Activation): number {
    return this.#out.stack(this.#frames(scope, activation, null));
  }

  /** The logical stack: the innermost frame's place, then the places of the frames that await it, down to the entry. */
  #frames(scope: Scope | null, activation: Activation, leaf: Frame | null): Frame[] {
    const frames: Frame[] = [];
    if (leaf !== null) frames.push(leaf);
    for (let at = scope; at !== null && frames.length < MAX_FRAMES - 1; at = at.parent) {
      const entry = at.decision === "fork" || at.parent === null;
      if (at.kind === "frame") {
        const frame = at.site?.frame ?? at.entry;
        const last = frames[frames.length - 1];
        const same =
          last !== undefined && last === leaf && last.func === frame.func && last.file === frame.file;
        if (!same) frames.push(frame);
      }
      if (entry) break;
    }
    const outer = frames[frames.length - 1];
    if (outer === undefined || outer.func !== activation.entry.func) frames.push(activation.entry);
    return frames;
  }
}
