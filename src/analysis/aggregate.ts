/**
 * Sums of a part of a trace by stack: what a flame graph, a tree and a table of functions are made of. A part is a range
 * of time on some activations, or the regions of a type in it; spans count by the time in which they are inside.
 *
 * A running or ready activation shows no stack: it counts at the stack where it stops or stopped next to it, which is its
 * own; else at its entry function. A wait counts at the stack where it waits, below its reason.
 */
import type { TraceModel } from "../model/types.ts";
import { State } from "../model/types.ts";

/** What is summed: time in a state (nanoseconds), CPU samples, or waits (each counts 1, at its begin). */
export const MEASURES = ["waiting", "running", "runnable", "syscall", "samples", "waits"] as const;
export type Measure = (typeof MEASURES)[number];

/** A part of a trace: pieces of time of activations (rows), those of one activation in order and apart from each other. */
export interface Part {
  readonly count: number;
  readonly activation: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
}

/** A sum at one stack (index into `model.stacks`), with the reason of the waits (index into `model.strings`; 0: none). */
export interface StackSum {
  readonly stack: number;
  readonly reason: number;
  readonly value: number;
  readonly count: number;
  /** Entry function (string index) that stands for a stack nobody told; 0 where there is a stack. */
  readonly entry: number;
}

/** All activations, or those of `rows`, from `from` to `to`; inside of regions of type `region` (string index) only. */
export function partOf(
  model: TraceModel,
  from: number,
  to: number,
  rows: ReadonlySet<number> | null = null,
  region = -1,
): Part {
  const pieces: { activation: number; start: number; end: number }[] = [];
  const add = (activation: number, start: number, end: number): void => {
    if (activation < 0 || (rows !== null && !rows.has(activation))) return;
    const piece = { activation, start: Math.max(from, start), end: Math.min(to, end) };
    if (piece.end > piece.start) pieces.push(piece);
  };
  const { activations, regions } = model;
  if (region < 0) {
    for (let row = 0; row < activations.count; row++) add(row, from, to);
  } else {
    for (let i = 0; i < regions.count; i++) {
      if (regions.name[i] !== region) continue;
      const [start, end] = [regions.start[i]!, regions.end[i]!];
      add(
        regions.activation[i]!,
        Number.isNaN(start) ? model.startTime : start,
        Number.isNaN(end) ? model.endTime : end,
      );
    }
    pieces.sort((a, b) => a.activation - b.activation || a.start - b.start);
  }
  // Regions may nest: what overlaps is one piece.
  const apart: typeof pieces = [];
  for (const piece of pieces) {
    const last = apart.at(-1);
    if (last !== undefined && last.activation === piece.activation && piece.start <= last.end)
      last.end = Math.max(last.end, piece.end);
    else apart.push(piece);
  }
  return {
    count: apart.length,
    activation: Int32Array.from(apart, (piece) => piece.activation),
    start: Float64Array.from(apart, (piece) => piece.start),
    end: Float64Array.from(apart, (piece) => piece.end),
  };
}

/** Sums a measure over a part, the most first. `reason`: waits for this only (string index), -1 for all. */
export function aggregate(model: TraceModel, part: Part, measure: Measure, reason = -1): StackSum[] {
  const sums = new Sums();
  if (measure === "samples")
    visitSamples(model, part, (sample) => sums.add(model.samples.stack[sample]!, 0, 0, 1));
  else
    visitSpans(model, part, measure, reason, (span, row, value) =>
      sums.addSpan(model, measure, span, row, value),
    );
  return sums.take();
}

/** Spans (rows) of a part that a measure counts where `isIn` says so, of samples those in which they were taken. */
export function occurrences(
  model: TraceModel,
  part: Part,
  measure: Measure,
  isIn: (stack: number, entry: number, reason: number) => boolean,
  limit: number,
): number[] {
  const rows: number[] = [];
  if (measure === "samples") {
    const { spans, activations } = model;
    visitSamples(model, part, (sample, row) => {
      if (rows.length >= limit || !isIn(model.samples.stack[sample]!, 0, 0)) return;
      const last = activations.firstSpan[row + 1]!;
      const span = firstEndingAfter(
        spans.end,
        activations.firstSpan[row]!,
        last,
        model.samples.time[sample]!,
      );
      if (span < last && rows.at(-1) !== span) rows.push(span);
    });
    return rows;
  }
  visitSpans(model, part, measure, -1, (span, row) => {
    const stack = stackOf(model, measure, span, row);
    const entry = stack === 0 ? model.activations.name[row]! : 0;
    if (rows.length < limit && isIn(stack, entry, reasonOf(model, measure, span))) rows.push(span);
  });
  return rows;
}

const STATES: Readonly<Record<Exclude<Measure, "samples">, number>> = {
  waiting: State.Waiting,
  waits: State.Waiting,
  running: State.Running,
  runnable: State.Runnable,
  syscall: State.Syscall,
};

function visitSpans(
  model: TraceModel,
  part: Part,
  measure: Exclude<Measure, "samples">,
  reason: number,
  visit: (span: number, row: number, value: number) => void,
): void {
  const { spans, activations } = model;
  const state = STATES[measure];
  for (let piece = 0; piece < part.count; piece++) {
    const row = part.activation[piece]!;
    const [from, to] = [part.start[piece]!, part.end[piece]!];
    const last = activations.firstSpan[row + 1]!;
    for (let i = firstEndingAfter(spans.end, activations.firstSpan[row]!, last, from); i < last; i++) {
      const start = spans.start[i]!;
      if (start >= to) break;
      if (spans.state[i] !== state || (reason >= 0 && spans.reason[i] !== reason)) continue;
      if (measure !== "waits") visit(i, row, Math.min(to, spans.end[i]!) - Math.max(from, start));
      else if (start >= from) visit(i, row, 1);
    }
  }
}

/** First of the rows [low, high), whose ends ascend, that ends after `time`. */
function firstEndingAfter(ends: Float64Array, low: number, high: number, time: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The stack of a span of the activation `row`, 0 where its entry function stands for it. */
function stackOf({ spans, activations }: TraceModel, measure: Measure, span: number, row: number): number {
  if (measure === "waiting" || measure === "waits" || measure === "syscall") return spans.stack[span]!;
  // Where it stops says more of a run than where it began; a ready one goes on where it stopped.
  const near = measure === "running" ? span + 1 : span - 1;
  if (near < activations.firstSpan[row]! || near >= activations.firstSpan[row + 1]!) return 0;
  const state = spans.state[near];
  return state === State.Waiting || state === State.Syscall ? spans.stack[near]! : 0;
}

function reasonOf(model: TraceModel, measure: Measure, span: number): number {
  return measure === "waiting" || measure === "waits" ? model.spans.reason[span]! : 0;
}

type MutableSum = { -readonly [Key in keyof StackSum]: StackSum[Key] };

class Sums {
  readonly #sums = new Map<string, MutableSum>();
  /** The last sum of each stack: nearly every stack has one reason. */
  readonly #ofStack: (MutableSum | undefined)[] = [];

  addSpan(model: TraceModel, measure: Measure, span: number, row: number, value: number): void {
    const stack = stackOf(model, measure, span, row);
    this.add(stack, stack === 0 ? model.activations.name[row]! : 0, reasonOf(model, measure, span), value);
  }

  add(stack: number, entry: number, reason: number, value: number): void {
    let sum = this.#ofStack[stack];
    if (sum === undefined || sum.entry !== entry || sum.reason !== reason) {
      const key = `${stack} ${entry} ${reason}`;
      sum = this.#sums.get(key) ?? { stack, entry, reason, value: 0, count: 0 };
      this.#sums.set(key, sum);
      this.#ofStack[stack] = sum;
    }
    sum.value += value;
    sum.count++;
  }

  take(): StackSum[] {
    return [...this.#sums.values()].toSorted((a, b) => b.value - a.value || a.stack - b.stack);
  }
}

function visitSamples(
  { samples }: TraceModel,
  part: Part,
  visit: (sample: number, row: number) => void,
): void {
  const pieces = new Map<number, [start: number, end: number][]>();
  for (let i = 0; i < part.count; i++) {
    const list = pieces.get(part.activation[i]!);
    if (list === undefined) pieces.set(part.activation[i]!, [[part.start[i]!, part.end[i]!]]);
    else list.push([part.start[i]!, part.end[i]!]);
  }
  for (let i = 0; i < samples.count; i++) {
    const time = samples.time[i]!;
    const row = samples.activation[i]!;
    if (pieces.get(row)?.some(([start, end]) => time >= start && time < end) === true) visit(i, row);
  }
}

/** Waits that ended because somebody woke them, by both stacks. Times in nanoseconds. */
export interface WakePair {
  /** Where it waited, and where it was woken: indexes into `model.stacks`. */
  readonly waiting: number;
  readonly waking: number;
  readonly reason: number;
  readonly count: number;
  readonly total: number;
  readonly longest: number;
  /** The longest wait: a row of spans. */
  readonly span: number;
}

/** Pairs of waiting and waking stack in a part, by the time that was waited, the most first. */
export function wakePairs(model: TraceModel, part: Part): WakePair[] {
  const { spans, activations } = model;
  const pairs = new Map<string, { -readonly [Key in keyof WakePair]: WakePair[Key] }>();
  let row = -1;
  let last = 0;
  for (let piece = 0; piece < part.count; piece++) {
    row = part.activation[piece]!;
    last = activations.firstSpan[row + 1]!;
    const [from, to] = [part.start[piece]!, part.end[piece]!];
    for (let i = firstEndingAfter(spans.end, activations.firstSpan[row]!, last, from); i + 1 < last; i++) {
      if (spans.start[i]! >= to) break;
      if (spans.state[i] !== State.Waiting || spans.state[i + 1] !== State.Runnable || spans.by[i + 1]! < 0)
        continue;
      const time = Math.min(to, spans.end[i]!) - Math.max(from, spans.start[i]!);
      const [waiting, waking, reason] = [spans.stack[i]!, spans.stack[i + 1]!, spans.reason[i]!];
      const key = `${waiting} ${waking} ${reason}`;
      const pair = pairs.get(key);
      if (pair === undefined) {
        pairs.set(key, { waiting, waking, reason, count: 1, total: time, longest: time, span: i });
        continue;
      }
      pair.count++;
      pair.total += time;
      if (time > pair.longest) {
        pair.longest = time;
        pair.span = i;
      }
    }
  }
  return [...pairs.values()].toSorted((a, b) => b.total - a.total || a.span - b.span);
}
