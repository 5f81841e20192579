import type { TraceModel } from "../../model/types.ts";
import { CATEGORIES, Category, NAMED_CATEGORIES, categorize, namedCodes } from "./categories.ts";
import { buildLod, type LaneSpans, type Lod } from "./lod.ts";

/**
 * What the viewer adds to a model before it can draw: lanes with their level of detail, points grouped by lane, the
 * overview of the minimap. Built once, in the worker; typed arrays and plain data only, so it crosses by transfer.
 */
export interface TraceIndex {
  /** One lane an activation; span rows are the model's. Categories of `CATEGORIES`. */
  readonly activations: Lod;
  /** One lane an event loop; span rows are the model's procSpans. Named categories. */
  readonly procs: Lod;
  /** One lane an (activation, depth) of regions. */
  readonly regions: RegionLanes;
  /** One lane: global ranges (GC, stop-the-world). Rows of the model in `rangeRow`. */
  readonly ranges: Lod;
  readonly rangeRow: Uint32Array;
  /** Log and sample rows by activation, each group in order of time. */
  readonly logs: Points;
  readonly samples: Points;
  /** Runnable spans grouped by the activation that woke them. */
  readonly wakes: Groups;
  readonly overview: Overview;
}

/** Regions as lanes: lane l of the level of detail is depth `l - firstLane[a]` of the activation a that owns it. */
export interface RegionLanes {
  readonly lod: Lod;
  /** First lane of each activation; length activations + 1. */
  readonly firstLane: Uint32Array;
  /** Row of the model's region, by span of the lanes. */
  readonly row: Uint32Array;
}

/** Rows of a table grouped by an owner: group o is rows[first[o] .. first[o + 1]). */
export interface Groups {
  readonly first: Uint32Array;
  readonly rows: Uint32Array;
}

/** Groups of points, with their times beside the rows. */
export interface Points extends Groups {
  readonly time: Float64Array;
}

/** Averages over equal buckets of the whole trace. */
export interface Overview {
  readonly buckets: number;
  /** Activations running and in syscalls, by bucket. */
  readonly running: Float64Array;
  /** Activations runnable, by bucket. */
  readonly runnable: Float64Array;
  /** Share of the bucket under a global range (GC). */
  readonly collecting: Float64Array;
}

const OVERVIEW_BUCKETS = 2048;

/** Codes of the lane of global ranges. */
export const RangeCategory = { Collect: 2, Stop: 3 } as const;

/** Builds everything the viewer needs on top of a model. */
export function buildIndex(model: TraceModel): TraceIndex {
  const category = categorize(model);
  const activations = buildLod({
    first: model.activations.firstSpan,
    start: model.spans.start,
    end: model.spans.end,
    category,
    categories: CATEGORIES.length,
  });
  const { lod: ranges, row: rangeRow } = rangeLane(model);
  return {
    activations,
    procs: buildLod(procLanes(model)),
    regions: regionLanes(model),
    ranges,
    rangeRow,
    logs: points(model.activations.count, model.logs.activation, model.logs.time, model.logs.count),
    samples: points(
      model.activations.count,
      model.samples.activation,
      model.samples.time,
      model.samples.count,
    ),
    wakes: wakes(model, category),
    overview: overview(model, category, ranges),
  };
}

function procLanes(model: TraceModel): LaneSpans {
  const { procSpans, activations, strings } = model;
  const { start, end, activation } = procSpans;
  const weight = new Float64Array(strings.length);
  for (let i = 0; i < procSpans.count; i++) {
    const row = activation[i]!;
    if (row >= 0) weight[activations.name[row]!]! += end[i]! - start[i]! + 1;
  }
  const codes = namedCodes(weight);
  const category = new Uint8Array(procSpans.count);
  for (let i = 0; i < category.length; i++) {
    const row = activation[i]!;
    category[i] = row < 0 ? 1 : codes[activations.name[row]!]!;
  }
  return { first: model.procs.firstSpan, start, end, category, categories: NAMED_CATEGORIES };
}

/** Start and end of a region as drawn: a missing begin or end is the activation's, then the trace's. */
export function regionBounds(model: TraceModel, row: number): { start: number; end: number } {
  const { regions, activations } = model;
  const activation = regions.activation[row]!;
  let start = regions.start[row]!;
  let end = regions.end[row]!;
  if (Number.isNaN(start)) start = activation < 0 ? model.startTime : activations.created[activation]!;
  if (Number.isNaN(end)) end = activation < 0 ? model.endTime : activations.ended[activation]!;
  if (Number.isNaN(end)) end = model.endTime;
  return { start, end: Math.max(start, end) };
}

function regionLanes(model: TraceModel): RegionLanes {
  const { regions, activations, strings } = model;
  const count = regions.count;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  const rows: number[] = [];
  const depths = new Uint32Array(activations.count);
  const uses = new Float64Array(strings.length);
  for (let i = 0; i < count; i++) {
    const bounds = regionBounds(model, i);
    starts[i] = bounds.start;
    ends[i] = bounds.end;
    const owner = regions.activation[i]!;
    if (owner < 0) continue;
    rows.push(i);
    uses[regions.name[i]!]!++;
    depths[owner] = Math.max(depths[owner]!, regions.depth[i]! + 1);
  }
  const firstLane = new Uint32Array(activations.count + 1);
  for (let a = 0; a < activations.count; a++) firstLane[a + 1] = firstLane[a]! + depths[a]!;
  const laneOf = (row: number): number => firstLane[regions.activation[row]!]! + regions.depth[row]!;
  rows.sort((x, y) => laneOf(x) - laneOf(y) || starts[x]! - starts[y]! || x - y);
  const lanes = firstLane[activations.count]!;
  const first = new Uint32Array(lanes + 1);
  const start = new Float64Array(rows.length);
  const end = new Float64Array(rows.length);
  const category = new Uint8Array(rows.length);
  const codes = namedCodes(uses);
  let previous = -1;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const lane = laneOf(row);
    first[lane + 1]!++;
    start[i] = starts[row]!;
    end[i] = ends[row]!;
    // Lanes are disjoint by construction; clip what a broken trace left open.
    if (lane === previous && end[i - 1]! > start[i]!) end[i - 1] = start[i]!;
    previous = lane;
    category[i] = codes[regions.name[row]!]!;
  }
  for (let l = 0; l < lanes; l++) first[l + 1]! += first[l]!;
  const lod = buildLod({ first, start, end, category, categories: NAMED_CATEGORIES });
  return { lod, firstLane, row: Uint32Array.from(rows) };
}

function rangeLane(model: TraceModel): { lod: Lod; row: Uint32Array } {
  const { ranges, strings } = model;
  const rows: number[] = [];
  for (let i = 0; i < ranges.count; i++) if (ranges.scope[i] === 0) rows.push(i);
  const bound = (value: number, open: number): number => (Number.isNaN(value) ? open : value);
  rows.sort((x, y) => bound(ranges.start[x]!, 0) - bound(ranges.start[y]!, 0) || x - y);
  const start = new Float64Array(rows.length);
  const end = new Float64Array(rows.length);
  const category = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    start[i] = bound(ranges.start[row]!, model.startTime);
    end[i] = bound(ranges.end[row]!, model.endTime);
    if (i > 0 && end[i - 1]! > start[i]!) end[i - 1] = start[i]!;
    category[i] = (strings[ranges.name[row]!] ?? "").startsWith("stop-the-world")
      ? RangeCategory.Stop
      : RangeCategory.Collect;
  }
  const first = Uint32Array.of(0, rows.length);
  return {
    lod: buildLod({ first, start, end, category, categories: 4 }),
    row: Uint32Array.from(rows),
  };
}

/** Groups rows by owner (rows without one are left out), each group in ascending order of row. */
function group(owners: number, owner: Int32Array, count: number): Groups {
  const first = new Uint32Array(owners + 1);
  for (let i = 0; i < count; i++) if (owner[i]! >= 0) first[owner[i]! + 1]!++;
  for (let o = 0; o < owners; o++) first[o + 1]! += first[o]!;
  const next = first.slice();
  const rows = new Uint32Array(first[owners]!);
  for (let i = 0; i < count; i++) if (owner[i]! >= 0) rows[next[owner[i]!]!++] = i;
  return { first, rows };
}

function points(owners: number, owner: Int32Array, times: Float64Array, count: number): Points {
  const { first, rows } = group(owners, owner, count);
  const time = new Float64Array(rows.length);
  for (let o = 0; o < owners; o++) {
    const part = rows.subarray(first[o]!, first[o + 1]!);
    part.sort((x, y) => times[x]! - times[y]!);
  }
  for (let i = 0; i < rows.length; i++) time[i] = times[rows[i]!]!;
  return { first, rows, time };
}

function wakes(model: TraceModel, category: Uint8Array): Groups {
  const { count, by } = model.spans;
  const waker = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) if (category[i] === Category.Runnable) waker[i] = by[i]!;
  return group(model.activations.count, waker, count);
}

/** Adds [start, end) to bucket averages as a difference array would: exact at the edges, O(1) in between. */
class BucketSum {
  readonly #slope: Float64Array;
  readonly #direct: Float64Array;
  readonly #origin: number;
  readonly #width: number;

  constructor(buckets: number, origin: number, width: number) {
    this.#slope = new Float64Array(buckets + 1);
    this.#direct = new Float64Array(buckets);
    this.#origin = origin;
    this.#width = width;
  }

  add(start: number, end: number): void {
    const last = this.#direct.length - 1;
    const a = (start - this.#origin) / this.#width;
    const b = (end - this.#origin) / this.#width;
    const from = Math.min(last, Math.max(0, Math.floor(a)));
    const to = Math.min(last, Math.max(0, Math.floor(b)));
    if (from === to) {
      this.#direct[from]! += b - a;
      return;
    }
    this.#direct[from]! += from + 1 - a;
    this.#direct[to]! += b - to;
    this.#slope[from + 1]! += 1;
    this.#slope[to]! -= 1;
  }

  averages(): Float64Array {
    let level = 0;
    for (let i = 0; i < this.#direct.length; i++) {
      level += this.#slope[i]!;
      this.#direct[i]! += level;
    }
    return this.#direct;
  }
}

function overview(model: TraceModel, category: Uint8Array, ranges: Lod): Overview {
  const buckets = OVERVIEW_BUCKETS;
  const width = Math.max(1, model.endTime - model.startTime) / buckets;
  const running = new BucketSum(buckets, model.startTime, width);
  const runnable = new BucketSum(buckets, model.startTime, width);
  const collecting = new BucketSum(buckets, model.startTime, width);
  const { count, start, end } = model.spans;
  for (let i = 0; i < count; i++) {
    const c = category[i]!;
    if (c === Category.Running || c === Category.Syscall) running.add(start[i]!, end[i]!);
    else if (c === Category.Runnable) runnable.add(start[i]!, end[i]!);
  }
  for (let i = 0; i < ranges.start.length; i++) collecting.add(ranges.start[i]!, ranges.end[i]!);
  return {
    buckets,
    running: running.averages(),
    runnable: runnable.averages(),
    collecting: collecting.averages(),
  };
}
