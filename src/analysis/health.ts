/**
 * What is healthy or not about a program's scheduling: how long its loops were kept from everything else, and by what;
 * how long and for whom activations waited; how many were ready at a time; what was made and never ended.
 */
import type { TraceModel } from "../model/types.ts";
import { State } from "../model/types.ts";
import { distributionOf } from "./distribution.ts";
import type { Distribution } from "./distribution.ts";
import { programFrame } from "./program-frame.ts";
import { loopUse } from "./scheduling.ts";
import type { LoopUse } from "./scheduling.ts";
import type { OpenSpan, Totals, WaitSite } from "./span-totals.ts";
import { compareText } from "./text.ts";

/** An activation: its row in the model, its id in the trace and its entry function, "" where no stack was seen. */
export interface Who {
  readonly row: number;
  readonly id: number;
  readonly name: string;
}

/** One activation keeping a loop (proc) without a break. Times in nanoseconds, from the trace's start. */
export interface Turn {
  readonly start: number;
  readonly duration: number;
  readonly loop: string;
  readonly activation: Who;
  /**
   * CPU samples taken in it; a stack (index into `model.stacks`) of those in the function of the program that has the most,
   * 0 where there are none, and their number.
   */
  readonly samples: number;
  readonly stack: number;
  readonly stackSamples: number;
}

/** The longest wait at one place for one reason. Times in nanoseconds, from the trace's start. */
export interface LongWait {
  readonly reason: string;
  readonly stack: number;
  readonly start: number;
  readonly duration: number;
  readonly activation: Who;
  /** Who made it ready again; null for nobody that the trace knows, or where it still waits. */
  readonly waker: Who | null;
}

/** Activations of one entry function that were made while the trace ran, and were still there, not running, at its end. */
export interface NotEnded {
  readonly name: string;
  readonly count: number;
  /** What they wait for, "" for those that are ready to run, and where; the stack that made the first of them. */
  readonly reason: string;
  readonly stack: number;
  readonly creationStack: number;
  /** How long the one that waits longest has waited, and all together. Nanoseconds. */
  readonly longest: number;
  readonly total: number;
}

/** Means over equal parts of the trace's time, each `width` nanoseconds. */
export interface OverTime {
  readonly width: number;
  /** Activations that were ready to run: the run queue. */
  readonly runnable: readonly number[];
  /** Loops (procs) that were awake. */
  readonly awake: readonly number[];
}

/** How late one loop ran what was ready. */
export interface LoopDelay {
  readonly loop: string;
  readonly delay: Distribution;
}

/** Looked at once; plain data, so that it crosses a worker boundary. */
export interface Health {
  readonly loops: readonly LoopUse[];
  /** The longest first. */
  readonly turns: readonly Turn[];
  readonly waits: readonly LongWait[];
  /** Most waiting time first. */
  readonly notEnded: readonly NotEnded[];
  readonly overTime: OverTime;
  readonly delays: readonly LoopDelay[];
}

/** Looks at the sums of a model's spans. `columns`: parts of `overTime`, at most 256. */
export function healthOf(model: TraceModel, totals: Totals, columns: number): Health {
  const runnable = totals.spans.runnable.means(model.endTime, columns);
  return {
    loops: loopUse(model, totals),
    turns: longestTurns(model, totals),
    waits: longestWaits(model, totals.spans.sites()),
    notEnded: notEnded(model, totals.spans.open()),
    overTime: {
      width: runnable.width,
      runnable: runnable.means,
      awake: totals.procSpans.awake.means(model.endTime, columns).means,
    },
    delays: delays(model, totals),
  };
}

function who({ activations, strings }: TraceModel, row: number): Who {
  return { row, id: activations.id[row]!, name: strings[activations.name[row]!]! };
}

function longestTurns(model: TraceModel, totals: Totals): Turn[] {
  const { samples, procs, strings } = model;
  return totals.procSpans.turns().map(({ start, end, activation, proc }) => {
    const byPlace = new Map<string, { readonly stack: number; samples: number }>();
    let most = { stack: 0, samples: 0 };
    let taken = 0;
    for (let i = 0; i < samples.count; i++) {
      const time = samples.time[i]!;
      if (samples.activation[i] !== activation || time < start || time > end) continue;
      taken++;
      const stack = samples.stack[i]!;
      const frame = programFrame(model.stacks[stack]!);
      const key = frame === undefined ? "" : `${frame.func}\0${frame.file}`;
      const place = byPlace.get(key) ?? { stack, samples: 0 };
      place.samples++;
      byPlace.set(key, place);
      if (place.samples > most.samples) most = place;
    }
    return {
      start: start - model.startTime,
      duration: end - start,
      loop: strings[procs.name[proc]!]!,
      activation: who(model, activation),
      samples: taken,
      stack: most.stack,
      stackSamples: most.samples,
    };
  });
}

function longestWaits(model: TraceModel, sites: readonly WaitSite[]): LongWait[] {
  return sites
    .filter((site) => site.reason !== 0)
    .toSorted((a, b) => b.longest - a.longest || a.start - b.start)
    .map((site) => ({
      reason: model.strings[site.reason]!,
      stack: site.stack,
      start: site.start - model.startTime,
      duration: site.longest,
      activation: who(model, site.activation),
      waker: site.waker === -1 ? null : who(model, site.waker),
    }));
}

function notEnded(model: TraceModel, open: readonly OpenSpan[]): NotEnded[] {
  const { activations, strings, startTime, endTime } = model;
  const groups = new Map<string, { -readonly [Key in keyof NotEnded]: NotEnded[Key] }>();
  for (const { activation, state, start, reason, stack } of open) {
    // What was there when the trace began has no creation.
    const isMade = activations.creator[activation] !== -1 || activations.created[activation]! > startTime;
    if (!isMade || (state !== State.Waiting && state !== State.Runnable)) continue;
    const name = activations.name[activation]!;
    const waited = endTime - start;
    const why = state === State.Waiting ? reason : 0;
    const key = `${name} ${why} ${stack}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, {
        name: strings[name]!,
        count: 1,
        reason: strings[why]!,
        stack,
        creationStack: activations.creationStack[activation]!,
        longest: waited,
        total: waited,
      });
      continue;
    }
    group.count++;
    group.total += waited;
    group.longest = Math.max(group.longest, waited);
  }
  return [...groups.values()].toSorted((a, b) => b.total - a.total || compareText(a.name, b.name));
}

function delays(model: TraceModel, totals: Totals): LoopDelay[] {
  const { procs, strings } = model;
  const found: LoopDelay[] = [];
  for (let row = 0; row < procs.count; row++) {
    const delay = distributionOf(totals.spans.latencies(totals.procSpans.recorded(row)));
    if (delay !== null) found.push({ loop: strings[procs.name[row]!]!, delay });
  }
  return found;
}
