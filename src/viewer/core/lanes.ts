import type { TraceModel } from "../../model/types.ts";
import { Category } from "./categories.ts";
import type { TraceIndex } from "./trace-index.ts";
import { firstAbove } from "./search-sorted.ts";

/** What a lane shows. */
export const LaneKind = { Header: 0, Ranges: 1, Heap: 2, Proc: 3, Activation: 4 } as const;
export type LaneKindCode = (typeof LaneKind)[keyof typeof LaneKind];

/** Heights in CSS pixels. */
export const HEADER_HEIGHT = 26;
export const STRIP_HEIGHT = 18;
export const REGION_HEIGHT = 12;
export const LANE_GAP = 5;
const HEAP_HEIGHT = 36;
/** Deeper regions are reached through the details panel. */
export const MAX_REGION_ROWS = 4;

/** Lanes from top to bottom. Lane l is at [top[l], top[l + 1]) and shows row[l] of the table of its kind. */
export interface Lanes {
  readonly count: number;
  readonly kind: Uint8Array;
  /** Row of the proc or activation; for headers the number of the section. */
  readonly row: Int32Array;
  /** Length count + 1. */
  readonly top: Float64Array;
  /** Lane of an activation's row, or -1 where it is not shown. */
  readonly laneOfActivation: Int32Array;
  /** Lane of a proc's row, or -1. */
  readonly laneOfProc: Int32Array;
  /** Titles of headers, and their lanes, by section. */
  readonly sections: readonly string[];
  readonly headers: readonly number[];
}

/** Orders of the activations' lanes. */
export const ORDERS = {
  creation: "creation",
  name: "function",
  task: "task",
  running: "time running",
  runnable: "time runnable",
} as const;
export type Order = keyof typeof ORDERS;

/** Time by category of a lane: [running, runnable, ...] through its spans. */
function timeIn(model: TraceModel, index: TraceIndex, category: number): Float64Array {
  const out = new Float64Array(model.activations.count);
  const { firstSpan } = model.activations;
  for (let a = 0; a < out.length; a++) {
    for (let i = firstSpan[a]!; i < firstSpan[a + 1]!; i++) {
      if (index.activations.category[i] === category) out[a]! += model.spans.end[i]! - model.spans.start[i]!;
    }
  }
  return out;
}

/** Rows of activations in an order; ties by creation. */
export function orderActivations(model: TraceModel, index: TraceIndex, order: Order): Uint32Array {
  const rows = Uint32Array.from({ length: model.activations.count }, (_, i) => i);
  if (order === "creation") return rows;
  if (order === "name") {
    const { name } = model.activations;
    const ranks = new Map<number, number>();
    const used = [...new Set(name)].toSorted((a, b) => {
      const x = model.strings[a] ?? "";
      const y = model.strings[b] ?? "";
      return x < y ? -1 : x > y ? 1 : 0;
    });
    for (const [rank, id] of used.entries()) ranks.set(id, rank);
    return rows.toSorted((a, b) => ranks.get(name[a]!)! - ranks.get(name[b]!)! || a - b);
  }
  if (order === "task") {
    const rank = taskRanks(model);
    return rows.toSorted((a, b) => rank[a]! - rank[b]! || a - b);
  }
  const time = timeIn(model, index, order === "running" ? 1 : 2);
  return rows.toSorted((a, b) => time[b]! - time[a]! || a - b);
}

/** By activation: the place of the first task it worked for among all tasks, each behind its parent; Infinity for none. */
function taskRanks({ tasks, regions, logs, activations }: TraceModel): Float64Array {
  const children = new Map<number, number[]>();
  for (let task = 0; task < tasks.count; task++) {
    const parent = tasks.parent[task]!;
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [task]);
    else list.push(task);
  }
  const place = new Float64Array(tasks.count).fill(Infinity);
  let next = 0;
  const open = [...(children.get(-1) ?? [])].toReversed();
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    place[task] = next++;
    open.push(...(children.get(task) ?? []).toReversed());
  }
  const rank = new Float64Array(activations.count).fill(Infinity);
  const work = (activation: number, task: number): void => {
    if (activation >= 0 && task >= 0) rank[activation] = Math.min(rank[activation]!, place[task]!);
  };
  for (let task = 0; task < tasks.count; task++) work(tasks.activation[task]!, task);
  for (let i = 0; i < regions.count; i++) work(regions.activation[i]!, regions.task[i]!);
  for (let i = 0; i < logs.count; i++) work(logs.activation[i]!, logs.task[i]!);
  return rank;
}

/** Lays out all lanes. `shown` limits the activations (a task's); null shows all that have a span. */
export function layoutLanes(
  model: TraceModel,
  index: TraceIndex,
  rows: Uint32Array,
  shown: ReadonlySet<number> | null,
): Lanes {
  const kinds: number[] = [];
  const lanes: number[] = [];
  const heights: number[] = [];
  const sections: string[] = [];
  const add = (kind: LaneKindCode, row: number, height: number): void => {
    kinds.push(kind);
    lanes.push(row);
    heights.push(height);
  };
  const headers: number[] = [];
  const section = (title: string): void => {
    headers.push(kinds.length);
    add(LaneKind.Header, sections.length, HEADER_HEIGHT);
    sections.push(title);
  };
  const laneOfActivation = new Int32Array(model.activations.count).fill(-1);
  const laneOfProc = new Int32Array(model.procs.count).fill(-1);

  section("Event loops");
  for (let p = 0; p < model.procs.count; p++) {
    laneOfProc[p] = kinds.length;
    add(LaneKind.Proc, p, STRIP_HEIGHT + LANE_GAP + 4);
  }
  if (index.rangeRow.length > 0) add(LaneKind.Ranges, 0, STRIP_HEIGHT + LANE_GAP);
  if (heapMetric(model) >= 0) add(LaneKind.Heap, 0, HEAP_HEIGHT + LANE_GAP);

  const { firstSpan } = model.activations;
  const activation = (a: number): void => {
    laneOfActivation[a] = kinds.length;
    const depth = index.regions.firstLane[a + 1]! - index.regions.firstLane[a]!;
    add(LaneKind.Activation, a, STRIP_HEIGHT + REGION_HEIGHT * Math.min(depth, MAX_REGION_ROWS) + LANE_GAP);
  };
  section("Activations");
  const asleep: number[] = [];
  for (const a of rows) {
    if (firstSpan[a] === firstSpan[a + 1] || (shown !== null && !shown.has(a))) continue;
    // One long wait: it was there and did nothing. The rest must not start below the fold because of it.
    const only = firstSpan[a]! + 1 < firstSpan[a + 1]! ? -1 : firstSpan[a]!;
    if (only >= 0 && index.activations.category[only]! > Category.Syscall) {
      asleep.push(a);
    } else activation(a);
  }
  if (asleep.length > 0) section("Activations that only waited");
  for (const a of asleep) activation(a);

  const top = new Float64Array(kinds.length + 1);
  for (let l = 0; l < kinds.length; l++) top[l + 1] = top[l]! + heights[l]!;
  return {
    count: kinds.length,
    kind: Uint8Array.from(kinds),
    row: Int32Array.from(lanes),
    top,
    laneOfActivation,
    laneOfProc,
    sections,
    headers,
  };
}

/** Activations that have a span in [start, end). */
export function activationsIn(model: TraceModel, start: number, end: number): Set<number> {
  const rows = new Set<number>();
  const { firstSpan, count } = model.activations;
  for (let a = 0; a < count; a++) {
    const first = firstSpan[a]!;
    const last = firstSpan[a + 1]! - 1;
    if (first <= last && model.spans.start[first]! < end && model.spans.end[last]! >= start) rows.add(a);
  }
  return rows;
}

/** Lane at a distance from the top, or -1. */
export function laneAt(lanes: Lanes, y: number): number {
  if (y < 0 || y >= lanes.top[lanes.count]!) return -1;
  return firstAbove(lanes.top, y, 1, lanes.count + 1) - 1;
}

/** Number of lanes without the headers. */
export function laneTotal(lanes: Lanes): number {
  return lanes.count - lanes.headers.length;
}

/** Total height. */
export function heightOf(lanes: Lanes): number {
  return lanes.top[lanes.count]!;
}

/** String index of the heap-size metric, or -1. */
export function heapMetric(model: TraceModel): number {
  for (let i = 0; i < model.metrics.count; i++) {
    if (model.strings[model.metrics.name[i]!]?.startsWith("/memory/classes/heap/objects:bytes")) {
      return model.metrics.name[i]!;
    }
  }
  return -1;
}
