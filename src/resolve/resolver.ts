import { GcKind, isMessageTo, wayOf } from "../base/facts.ts";
import type { FactVisitor } from "../base/ring.ts";
import type { Frame } from "../wire/format.ts";
import { Cycles } from "./cycles.ts";
import { makeScope } from "./scopes.ts";
import { isSleepOver } from "./graph.ts";
import type { Activation, ResourceNode, Sleep, TaskNode } from "./graph.ts";
import { FramePool } from "./frame-pool.ts";
import { isOfCycle } from "./ops.ts";
import type { LateOp } from "./ops.ts";
import type { SchedulerOut } from "./out.ts";
import { LoopSchedule } from "./schedule.ts";
import { Stacks } from "./stacks.ts";
import type { Shared } from "./thread.ts";
import { TimerHeap } from "./timers.ts";
import { TurnReader } from "./turns.ts";

/**
 * Facts of any number of event loops in, scheduler events out. Pure: it knows no clock, no thread and no file.
 *
 * Everything is held back for the look-ahead, because much is known only later: whether a call forks, why an
 * activation waits, that a garbage collection ran. `advance(now)` writes what happened before now - look-ahead, of
 * all loops alike, so that what is written up to then is a consistent cut.
 *
 * The facts of a loop give the same events however often `advance` is called, provided that all facts before `now`
 * have been given by then, late GC facts excepted. Only the numbers of goroutines and tasks depend on it where there
 * are several loops.
 */
export interface ResolverOptions {
  /** In ns; 100 ms unless told. */
  readonly lookAheadNs?: number;
}

/** Takes the facts of one loop in order. */
export type LoopVisitor = FactVisitor;

interface Loop {
  readonly reader: TurnReader;
  readonly schedule: LoopSchedule;
  readonly timers: TimerHeap<ResourceNode | Sleep>;
  readonly workerThreadId: number;
  /** No facts follow; the loop is dropped when everything of it is written. */
  ended: boolean;
}

/** When the loop's next operation is, Infinity where there is none. */
function nextTime({ reader }: Loop): number {
  const { queue, late } = reader.running;
  return Math.min(queue.size > 0 ? queue.time : Infinity, late[0]?.time ?? Infinity);
}

/** Whether a timer that comes up wakes nothing any more: gone, called back before its time, or cleared. */
function isTimerOver({ gone, calledAt, clearedAt, due }: ResourceNode, lookAhead: number): boolean {
  return gone || (calledAt !== 0 && calledAt <= due) || (clearedAt !== 0 && clearedAt <= due + lookAhead);
}

interface PendingSample {
  readonly loop: number;
  readonly time: number;
  readonly stack: number;
  /** What ran then, known once the loop has ended; else 0. */
  g: number;
}

const TIMER_THREAD = 1_000_000;
/** Workers' activations that are kept for loops which may yet come. */
const WORKERS_KEPT = 100;
/** Messages whose activations are kept for the loops that may yet handle them. */
const SENT_KEPT = 10_000;
/** Ways that are remembered as closed: something may still be sent on them. */
const CLOSED_KEPT = 1_000;
const NO_LOOPS = { count: 0, procs: 0 } as const;
/** How many changes of the number of loops are remembered. */
const CHANGES_KEPT = 100;

const NOBODY: LoopVisitor = { fact: () => {}, text: () => {} };

export class Resolver {
  readonly stats = { facts: 0, misuse: 0, activations: 0, lostPauses: 0, lostPauseNs: 0 };
  readonly #out: SchedulerOut;
  readonly #lookAhead: number;
  /** By index; undefined once a loop has ended. */
  readonly #loops: (Loop | undefined)[] = [];
  /** Number of loops from a time on, and one more than the highest index among them, in order of time. */
  #changes: { readonly time: number; readonly count: number; readonly procs: number }[] = [];
  readonly #living = new Set<number>();
  readonly #ended = new Set<number>();
  readonly #droppedBefore: number[] = [];
  readonly #workers = new Map<number, Activation>();
  /** Activations of messages that no loop has begun to handle, by key. */
  readonly #sent = new Map<number, Activation>();
  /** Ways of messages that have been closed. */
  readonly #closed = new Set<number>();
  readonly #samples: PendingSample[] = [];
  readonly #shared: Shared;
  #goroutines = 0;
  #tasks = 0;
  #horizon = 0;
  /** Nothing can be written before this time. */
  #since = 0;
  /** Facts of the loops that have ended. */
  #factsBefore = 0;

  constructor(out: SchedulerOut, options: ResolverOptions = {}) {
    this.#out = out;
    this.#lookAhead = options.lookAheadNs ?? 100e6;
    this.#shared = {
      out,
      stacks: new Stacks(out),
      cycles: new Cycles(out, (m, time) => this.#pausedAt(m, time)),
      lookAhead: this.#lookAhead,
      timerThread: TIMER_THREAD,
      stats: this.stats,
      nextGoroutine: () => ++this.#goroutines,
      loops: (time) => this.#changeAt(time).count,
      procs: (time) => this.#changeAt(time).procs,
      writtenProcs: 0,
      sent: (key, activation) => this.#keepSent(key, activation),
      closed: (key) => this.#wayClosed(wayOf(key)),
      loopOver: (loop) => this.#discardSent(this.#loops[loop]?.workerThreadId ?? -1),
      takeSent: (key) => this.#takeSent(key),
      workerStarted: (threadId, activation) => this.#workerStarted(threadId, activation),
    };
  }

  /** Everything before this time (ns) has been written. */
  get horizon(): number {
    return this.#horizon;
  }

  /**
   * Adds an event loop. `loop` is its dense index from 0 (the proc), its thread on the wire is loop + 1; `name` names
   * its main activation's file. A Worker's loop names the thread id that the WorkerStart fact of its maker carries.
   */
  addLoop(
    loop: number,
    options: { name: string; time: number; workerThreadId?: number; file?: string },
  ): void {
    const { name, time } = options;
    const lookAhead = this.#lookAhead;
    const entry: Frame = { func: name, file: options.file ?? "node", line: 1 };
    const root = makeScope("root", null, "fork", time, { entry, task: null });
    const timers = new TimerHeap((timer: ResourceNode | Sleep) =>
      "since" in timer ? isSleepOver(timer) : isTimerOver(timer, lookAhead),
    );
    const pool = new FramePool();
    const reader = new TurnReader({
      root,
      time,
      lookAhead,
      pool,
      newTask: (taskName): TaskNode => ({ id: ++this.#tasks, name: taskName, since: -1, ended: false }),
      onTimer: (timer: ResourceNode) => timers.add(timer),
      onEnd: (endTime) => this.#loopEnded(loop, endTime),
    });
    const schedule = new LoopSchedule(this.#shared, loop, root, time, pool, timers);
    this.#loops[loop] = {
      reader,
      schedule,
      timers,
      workerThreadId: options.workerThreadId ?? -1,
      ended: false,
    };
    this.#living.add(loop);
    this.#loopsChange(time);
  }

  /** Where the facts of a loop go. */
  visitor(loop: number): LoopVisitor {
    const state = this.#loops[loop];
    return state === undefined || state.ended ? NOBODY : state.reader;
  }

  /** Facts of the loop that its ring had to drop so far. */
  dropped(loop: number): number {
    return this.#loops[loop]?.reader.dropped ?? this.#droppedBefore[loop] ?? 0;
  }

  /** A JSON message of the reserved category, on the loop's next running activation. */
  note(loop: number, time: number, json: string): void {
    const state = this.#loops[loop];
    if (state !== undefined && !state.ended) state.reader.note(time, json);
  }

  /** Writes what is certain: everything before `now` less the look-ahead. */
  advance(now: number): void {
    if (!(now - this.#lookAhead > this.#horizon)) return;
    for (const loop of this.#loops) if (loop?.ended === false) loop.reader.pass(now);
    this.#writeUpTo(now - this.#lookAhead);
    this.#horizon = now - this.#lookAhead;
    this.writeSamples();
  }

  /** A CPU sample at `time` (ns), frames leaf first. Written when its time has been written. */
  cpuSample(loop: number, time: number, frames: readonly Frame[]): void {
    this.#samples.push({ loop, time, stack: this.#out.stack(frames), g: 0 });
  }

  /** The loop ended at `time` without saying so (a terminated Worker). */
  endLoop(loop: number, time: number): void {
    const state = this.#loops[loop];
    if (state === undefined || state.ended) return;
    state.reader.pass(time);
    state.reader.end(Math.max(time, state.reader.running.lastFact));
    state.ended = true;
  }

  /** Writes everything and ends what is open at `now`. Nothing may follow. */
  finish(now: number): void {
    for (const loop of this.#loops) if (loop?.ended === false) loop.reader.close(now);
    this.#writeUpTo(Infinity);
    for (const loop of this.#loops) {
      if (loop === undefined) continue;
      loop.schedule.writeLate(now);
      loop.schedule.rest(now);
    }
    this.#horizon = now;
    this.writeSamples();
  }

  /** A generation ends at the horizon: nothing is written into it any more. */
  rotated(): void {
    this.#since = this.#horizon;
  }

  /**
   * Leaves out the pauses of which the facts came when the times before their ends had been written: V8 tells of a collection
   * once the turn is over. They are counted; a pause of no length somewhere else would be a wrong one. The end of a cycle
   * that is open has to be written all the same.
   */
  leaveOutLost(): void {
    for (const [index, loop] of this.#loops.entries()) {
      if (loop === undefined) continue;
      const written = Math.max(loop.schedule.written, this.#since);
      const { late } = loop.reader.running;
      let kept = 0;
      for (const op of late) {
        const isOpen = isOfCycle(op) && this.#shared.cycles.has(index + 1);
        if (op.kind === 0 || op.end > written || isOpen) {
          late[kept++] = op;
          continue;
        }
        this.stats.lostPauses++;
        this.stats.lostPauseNs += op.end - op.time;
      }
      late.length = kept;
    }
  }

  #writeUpTo(horizon: number): void {
    this.leaveOutLost();
    for (const time of this.#cycleTimes(horizon)) {
      this.#drainAll(time);
    }
    this.#drainAll(horizon);
    for (const [index, loop] of this.#loops.entries()) {
      if (loop === undefined) continue;
      if (!loop.ended || loop.reader.running.queue.size > 0) continue;
      this.#factsBefore += loop.reader.facts;
      this.#droppedBefore[index] = loop.reader.dropped;
      for (const sample of this.#samples)
        if (sample.loop === index) sample.g = loop.schedule.ranAt(sample.time);
      this.#loops[index] = undefined;
    }
    this.#countFacts();
  }

  /** Times up to `horizon` that all loops must have reached before any goes on, for what they share: the cycles. */
  #cycleTimes(horizon: number): number[] {
    const times: number[] = [];
    if (this.#loops.length === 1) return times;
    for (const loop of this.#loops) {
      for (const op of loop?.reader.running.late ?? []) {
        if (isOfCycle(op) && op.end <= horizon) times.push(op.time, op.end);
      }
    }
    return times.sort((a, b) => a - b);
  }

  #pausedAt(m: number, time: number): number {
    for (const [index, loop] of this.#loops.entries()) {
      if (loop === undefined || index + 1 === m) continue;
      const isPaused = (op: LateOp): boolean => op.kind === GcKind.Major && op.time <= time && op.end > time;
      if (loop.reader.running.late.some((op) => isOfCycle(op) && isPaused(op))) return index + 1;
    }
    return 0;
  }

  #countFacts(): void {
    let facts = this.#factsBefore;
    for (const loop of this.#loops) facts += loop?.reader.facts ?? 0;
    this.stats.facts = facts;
  }

  /**
   * Processes all operations up to `horizon`, for which all scopes are decided, in order of time: what one loop sends
   * another handles. A pause that ends later holds up all of them.
   */
  #drainAll(horizon: number): void {
    let limit = horizon;
    for (;;) {
      let first: Loop | undefined;
      let firstTime = Infinity;
      let until = limit;
      for (const loop of this.#loops) {
        if (loop === undefined) continue;
        const time = nextTime(loop);
        if (time >= firstTime) {
          if (time < until) until = time;
          continue;
        }
        if (firstTime < until) until = firstTime;
        first = loop;
        firstTime = time;
      }
      if (first === undefined || firstTime > limit) break;
      const pause = this.#drain(first, horizon, until);
      if (pause !== Infinity) {
        limit = pause;
        break;
      }
    }
    if (limit === Infinity) return;
    for (const loop of this.#loops) if (loop !== undefined) this.#wakeTimers(loop, limit);
  }

  /** The same of one loop up to `until`. Answers when a pause begins that is in the way, Infinity where none is. */
  #drain(loop: Loop, horizon: number, until: number): number {
    const { schedule, timers } = loop;
    const { queue, late } = loop.reader.running;
    let lateAt = 0;
    let pause = Infinity;
    for (;;) {
      const next = late[lateAt];
      const time = queue.size > 0 ? queue.time : Infinity;
      if (next !== undefined && next.time < time) {
        if (next.time > until) break;
        // A pause is written as a whole, so that nothing that is written later lies before its end.
        if (Math.max(next.time, next.end) > horizon) {
          pause = next.time;
          break;
        }
        lateAt++;
        this.#reach(loop, next.time);
        schedule.processLate(next);
      } else {
        if (time > until || queue.size === 0) break;
        if (timers.isDue(time) || loop.workerThreadId >= 0) this.#reach(loop, time);
        schedule.process(queue);
      }
    }
    if (lateAt > 0) late.splice(0, lateAt);
    return pause;
  }

  /** Does what is due by `time`, apart from the loop's operations. */
  #reach(loop: Loop, time: number): void {
    this.#wakeTimers(loop, time);
    if (loop.workerThreadId >= 0 && this.#workers.size > 0) this.#adoptWorker(loop, time);
  }

  #wakeTimers({ timers, schedule }: Loop, until: number): void {
    for (let timer = timers.takeDue(until); timer !== null; timer = timers.takeDue(until))
      schedule.timerDue(timer);
  }

  // Loops.

  #loopsChange(time: number): void {
    const changes = this.#changes;
    const from = Math.max(time, changes.at(-1)?.time ?? 0);
    let procs = 0;
    for (const loop of this.#living) procs = Math.max(procs, loop + 1);
    changes.push({ time: from, count: this.#living.size, procs });
    if (changes.length > 2 * CHANGES_KEPT) this.#changes = changes.slice(CHANGES_KEPT);
  }

  #changeAt(time: number): { readonly count: number; readonly procs: number } {
    let at = this.#changes.length - 1;
    while (at > 0 && this.#changes[at]!.time > time) at--;
    return this.#changes[at] ?? NO_LOOPS;
  }

  #loopEnded(loop: number, time: number): void {
    if (this.#ended.has(loop)) return;
    this.#ended.add(loop);
    this.#living.delete(loop);
    this.#loopsChange(time);
  }

  #workerStarted(threadId: number, activation: Activation): void {
    this.#workers.set(threadId, activation);
    if (this.#workers.size <= WORKERS_KEPT) return;
    for (const [oldest, orphan] of this.#workers) {
      this.#workers.delete(oldest);
      this.#loops[0]?.schedule.adopt(orphan);
      return;
    }
  }

  #keepSent(key: number, activation: Activation): void {
    if (this.#closed.has(wayOf(key))) {
      this.#loops[0]?.schedule.discard(activation);
      return;
    }
    const former = this.#takeSent(key);
    if (former !== null) this.#loops[0]?.schedule.discard(former);
    this.#sent.set(key, activation);
    if (this.#sent.size <= SENT_KEPT) return;
    for (const oldest of this.#sent.keys()) {
      this.#loops[0]?.schedule.discard(this.#takeSent(oldest)!);
      return;
    }
  }

  #takeSent(key: number): Activation | null {
    const activation = this.#sent.get(key) ?? null;
    this.#sent.delete(key);
    return activation;
  }

  /** Nobody handles what was sent on that way, or will be. */
  #wayClosed(way: number): void {
    for (const key of this.#sent.keys())
      if (wayOf(key) === way) this.#loops[0]?.schedule.discard(this.#takeSent(key)!);
    this.#closed.add(way);
    if (this.#closed.size <= CLOSED_KEPT) return;
    for (const oldest of this.#closed) {
      this.#closed.delete(oldest);
      return;
    }
  }

  /** The Worker is gone: nobody handles what it was sent. */
  #discardSent(threadId: number): void {
    for (const key of this.#sent.keys())
      if (isMessageTo(key, threadId)) this.#loops[0]?.schedule.discard(this.#takeSent(key)!);
  }

  #adoptWorker(loop: Loop, time: number): void {
    const activation = this.#workers.get(loop.workerThreadId);
    if (activation === undefined || activation.since > time) return;
    this.#workers.delete(loop.workerThreadId);
    loop.schedule.adopt(activation);
  }

  /**
   * Writes what waits for something to run, and notes up to the horizon that a pause holds up which ends after it: before a
   * generation ends, for they are to be in that one. A note keeps its place among notes, not its time.
   */
  writeNotes(): void {
    for (const loop of this.#loops) {
      if (loop === undefined || loop.ended) continue;
      for (const { message } of loop.reader.running.takeNotes(this.#horizon))
        loop.schedule.noteEarly(message);
      if (loop.schedule.isWaiting) loop.schedule.writeLate(Math.min(this.#horizon, nextTime(loop)));
    }
  }

  /** Writes the samples of what has been written already: before a generation ends, for they belong to the one of their time. */
  writeSamples(): void {
    let kept = 0;
    for (const sample of this.#samples) {
      if (sample.time > this.#horizon) {
        this.#samples[kept++] = sample;
        continue;
      }
      const g = this.#loops[sample.loop]?.schedule.ranAt(sample.time) ?? sample.g;
      this.#out.cpuSample(sample.time, sample.loop + 1, sample.loop, g, sample.stack);
    }
    this.#samples.length = kept;
  }
}
