/**
 * Sums of a part of a trace by stack: what a flame graph, a tree and a table of functions are made of. Spans count by the
 * time in which they are inside of the part.
 *
 * A running or ready activation shows no stack of its own: it counts at the stack where it stops, else where it stopped
 * before; else at its entry function. A wait counts at the stack where it waits, below its reason.
 *
 * Everything here is made in steps (`step(spans)` until it answers true); the functions do all of them at once.
 */
import type { TraceModel } from "../model/types.ts";
import { State } from "../model/types.ts";
import type { Part } from "./part.ts";
import { SampleWalk, SpanWalk, firstEndingAfter } from "./part.ts";

/** What is summed: time in a state (nanoseconds), CPU samples, or waits (each counts 1, at its begin). */
export const MEASURES = ["waiting", "running", "runnable", "syscall", "samples", "waits"] as const;
export type Measure = (typeof MEASURES)[number];

/** A sum at one stack (index into `model.stacks`), with the reason of the waits (index into `model.strings`; 0: none). */
export interface StackSum {
  readonly stack: number;
  readonly reason: number;
  readonly value: number;
  readonly count: number;
  /** Entry function (string index) that stands for a stack nobody told; 0 where there is a stack. */
  readonly entry: number;
}

/** Something that is made in steps. */
export interface InSteps<T> {
  /** Goes on over so many spans or samples; answers whether that was all. */
  step(most: number): boolean;
  /** How far it is, of 1. */
  readonly progress: number;
  /** What has been found so far. */
  take(): T;
}

/** Does all steps. */
export function atOnce<T>(steps: InSteps<T>): T {
  while (!steps.step(Infinity));
  return steps.take();
}

/** Sums a measure over a part, the most first. `reason`: waits for this only (string index), -1 for all. */
export function aggregate(model: TraceModel, part: Part, measure: Measure, reason = -1): StackSum[] {
  return atOnce(new Aggregation(model, part, measure, reason));
}

const STATES: Readonly<Record<Exclude<Measure, "samples">, number>> = {
  waiting: State.Waiting,
  waits: State.Waiting,
  running: State.Running,
  runnable: State.Runnable,
  syscall: State.Syscall,
};

/** Visits what a measure counts, with its value: spans, and of samples those in which they were taken. */
class Counted {
  readonly #model: TraceModel;
  readonly #measure: Measure;
  readonly #reason: number;
  readonly #spans: SpanWalk | null;
  readonly #samples: SampleWalk | null;

  constructor(model: TraceModel, part: Part, measure: Measure, reason: number) {
    this.#model = model;
    this.#measure = measure;
    this.#reason = reason;
    this.#spans = measure === "samples" ? null : new SpanWalk(model, part);
    this.#samples = measure === "samples" ? new SampleWalk(model, part) : null;
  }

  get progress(): number {
    return this.#spans?.progress ?? this.#samples!.progress;
  }

  /** `visit` gets the span (-1 where a sample was taken outside of all), the stack, the entry function, the reason, the value. */
  step(
    most: number,
    visit: (span: number, stack: number, entry: number, reason: number, value: number) => void,
  ): boolean {
    const model = this.#model;
    const measure = this.#measure;
    if (measure === "samples") {
      return this.#samples!.step(most, (sample, row) =>
        visit(this.#spanOf(sample, row), model.samples.stack[sample]!, 0, 0, 1),
      );
    }
    const { spans, activations } = model;
    const state = STATES[measure];
    const wanted = this.#reason;
    return this.#spans!.step(most, (span, row, from, to) => {
      if (spans.state[span] !== state || (wanted >= 0 && spans.reason[span] !== wanted)) return;
      const start = spans.start[span]!;
      if (measure === "waits" && start < from) return;
      const value = measure === "waits" ? 1 : Math.min(to, spans.end[span]!) - Math.max(from, start);
      const stack = stackOf(model, measure, span, row);
      visit(span, stack, stack === 0 ? activations.name[row]! : 0, reasonOf(model, measure, span), value);
    });
  }

  #spanOf(sample: number, row: number): number {
    if (row < 0) return -1;
    const { spans, activations, samples } = this.#model;
    const last = activations.firstSpan[row + 1]!;
    const span = firstEndingAfter(spans.end, activations.firstSpan[row]!, last, samples.time[sample]!);
    return span < last ? span : -1;
  }
}

/** `aggregate` in steps. */
export class Aggregation implements InSteps<StackSum[]> {
  readonly #counted: Counted;
  readonly #sums = new Map<string, MutableSum>();
  /** The last sum of each stack: nearly every stack has one reason. */
  readonly #ofStack: (MutableSum | undefined)[] = [];

  constructor(model: TraceModel, part: Part, measure: Measure, reason = -1) {
    this.#counted = new Counted(model, part, measure, reason);
  }

  get progress(): number {
    return this.#counted.progress;
  }

  step(most: number): boolean {
    return this.#counted.step(most, (_, stack, entry, reason, value) => {
      let sum = this.#ofStack[stack];
      if (sum === undefined || sum.entry !== entry || sum.reason !== reason) {
        const key = `${stack} ${entry} ${reason}`;
        sum = this.#sums.get(key) ?? { stack, entry, reason, value: 0, count: 0 };
        this.#sums.set(key, sum);
        this.#ofStack[stack] = sum;
      }
      sum.value += value;
      sum.count++;
    });
  }

  take(): StackSum[] {
    return [...this.#sums.values()].toSorted((a, b) => b.value - a.value || a.stack - b.stack);
  }
}

type MutableSum = { -readonly [Key in keyof StackSum]: StackSum[Key] };

/** Spans (rows) of a part that a measure counts where `isIn` says so, of samples those in which they were taken: the longest. */
export class Occurrences implements InSteps<number[]> {
  readonly #counted: Counted;
  readonly #isIn: (stack: number, entry: number, reason: number) => boolean;
  readonly #limit: number;
  /** Spans and values; of more than twice the limit those with the least values are let go. */
  #found: { readonly span: number; readonly value: number }[] = [];

  constructor(
    model: TraceModel,
    part: Part,
    measure: Measure,
    isIn: (stack: number, entry: number, reason: number) => boolean,
    limit: number,
  ) {
    this.#counted = new Counted(model, part, measure, -1);
    this.#isIn = isIn;
    this.#limit = limit;
  }

  get progress(): number {
    return this.#counted.progress;
  }

  step(most: number): boolean {
    return this.#counted.step(most, (span, stack, entry, reason, value) => {
      if (span < 0 || !this.#isIn(stack, entry, reason) || this.#found.at(-1)?.span === span) return;
      this.#found.push({ span, value });
      if (this.#found.length > 2 * this.#limit) this.#found = this.#longest();
    });
  }

  #longest(): { readonly span: number; readonly value: number }[] {
    return this.#found.toSorted((a, b) => b.value - a.value).slice(0, this.#limit);
  }

  take(): number[] {
    return this.#longest()
      .map(({ span }) => span)
      .toSorted((a, b) => a - b);
  }
}

/** The stack of a span of the activation `row`, 0 where its entry function stands for it. */
function stackOf({ spans, activations }: TraceModel, measure: Measure, span: number, row: number): number {
  if (measure === "waiting" || measure === "waits" || measure === "syscall") return spans.stack[span]!;
  const first = activations.firstSpan[row]!;
  const last = activations.firstSpan[row + 1]!;
  // Where it stops says more of a run than where it stopped before.
  const ends = span + 1 < last ? stopOf(spans, span + 1) : 0;
  if (measure === "running" && ends !== 0) return ends;
  for (let i = measure === "running" ? span - 1 : span; i >= first && i >= span - 2; i--) {
    const stop = stopOf(spans, i);
    if (stop !== 0) return stop;
  }
  return 0;
}

/** The stack where an activation stopped to be in that state, 0 where it did not stop: what it became ready by is another's. */
function stopOf(spans: TraceModel["spans"], span: number): number {
  const state = spans.state[span];
  const isStop =
    state === State.Waiting ||
    state === State.Syscall ||
    // It yielded: nobody made it ready.
    (state === State.Runnable && spans.reason[span] !== 0);
  return isStop ? spans.stack[span]! : 0;
}

function reasonOf(model: TraceModel, measure: Measure, span: number): number {
  return measure === "waiting" || measure === "waits" ? model.spans.reason[span]! : 0;
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
  return atOnce(new WakePairs(model, part));
}

/** `wakePairs` in steps. */
export class WakePairs implements InSteps<WakePair[]> {
  readonly #model: TraceModel;
  readonly #walk: SpanWalk;
  readonly #pairs = new Map<string, { -readonly [Key in keyof WakePair]: WakePair[Key] }>();

  constructor(model: TraceModel, part: Part) {
    this.#model = model;
    this.#walk = new SpanWalk(model, part);
  }

  get progress(): number {
    return this.#walk.progress;
  }

  step(most: number): boolean {
    const { spans, activations } = this.#model;
    return this.#walk.step(most, (i, row, from, to) => {
      if (i + 1 >= activations.firstSpan[row + 1]! || spans.state[i] !== State.Waiting) return;
      if (spans.state[i + 1] !== State.Runnable || spans.by[i + 1]! < 0) return;
      const time = Math.min(to, spans.end[i]!) - Math.max(from, spans.start[i]!);
      const [waiting, waking, reason] = [spans.stack[i]!, spans.stack[i + 1]!, spans.reason[i]!];
      const key = `${waiting} ${waking} ${reason}`;
      const pair = this.#pairs.get(key);
      if (pair === undefined) {
        this.#pairs.set(key, { waiting, waking, reason, count: 1, total: time, longest: time, span: i });
        return;
      }
      pair.count++;
      pair.total += time;
      if (time > pair.longest) {
        pair.longest = time;
        pair.span = i;
      }
    });
  }

  take(): WakePair[] {
    return [...this.#pairs.values()].toSorted((a, b) => b.total - a.total || a.span - b.span);
  }
}
