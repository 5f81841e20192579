import { State } from "../model/types.ts";
import type { TraceModel } from "../model/types.ts";
import { distributionOf } from "./distribution.ts";
import type { Distribution } from "./distribution.ts";
import { compareText } from "./text.ts";

/**
 * Scheduler latency: how long activations were ready before they ran, from every runnable span that a running span
 * follows. The first run after the creation counts too (Go's sched profile leaves it out). Null where none ran.
 */
export function schedulerLatency(model: TraceModel): Distribution | null {
  const { activations, spans } = model;
  let count = 0;
  const latencies = new Float64Array(spans.count);
  for (let row = 0; row < activations.count; row++) {
    const last = activations.firstSpan[row + 1]! - 1;
    for (let i = activations.firstSpan[row]!; i < last; i++) {
      if (spans.state[i] === State.Runnable && spans.state[i + 1] === State.Running) {
        latencies[count++] = spans.end[i]! - spans.start[i]!;
      }
    }
  }
  return distributionOf(latencies.subarray(0, count));
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
export function loopUse(model: TraceModel): LoopUse[] {
  const { procs, procSpans, strings } = model;
  const duration = model.endTime - model.startTime;
  const uses: LoopUse[] = [];
  for (let row = 0; row < procs.count; row++) {
    let busy = 0;
    let overhead = 0;
    for (let i = procs.firstSpan[row]!; i < procs.firstSpan[row + 1]!; i++) {
      const time = procSpans.end[i]! - procSpans.start[i]!;
      if (procSpans.activation[i] === -1) overhead += time;
      else busy += time;
    }
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
export function blockingSites(model: TraceModel): BlockingSite[] {
  const { spans, strings, stacks } = model;
  const sites: MutableSite[] = [];
  // Nearly every stack waits for one reason: its site is found without a map.
  const siteOfStack = new Int32Array(stacks.length).fill(-1);
  const others = new Map<number, number>();
  for (let i = 0; i < spans.count; i++) {
    if (spans.state[i] !== State.Waiting) continue;
    const stack = spans.stack[i]!;
    const reason = spans.reason[i]!;
    let at = siteOfStack[stack]!;
    if (at < 0 || sites[at]!.reasonRow !== reason) {
      const key = reason * stacks.length + stack;
      at = others.get(key) ?? -1;
      if (at < 0) {
        at =
          sites.push({ reason: strings[reason]!, reasonRow: reason, stack, count: 0, total: 0, longest: 0 }) -
          1;
        others.set(key, at);
        siteOfStack[stack] = at;
      }
    }
    const site = sites[at]!;
    const time = spans.end[i]! - spans.start[i]!;
    site.count++;
    site.total += time;
    if (time > site.longest) site.longest = time;
  }
  return sites.toSorted((a, b) => b.total - a.total || compareText(a.reason, b.reason) || a.stack - b.stack);
}

interface MutableSite {
  readonly reason: string;
  readonly reasonRow: number;
  readonly stack: number;
  count: number;
  total: number;
  longest: number;
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
