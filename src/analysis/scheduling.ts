import type { TraceModel } from "../model/types.ts";
import { distributionOf } from "./distribution.ts";
import type { Distribution } from "./distribution.ts";
import type { Totals } from "./span-totals.ts";
import { compareText } from "./text.ts";

/**
 * Scheduler latency: how long activations were ready before they ran, from every runnable span that a running span
 * follows. The first run after the creation counts too (Go's sched profile leaves it out). Null where none ran.
 */
export function schedulerLatency(totals: Totals): Distribution | null {
  return distributionOf(totals.spans.latencies());
}

/** How busy one event loop (proc) was, in nanoseconds of the trace's duration. */
export interface LoopUse {
  readonly id: number;
  readonly name: string;
  /** Time in which an activation ran, or sat in a system call, on it. */
  readonly busy: number;
  /** Time in which the loop was awake but ran no activation. */
  readonly overhead: number;
  /** The rest of the trace. */
  readonly idle: number;
  /** (busy + overhead) / duration, 0 to 1; 0 for a trace without duration. */
  readonly utilization: number;
}

/** The use of every event loop, by id. */
export function loopUse(model: TraceModel, totals: Totals): LoopUse[] {
  const { procs, strings } = model;
  const duration = model.endTime - model.startTime;
  const uses: LoopUse[] = [];
  for (let row = 0; row < procs.count; row++) {
    const busy = totals.procSpans.busy(row);
    const overhead = totals.procSpans.overhead(row);
    uses.push({
      id: procs.id[row]!,
      name: strings[procs.name[row]!]!,
      busy,
      overhead,
      idle: Math.max(0, duration - busy - overhead),
      utilization: duration > 0 ? (busy + overhead) / duration : 0,
    });
  }
  return uses;
}

/** Time lost at one place for one reason. */
export interface BlockingSite {
  readonly reason: string;
  /** Stack (index into `model.stacks`) at which the activations blocked; 0 where unknown. */
  readonly stack: number;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
}

/** Where activations waited, by reason and stack, most total time first. Waits open at the trace's end count up to there. */
export function blockingSites(model: TraceModel, totals: Totals): BlockingSite[] {
  return totals.spans
    .sites()
    .map((site) => ({ ...site, reason: model.strings[site.reason]! }))
    .toSorted((a, b) => b.total - a.total || compareText(a.reason, b.reason) || a.stack - b.stack);
}

/** Waits of one reason over all activations. */
export interface WaitReason {
  readonly reason: string;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
}

/** Waits by reason, most total time first, from the sites of `blockingSites`. */
export function waitReasons(sites: readonly BlockingSite[]): WaitReason[] {
  const reasons = new Map<string, { reason: string; count: number; total: number; longest: number }>();
  for (const site of sites) {
    const known = reasons.get(site.reason);
    if (known === undefined) {
      const { reason, count, total, longest } = site;
      reasons.set(reason, { reason, count, total, longest });
    } else {
      known.count += site.count;
      known.total += site.total;
      known.longest = Math.max(known.longest, site.longest);
    }
  }
  return [...reasons.values()].toSorted((a, b) => b.total - a.total || compareText(a.reason, b.reason));
}
