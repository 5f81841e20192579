import { GcKind } from "../base/facts.ts";
import type { Activation } from "./graph.ts";
import { isOfCycle } from "./ops.ts";
import type { LateOp } from "./ops.ts";
import type { LoopThread, Shared } from "./thread.ts";

const GC_NAMES: ReadonlyMap<number, string> = new Map([
  [GcKind.Minor, "GC scavenge"],
  [GcKind.MinorMarkSweep, "GC minor mark-sweep"],
  [GcKind.Major, "GC mark-sweep-compact"],
  [GcKind.Incremental, "GC incremental marking"],
  [GcKind.WeakCallbacks, "GC weak callbacks"],
]);

const SYSTEM_ENTRY = { func: "runtime.eventLoop", file: "node", line: 1 };

/** A loop's own activation, which runs when something must and nothing of the program does; and its collections. */
export class LoopSystem {
  readonly #thread: LoopThread;
  readonly #shared: Shared;
  #activation: Activation | null = null;

  constructor(thread: LoopThread, shared: Shared) {
    this.#thread = thread;
    this.#shared = shared;
  }

  /** Whether it is the loop's own activation. */
  owns(activation: Activation): boolean {
    return activation === this.#activation;
  }

  /** The activation ends. */
  forget(): void {
    this.#activation = null;
  }

  /** Runs it from `time` on to whatever `body` answers as its end. */
  run(time: number, body: () => number): void {
    if (this.#activation === null) {
      this.#activation = this.#thread.makeSystem(SYSTEM_ENTRY, time, 0);
      this.#activation.pending = 1;
    }
    this.#thread.runSystem(this.#activation, time, body);
  }

  /** A pause for a garbage collection that begins at `time`. */
  collect(op: LateOp, time: number): void {
    const thread = this.#thread;
    // Only a fact that came too late can be of a pause before the last cycle's end.
    const end = Math.max(op.end, time, isOfCycle(op) ? this.#shared.cycles.last : 0);
    const wasRunning = thread.running;
    if (thread.active === null) {
      thread.settleLeft();
      this.run(time, () => this.#pause(op, time, end));
    } else {
      this.#pause(op, time, end);
    }
    thread.last = end;
    if (!wasRunning) thread.stopProc(end);
  }

  /** One isolate's pause stops the world where it is the only one; otherwise it takes time from one loop. */
  #pause(op: LateOp, time: number, end: number): number {
    const { out, m } = this.#thread;
    const { cycles } = this.#shared;
    const isAlone = this.#shared.loops(time) <= 1;
    if (isAlone) out.stwBegin(m, time, GC_NAMES.get(op.kind) ?? "GC", 0);
    else out.markAssistBegin(m, time, 0);
    if (isOfCycle(op)) cycles.begin(m, time);
    if (isAlone) out.stwEnd(m, end);
    else out.markAssistEnd(m, end);
    if (op.kind === GcKind.Major) cycles.end(m, end);
    return end;
  }

  /** The turn is over, and a cycle whose end will not be told is, too. */
  endCycle(): void {
    const { cycles } = this.#shared;
    const thread = this.#thread;
    const last = Math.max(thread.last, cycles.last);
    this.run(last, () => {
      cycles.end(thread.m, last);
      return last;
    });
    thread.last = last;
  }
}
