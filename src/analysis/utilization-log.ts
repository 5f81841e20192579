/**
 * What decides a trace's mutator utilization, picked out of the ordered events in one pass: how many procs there are,
 * and when garbage collection takes them. From this short log the utilization is computed for any set of flags.
 *
 * The right log and Go's differ, so it is chosen when the log is made (`compat`):
 * - Go sees nothing before the first GOMAXPROCS metric, so what was open then is closed without having been opened.
 * - Go counts the stop-the-world ranges whose name has "GC" in it; its flag is documented to count all.
 * - Go keeps a goroutine that was a background worker once as one for ever; here it is one until it stops.
 * - Go charges the proc of the event's context; here sweeps have the proc that the range is of.
 * - Go writes a point at events: a rise at a time at which utilization has just fallen is seen at the next event only,
 *   whatever that event is. Such events are rows `Later`.
 */
import { ByteColumn, FloatColumn } from "../model/columns.ts";
import type { OrderedEvent } from "../order/types.ts";

/** What a row of the log tells. */
export const Step = {
  /** The number of procs is `goroutine` (the column is lent). */
  Procs: 1,
  StopBegin: 2,
  StopEnd: 3,
  SweepBegin: 4,
  SweepEnd: 5,
  /** `proc` -1: the goroutine is not running. */
  AssistBegin: 6,
  AssistEnd: 7,
  /** A goroutine in an assist, or a background worker, starts or stops to run. */
  Runs: 8,
  Stops: 9,
  /** The goroutine that runs is a background worker of that sort. */
  Dedicated: 10,
  Fractional: 11,
  /** Found open in the first generation: so since the trace's start. An assist only if its goroutine runs. */
  StopActive: 12,
  SweepActive: 13,
  AssistActive: 14,
  /** An event that tells nothing, at a later time than the row before it. */
  Later: 15,
} as const;

/** Rows in order of the trace. Times in nanoseconds; ids as in OrderedEvent, -1 is none. */
export interface UtilizationLog {
  readonly compat: boolean;
  readonly count: number;
  readonly step: Uint8Array;
  readonly time: Float64Array;
  readonly proc: Float64Array;
  readonly goroutine: Float64Array;
  /** Whether the number of procs is ever given. */
  readonly hasProcs: boolean;
  /** Time of the last event. */
  readonly end: number;
}

const PROCS_METRIC = "/sched/gomaxprocs:threads";
/** Beyond this a number of procs is damage: it would make as many series. */
const MAX_PROCS = 1 << 16;
const ASSIST = "GC mark assist";
const SWEEP = "GC incremental sweep";

/** Makes the log: hand every ordered event to `event`, then call `finish` once. */
export class UtilizationRecorder {
  readonly #compat: boolean;
  readonly #step = new ByteColumn();
  readonly #time = new FloatColumn();
  readonly #proc = new FloatColumn();
  readonly #goroutine = new FloatColumn();
  /** Goroutines in an assist, and background workers. */
  readonly #assists = new Set<number>();
  readonly #workers = new Set<number>();
  /** Goroutines that run, and on which proc; kept in the first generation only, where ranges are found open. */
  readonly #running = new Map<number, number>();
  #watched = 0;
  #generation = 0;
  #hasProcs = false;
  /** Time of the last row where the next event may be a `Later`, else NaN. */
  #unsettled = Number.NaN;
  #end = 0;

  constructor(options: { readonly compat: boolean }) {
    this.#compat = options.compat;
  }

  event(e: OrderedEvent): void {
    this.#end = e.time;
    const rows = this.#step.length;
    switch (e.kind) {
      case "StateTransition":
        if (e.resource === "goroutine" && (this.#generation <= 1 || this.#watched > 0)) this.#transition(e);
        break;
      case "Sync":
        this.#generation = e.value;
        break;
      case "Metric":
        if (e.name === PROCS_METRIC && e.value > 0 && e.value <= MAX_PROCS) {
          this.#hasProcs = true;
          this.#push(Step.Procs, e.time, e.proc, e.value);
        }
        break;
      case "RangeActive":
        if (this.#generation <= 1 && this.#sees()) this.#rangeActive(e);
        break;
      case "RangeBegin":
        if (this.#sees()) this.#rangeBegin(e);
        break;
      case "RangeEnd":
        if (this.#sees()) this.#rangeEnd(e);
        break;
      case "Label":
        if (this.#sees() && e.name.startsWith("GC ") && e.name !== "GC (idle)") {
          this.#workers.add(e.goroutine);
          this.#count();
          this.#push(
            e.name === "GC (dedicated)" ? Step.Dedicated : Step.Fractional,
            e.time,
            e.proc,
            e.goroutine,
          );
        }
        break;
      default:
    }
    if (!this.#compat) return;
    if (this.#step.length > rows) this.#unsettled = e.time;
    else if (e.time !== this.#unsettled && !Number.isNaN(this.#unsettled)) {
      this.#push(Step.Later, e.time, -1, -1);
      this.#unsettled = Number.NaN;
    }
  }

  finish(): UtilizationLog {
    return {
      compat: this.#compat,
      count: this.#step.length,
      step: this.#step.take(),
      time: this.#time.take(),
      proc: this.#proc.take(),
      goroutine: this.#goroutine.take(),
      hasProcs: this.#hasProcs,
      end: this.#end,
    };
  }

  #sees(): boolean {
    return this.#hasProcs || !this.#compat;
  }

  #count(): void {
    this.#watched = this.#assists.size + this.#workers.size;
  }

  #push(step: number, time: number, proc: number, goroutine: number): void {
    this.#step.push(step);
    this.#time.push(time);
    this.#proc.push(proc);
    this.#goroutine.push(goroutine);
  }

  #transition(e: OrderedEvent): void {
    if (!this.#sees()) return;
    const id = e.resourceId;
    const before = this.#occupies(e.from);
    const after = this.#occupies(e.to);
    if (before !== after && (this.#assists.has(id) || this.#workers.has(id))) {
      this.#push(after ? Step.Runs : Step.Stops, e.time, e.proc, id);
      if (before && !this.#compat && this.#workers.delete(id)) this.#count();
    }
    if (this.#generation > 1) return;
    if (after) this.#running.set(id, e.proc);
    else this.#running.delete(id);
  }

  /** Whether a goroutine in that state takes a proc's time; Go takes a syscall for running code. */
  #occupies(state: string): boolean {
    return state === "Running" || (this.#compat && state === "Syscall");
  }

  #isStop(name: string): boolean {
    return name.startsWith("stop-the-world") && (!this.#compat || name.includes("GC"));
  }

  #rangeBegin(e: OrderedEvent): void {
    if (e.name === ASSIST) this.#assistBegin(Step.AssistBegin, e, e.proc);
    else if (e.name === SWEEP) this.#push(Step.SweepBegin, e.time, this.#procOf(e), -1);
    else if (this.#isStop(e.name)) this.#push(Step.StopBegin, e.time, -1, -1);
  }

  #rangeEnd(e: OrderedEvent): void {
    if (e.name === ASSIST) {
      this.#assists.delete(e.scopeId);
      this.#count();
      this.#push(Step.AssistEnd, e.time, e.proc, e.scopeId);
    } else if (e.name === SWEEP) this.#push(Step.SweepEnd, e.time, this.#procOf(e), -1);
    else if (this.#isStop(e.name)) this.#push(Step.StopEnd, e.time, -1, -1);
  }

  #rangeActive(e: OrderedEvent): void {
    if (e.name === SWEEP) this.#push(Step.SweepActive, e.time, this.#procOf(e), -1);
    else if (this.#isStop(e.name)) this.#push(Step.StopActive, e.time, -1, -1);
    else if (e.name === ASSIST) {
      // Go looks at the goroutine of the context, not of the range.
      const running = this.#running.get(this.#compat ? e.goroutine : e.scopeId);
      const proc = this.#compat ? e.proc : (running ?? -1);
      this.#assistBegin(running === undefined ? Step.AssistBegin : Step.AssistActive, e, proc);
    }
  }

  #assistBegin(step: number, e: OrderedEvent, proc: number): void {
    this.#assists.add(e.scopeId);
    this.#count();
    this.#push(step, e.time, proc, e.scopeId);
  }

  #procOf(e: OrderedEvent): number {
    return this.#compat || e.scope !== "proc" ? e.proc : e.scopeId;
  }
}
