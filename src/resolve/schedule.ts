import { GcKind, ResourceKind } from "../base/facts.ts";
import { Annotations } from "./annotations.ts";
import { entryOf, livingParent } from "./graph.ts";
import type { Activation, ResourceNode, Scope } from "./graph.ts";
import { OpKind, isOfCycle } from "./ops.ts";
import type { Op } from "./ops.ts";
import { isOfNode } from "./reasons.ts";
import { LoopThread } from "./thread.ts";
import type { Shared, ThreadListener } from "./thread.ts";

const GC_NAMES: ReadonlyMap<number, string> = new Map([
  [GcKind.Minor, "GC scavenge"],
  [GcKind.MinorMarkSweep, "GC minor mark-sweep"],
  [GcKind.Major, "GC mark-sweep-compact"],
  [GcKind.Incremental, "GC incremental marking"],
  [GcKind.WeakCallbacks, "GC weak callbacks"],
]);

const SYSTEM_ENTRY = { func: "runtime.eventLoop", file: "node", line: 1 };

interface Nested {
  /** Another activation was put on top for it. */
  readonly onTop: boolean;
  /** What ran before. */
  readonly scope: Scope | null;
}

function isYield(resource: ResourceNode): boolean {
  return resource.kind === ResourceKind.Tick || resource.kind === ResourceKind.Immediate;
}

/** The frame waits no longer. */
function resumed(frame: Scope): void {
  frame.waitingFor = null;
  frame.chain?.remove(frame);
}

/**
 * Turns the operations of one event loop into scheduler events that are legal in Go's sense, whatever the operations
 * are. How activations come and go on the loop's thread is in thread.ts, annotations are in annotations.ts.
 */
export class LoopSchedule implements ThreadListener {
  readonly #shared: Shared;
  readonly #root: Scope;
  readonly #thread: LoopThread;
  readonly #annotations: Annotations;
  /** Callbacks that began inside of running ones. */
  #nested: Nested[] = [];
  /** Runs for garbage collections while nothing else does. */
  #system: Activation | null = null;

  constructor(shared: Shared, loop: number, root: Scope, time: number) {
    this.#shared = shared;
    this.#root = root;
    this.#thread = new LoopThread(shared, loop, root, time, this);
    this.#annotations = new Annotations(this.#thread, shared);
  }

  started(activation: Activation, time: number): void {
    if (activation !== this.#system) this.#annotations.started(time);
  }

  leaving(time: number): void {
    this.#annotations.leaving(time);
  }

  ending(activation: Activation, time: number): void {
    this.#annotations.ending(activation, time);
  }

  catchingUp(activation: Activation, time: number): void {
    this.#annotations.closeRegions(activation, time);
  }

  /** Does one operation. Its scope is decided. */
  process(op: Op): void {
    const thread = this.#thread;
    const time = op.time > thread.last ? op.time : thread.last;
    thread.last = time;
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
      case OpKind.Add:
      case OpKind.SourceAdd:
      case OpKind.SourceDone:
      case OpKind.Ready:
      case OpKind.Hold:
      case OpKind.Release:
        this.#count(op, time);
        return;
      case OpKind.FrameEnd:
        this.#frameEnd(op.scope!);
        return;
      case OpKind.Done:
        thread.uncount(op.node ?? op.scope!);
        return;
      case OpKind.Gc:
        this.#gc(op, time);
        return;
      case OpKind.Wake:
        thread.startProc(time);
        return;
      case OpKind.TurnEnd:
        this.#endTurn(time);
        return;
      case OpKind.Rest:
        this.rest(time);
        return;
      case OpKind.Heap:
        this.#heap(op, time);
        return;
      case OpKind.Reset:
        this.#reset(time);
        return;
      case OpKind.LoopEnd:
        this.end(time);
        return;
      case OpKind.Forget:
        for (const promise of op.detail.nodes!) {
          promise.parent = null;
          promise.settledBy = null;
        }
        return;
      default:
        this.#annotations.write(op, time);
    }
  }

  /** A timer is due that is not gone. */
  timerDue(timer: ResourceNode): void {
    this.#thread.timerDue(timer);
  }

  /** Takes over an activation that was created by another loop for this loop's main script. */
  adopt(activation: Activation): void {
    // If the main script has begun without it, there is nothing for it to do.
    this.#thread.adopt(activation, this.#root.activation === null ? this.#root : null);
  }

  /** Goroutine that ran at `time`, or 0. Valid for recent times that were processed. */
  ranAt(time: number): number {
    return this.#thread.runs.at(time);
  }

  /** Nothing happens after `time`: writes the end of the current run, and the loop is idle. */
  rest(time: number): void {
    this.#endTurn(time);
    this.#thread.stopProc(this.#thread.last);
  }

  /** Writes annotations that still wait for something to run, on the loop's own activation. */
  writeLate(time: number): void {
    this.#endTurn(time);
    if (!this.#annotations.waiting) return;
    const { last } = this.#thread;
    this.#system ??= this.#makeSystem(last);
    this.#thread.runSystem(this.#system, last, () => {
      this.#annotations.started(last);
      return last;
    });
  }

  /** Ends all activations and the loop. */
  end(time: number): void {
    this.#endCycle(time);
    this.#abandonAll();
    this.writeLate(time);
    this.#abandonAll();
    this.rest(time);
  }

  #abandonAll(): void {
    for (const activation of this.#thread.alive) this.#thread.abandon(activation);
    this.#system = null;
  }

  #endTurn(time: number): void {
    const thread = this.#thread;
    if (this.#nested.length > 0) this.#nested = [];
    if (time > thread.last) thread.last = time;
    thread.endTurn(thread.last);
  }

  // What keeps an activation alive, and what it waits for.

  #count(op: Op, time: number): void {
    const thread = this.#thread;
    if (op.kind === OpKind.SourceDone) {
      this.#sourceDone(op.resource!);
      return;
    }
    const activation = entryOf(op.scope!)?.activation ?? null;
    if (activation === null || activation.status === "dead") return;
    switch (op.kind) {
      case OpKind.Suspend: {
        const frame = op.scope!;
        frame.waitingFor = op.node;
        if (op.site !== null) frame.site = op.site;
        (isOfNode(frame) ? activation.nodeFrames : activation.ownFrames).add(frame);
        activation.lastScope = frame;
        return;
      }
      case OpKind.Add:
        thread.count(op.node ?? op.scope!, activation);
        return;
      case OpKind.SourceAdd:
        this.#sourceAdd(op.resource!, activation);
        return;
      case OpKind.Ready:
        thread.ready(op.node!, activation, time);
        return;
      case OpKind.Hold:
        if (activation.held) return;
        activation.pending++;
        activation.held = true;
        activation.heldFor = op.value;
        return;
      default:
        if (!activation.held) return;
        activation.held = false;
        thread.done(activation);
    }
  }

  #sourceAdd(source: ResourceNode, activation: Activation): void {
    source.counted = activation;
    activation.pending++;
    if (isYield(source)) activation.yields++;
    activation.sources.add(source);
  }

  #sourceDone(source: ResourceNode): void {
    source.gone = true;
    source.chain?.remove(source);
    const activation = source.counted;
    source.counted = null;
    if (activation === null || activation.status === "dead") return;
    if (isYield(source) && activation.yields > 0) activation.yields--;
    this.#thread.done(activation);
  }

  #frameEnd(frame: Scope): void {
    frame.over = true;
    resumed(frame);
    this.#thread.uncount(frame);
  }

  // Running.

  #enter(op: Op, time: number): void {
    const thread = this.#thread;
    const scope = op.scope!;
    if (op.node !== null) thread.unready(op.node);
    if (scope.decision === "inline" && scope.parent !== null) scope.parent = livingParent(scope.parent);
    const settler = op.detail.other ?? null;
    const other = settler === null ? null : (entryOf(settler)?.activation ?? null);
    const onOther = other !== null && other === thread.current;
    const activation = onOther ? other : thread.activationOf(scope, time, op.value);
    if (op.node !== null && op.node.frame === scope) resumed(scope);
    activation.overdue = false;
    const { active } = thread;
    if (active !== null) {
      // A callback inside of a running one (runInAsyncScope, a parser inside a socket's read).
      this.#nested.push({ onTop: active !== activation, scope: thread.scope });
      if (active !== activation) thread.push(activation, time);
    } else {
      if (op.end > 0 && activation.status === "waiting") thread.wake(activation, Math.min(op.end, time));
      thread.switchTo(activation, time);
    }
    thread.scope = onOther ? null : scope;
    if (!onOther) activation.lastScope = scope;
    this.#annotations.closeRegions(activation, time);
  }

  #leave(time: number): void {
    const thread = this.#thread;
    const nested = this.#nested.pop();
    if (nested === undefined) {
      thread.popAll(time);
      thread.leave(time);
      thread.scope = null;
      return;
    }
    if (nested.onTop) thread.pop(time);
    thread.scope = nested.scope;
  }

  #call(scope: Scope, time: number): void {
    const thread = this.#thread;
    if (scope.decision === "fork") {
      const activation = thread.create(scope, scope.entry, time);
      if (scope.kind === "frame") thread.count(scope, activation);
      if (thread.active === null) thread.start(activation, time);
      else thread.push(activation, time);
      activation.lastScope = scope;
    } else {
      if (scope.parent !== null) scope.parent = livingParent(scope.parent);
      const activation = thread.activationOf(scope, time, 0);
      if (thread.active === null) thread.switchTo(activation, time);
      if (scope.kind === "frame") thread.count(scope, activation);
    }
    thread.scope = scope;
  }

  #callEnd(scope: Scope, time: number): void {
    const thread = this.#thread;
    if (scope.decision === "fork" && thread.active !== null && thread.active === scope.activation) {
      if (thread.hasBelow) thread.pop(time);
      else thread.leave(time);
    }
    thread.scope = scope.parent;
    // What made a fork is not needed any more, and would be kept for ever by a chain of forks.
    if (scope.decision === "fork") scope.parent = null;
  }

  // The loop.

  #heap(op: Op, time: number): void {
    const thread = this.#thread;
    thread.settleLeft();
    thread.startProc(time);
    thread.out.heapAlloc(thread.m, time, op.end);
    if (op.value > 0) thread.out.heapGoal(thread.m, time, op.value);
  }

  #gc(op: Op, time: number): void {
    const thread = this.#thread;
    // Only a fact that came too late can be of a pause before the last cycle's end.
    const end = Math.max(op.end, time, isOfCycle(op) ? this.#shared.cycles.last : 0);
    const wasRunning = thread.running;
    if (thread.active === null) {
      thread.settleLeft();
      this.#system ??= this.#makeSystem(time);
      thread.runSystem(this.#system, time, () => this.#pause(op, time, end));
    } else {
      this.#pause(op, time, end);
    }
    thread.last = end;
    if (!wasRunning) thread.stopProc(end);
  }

  /** One isolate's pause stops the world where it is the only one; otherwise it takes time from one loop. */
  #pause(op: Op, time: number, end: number): number {
    const { out, m } = this.#thread;
    const { cycles } = this.#shared;
    const isAlone = this.#shared.loops(time) <= 1;
    if (isAlone) out.stwBegin(m, time, GC_NAMES.get(op.value) ?? "GC", 0);
    else out.markAssistBegin(m, time, 0);
    if (isOfCycle(op)) cycles.begin(m, time);
    if (isAlone) out.stwEnd(m, end);
    else out.markAssistEnd(m, end);
    if (op.value === GcKind.Major) cycles.end(m, end);
    return end;
  }

  /** A cycle whose end will not be told is over. */
  #endCycle(time: number): void {
    const { cycles } = this.#shared;
    const thread = this.#thread;
    if (!cycles.has(thread.m)) return;
    this.#endTurn(time);
    const last = Math.max(thread.last, cycles.last);
    this.#system ??= this.#makeSystem(last);
    thread.runSystem(this.#system, last, () => {
      cycles.end(thread.m, last);
      return last;
    });
    thread.last = last;
  }

  #makeSystem(time: number): Activation {
    const system = this.#thread.makeSystem(SYSTEM_ENTRY, time, 0);
    system.pending = 1;
    return system;
  }

  #reset(time: number): void {
    this.#endCycle(time);
    this.#endTurn(time);
    for (const activation of this.#thread.alive) {
      if (activation === this.#system) continue;
      const isStarting = activation === this.#root.activation && activation.held;
      this.#thread.abandon(activation);
      if (!isStarting) continue;
      activation.held = true;
      activation.pending = 1;
    }
    this.#endTurn(time);
  }
}
