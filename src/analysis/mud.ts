/**
 * Quantiles of windowed utilization. Between two bends the mean moves at an even pace, so that stretch of starts
 * spreads evenly over the values it passes: the distribution is a sum of pieces, each uniform over [low, high], or all
 * at one value. Only pieces below the highest quantile matter; they are made block by block, lowest bound first, until
 * what is left must lie above, and dropped as soon as they do. A quantile is found by zooming into the bucket of a histogram that it falls in.
 */
import { FloatColumn } from "../model/columns.ts";
import { Windows } from "./utilization-curve.ts";
import type { Curve } from "./utilization-curve.ts";

/** Blocks are taken in the order of their bounds, in so many levels between 0 and 1. */
const LEVELS = 1024;
const FEW_PIECES = 2048;
const BUCKETS = 256;
const FINEST = 1e-14;

/**
 * For each quantile, 0 to 1, the value that the mean of a window is at most at in that share of all windows of the
 * length, over all curves; null where there is no curve. Every curve is longer than the window.
 */
export function quantilesOf(
  curves: readonly Curve[],
  window: number,
  quantiles: readonly number[],
): number[] | null {
  if (curves.length === 0 || quantiles.length === 0) return null;
  const total = curves.reduce((sum, curve) => sum + curve.duration - window, 0);
  const pieces = lowestPieces(curves, window, Math.max(...quantiles) * total);
  return quantiles.map((q) => pieces.valueAt(q * total));
}

/** The pieces that decide where the distribution's mass reaches `mass`. */
function lowestPieces(curves: readonly Curve[], window: number, mass: number): Pieces {
  const bounds = curves.map((curve) => curve.bounds(window));
  const windows = curves.map((curve) => new Windows(curve, window));
  const { curveOf, blockOf, first } = byLevel(bounds);
  const pieces = new Pieces();
  let limit = FEW_PIECES;
  for (let level = 0, done = 0; level < LEVELS && pieces.ceiling > level / LEVELS; level++) {
    for (; done < first[level + 1]!; done++) {
      const i = curveOf[done]!;
      const curve = curves[i]!;
      const from = curve.blockStart(blockOf[done]!);
      pieces.addAll(windows[i]!, from, Math.min(from + curve.blockDuration, curve.end - window));
      if (pieces.count < limit) continue;
      pieces.cut(mass);
      limit = Math.max(FEW_PIECES, 2 * pieces.count);
    }
  }
  return pieces;
}

/** The blocks of all curves by the level of their bounds: level l has places first[l] to first[l + 1]. */
function byLevel(bounds: readonly Float64Array[]): {
  readonly curveOf: Uint32Array;
  readonly blockOf: Uint32Array;
  readonly first: Uint32Array;
} {
  const first = new Uint32Array(LEVELS + 1);
  for (const ofCurve of bounds) for (const bound of ofCurve) first[levelOf(bound) + 1]!++;
  for (let level = 0; level < LEVELS; level++) first[level + 1]! += first[level]!;
  const next = first.slice();
  const count = first[LEVELS]!;
  const curveOf = new Uint32Array(count);
  const blockOf = new Uint32Array(count);
  for (const [i, ofCurve] of bounds.entries()) {
    for (let block = 0; block < ofCurve.length; block++) {
      const place = next[levelOf(ofCurve[block]!)]!++;
      curveOf[place] = i;
      blockOf[place] = block;
    }
  }
  return { curveOf, blockOf, first };
}

function levelOf(bound: number): number {
  return Math.min(LEVELS - 1, Math.floor(bound * LEVELS));
}

/** A sum of uniform distributions over values of 0 to 1. */
class Pieces {
  readonly #low = new FloatColumn();
  readonly #high = new FloatColumn();
  readonly #mass = new FloatColumn();
  /** Of all pieces added, those that were dropped included. */
  #total = 0;
  /** What lies above does not matter. */
  ceiling = Infinity;

  add(from: number, to: number, mass: number): void {
    this.#total += mass;
    if (mass === 0 || (from > this.ceiling && to > this.ceiling)) return;
    this.#low.push(Math.min(from, to));
    this.#high.push(Math.max(from, to));
    this.#mass.push(mass);
  }

  get count(): number {
    return this.#mass.length;
  }

  /** Adds what the windows that begin in [from, to] have. */
  addAll(windows: Windows, from: number, to: number): void {
    windows.begin(from, to);
    let { time, mean } = windows;
    while (windows.next()) {
      this.add(mean, windows.mean, windows.time - time);
      time = windows.time;
      mean = windows.mean;
    }
  }

  /** Drops the pieces above the value up to which there is that mass already: no more pieces can raise it. */
  cut(mass: number): void {
    if (this.#total < mass) return;
    // Rounding must not drop what lies at the value.
    this.ceiling = Math.min(this.ceiling, this.valueAt(mass) + 1e-12);
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.#low.data[i]! > this.ceiling) continue;
      this.#low.data[kept] = this.#low.data[i]!;
      this.#high.data[kept] = this.#high.data[i]!;
      this.#mass.data[kept++] = this.#mass.data[i]!;
    }
    for (const column of [this.#low, this.#high, this.#mass]) column.length = kept;
  }

  /** The least value up to which there is that mass; the greatest value where there is less. */
  valueAt(mass: number): number {
    const masses = new Float64Array(BUCKETS);
    // What begins or ends to fill whole buckets, at the first bucket that it does so.
    const filling = new Float64Array(BUCKETS + 1);
    const near = new Uint32Array(this.#mass.length);
    for (let i = 0; i < near.length; i++) near[i] = i;
    let count = near.length;
    let from = 0;
    let width = 1;
    let below = 0;
    /** Density of the pieces that fill all of the present range. */
    let filled = 0;
    while (width > FINEST && count > 0) {
      const bucket = width / BUCKETS;
      masses.fill(filled * bucket);
      filling.fill(0);
      for (let k = 0; k < count; k++) this.#spread(near[k]!, from, bucket, masses, filling);
      let chosen = 0;
      let last = 0;
      for (let fill = 0, sum = below; chosen < BUCKETS; chosen++) {
        fill += filling[chosen]!;
        const here = masses[chosen]! + Math.max(0, fill);
        if (here > 0) last = chosen;
        if (here > 0 && sum + here >= mass) {
          below = sum;
          break;
        }
        sum += here;
        // Rounding may leave the sum short of all that there is.
        if (chosen === BUCKETS - 1) {
          below = mass;
          chosen = last;
          break;
        }
      }
      let kept = 0;
      for (let k = 0; k < count; k++) {
        const i = near[k]!;
        const low = bucketOf(this.#low.data[i]!, from, bucket);
        const high = bucketOf(this.#high.data[i]!, from, bucket);
        if (chosen < low || chosen > high) continue;
        if (low < chosen && chosen < high)
          filled += this.#mass.data[i]! / (this.#high.data[i]! - this.#low.data[i]!);
        else near[kept++] = i;
      }
      count = kept;
      from += chosen * bucket;
      width = bucket;
    }
    // A value that many windows have is told exactly.
    for (let k = 0; k < count; k++)
      if (this.#low.data[near[k]!] === this.#high.data[near[k]!]) return this.#low.data[near[k]!]!;
    return filled > 0 ? Math.min(from + width, from + Math.max(0, mass - below) / filled) : from;
  }

  #spread(i: number, from: number, bucket: number, masses: Float64Array, filling: Float64Array): void {
    const low = this.#low.data[i]!;
    const high = this.#high.data[i]!;
    const mass = this.#mass.data[i]!;
    const first = bucketOf(low, from, bucket);
    const last = bucketOf(high, from, bucket);
    const begin = Math.max(low, from);
    const end = Math.min(high, from + bucket * BUCKETS);
    if (low === high) masses[first]! += mass;
    else if (first === last) masses[first]! += mass * ((end - begin) / (high - low));
    else {
      const share = mass / (high - low);
      masses[first]! += share * Math.max(0, from + (first + 1) * bucket - begin);
      masses[last]! += share * Math.max(0, end - (from + last * bucket));
      filling[first + 1]! += share * bucket;
      filling[last]! -= share * bucket;
    }
  }
}

/** The bucket of a value; what lies outside of all counts to the first or last. */
function bucketOf(value: number, from: number, bucket: number): number {
  return Math.max(0, Math.min(BUCKETS - 1, Math.floor((value - from) / bucket)));
}
