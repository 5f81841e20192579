/**
 * Mutator utilization as `go tool trace` computes it, its mistakes included: the numbers of `--compat`.
 * - Counter leak: each run of a background worker is told by a label, which counts; so does its start to run, from the
 *   second run on, because it is remembered as a worker. Its stop counts once only, so the proc is never free again.
 * - Truncation: the point that closes a series is left out where utilization is 0 already, as at the end of a leak.
 * - At one time the lowest utilization stays, even where it lasted no time, until the next event of whatever kind.
 * - What was active at the start is subtracted from all points so far, also from those that count it already.
 */
import type { UtilizationFlags, UtilizationSeries } from "./mutator-utilization.ts";
import { Step } from "./utilization-log.ts";
import type { UtilizationLog } from "./utilization-log.ts";

interface Points {
  readonly time: number[];
  readonly value: number[];
}

interface Proc {
  readonly series: Points;
  takers: number;
}

interface ProcsChange {
  readonly time: number;
  readonly procs: number;
}

/** Go's series for a log made with `compat`. An event on a proc beyond GOMAXPROCS, at which Go panics, is nothing. */
export function goUtilization(log: UtilizationLog, flags: UtilizationFlags): UtilizationSeries[] {
  const all: Points[] = [];
  const procs: Proc[] = [];
  const changes: ProcsChange[] = [];
  const assisting = new Set<number>();
  const workers = new Set<number>();
  /** Procs whose series may not have the present utilization yet. */
  const due = new Set<Proc>();
  let stops = 0;
  let takenProcs = 0;

  const count = (proc: number, change: number): void => {
    const p = procs[proc];
    if (p === undefined) return;
    due.add(p);
    if (p.takers > 0) takenProcs--;
    p.takers += change;
    if (p.takers > 0) takenProcs++;
  };
  const resize = (wanted: number, time: number): void => {
    for (const gone of procs.splice(wanted)) {
      if (flags.perProc) add(gone.series, time, 0);
      if (gone.takers > 0) takenProcs--;
      due.delete(gone);
    }
    while (procs.length < wanted) {
      if (flags.perProc || all.length === 0) all.push({ time: [time], value: [1] });
      procs.push({ series: flags.perProc ? all.at(-1)! : all[0]!, takers: 0 });
      due.add(procs.at(-1)!);
    }
    if (changes.at(-1)?.procs !== wanted) changes.push({ time, procs: wanted });
  };

  for (let row = 0; row < log.count; row++) {
    const time = log.time[row]!;
    const proc = log.proc[row]!;
    const goroutine = log.goroutine[row]!;
    const step = log.step[row]!;
    switch (step) {
      case Step.Procs:
        resize(goroutine, time);
        break;
      case Step.StopBegin:
      case Step.StopActive:
        if (flags.stw) stops++;
        for (const p of procs) due.add(p);
        break;
      case Step.StopEnd:
        if (flags.stw) stops--;
        for (const p of procs) due.add(p);
        break;
      case Step.SweepActive:
        if (flags.sweep && !flags.perProc) lower(all[0]!, changes);
        if (flags.sweep) count(proc, 1);
        break;
      case Step.SweepBegin:
        if (flags.sweep) count(proc, 1);
        break;
      case Step.SweepEnd:
        if (flags.sweep) count(proc, -1);
        break;
      case Step.AssistActive:
      case Step.AssistBegin:
        if (!flags.assist) break;
        if (step === Step.AssistActive && !flags.perProc) lower(all[0]!, changes);
        count(proc, 1);
        assisting.add(goroutine);
        break;
      case Step.AssistEnd:
        if (!flags.assist) break;
        count(proc, -1);
        assisting.delete(goroutine);
        break;
      case Step.Runs:
        if (assisting.has(goroutine) || workers.has(goroutine)) count(proc, 1);
        break;
      case Step.Stops:
        if (assisting.has(goroutine) || workers.has(goroutine)) count(proc, -1);
        break;
      case Step.Dedicated:
      case Step.Fractional:
        if (!flags.background || (flags.perProc && step === Step.Dedicated)) break;
        workers.add(goroutine);
        count(proc, 1);
        break;
      default:
    }
    if (flags.perProc) {
      for (const p of due) {
        const value = stops > 0 || p.takers > 0 ? 0 : 1;
        add(p.series, time, value);
        if (p.series.value.at(-1) === value) due.delete(p);
      }
    } else add(all[0]!, time, 1 - (stops > 0 ? procs.length : takenProcs) / procs.length);
  }
  for (const p of procs) add(p.series, log.end, 0);
  return all.map(({ time, value }) => ({ time: Float64Array.from(time), value: Float64Array.from(value) }));
}

/** Adds a point: none where nothing changes, the lower of two at one time. */
function add(series: Points, time: number, value: number): void {
  const last = series.time.length - 1;
  if (value === series.value[last]) return;
  if (time !== series.time[last]) {
    series.time.push(time);
    series.value.push(value);
  } else if (value < series.value[last]!) series.value[last] = value;
}

/** Takes one proc off every point so far: it was taken all the time. */
function lower(series: Points, changes: readonly ProcsChange[]): void {
  let change = 0;
  for (const [i, time] of series.time.entries()) {
    while (change + 1 < changes.length && changes[change + 1]!.time < time) change++;
    series.value[i] = Math.max(0, series.value[i]! - 1 / changes[change]!.procs);
  }
}
