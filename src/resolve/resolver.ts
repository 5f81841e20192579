import type { Frame } from "../wire/format.ts";
import { entryOf, makeScope } from "./graph.ts";
import type { Activation, ResourceNode, TaskNode } from "./graph.ts";
import { OpKind } from "./ops.ts";
import { LoopSchedule } from "./schedule.ts";
import type { SchedulerOut, Shared } from "./schedule.ts";
import { TurnReader } from "./turns.ts";

/**
 * Facts of any number of event loops in, scheduler events out. Pure: it knows no clock, no thread and no file, so a
 * list of facts gives the same events every time.
 *
 * Everything is held back for the look-ahead, because much is known only later: whether a call forks, why an
 * activation waits, that a garbage collection ran. `advance(now)` writes what happened before now - look-ahead, of
 * all loops alike, so that what is written up to then is a consistent cut.
 */
export interface ResolverOptions {
  /** In ns; 100 ms unless told. */
  readonly lookAheadNs?: number;
}

/** Takes the facts of one loop in order. */
export interface LoopVisitor {
  fact(kind: number, time: number, a: number, b: number, c: number): void;
  text(id: number, text: string): void;
}

interface Loop {
  readonly reader: TurnReader;
  readonly schedule: LoopSchedule;
  readonly timers: TimerHeap;
  readonly workerThreadId: number;
  ended: boolean;
}

interface PendingSample {
  readonly loop: number;
  readonly time: number;
  readonly stack: number;
}

/** A loop without facts for so long, with nothing running, has finished its turn. */
const QUIET_NS = 20e6;
const TIMER_THREAD = 1_000_000;

export class Resolver {
  readonly stats = { facts: 0, misuse: 0, activations: 0 };
  readonly #out: SchedulerOut;
  readonly #lookAhead: number;
  readonly #loops: (Loop | undefined)[] = [];
  readonly #workers = new Map<number, Activation>();
  readonly #samples: PendingSample[] = [];
  readonly #shared: Shared;
  #goroutines = 0;
  #tasks = 0;
  #horizon = 0;

  constructor(out: SchedulerOut, options: ResolverOptions = {}) {
    this.#out = out;
    this.#lookAhead = options.lookAheadNs ?? 100e6;
    this.#shared = {
      out,
      timerThread: TIMER_THREAD,
      stats: this.stats,
      nextGoroutine: () => ++this.#goroutines,
      loops: () => this.#loops.length,
      workerStarted: (threadId, activation) => {
        this.#workers.set(threadId, activation);
      },
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
    const entry: Frame = { func: options.name, file: options.file ?? "node", line: 1 };
    const root = makeScope("root", null, "fork", options.time, { entry, task: null });
    const timers = new TimerHeap();
    const reader = new TurnReader({
      root,
      time: options.time,
      newTask: (name): TaskNode => ({ id: ++this.#tasks, name, ended: false }),
      onTimer: (resource) => timers.add(resource),
    });
    const schedule = new LoopSchedule(this.#shared, loop, root, options.time);
    this.#loops[loop] = {
      reader,
      schedule,
      timers,
      workerThreadId: options.workerThreadId ?? -1,
      ended: false,
    };
  }

  /** Where the facts of a loop go. */
  visitor(loop: number): LoopVisitor {
    return this.#loops[loop]!.reader;
  }

  /** Facts of the loop that its ring had to drop so far. */
  dropped(loop: number): number {
    return this.#loops[loop]?.reader.dropped ?? 0;
  }

  /** A JSON message of the reserved category, on the loop's next running activation. */
  note(loop: number, time: number, json: string): void {
    this.#loops[loop]?.reader.note(time, json);
  }

  /** Writes what is certain: everything before `now` less the look-ahead. */
  advance(now: number): void {
    this.#advanceTo(now - this.#lookAhead);
  }

  /** A CPU sample at `time` (ns), frames leaf first. Written when its time has been written. */
  cpuSample(loop: number, time: number, frames: readonly Frame[]): void {
    this.#samples.push({ loop, time, stack: this.#out.stack(frames) });
  }

  /** The loop ended at `time` without saying so (a terminated Worker). */
  endLoop(loop: number, time: number): void {
    const state = this.#loops[loop];
    if (state !== undefined) state.reader.end(Math.max(time, state.reader.lastFact));
  }

  /** Writes everything and ends what is open at `now`. */
  finish(now: number): void {
    for (const state of this.#loops) {
      if (state === undefined || state.ended) continue;
      state.reader.endTurn(Math.max(state.reader.lastFact, now));
      state.reader.force(Infinity);
    }
    this.#advanceTo(Infinity);
    for (const state of this.#loops) {
      if (state === undefined || state.ended) continue;
      state.schedule.writeLate(now);
      state.schedule.goIdle(now);
      state.ended = true;
    }
    this.#horizon = now;
    this.#writeSamples();
  }

  #advanceTo(horizon: number): void {
    if (!(horizon > this.#horizon)) return;
    for (const state of this.#loops) {
      if (state === undefined || state.ended) continue;
      const reader = state.reader;
      reader.placeNotes(horizon);
      if (!reader.busy && reader.inTurn && reader.lastFact + QUIET_NS < horizon + this.#lookAhead) {
        reader.endTurn(reader.lastFact);
      }
      reader.force(horizon);
    }
    for (const state of this.#loops) {
      if (state === undefined || state.ended) continue;
      this.#drain(state, horizon);
      const reader = state.reader;
      if (reader.ended && reader.queue.length === 0) {
        state.ended = true;
        continue;
      }
      const quiet = reader.queue.length === 0 && !reader.busy && !reader.inTurn;
      if (quiet && !state.schedule.idle && reader.lastFact < horizon && Number.isFinite(horizon)) {
        state.schedule.goIdle(reader.lastFact);
      }
    }
    this.#horizon = horizon;
    this.stats.facts = 0;
    for (const state of this.#loops) this.stats.facts += state?.reader.facts ?? 0;
    this.#writeSamples();
  }

  /** Processes the loop's operations before `horizon`; stops early at one whose scope is not decided. */
  #drain(state: Loop, horizon: number): void {
    const queue = state.reader.queue;
    let at = 0;
    while (at < queue.length) {
      const op = queue[at]!;
      // A pause is written as a whole, so that nothing that is written later lies before its end.
      const end = op.kind === OpKind.Gc ? op.end : op.time;
      if (end > horizon || (op.scope !== null && entryOf(op.scope) === null)) break;
      this.#wakeTimers(state, op.time);
      this.#adoptWorker(state);
      state.schedule.process(op);
      at++;
    }
    if (at > 0) queue.splice(0, at);
    if (Number.isFinite(horizon)) this.#wakeTimers(state, Math.min(horizon, queue[0]?.time ?? horizon));
  }

  #wakeTimers(state: Loop, until: number): void {
    for (let timer = state.timers.takeDue(until); timer !== null; timer = state.timers.takeDue(until)) {
      state.schedule.timerDue(timer, timer.due);
    }
  }

  #adoptWorker(state: Loop): void {
    if (state.workerThreadId < 0) return;
    const activation = this.#workers.get(state.workerThreadId);
    if (activation === undefined) return;
    this.#workers.delete(state.workerThreadId);
    state.schedule.adopt(activation);
  }

  #writeSamples(): void {
    let kept = 0;
    for (const sample of this.#samples) {
      if (sample.time > this.#horizon) {
        this.#samples[kept++] = sample;
        continue;
      }
      const g = this.#loops[sample.loop]?.schedule.ranAt(sample.time) ?? 0;
      this.#out.cpuSample(sample.time, sample.loop + 1, sample.loop, g, sample.stack);
    }
    this.#samples.length = kept;
  }
}

/** Pending timers by due time; cleared ones are dropped when they come up. */
class TimerHeap {
  readonly #heap: ResourceNode[] = [];

  add(timer: ResourceNode): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.due <= timer.due) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  takeDue(until: number): ResourceNode | null {
    const heap = this.#heap;
    while (heap.length > 0 && (heap[0]!.done || heap[0]!.due <= until)) {
      const first = this.#pop();
      if (!first.done) return first;
    }
    return null;
  }

  #pop(): ResourceNode {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++;
      if (heap[child]!.due >= last.due) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
