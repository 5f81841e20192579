import type { Frame } from "../wire/format.ts";
import type { Cycles } from "./cycles.ts";
import { Chain } from "./chain.ts";
import { ENDED, isSleepOver, makeActivation } from "./graph.ts";
import { entryOf, setLast } from "./scopes.ts";
import type { Activation, PromiseNode, ResourceNode, Sleep } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { callbackEntry } from "./names.ts";
import type { SchedulerOut } from "./out.ts";
import { dueOf, waitOf } from "./reasons.ts";
import { RunHistory } from "./runs.ts";
import type { Stacks } from "./stacks.ts";

/** What the loops of one trace share. */
export interface Shared {
  readonly out: SchedulerOut;
  readonly stacks: Stacks;
  readonly cycles: Cycles;
  /** In ns. */
  readonly lookAhead: number;
  /** The thread (without a proc) on which timers wake activations at their due time. */
  readonly timerThread: number;
  readonly stats: { misuse: number; activations: number };
  nextGoroutine(): number;
  /** Number of event loops at `time`. */
  loops(time: number): number;
  /** GOMAXPROCS at `time`: above the index of every loop that lives then, as Go's tools take it for granted. */
  procs(time: number): number;
  /** The GOMAXPROCS that was written last, by whichever loop. */
  writtenProcs: number;
  /** Keeps the activation of a Worker's main script for the Worker's own loop. */
  workerStarted(threadId: number, activation: Activation): void;
  /** Keeps the activation that handles a message for the loop that gets it, and gives it to that loop; null where there is none. */
  sent(key: number, activation: Activation): void;
  takeSent(key: number): Activation | null;
  /** Nobody handles what is sent on the way of the message of that key. */
  closed(key: number): void;
  /** The loop has ended: nobody handles what it was sent. */
  loopOver(loop: number): void;
}

/** A reaction, or a frame that is suspended. */
interface Readied {
  /** The activation that it is ready to run on. */
  readied: Activation | null;
}

const YIELD = "runtime.Gosched";
const CALLEE_RUNS = "preempted";

/** What acts when an activation takes or leaves the thread. */
export interface ThreadListener {
  /** The program's activation `activation` has started. */
  started(activation: Activation, time: number): void;
  /** The current activation is about to leave or to create another. */
  leaving(time: number): void;
  /** It is about to end. */
  ending(activation: Activation, time: number): void;
  /** A timer of an activation that was not running when it fell due. */
  notDue(timer: ResourceNode): void;
  /** An activation waits for a timer of Node's. */
  sleeps(sleep: Sleep): void;
  /** It runs for what was put off. */
  catchingUp(activation: Activation, time: number): void;
}

/**
 * The thread of one event loop: which activation is on it, and how they come and go.
 *
 * One activation is current. A callee that forks runs on top of its caller, which waits ("preempted") below it until
 * the callee suspends: strictly last in, first out. When a callback ends, the current activation leaves, which is
 * written only when another one starts or the turn ends: if it goes on in the next reaction, it simply keeps running.
 * What an activation that is not current needs done on itself (ending it, ending its regions) is put off until nothing
 * runs, and done there in a run of no length.
 */
export class LoopThread {
  readonly out: SchedulerOut;
  readonly m: number;
  readonly #alive = new Chain<Activation>();
  readonly runs = new RunHistory();
  current: Activation | null = null;
  /** The scope that runs, as far as it is known. */
  scope: Scope | null = null;
  /** The proc is running. */
  running = false;
  /** Time of the last event. */
  last: number;
  readonly #shared: Shared;
  readonly #stacks: Stacks;
  /** Index of the loop. */
  readonly p: number;
  readonly #root: Scope;
  readonly #listener: ThreadListener;
  /** Activations below the current one. */
  readonly #below: Activation[] = [];
  /** Activations for which something was put off. */
  readonly #putOff: (Activation | null)[] = [];
  #putOffCount = 0;
  /** Activations with reactions that are ready in this turn. */
  readonly #readied: (Activation | null)[] = [];
  #readiedCount = 0;
  /** Since when the current activation has left, or -1. */
  #left = -1;

  constructor(shared: Shared, loop: number, root: Scope, time: number, listener: ThreadListener) {
    this.#shared = shared;
    this.out = shared.out;
    this.#stacks = shared.stacks;
    this.m = loop + 1;
    this.p = loop;
    this.#root = root;
    this.last = time;
    this.#listener = listener;
  }

  /** All that have not ended, oldest first. */
  get alive(): Activation[] {
    const alive: Activation[] = [];
    for (let at = this.#alive.youngest; at !== null; at = at.older) alive.push(at);
    return alive.reverse();
  }

  /** The activation whose code is running: current, and has not left. */
  get active(): Activation | null {
    return this.#left < 0 ? this.current : null;
  }

  /** Time does not go back: `time` or that of the last event. */
  moment(time: number): number {
    if (time > this.last) this.last = time;
    return this.last;
  }

  /** The current activation has nothing to run any more since `time`, if nothing follows. */
  leave(time: number): void {
    if (this.current === null || this.#left >= 0) return;
    this.#left = time;
    this.#checkOverdue(this.current, time);
  }

  /**
   * The activation stops at `time`, which is sometimes seen late: its timer may not have been due yet. Or it is gone: the
   * activation has cleared it meanwhile.
   */
  #checkOverdue(activation: Activation, time: number): void {
    const { overdue } = activation;
    if (overdue === null || (!overdue.gone && overdue.due <= time)) return;
    activation.overdue = null;
    if (!overdue.gone) this.#listener.notDue(overdue);
  }

  /** Writes that the current activation left. */
  settleLeft(): void {
    if (this.current !== null && this.#left >= 0) this.#retire(this.#left);
  }

  // The proc.

  startProc(time: number): void {
    if (this.running) return;
    this.running = true;
    this.out.procStart(this.m, time, this.p);
  }

  stopProc(time: number): void {
    if (!this.running) return;
    this.running = false;
    this.out.procStop(this.m, time);
  }

  // Activations.

  /** The activation of a decided scope, made if there is none or it has ended. `kind` names a callback's new one. */
  activationOf(scope: Scope, time: number, kind: number): Activation {
    const entry = entryOf(scope) ?? this.#root;
    const known = entry.activation;
    if (known !== null && known.status !== "dead") return known;
    // Jobs of an activation that has ended go on under its name, callbacks of what it left behind under their own.
    return this.create(entry, known === null || kind === 0 ? entry.entry : callbackEntry(kind), time);
  }

  /** A new activation that begins at the scope `entry`. */
  create(entry: Scope, frame: Frame, time: number): Activation {
    this.settleLeft();
    if (this.current !== null) this.#listener.leaving(time);
    const activation = this.makeSystem(frame, time, this.currentStack());
    entry.activation = activation;
    activation.scope = entry;
    this.#shared.stats.activations++;
    // If nothing keeps it alive or runs on it, it ends when nothing runs.
    this.putOff(activation);
    return activation;
  }

  /** A new activation that no scope begins. */
  makeSystem(frame: Frame, time: number, stack: number): Activation {
    const activation = makeActivation(this.#shared.nextGoroutine(), frame);
    this.startProc(time);
    this.out.goCreate(this.m, time, activation.g, this.#stacks.one(frame), stack);
    activation.status = "runnable";
    this.#alive.add(activation);
    return activation;
  }

  /** Takes over a runnable activation of another loop's making, to run as `entry` or, without one, to end. */
  adopt(activation: Activation, entry: Scope | null): void {
    if (entry !== null) entry.activation = activation;
    activation.scope = entry;
    this.#alive.add(activation);
    this.putOff(activation);
  }

  /** Something will be done on the activation when nothing runs. */
  putOff(activation: Activation): void {
    if (activation.isPutOff) return;
    activation.isPutOff = true;
    this.#putOff[this.#putOffCount++] = activation;
  }

  // What keeps an activation alive.

  count(what: Scope | PromiseNode, activation: Activation): void {
    if (what.counted !== null) return;
    what.counted = activation;
    activation.pending++;
  }

  uncount(what: Scope | PromiseNode): void {
    const activation = what.counted;
    if (activation === null) return;
    what.counted = null;
    if (activation.status !== "dead") this.done(activation);
  }

  /** One thing less for which it stays alive. */
  done(activation: Activation): void {
    if (activation.pending > 0) activation.pending--;
    if (activation.pending === 0) this.putOff(activation);
  }

  /** It was held until now. */
  release(activation: Activation): void {
    if (!activation.held) return;
    activation.held = false;
    this.done(activation);
  }

  /** Nothing keeps it alive any more. */
  abandon(activation: Activation): void {
    activation.pending = 0;
    activation.ready = 0;
    activation.yields = 0;
    activation.sources.clear();
    activation.held = false;
    this.putOff(activation);
  }

  // Waking.

  /** The reaction is ready to run on its activation. */
  ready(reaction: Readied, activation: Activation, time: number): void {
    if (reaction.readied !== null) return;
    reaction.readied = activation;
    if (activation.ready++ === 0) this.#readied[this.#readiedCount++] = activation;
    if (activation.status !== "waiting" || activation.below > 0) return;
    this.settleLeft();
    this.out.goUnblock(this.m, time, activation.g, this.currentStack());
    activation.status = "runnable";
  }

  /** What the activation has waited for has come from what runs now; where nothing else keeps it alive, it wakes to end. */
  endedBy(activation: Activation, time: number): void {
    const isOver = activation.pending === 0 && activation.status === "waiting" && activation.below === 0;
    if (!isOver || this.active === null || this.active === activation) return;
    this.out.goUnblock(this.m, time, activation.g, this.currentStack());
    activation.status = "runnable";
  }

  /** The reaction runs. */
  unready(reaction: Readied): void {
    const activation = reaction.readied;
    reaction.readied = null;
    if (activation !== null && activation.ready > 0) activation.ready--;
  }

  /** A timer is due: wakes its activation if the loop is too busy to run it. */
  timerDue(timer: ResourceNode): void {
    const activation = entryOf(timer.scope)?.activation ?? null;
    // Between two jobs of a turn the loop is busy, too.
    if (activation === null || this.current === null) return;
    if (activation === this.current || activation.below > 0) {
      const { overdue } = activation;
      const isFirst = overdue === null || overdue.gone || timer.due < overdue.due;
      if (this.active !== null && isFirst) activation.overdue = timer;
    } else if (activation.status === "waiting") this.wake(activation, timer.due);
  }

  /** The timer of Node's is due that the activation waits for: wakes it if the loop is too busy to run it. */
  sleepDue(sleep: Sleep): void {
    if (this.current !== null && !isSleepOver(sleep)) this.wake(sleep.activation, sleep.due);
  }

  /** A timer makes a waiting activation runnable, on the thread of the timers: the loop may be busy. */
  wake(activation: Activation, due: number): void {
    this.out.goUnblock(this.#shared.timerThread, Math.max(due, activation.since), activation.g, 0);
    activation.status = "runnable";
  }

  // Running.

  /** Nothing is current: `activation` runs. */
  start(activation: Activation, time: number): void {
    this.#start(activation, time);
    this.#listener.started(activation, time);
  }

  #start(activation: Activation, time: number): void {
    this.startProc(time);
    if (activation.status === "waiting") this.out.goUnblock(this.m, time, activation.g, 0);
    this.out.goStart(this.m, time, activation.g);
    activation.status = "running";
    this.current = activation;
    this.#left = -1;
    this.runs.add(time, activation.g);
    const procs = Math.max(this.#shared.procs(time), this.p + 1);
    if (this.#shared.writtenProcs === procs) return;
    this.#shared.writtenProcs = procs;
    this.out.procsChange(this.m, time, procs, 0);
  }

  /** `activation` runs, the current one having left. */
  switchTo(activation: Activation, time: number): void {
    if (this.current === activation) {
      this.#left = -1;
      return;
    }
    this.settleLeft();
    this.start(activation, time);
  }

  /** `activation` runs on top of the current one. */
  push(activation: Activation, time: number): void {
    const below = this.current!;
    if (this.scope !== null) setLast(below, this.scope);
    this.#below.push(below);
    below.below++;
    this.#retire(time);
    this.scope = null;
    this.start(activation, time);
  }

  /** The activation catches up with what is to be done on it now, whatever runs; or later where it waits for a callee. */
  runAside(activation: Activation, time: number): void {
    if (this.active === activation) {
      this.#listener.catchingUp(activation, time);
    } else if (activation.below > 0) {
      this.putOff(activation);
    } else if (this.active !== null) {
      this.push(activation, time);
      this.#listener.catchingUp(activation, time);
      this.pop(time);
    } else {
      this.switchTo(activation, time);
      this.#listener.catchingUp(activation, time);
      this.leave(time);
    }
  }

  get hasBelow(): boolean {
    return this.#below.length > 0;
  }

  /** The current activation is done on top: the one below runs again. */
  pop(time: number): void {
    const below = this.#below.pop()!;
    below.below--;
    if (this.current !== null) this.#retire(this.#left < 0 ? time : this.#left);
    this.scope = below.lastScope;
    this.start(below, time);
  }

  /** Everything on top is done. */
  popAll(time: number): void {
    while (this.#below.length > 0) this.pop(time);
  }

  /** A run of no program's code, from `time` to whatever `body` answers as its end. */
  runSystem(system: Activation, time: number, body: () => number): void {
    this.settleLeft();
    this.#start(system, time);
    const end = body();
    this.current = null;
    system.status = "waiting";
    this.out.goBlock(this.m, end, "system goroutine wait", 0);
    this.runs.add(end, 0);
  }

  /** The current activation stops running at `time`: ended, runnable or waiting. */
  #retire(time: number): void {
    const activation = this.current!;
    this.#listener.leaving(time);
    if (activation.below === 0 && activation.pending === 0) this.#listener.ending(activation, time);
    const { out, m } = this;
    this.current = null;
    this.#left = -1;
    this.runs.add(time, 0);
    if (activation.below > 0) {
      out.goBlock(m, time, CALLEE_RUNS, this.#stackOf(activation.lastScope, activation));
      activation.status = "waiting";
      return;
    }
    if (activation.pending === 0) {
      out.goDestroy(m, time);
      this.#forget(activation);
      return;
    }
    const { reason, frame, isSoon } = waitOf(activation, time, this.#shared.lookAhead);
    if (activation.ready > 0 || activation.yields > 0 || isSoon) {
      out.goStop(m, time, YIELD, this.#stackOf(frame ?? activation.lastScope, activation));
      activation.status = "runnable";
    } else {
      out.goBlock(m, time, reason, this.#stackOf(frame ?? activation.lastScope, activation));
      activation.status = "waiting";
      activation.since = time;
      this.#checkOverdue(activation, time);
      const due = frame === null ? 0 : dueOf(frame, time);
      if (activation.overdue !== null || (due !== 0 && due <= time)) this.wake(activation, time);
      else if (due !== 0) this.#listener.sleeps({ activation, since: time, due });
      activation.overdue = null;
    }
  }

  #forget(activation: Activation): void {
    activation.status = "dead";
    // Nothing that is left of it shall keep it from being collected.
    if (activation.scope?.activation === activation) activation.scope.activation = ENDED;
    activation.scope = null;
    setLast(activation, null);
    activation.ownFrames.clear();
    activation.nodeFrames.clear();
    activation.sources.clear();
    this.#alive.remove(activation);
  }

  /** Nothing more runs in this turn: writes the end of the current run and does what was put off. */
  endTurn(time: number): void {
    this.popAll(time);
    this.leave(time);
    this.scope = null;
    // All reactions of the turn have run.
    for (let i = 0; i < this.#readiedCount; i++) {
      this.#readied[i]!.ready = 0;
      this.#readied[i] = null;
    }
    this.#readiedCount = 0;
    this.settleLeft();
    const putOff = this.#putOff;
    // What is done may put off more.
    for (let i = 0; i < this.#putOffCount; i++) {
      const activation = putOff[i]!;
      putOff[i] = null;
      activation.isPutOff = false;
      const { regions } = activation;
      const due = activation.pending === 0 || activation.rootEnd !== null || regions.at(-1)?.ended === true;
      if (!due || activation.status === "dead") continue;
      this.start(activation, time);
      this.#listener.catchingUp(activation, time);
      this.#retire(time);
    }
    this.#putOffCount = 0;
  }

  // Stacks.

  currentStack(): number {
    const activation = this.current;
    return activation === null ? 0 : this.#stackOf(this.scope ?? activation.lastScope, activation);
  }

  /** The current activation's stack with `leaf` innermost. */
  stackAt(leaf: Frame): number {
    const activation = this.current!;
    return this.#stacks.of(this.scope ?? activation.lastScope, activation, leaf);
  }

  #stackOf(scope: Scope | null, activation: Activation): number {
    return this.#stacks.of(scope, activation, null);
  }
}
