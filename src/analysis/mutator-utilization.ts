/**
 * Mutator utilization over time: which share of the procs is left to the program while the garbage collector works.
 * A proc is taken while it sweeps, or while what runs on it assists marking or is a background worker; all are while
 * the world is stopped. Idle procs count as left to the program, and so does what a worker does in idle time.
 */
import { FloatColumn } from "../model/columns.ts";
import { goUtilization } from "./mutator-utilization-go.ts";
import { Step } from "./utilization-log.ts";
import type { UtilizationLog } from "./utilization-log.ts";

/** What counts as taken from the program, and whether each proc is a series of its own. */
export interface UtilizationFlags {
  readonly perProc: boolean;
  readonly stw: boolean;
  readonly background: boolean;
  readonly assist: boolean;
  readonly sweep: boolean;
}

/**
 * A step function: `value[i]`, 0 to 1, holds from `time[i]` to `time[i + 1]`, in nanoseconds. The last point closes it;
 * its value is 0 and means nothing.
 */
export interface UtilizationSeries {
  readonly time: Float64Array;
  readonly value: Float64Array;
}

/**
 * Utilization from the first GOMAXPROCS metric, before which the number of procs is not known, to the trace's end: one
 * series, or one a proc (`perProc`), which ends where its proc is given up. Without that metric there is none. In
 * `perProc`, dedicated workers do not count, as they keep their proc from all goroutines alike. A log made with
 * `compat` gives Go's series.
 */
export function mutatorUtilization(log: UtilizationLog, flags: UtilizationFlags): UtilizationSeries[] {
  if (log.compat) return goUtilization(log, flags);
  const curves = new Curves(new TakenProcs(log, flags), flags.perProc);
  const isCounted = countedSteps(flags);
  // Several steps at one time are one change.
  let due = Number.NaN;
  for (let row = 0; row < log.count; row++) {
    const step = log.step[row]!;
    if (isCounted[step] === 0) continue;
    const time = log.time[row]!;
    if (time !== due && !Number.isNaN(due)) curves.add(due);
    due = time;
    if (step === Step.Procs) curves.resize(log.goroutine[row]!, time);
    else curves.taken.apply(row);
  }
  if (!Number.isNaN(due)) curves.add(due);
  return curves.finish(log.end);
}

/** 1 for the steps that can change utilization under these flags. */
function countedSteps({ stw, background, assist, sweep }: UtilizationFlags): Uint8Array {
  const counted = new Uint8Array(Step.Later + 1);
  counted[Step.Procs] = 1;
  if (stw) counted.fill(1, Step.StopBegin, Step.StopEnd + 1);
  if (sweep) counted.fill(1, Step.SweepBegin, Step.SweepEnd + 1);
  if (assist) counted.fill(1, Step.AssistBegin, Step.AssistEnd + 1);
  if (background) counted.fill(1, Step.Dedicated, Step.Fractional + 1);
  if (assist || background) counted.fill(1, Step.Runs, Step.Stops + 1);
  return counted;
}

/** The curves as they grow: one, or one a proc. */
class Curves {
  readonly taken: TakenProcs;
  readonly #perProc: boolean;
  readonly #all: SeriesBuilder[] = [];
  #open: SeriesBuilder[] = [];

  constructor(taken: TakenProcs, perProc: boolean) {
    this.taken = taken;
    this.#perProc = perProc;
  }

  resize(procs: number, time: number): void {
    const wanted = this.#perProc ? procs : 1;
    for (const series of this.#open.slice(wanted)) series.close(time);
    this.#open = this.#open.slice(0, wanted);
    while (this.#open.length < wanted) {
      const series = new SeriesBuilder();
      this.#open.push(series);
      this.#all.push(series);
    }
    this.taken.procs = procs;
    this.taken.isChanged = true;
  }

  /** Adds what holds from `time` on. */
  add(time: number): void {
    const { taken } = this;
    const open = this.#open;
    if (open.length === 0) return;
    if (!this.#perProc) open[0]!.add(time, taken.share());
    else if (taken.isChanged) for (const [proc, series] of open.entries()) series.add(time, taken.left(proc));
    else for (const proc of taken.changed) open[proc]?.add(time, taken.left(proc));
    taken.isChanged = false;
    if (taken.changed.size > 0) taken.changed.clear();
  }

  finish(end: number): UtilizationSeries[] {
    for (const series of this.#open) series.close(end);
    return this.#all.map((series) => series.finish()).filter((series) => series.time.length > 1);
  }
}

/** Which procs garbage collection has at a moment. */
class TakenProcs {
  procs = 0;
  /** By proc: which may have changed since the caller looked last; `isChanged`: all of them. */
  readonly changed = new Set<number>();
  isChanged = true;
  readonly #log: UtilizationLog;
  readonly #flags: UtilizationFlags;
  /** By how many things a proc is taken; no entry is 0. */
  readonly #takers = new Map<number, number>();
  readonly #sweeping = new Set<number>();
  readonly #assisting = new Set<number>();
  /** Goroutines that take a proc, and which. */
  readonly #takenBy = new Map<number, number>();
  #stops = 0;

  /** What is found open in the first generation is so from the start. */
  constructor(log: UtilizationLog, flags: UtilizationFlags) {
    this.#log = log;
    this.#flags = flags;
    for (let row = 0; row < log.count; row++) {
      const proc = log.proc[row]!;
      if (log.step[row] === Step.StopActive) this.#stop(1);
      else if (log.step[row] === Step.SweepActive) this.#sweep(proc);
      else if (log.step[row] === Step.AssistActive) this.#assist(log.goroutine[row]!, proc);
    }
  }

  apply(row: number): void {
    const proc = this.#log.proc[row]!;
    const goroutine = this.#log.goroutine[row]!;
    switch (this.#log.step[row]) {
      case Step.StopBegin:
        this.#stop(1);
        break;
      case Step.StopEnd:
        this.#stop(-1);
        break;
      case Step.SweepBegin:
        this.#sweep(proc);
        break;
      case Step.SweepEnd:
        if (this.#sweeping.delete(proc)) this.#free(proc);
        break;
      case Step.AssistBegin:
        this.#assist(goroutine, proc);
        break;
      case Step.AssistEnd:
        this.#assisting.delete(goroutine);
        this.#halts(goroutine);
        break;
      case Step.Runs:
        if (this.#assisting.has(goroutine)) this.#runs(goroutine, proc);
        break;
      case Step.Stops:
        this.#halts(goroutine);
        break;
      case Step.Dedicated:
        if (this.#flags.background && !this.#flags.perProc) this.#runs(goroutine, proc);
        break;
      case Step.Fractional:
        if (this.#flags.background) this.#runs(goroutine, proc);
        break;
      default:
    }
  }

  /** The share of procs that is left to the program. */
  share(): number {
    return this.#stops > 0 ? 0 : 1 - Math.min(1, this.#takers.size / this.procs);
  }

  /** 1 where a proc is left to the program, 0 where it is taken. */
  left(proc: number): number {
    return this.#stops > 0 || this.#takers.has(proc) ? 0 : 1;
  }

  /** The end of a stop whose begin is not in the trace is nothing. */
  #stop(change: number): void {
    if (!this.#flags.stw) return;
    this.#stops = Math.max(0, this.#stops + change);
    this.isChanged = true;
  }

  #sweep(proc: number): void {
    if (!this.#flags.sweep || this.#sweeping.has(proc)) return;
    this.#sweeping.add(proc);
    this.#take(proc);
  }

  #assist(goroutine: number, proc: number): void {
    if (!this.#flags.assist) return;
    this.#assisting.add(goroutine);
    this.#runs(goroutine, proc);
  }

  #runs(goroutine: number, proc: number): void {
    if (proc === -1 || this.#takenBy.has(goroutine)) return;
    this.#takenBy.set(goroutine, proc);
    this.#take(proc);
  }

  #halts(goroutine: number): void {
    const proc = this.#takenBy.get(goroutine);
    if (proc === undefined) return;
    this.#takenBy.delete(goroutine);
    this.#free(proc);
  }

  #take(proc: number): void {
    if (this.#flags.perProc) this.changed.add(proc);
    this.#takers.set(proc, (this.#takers.get(proc) ?? 0) + 1);
  }

  #free(proc: number): void {
    if (this.#flags.perProc) this.changed.add(proc);
    const takers = this.#takers.get(proc) ?? 0;
    if (takers > 1) this.#takers.set(proc, takers - 1);
    else this.#takers.delete(proc);
  }
}

class SeriesBuilder {
  readonly #time = new FloatColumn();
  readonly #value = new FloatColumn();
  #last = Number.NaN;

  add(time: number, value: number): void {
    if (value === this.#last) return;
    this.#time.push(time);
    this.#value.push(value);
    this.#last = value;
  }

  /** Ends the series; one that lasts no time keeps fewer than two points. */
  close(time: number): void {
    const points = this.#time.length;
    if (points === 0 || this.#time.data[points - 1] === time) return;
    this.#time.push(time);
    this.#value.push(0);
  }

  finish(): UtilizationSeries {
    return { time: this.#time.take(), value: this.#value.take() };
  }
}
