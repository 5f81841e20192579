import { PromiseClass, ResourceKind } from "../base/facts.ts";
import { LoopSystem } from "./system.ts";
import { Annotations } from "./annotations.ts";
import type { FramePool } from "./frame-pool.ts";
import { activationOf, livingParent, reparent, setLast } from "./scopes.ts";
import type { Activation, PromiseNode, ResourceNode, Site, Sleep } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { Bits, OpKind } from "./ops.ts";
import type { Entered, HeapSize, LateOp, OpQueue } from "./ops.ts";
import { dueOf, isOfNode } from "./reasons.ts";
import { LoopThread } from "./thread.ts";
import type { Shared, ThreadListener } from "./thread.ts";
import type { TimerHeap } from "./timers.ts";

interface Nested {
  /** Another activation was put on top for it. */
  readonly onTop: boolean;
  /** What ran before. */
  readonly scope: Scope | null;
}

function isYield(resource: ResourceNode): boolean {
  return resource.kind === ResourceKind.Tick || resource.kind === ResourceKind.Immediate;
}

/** Whether the next round of the loop settles it. */
function isYielded({ cls, source, sourceAt }: PromiseNode, latest: number): boolean {
  return cls === PromiseClass.Native && source === ResourceKind.Immediate && sourceAt <= latest;
}

/** The activation of a scope, null where it has ended. */
function living(scope: Scope): Activation | null {
  const activation = activationOf(scope);
  return activation === null || activation.status === "dead" ? null : activation;
}

/** The frame waits no longer. */
function resumed(frame: Scope): void {
  frame.isSuspended = false;
  frame.isSoon = false;
  frame.callee = null;
  frame.waitingFor = null;
  if (frame.chain !== null) frame.chain.remove(frame);
}

/**
 * Turns the operations of one event loop into scheduler events that are legal in Go's sense, whatever the operations
 * are. How activations come and go on the loop's thread is in thread.ts, annotations are in annotations.ts.
 */
export class LoopSchedule implements ThreadListener {
  readonly #shared: Shared;
  readonly #root: Scope;
  readonly #pool: FramePool;
  readonly #thread: LoopThread;
  readonly #annotations: Annotations;
  /** Callbacks that began inside of running ones. */
  #nested: Nested[] = [];
  readonly #system: LoopSystem;
  readonly #timers: TimerHeap<ResourceNode | Sleep>;

  /** `timers`: those of the loop. */
  constructor(
    shared: Shared,
    loop: number,
    root: Scope,
    time: number,
    pool: FramePool,
    timers: TimerHeap<ResourceNode | Sleep>,
  ) {
    this.#timers = timers;
    this.#shared = shared;
    this.#root = root;
    this.#pool = pool;
    this.#thread = new LoopThread(shared, loop, root, time, this);
    this.#annotations = new Annotations(this.#thread, shared);
    this.#system = new LoopSystem(this.#thread, shared);
  }

  notDue(timer: ResourceNode): void {
    this.#timers.add(timer);
  }

  sleeps(sleep: Sleep): void {
    this.#timers.add(sleep);
  }

  started(activation: Activation, time: number): void {
    if (!this.#system.owns(activation)) this.#annotations.started(time);
  }

  leaving(time: number): void {
    this.#annotations.leaving(time);
  }

  ending(activation: Activation, time: number): void {
    this.#annotations.ending(activation, time);
  }

  catchingUp(activation: Activation, time: number): void {
    this.#annotations.catchUp(activation, time);
  }

  /** Takes the first operation of the queue and does it. Its scope is decided. */
  process(queue: OpQueue): void {
    const thread = this.#thread;
    const { kind } = queue;
    const time = thread.moment(queue.time);
    switch (kind) {
      case OpKind.Enter:
        this.#enter(queue.takeEntered(), time);
        break;
      case OpKind.Leave:
        this.#leave(time);
        break;
      case OpKind.Call:
        this.#call(queue.takeScope(), time);
        break;
      case OpKind.CallEnd:
        this.#callEnd(queue.takeScope(), time);
        break;
      case OpKind.Await:
      case OpKind.AwaitFrame:
      case OpKind.AwaitPromise:
        this.#suspend(queue, kind, time);
        break;
      case OpKind.Resume:
        this.#resume(queue.takeScope(), time);
        break;
      case OpKind.FrameEnd:
        this.#frameEnd(queue, time);
        break;
      case OpKind.FrameReady:
        this.#frameReady(queue.takeScope(), time);
        break;
      case OpKind.MaybeReady: {
        const frame = queue.takeScope();
        if (queue.value === 1) this.#frameReady(frame, time);
        break;
      }
      case OpKind.Move:
        this.#move(queue.takeScope(), queue.takeSite());
        break;
      case OpKind.TurnEnd:
        this.#endTurn(time);
        break;
      default:
        this.#processRare(queue, kind, time);
    }
    queue.drop();
  }

  #processRare(queue: OpQueue, kind: number, time: number): void {
    const thread = this.#thread;
    switch (kind) {
      case OpKind.MaybeCalled:
      case OpKind.Ready: {
        const activation = living(queue.takeScope());
        const node = queue.takePromise()!;
        const isReady = kind === OpKind.Ready || queue.value === 1;
        if (activation !== null && isReady) thread.ready(node, activation, time);
        return;
      }
      case OpKind.Add: {
        const scope = queue.takeScope();
        const activation = living(scope);
        const node = queue.takePromise();
        if (activation !== null) thread.count(node ?? scope, activation);
        return;
      }
      case OpKind.Done: {
        const scope = queue.takeScope();
        thread.uncount(queue.takePromise() ?? scope);
        return;
      }
      case OpKind.SourceAdd:
        this.#sourceAdd(queue.takeResource());
        return;
      case OpKind.SourceDone:
        this.#sourceDone(queue.takeResource());
        return;
      case OpKind.Hold:
        this.#hold(queue.takeScope(), queue.value);
        return;
      case OpKind.Release:
        this.#release(queue.takeScope());
        return;
      case OpKind.Wake:
        thread.startProc(time);
        return;
      case OpKind.Rest:
        this.rest(time);
        return;
      case OpKind.Heap:
        this.#heap(queue.takeHeapSize(), time);
        return;
      case OpKind.Reset:
        this.#reset(time);
        return;
      case OpKind.LoopEnd:
        this.end(time);
        return;
      case OpKind.Forget:
        for (const promise of queue.takePromises()) {
          promise.parent = null;
          promise.settledBy = null;
          promise.settledIn = null;
          promise.reaction = null;
          promise.follows = null;
          promise.callee = null;
        }
        return;
      default:
        this.#annotations.write(queue.takeAnnotation(), time);
    }
  }

  /** Time of the last event of the loop's thread: nothing can be written before it. */
  get written(): number {
    return this.#thread.last;
  }

  /** Does what does not come among the facts. */
  processLate(op: LateOp): void {
    const time = this.#thread.moment(op.time);
    if (op.kind === 0) this.#annotations.write({ what: "note", message: op.message }, time);
    else this.#system.collect(op, time);
  }

  /** The note is written now, whatever its time is: something that lies before it cannot be written yet. */
  noteEarly(message: string): void {
    this.#annotations.write({ what: "note", message }, this.written);
  }

  /** A timer is due that is not gone, or what waits for one of Node's. */
  timerDue(timer: ResourceNode | Sleep): void {
    if ("since" in timer) this.#thread.sleepDue(timer);
    else this.#thread.timerDue(timer);
  }

  /** Takes over an activation that was created by another loop for this loop's main script. */
  adopt(activation: Activation): void {
    // If the main script has begun without it, there is nothing for it to do.
    this.#thread.adopt(activation, this.#root.activation === null ? this.#root : null);
  }

  /** Ends an activation that was created for another loop, which does not run it. */
  discard(activation: Activation): void {
    this.#thread.adopt(activation, null);
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
    this.#system.run(last, () => {
      this.#annotations.started(last);
      return last;
    });
  }

  /** Whether annotations wait for something to run. */
  get isWaiting(): boolean {
    return this.#annotations.waiting;
  }

  /** Ends all activations and the loop. */
  end(time: number): void {
    this.#endCycle(time);
    this.#abandonAll();
    this.writeLate(time);
    this.#abandonAll();
    this.rest(time);
    this.#shared.loopOver(this.#thread.p);
  }

  #abandonAll(): void {
    for (const activation of this.#thread.alive) this.#thread.abandon(activation);
    this.#system.forget();
  }

  #endCycle(time: number): void {
    if (!this.#shared.cycles.has(this.#thread.m)) return;
    this.#endTurn(time);
    this.#system.endCycle();
  }

  #endTurn(time: number): void {
    const thread = this.#thread;
    if (this.#nested.length > 0) this.#nested = [];
    thread.endTurn(thread.moment(time));
    this.#pool.endTurn();
  }

  // What keeps an activation alive, and what it waits for.

  #suspend(queue: OpQueue, kind: number, time: number): void {
    const frame = queue.takeScope();
    const site = queue.takeSite();
    const callee = kind === OpKind.AwaitFrame ? queue.takeScope() : null;
    const promise = kind === OpKind.AwaitPromise ? queue.takePromise() : null;
    const { value } = queue;
    const activation = living(frame);
    if (activation !== null) this.#wait(frame, site, callee, promise, value, activation, time);
    this.#pop(frame, value, time);
  }

  /** The frame suspends. */
  #wait(
    frame: Scope,
    site: Site | null,
    callee: Scope | null,
    promise: PromiseNode | null,
    value: number,
    activation: Activation,
    time: number,
  ): void {
    frame.isSuspended = true;
    frame.callee = callee;
    frame.calleeId = callee === null ? 0 : callee.fn;
    frame.waitingFor = promise;
    frame.isSoon =
      (value & Bits.Soon) !== 0 || (promise !== null && isYielded(promise, time + this.#shared.lookAhead));
    if (site !== null) frame.site = site;
    // One that began before the recording has an activation since it went on.
    if (frame.speaks && frame.decision === "fork" && frame.counted === null)
      this.#thread.count(frame, activation);
    (isOfNode(frame) ? activation.nodeFrames : activation.ownFrames).add(frame);
    setLast(activation, frame);
    if ((value & Bits.Ready) !== 0) this.#thread.ready(frame, activation, time);
  }

  #frameReady(frame: Scope, time: number): void {
    const activation = living(frame);
    if (activation !== null) this.#thread.ready(frame, activation, time);
  }

  #hold(scope: Scope, resourceKind: number): void {
    const activation = living(scope);
    if (activation === null || activation.held) return;
    activation.pending++;
    activation.held = true;
    activation.heldFor = resourceKind;
  }

  #release(scope: Scope): void {
    const activation = living(scope);
    if (activation !== null) this.#thread.release(activation);
  }

  #sourceAdd(source: ResourceNode): void {
    const activation = living(source.scope);
    if (activation === null) return;
    source.counted = activation;
    activation.pending++;
    if (isYield(source)) activation.yields++;
    activation.sources.add(source);
  }

  #sourceDone(source: ResourceNode): void {
    if (!source.gone) source.scope.refs--;
    source.gone = true;
    source.chain?.remove(source);
    const activation = source.counted;
    source.counted = null;
    if (activation === null || activation.status === "dead") return;
    if (isYield(source) && activation.yields > 0) activation.yields--;
    this.#thread.done(activation);
  }

  #frameEnd(queue: OpQueue, time: number): void {
    const frame = queue.takeScope();
    const { value } = queue;
    if ((value & Bits.Wakes) !== 0) this.#frameReady(queue.takeScope(), time);
    frame.over = true;
    resumed(frame);
    this.#thread.unready(frame);
    const activation = frame.counted;
    this.#thread.uncount(frame);
    // It has ended with a promise that something has settled just now, and runs no more code of its own.
    if (frame.isEnding && activation !== null) this.#thread.endedBy(activation, time);
    if (frame.promise === null) this.#pool.ended(frame);
    this.#pop(frame, value, time);
  }

  /** What follows with the operation of a frame that suspends or ends. */
  #pop(frame: Scope, value: number, time: number): void {
    if ((value & Bits.Leaves) !== 0) this.#leave(time);
    else if ((value & Bits.Returns) !== 0) this.#callEnd(frame, time);
  }

  // Running.

  #enter({ scope, node, due, kind, other, message }: Entered, time: number): void {
    const thread = this.#thread;
    const sent = message === 0 ? null : this.#shared.takeSent(message);
    if (sent !== null) thread.adopt(sent, scope);
    if (node !== null) thread.unready(node);
    const onOther = other !== null && thread.current !== null && activationOf(other) === thread.current;
    if (node !== null && node.frame === scope) resumed(scope);
    if (scope.decision === "inline" && scope.parent !== null) reparent(scope, livingParent(scope.parent));
    const activation = onOther ? thread.current! : thread.activationOf(scope, time, kind);
    this.#wakeDue(activation, due, time);
    this.#run(activation, onOther ? null : scope, time);
    if (kind !== 0 && scope.kind === "callback") this.#pool.ended(scope);
  }

  /** The activation goes on because of a timer, which was due at `due` (0: there is none): it could since then. */
  #wakeDue(activation: Activation, due: number, time: number): void {
    if (this.#thread.active === null && due > 0 && activation.status === "waiting")
      this.#thread.wake(activation, Math.min(due, time));
  }

  #resume(frame: Scope, time: number): void {
    const thread = this.#thread;
    if (frame.readied !== null) thread.unready(frame);
    const due = dueOf(frame, time);
    resumed(frame);
    if (frame.decision === "inline" && frame.parent !== null) reparent(frame, livingParent(frame.parent));
    const activation = thread.activationOf(frame, time, 0);
    // What goes on before its sleep is over was not woken by it.
    if (due <= time) this.#wakeDue(activation, due, time);
    this.#run(activation, frame, time);
  }

  /** The frame, which is running, goes on at the site. */
  #move(frame: Scope, site: Site | null): void {
    if (site !== null) frame.site = site;
    const { active } = this.#thread;
    if (active === null || activationOf(frame) !== active) return;
    this.#thread.scope = frame;
    setLast(active, frame);
  }

  /** The scope, null where it is not known, runs on the activation. */
  #run(activation: Activation, scope: Scope | null, time: number): void {
    const thread = this.#thread;
    // One that just keeps running has not yet got to its timer.
    if (activation !== thread.current) activation.overdue = null;
    const { active } = thread;
    if (active !== null) {
      // A callback inside of a running one (runInAsyncScope, a parser inside a socket's read).
      this.#nested.push({ onTop: active !== activation, scope: thread.scope });
      if (active !== activation) thread.push(activation, time);
    } else {
      thread.switchTo(activation, time);
    }
    thread.scope = scope;
    if (scope !== null) setLast(activation, scope);
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
    const { callSite, parent } = scope;
    if (callSite !== null && parent !== null) parent.site = callSite;
    if (scope.decision === "fork") {
      const activation = thread.create(scope, scope.entry, time);
      if (scope.kind === "frame") thread.count(scope, activation);
      if (thread.active === null) thread.start(activation, time);
      else thread.push(activation, time);
      setLast(activation, scope);
    } else {
      if (scope.parent !== null) reparent(scope, livingParent(scope.parent));
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
    if (scope.decision === "fork") reparent(scope, null);
  }

  // The loop.

  #heap({ used, limit }: HeapSize, time: number): void {
    const thread = this.#thread;
    thread.settleLeft();
    thread.startProc(time);
    thread.out.heapAlloc(thread.m, time, used);
    if (limit > 0) thread.out.heapGoal(thread.m, time, limit);
  }

  #reset(time: number): void {
    this.#endCycle(time);
    this.#endTurn(time);
    for (const activation of this.#thread.alive) {
      if (this.#system.owns(activation)) continue;
      const isStarting = activation === this.#root.activation && activation.held;
      this.#thread.abandon(activation);
      if (!isStarting) continue;
      activation.held = true;
      activation.pending = 1;
    }
    this.#endTurn(time);
  }
}
