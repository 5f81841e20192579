import { firstAbove, firstAboveNear } from "./search-sorted.ts";

/**
 * Level of detail: what each pixel column of a lane shows, exactly, however many spans lie under it.
 *
 * For every 64th span of a lane the sums of time by category up to it are kept. The time of a category inside any
 * column is then the difference of two prefix sums, each of them one stored row and a scan of at most 63 spans, so
 * the cost of a column does not depend on how many spans it holds. Nothing is sampled and nothing is bucketed.
 */

const SHIFT = 6;
const BLOCK = 1 << SHIFT;
/** Columns with fewer spans than this are scanned directly: that is cheaper than two prefix sums. */
const DIRECT = 2 * BLOCK;

/**
 * Spans of many lanes: lane l has spans [first[l], first[l + 1]), in order of time, disjoint; gaps are nothing.
 * Category codes are below `categories`; 0 is not used by a span. Code 1 is the one whose share is kept apart.
 */
export interface LaneSpans {
  readonly first: Uint32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly category: Uint8Array;
  readonly categories: number;
}

/** Lanes with their prefix sums: row b of lane l is the sum before span first[l] + 64 (b + 1). */
export interface Lod extends LaneSpans {
  readonly firstBlock: Uint32Array;
  readonly sums: Float64Array;
}

/** What the columns of one strip show; all arrays have one entry a column. */
export interface Columns {
  /** Category with the most time in the column, 0 where there is no span. */
  readonly dominant: Uint8Array;
  /** Share of the column under any span, 0..255; at least 1 where there is one. */
  readonly coverage: Uint8Array;
  /** Share of the column under category 1 (running), 0..255; at least 1 where there is any. */
  readonly primary: Uint8Array;
  /** Number of spans that start in the column, 255 for more. */
  readonly starts: Uint8Array;
}

/** Columns of a strip `width` wide, all empty. */
export function newColumns(width: number): Columns {
  return {
    dominant: new Uint8Array(width),
    coverage: new Uint8Array(width),
    primary: new Uint8Array(width),
    starts: new Uint8Array(width),
  };
}

/** Adds the prefix sums to lanes. One pass over all spans. */
export function buildLod(lanes: LaneSpans): Lod {
  const { first, start, end, category, categories } = lanes;
  const count = first.length - 1;
  const firstBlock = new Uint32Array(count + 1);
  for (let lane = 0; lane < count; lane++) {
    firstBlock[lane + 1] = firstBlock[lane]! + ((first[lane + 1]! - first[lane]!) >>> SHIFT);
  }
  const sums = new Float64Array(firstBlock[count]! * categories);
  const running = new Float64Array(categories);
  for (let lane = 0; lane < count; lane++) {
    if (firstBlock[lane + 1] === firstBlock[lane]) continue;
    running.fill(0);
    const from = first[lane]!;
    const to = first[lane + 1]!;
    let at = firstBlock[lane]! * categories;
    for (let i = from; i < to; i++) {
      running[category[i]!]! += end[i]! - start[i]!;
      if (((i - from + 1) & (BLOCK - 1)) === 0) {
        sums.set(running, at);
        at += categories;
      }
    }
  }
  return { ...lanes, firstBlock, sums };
}

const scratch = new Float64Array(256);

/** Adds `sign` times the time by category of the lane's spans before span `index` to the scratch row. */
function addPrefix(lod: Lod, lane: number, index: number, sign: number): void {
  const { categories, category, start, end, sums } = lod;
  const from = lod.first[lane]!;
  const block = (index - from) >>> SHIFT;
  if (block > 0) {
    const at = (lod.firstBlock[lane]! + block - 1) * categories;
    for (let c = 0; c < categories; c++) scratch[c]! += sign * sums[at + c]!;
  }
  for (let i = from + (block << SHIFT); i < index; i++)
    scratch[category[i]!]! += sign * (end[i]! - start[i]!);
}

function share(part: number, whole: number): number {
  if (part <= 0) return 0;
  return Math.max(1, Math.min(255, Math.round((part / whole) * 255)));
}

/**
 * Fills columns [from, to) of `out` for a lane. Column x covers [origin + (k + x) step, origin + (k + x + 1) step):
 * with one origin and step, a moved view (another k) gives equal columns for equal times, so columns can be reused.
 */
export function fillColumns(
  lod: Lod,
  lane: number,
  origin: number,
  step: number,
  k: number,
  from: number,
  to: number,
  out: Columns,
): void {
  const { start, end, category, categories } = lod;
  const last = lod.first[lane + 1]!;
  const { dominant, coverage, primary, starts } = out;
  let i = firstAbove(end, origin + (k + from) * step, lod.first[lane]!, last);
  let x = from;
  while (x < to) {
    const a = origin + (k + x) * step;
    const b = origin + (k + x + 1) * step;
    if (i >= last || start[i]! >= b) {
      let until = to;
      if (i < last) until = Math.min(to, Math.max(x + 1, Math.floor((start[i]! - origin) / step) - k));
      dominant.fill(0, x, until);
      coverage.fill(0, x, until);
      primary.fill(0, x, until);
      starts.fill(0, x, until);
      x = until;
      continue;
    }
    if (start[i]! <= a && end[i]! >= b) {
      const until = Math.min(to, Math.max(x + 1, Math.floor((end[i]! - origin) / step) - k));
      const code = category[i]!;
      dominant.fill(code, x, until);
      coverage.fill(255, x, until);
      primary.fill(code === 1 ? 255 : 0, x, until);
      starts.fill(0, x, until);
      if (!(start[i]! < a)) starts[x] = 1;
      x = until;
      while (i < last && end[i]! <= origin + (k + x) * step) i++;
      continue;
    }
    const j = firstAboveNear(end, b, i, last);
    scratch.fill(0, 0, categories);
    if (j - i < DIRECT) {
      for (let s = i; s < j; s++) {
        scratch[category[s]!]! += end[s]! - (start[s]! > a ? start[s]! : a);
      }
    } else {
      addPrefix(lod, lane, j, 1);
      addPrefix(lod, lane, i, -1);
      if (start[i]! < a) scratch[category[i]!]! -= a - start[i]!;
    }
    const partial = j < last && start[j]! < b;
    if (partial) scratch[category[j]!]! += b - (start[j]! > a ? start[j]! : a);
    let best = category[i]!;
    let total = 0;
    for (let c = 1; c < categories; c++) {
      const time = scratch[c]!;
      total += time;
      if (time > scratch[best]!) best = c;
    }
    dominant[x] = best;
    // A span of no length still shows: it may be the only trace of something.
    coverage[x] = Math.max(1, share(total, step));
    primary[x] = share(scratch[1]!, step);
    starts[x] = Math.min(255, j - i + (partial ? 1 : 0) - (start[i]! < a ? 1 : 0));
    x++;
    i = j;
  }
}

/** Columns of lanes at the current scale, kept while the view moves and dropped when its scale changes. */
export class ColumnCache {
  readonly #entries = new Map<number, { k: number; columns: Columns }>();
  #step = 0;
  #width = 0;
  readonly #limit: number;

  /** Keeps at most `limit` lanes. */
  constructor(limit = 512) {
    this.#limit = limit;
  }

  /** Forgets everything (the trace changed). */
  clear(): void {
    this.#entries.clear();
  }

  /** Columns [k, k + width) of a lane; computes only those that were not seen since the scale changed. */
  get(lod: Lod, lane: number, origin: number, step: number, k: number, width: number): Columns {
    if (step !== this.#step || width !== this.#width) {
      this.#entries.clear();
      this.#step = step;
      this.#width = width;
    }
    let entry = this.#entries.get(lane);
    if (entry === undefined) {
      if (this.#entries.size >= this.#limit) {
        const oldest = this.#entries.keys().next();
        if (!oldest.done) this.#entries.delete(oldest.value);
      }
      entry = { k, columns: newColumns(width) };
      this.#entries.set(lane, entry);
      fillColumns(lod, lane, origin, step, k, 0, width, entry.columns);
      return entry.columns;
    }
    const shift = k - entry.k;
    if (shift === 0) return entry.columns;
    entry.k = k;
    const { columns } = entry;
    if (Math.abs(shift) >= width) {
      fillColumns(lod, lane, origin, step, k, 0, width, columns);
    } else if (shift > 0) {
      for (const column of [columns.dominant, columns.coverage, columns.primary, columns.starts]) {
        column.copyWithin(0, shift);
      }
      fillColumns(lod, lane, origin, step, k, width - shift, width, columns);
    } else {
      for (const column of [columns.dominant, columns.coverage, columns.primary, columns.starts]) {
        column.copyWithin(-shift, 0);
      }
      fillColumns(lod, lane, origin, step, k, 0, -shift, columns);
    }
    return columns;
  }
}

/** The span of the lane at a time, or -1 in a gap. */
export function spanAt(lanes: LaneSpans, lane: number, time: number): number {
  const last = lanes.first[lane + 1]!;
  const i = firstAbove(lanes.end, time, lanes.first[lane]!, last);
  return i < last && lanes.start[i]! <= time ? i : -1;
}

/** The span of the lane at a time, or the one whose edge is nearest within `reach`, or -1. */
export function spanNear(lanes: LaneSpans, lane: number, time: number, reach: number): number {
  const from = lanes.first[lane]!;
  const last = lanes.first[lane + 1]!;
  const i = firstAbove(lanes.end, time, from, last);
  if (i < last && lanes.start[i]! <= time) return i;
  const after = i < last ? lanes.start[i]! - time : Infinity;
  const before = i > from ? time - lanes.end[i - 1]! : Infinity;
  if (Math.min(after, before) > reach) return -1;
  return after <= before ? i : i - 1;
}

/**
 * Spans of the lane that are at least `width` wide and reach into [from, to), in order. Looks at one time a
 * `width`, which no such span can miss, so it costs the same however many spans there are.
 */
export function wideSpans(lanes: LaneSpans, lane: number, from: number, to: number, width: number): number[] {
  const last = lanes.first[lane + 1]!;
  const found: number[] = [];
  let i = lanes.first[lane]!;
  let time = from;
  while (time < to) {
    i = firstAbove(lanes.end, time, i, last);
    if (i >= last) break;
    const begins = lanes.start[i]!;
    const ends = lanes.end[i]!;
    if (begins > time) {
      // In a gap: the next time that matters is where this span has had a chance to be wide.
      if (begins >= to) break;
      if (ends - begins >= width) found.push(i);
      time = Math.max(ends, time + width);
      continue;
    }
    if (ends - begins >= width) found.push(i);
    time = Math.max(ends, time + width);
  }
  return found;
}
