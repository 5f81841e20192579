import type { Note, TraceModel } from "../../model/types.ts";
import { Category, CATEGORIES } from "./categories.ts";
import { spanAt } from "./lod.ts";
import { firstAbove, firstAtLeast } from "./search-sorted.ts";
import type { TraceIndex } from "./trace-index.ts";

/** Everything the details panel says of a span of an activation. Rows are the model's; -1 is none. */
export interface SpanDetails {
  readonly span: number;
  readonly activation: number;
  readonly category: number;
  readonly reason: string;
  readonly start: number;
  readonly end: number;
  readonly stack: number;
  /** Running: stack of what it did next, so where it stopped; 0 where that is unknown. */
  readonly stopped: number;
  /** Event loop it ran on. */
  readonly proc: number;
  /** Who made it runnable: at the start of this span or, for a running span, of the runnable span before it. */
  readonly woken: Wake | null;
  /** Time it was runnable before it ran; NaN where that is unknown. */
  readonly latency: number;
  /** Spans of others that it made runnable, in order of time. */
  readonly woke: Uint32Array;
  /** Regions open at any time in the span, outermost first. */
  readonly regions: readonly number[];
  readonly logs: readonly number[];
  readonly samples: readonly number[];
}

/** A wake-up: `by` made the activation of `span` runnable at `time`. `created`: it did so by creating it. */
export interface Wake {
  readonly by: number;
  readonly time: number;
  readonly span: number;
  readonly created: boolean;
}

const MAX_POINTS = 1000;

/** The activation that owns a span. */
export function activationOfSpan(model: TraceModel, span: number): number {
  const { firstSpan, count } = model.activations;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (firstSpan[middle + 1]! > span) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The wake-up that led to a span, or null where the trace has none. */
export function wakeOf(model: TraceModel, index: TraceIndex, span: number, activation: number): Wake | null {
  const first = model.activations.firstSpan[activation]!;
  const category = index.activations.category;
  let at = span;
  if (category[at] !== Category.Runnable && at > first && category[at - 1] === Category.Runnable) at--;
  if (category[at] === Category.Runnable && model.spans.by[at]! >= 0) {
    const created = at === first && model.activations.creator[activation] === model.spans.by[at];
    return { by: model.spans.by[at]!, time: model.spans.start[at]!, span: at, created };
  }
  if (at === first && model.activations.creator[activation]! >= 0) {
    return {
      by: model.activations.creator[activation]!,
      time: model.activations.created[activation]!,
      span: at,
      created: true,
    };
  }
  return null;
}

/** Collects what is known of a span. */
export function spanDetails(model: TraceModel, index: TraceIndex, span: number): SpanDetails {
  const { spans, activations, strings } = model;
  const activation = activationOfSpan(model, span);
  const start = spans.start[span]!;
  const end = spans.end[span]!;
  const category = index.activations.category[span]!;
  const onProc = category === Category.Running || category === Category.Syscall;
  const before = span > activations.firstSpan[activation]! ? span - 1 : -1;
  const ranAfter =
    category === Category.Running && before >= 0 && index.activations.category[before] === Category.Runnable;
  return {
    span,
    activation,
    category,
    reason: strings[spans.reason[span]!] ?? "",
    start,
    end,
    stack: spans.stack[span]!,
    stopped: category === Category.Running ? stoppedAt(model, index, span, activation) : 0,
    proc: onProc ? spans.by[span]! : -1,
    woken: wakeOf(model, index, span, activation),
    latency:
      category === Category.Runnable ? end - start : ranAfter ? start - spans.start[before]! : Number.NaN,
    woke:
      category === Category.Running ? wokenBetween(model, index, activation, start, end) : new Uint32Array(0),
    regions: regionsBetween(index, activation, start, end),
    logs: pointsBetween(index.logs, activation, start, end),
    samples: pointsBetween(index.samples, activation, start, end),
  };
}

/** Stack of the span after `span`, unless it is somebody else's (a waker's). */
function stoppedAt(model: TraceModel, index: TraceIndex, span: number, activation: number): number {
  const next = span + 1;
  if (next >= model.activations.firstSpan[activation + 1]!) return 0;
  const others = index.activations.category[next] === Category.Runnable && model.spans.by[next]! >= 0;
  return others ? 0 : model.spans.stack[next]!;
}

/** Runnable spans that an activation caused in [start, end], in order of time. */
export function wokenBetween(
  model: TraceModel,
  index: TraceIndex,
  activation: number,
  start: number,
  end: number,
): Uint32Array {
  const { first, rows } = index.wakes;
  const times = model.spans.start;
  const found = rows
    .subarray(first[activation]!, first[activation + 1]!)
    .filter((span) => times[span]! >= start && times[span]! <= end);
  return found.toSorted((a, b) => times[a]! - times[b]!);
}

function regionsBetween(index: TraceIndex, activation: number, start: number, end: number): number[] {
  const { lod, firstLane, row } = index.regions;
  const found: number[] = [];
  for (let lane = firstLane[activation]!; lane < firstLane[activation + 1]!; lane++) {
    const last = lod.first[lane + 1]!;
    let i = firstAbove(lod.end, start, lod.first[lane]!, last);
    for (; i < last && lod.start[i]! < end && found.length < MAX_POINTS; i++) found.push(row[i]!);
  }
  return found;
}

function pointsBetween(points: TraceIndex["logs"], owner: number, start: number, end: number): number[] {
  const last = points.first[owner + 1]!;
  const from = firstAtLeast(points.time, start, points.first[owner]!, last);
  const to = Math.min(firstAbove(points.time, end, from, last), from + MAX_POINTS);
  return [...points.rows.subarray(from, to)];
}

/** The span of an activation at a time, or the nearest before or after it; -1 for one without spans. */
export function spanOfActivationAt(
  model: TraceModel,
  index: TraceIndex,
  activation: number,
  time: number,
): number {
  const exact = spanAt(index.activations, activation, time);
  if (exact >= 0) return exact;
  const first = model.activations.firstSpan[activation]!;
  const last = model.activations.firstSpan[activation + 1]!;
  if (first === last) return -1;
  return time < model.spans.start[first]! ? first : last - 1;
}

/** Function names by number of samples, most first: [name, leaf samples, stack]. */
export function hotFunctions(
  model: TraceModel,
  samples: readonly number[],
): { name: string; count: number; stack: number }[] {
  const byName = new Map<string, { name: string; count: number; stack: number }>();
  for (const row of samples) {
    const stack = model.samples.stack[row]!;
    const name = model.stacks[stack]?.[0]?.func ?? "(no stack)";
    const entry = byName.get(name);
    if (entry === undefined) byName.set(name, { name, count: 1, stack });
    else entry.count++;
  }
  return [...byName.values()].toSorted((a, b) => b.count - a.count);
}

/** Keys of notes that are about the whole trace; all others are about the activation that they were written on. */
const ABOUT_TRACE: ReadonlySet<string> = new Set(["process", "drops", "misuse", "looks", "cpu", "cost"]);

/** Whether a note tells of the whole trace (who was recorded, what was lost), not of an activation. */
export function isAboutTrace(note: Note): boolean {
  return Object.keys(note.message).some((key) => ABOUT_TRACE.has(key));
}

/** What the recorder noted on an activation, as [what, value]: a request's method and URL, for one. */
export function notesOf(model: TraceModel, activation: number): (readonly [string, string])[] {
  const told: (readonly [string, string])[] = [];
  for (const note of model.notes) {
    if (note.activation !== activation || isAboutTrace(note)) continue;
    for (const [key, value] of Object.entries(note.message)) {
      const parts = typeof value === "object" && value !== null ? Object.values(value) : [value];
      told.push([key, parts.map(String).join(" ")]);
    }
  }
  return told;
}

/** Words for a category with its reason: "waiting: chan receive", "running". */
export function stateText(category: number, reason: string): string {
  const { label } = CATEGORIES[category]!;
  if (category <= Category.Syscall) return reason === "" ? label : `${label} (${reason})`;
  return `waiting: ${reason === "" ? "unspecified" : reason}`;
}

/** Start and end of a task as drawn: open ends are the trace's. */
export function taskBounds(model: TraceModel, row: number): { start: number; end: number } {
  const start = model.tasks.start[row]!;
  const end = model.tasks.end[row]!;
  return {
    start: Number.isNaN(start) ? model.startTime : start,
    end: Number.isNaN(end) ? model.endTime : end,
  };
}
