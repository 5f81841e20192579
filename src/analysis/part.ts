/**
 * A part of a trace: a range of time on some activations, inside of the regions of a type, of a task, on one loop; and the
 * walk over its spans and samples, in steps, so that a page stays alive meanwhile.
 *
 * Of a task an activation has the time in which one of the task's regions is open on it, and, on the activation that began
 * it and on those which that one makes meanwhile, the time from its begin to its end. The children of a task belong to it.
 */
import type { TraceModel } from "../model/types.ts";
import { State } from "../model/types.ts";

/** What is in a part: everything that is left out is in. */
export interface PartOptions {
  /** Rows of activations. */
  readonly rows?: ReadonlySet<number> | null;
  /** Type of the regions (string index) inside of which it lies; -1: and out of regions. */
  readonly region?: number;
  /** Row of a task; -1: of all, and of none. */
  readonly task?: number;
  /** Row of a loop (proc); -1: all. */
  readonly proc?: number;
}

/** Pieces of time of activations (rows): those of one activation lie together, in order and apart from each other. */
export interface Part {
  readonly count: number;
  readonly activation: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Row of the loop on which spans and samples count, -1: on all. A wait counts where it goes on. */
  readonly proc: number;
  /** The range, if nothing but time and loop narrows the part: samples without an activation count then. */
  readonly range: readonly [from: number, to: number] | null;
}

interface Piece {
  readonly activation: number;
  readonly start: number;
  end: number;
}

/** The part from `from` to `to` (ns). */
export function partOf(model: TraceModel, from: number, to: number, options: PartOptions = {}): Part {
  const { rows = null, region = -1, task = -1, proc = -1 } = options;
  const inTask = task < 0 ? null : apart(within(piecesOfTask(model, task), rows, from, to));
  const ofType = (i: number): boolean => model.regions.name[i] === region;
  const inRegions = region < 0 ? null : apart(within(piecesOfRegions(model, ofType), rows, from, to));
  const pieces =
    inTask !== null && inRegions !== null ? intersection(inTask, inRegions) : (inTask ?? inRegions);
  if (pieces !== null) {
    return {
      count: pieces.length,
      activation: Int32Array.from(pieces, (piece) => piece.activation),
      start: Float64Array.from(pieces, (piece) => piece.start),
      end: Float64Array.from(pieces, (piece) => piece.end),
      proc,
      range: null,
    };
  }
  const all = Int32Array.from({ length: model.activations.count }, (_, row) => row);
  const activation = rows === null ? all : all.filter((row) => rows.has(row));
  return {
    count: activation.length,
    activation,
    start: new Float64Array(activation.length).fill(from),
    end: new Float64Array(activation.length).fill(to),
    proc,
    range: rows === null ? [from, to] : null,
  };
}

/** Rows of a task and of all below it. */
export function withDescendants(model: TraceModel, task: number): Set<number> {
  const tasks = new Set([task]);
  // A child may precede its parent in a table in order of ids: repeat until nothing is added.
  for (let size = 0; size !== tasks.size;) {
    size = tasks.size;
    for (let t = 0; t < model.tasks.count; t++) if (tasks.has(model.tasks.parent[t]!)) tasks.add(t);
  }
  return tasks;
}

function piecesOfTask(model: TraceModel, task: number): Piece[] {
  const all = withDescendants(model, task);
  const pieces = piecesOfRegions(model, (i) => all.has(model.regions.task[i]!));
  const { tasks, activations } = model;
  for (const t of all) {
    const begun = Number.isNaN(tasks.start[t]!) ? model.startTime : tasks.start[t]!;
    const end = Number.isNaN(tasks.end[t]!) ? model.endTime : tasks.end[t]!;
    const worker = tasks.activation[t]!;
    if (worker < 0) continue;
    const workers = new Set([worker]);
    pieces.push({ activation: worker, start: begun, end });
    // Rows are in order of creation: makers come first.
    for (let row = worker + 1; row < activations.count; row++) {
      const created = activations.created[row]!;
      if (!workers.has(activations.creator[row]!) || created < begun || created >= end) continue;
      workers.add(row);
      pieces.push({ activation: row, start: created, end });
    }
  }
  return pieces;
}

function piecesOfRegions(model: TraceModel, isIn: (region: number) => boolean): Piece[] {
  const { regions } = model;
  const pieces: Piece[] = [];
  for (let i = 0; i < regions.count; i++) {
    if (!isIn(i)) continue;
    const [start, end] = [regions.start[i]!, regions.end[i]!];
    pieces.push({
      activation: regions.activation[i]!,
      start: Number.isNaN(start) ? model.startTime : start,
      end: Number.isNaN(end) ? model.endTime : end,
    });
  }
  return pieces;
}

/** What of the pieces lies on the rows and between the times. */
function within(
  pieces: readonly Piece[],
  rows: ReadonlySet<number> | null,
  from: number,
  to: number,
): Piece[] {
  return pieces
    .filter(({ activation }) => activation >= 0 && (rows === null || rows.has(activation)))
    .map(({ activation, start, end }) => ({
      activation,
      start: Math.max(from, start),
      end: Math.min(to, end),
    }))
    .filter(({ start, end }) => end > start);
}

/** The same time, each moment of an activation in one piece, in order: what overlaps or meets is one. */
function apart(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces.toSorted((a, b) => a.activation - b.activation || a.start - b.start)) {
    const last = found.at(-1);
    if (last !== undefined && last.activation === piece.activation && piece.start <= last.end)
      last.end = Math.max(last.end, piece.end);
    else found.push({ ...piece });
  }
  return found;
}

/** What is in both; each in order and apart. */
function intersection(some: readonly Piece[], others: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (let i = 0, j = 0; i < some.length && j < others.length;) {
    const [a, b] = [some[i]!, others[j]!];
    const order = a.activation - b.activation;
    if (order === 0) {
      const [start, end] = [Math.max(a.start, b.start), Math.min(a.end, b.end)];
      if (end > start) found.push({ activation: a.activation, start, end });
    }
    if (order < 0 || (order === 0 && a.end < b.end)) i++;
    else j++;
  }
  return found;
}

/** First of the rows [low, high), whose ends ascend, that ends after `time`. */
export function firstEndingAfter(ends: Float64Array, low: number, high: number, time: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Visits the spans of a part: `step` after `step`. */
export class SpanWalk {
  readonly #model: TraceModel;
  readonly #part: Part;
  #piece = 0;
  /** Next span of the piece, -1 before its first. */
  #span = -1;

  constructor(model: TraceModel, part: Part) {
    this.#model = model;
    this.#part = part;
  }

  /** Share of the part that has been visited, of 1. */
  get progress(): number {
    return this.#part.count === 0 ? 1 : this.#piece / this.#part.count;
  }

  /** Shows `visit` the next spans, `most` or a few more, with the part's piece that each lies in. Answers whether that was all. */
  step(most: number, visit: (span: number, row: number, from: number, to: number) => void): boolean {
    const { spans, activations } = this.#model;
    const part = this.#part;
    let left = most;
    for (; this.#piece < part.count; this.#piece++, this.#span = -1, left--) {
      const row = part.activation[this.#piece]!;
      const [from, to] = [part.start[this.#piece]!, part.end[this.#piece]!];
      const last = activations.firstSpan[row + 1]!;
      let i = this.#span;
      if (i < 0) i = firstEndingAfter(spans.end, activations.firstSpan[row]!, last, from);
      for (; i < last && spans.start[i]! < to; i++) {
        if (left-- <= 0) {
          this.#span = i;
          return false;
        }
        if (part.proc < 0 || loopOf(this.#model, i, last) === part.proc) visit(i, row, from, to);
      }
      if (left <= 0) {
        this.#piece++;
        this.#span = -1;
        return this.#piece >= part.count;
      }
    }
    return true;
  }
}

/** The loop on which a span counts: where it runs, or where what waits or is ready goes on. */
function loopOf({ spans }: TraceModel, span: number, last: number): number {
  for (let i = span; i < last && i < span + 3; i++) {
    const state = spans.state[i];
    if (state === State.Running || state === State.Syscall) return spans.by[i]!;
  }
  return -1;
}

/** Visits the CPU samples of a part: `step` after `step`. */
export class SampleWalk {
  readonly #model: TraceModel;
  readonly #part: Part;
  /** By activation: its first and last but one piece. */
  readonly #pieces = new Map<number, [first: number, end: number]>();
  #sample = 0;

  constructor(model: TraceModel, part: Part) {
    this.#model = model;
    this.#part = part;
    for (let i = 0; i < part.count; i++) {
      const known = this.#pieces.get(part.activation[i]!);
      if (known === undefined) this.#pieces.set(part.activation[i]!, [i, i + 1]);
      else known[1] = i + 1;
    }
  }

  /** Share of the samples that have been looked at, of 1. */
  get progress(): number {
    const { count } = this.#model.samples;
    return count === 0 ? 1 : this.#sample / count;
  }

  /** Shows `visit` those among the next `most`; `row` is -1 where none ran. Answers whether that was all. */
  step(most: number, visit: (sample: number, row: number) => void): boolean {
    const { samples } = this.#model;
    const { proc } = this.#part;
    const end = Math.min(samples.count, this.#sample + most);
    for (; this.#sample < end; this.#sample++) {
      const i = this.#sample;
      if (proc >= 0 && samples.proc[i] !== proc) continue;
      const row = samples.activation[i]!;
      if (this.#isIn(row, samples.time[i]!)) visit(i, row);
    }
    return this.#sample >= samples.count;
  }

  #isIn(row: number, time: number): boolean {
    const { range, start, end } = this.#part;
    if (row < 0) return range !== null && time >= range[0] && time < range[1];
    const [first, last] = this.#pieces.get(row) ?? [0, 0];
    const at = firstEndingAfter(end, first, last, time);
    return at < last && time >= start[at]!;
  }
}
