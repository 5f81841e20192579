/**
 * Windows laid over step functions of utilization. The mean in a window is a piecewise linear function of where the
 * window begins; it bends where either edge meets a step, so it is known everywhere when it is known there. Starts are
 * cut into blocks, and for each block a bound is cheap: the least step that its windows can touch, and what all of them
 * have in common. Most blocks need no look.
 */
import type { UtilizationSeries } from "./mutator-utilization.ts";

const POINTS_OF_BLOCK = 16;
const MOST_BLOCKS = 1 << 15;

/** A step function with its integral: `sum[i]` is that from the start to `time[i]`. */
export class Curve {
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly sum: Float64Array;
  readonly start: number;
  readonly end: number;
  readonly duration: number;
  /** Time between the begins of blocks, and the least value in each; the last block ends with the curve. */
  readonly blockDuration: number;
  readonly blocks: number;
  readonly #least: Float64Array;
  /** Integral up to the begin of each block, and up to the end. */
  readonly #sumAt: Float64Array;

  /** `series` has at least two points, of different times. */
  constructor({ time, value }: UtilizationSeries) {
    this.time = time;
    this.value = value;
    this.start = time[0]!;
    this.end = time.at(-1)!;
    this.duration = this.end - this.start;
    this.sum = new Float64Array(time.length);
    for (let i = 1; i < time.length; i++)
      this.sum[i] = this.sum[i - 1]! + value[i - 1]! * (time[i]! - time[i - 1]!);

    this.blocks = Math.min(MOST_BLOCKS, Math.ceil(time.length / POINTS_OF_BLOCK));
    this.blockDuration = Math.max(1, Math.ceil(this.duration / this.blocks));
    this.#least = new Float64Array(this.blocks).fill(1);
    for (let i = 0, block = 0; i + 1 < time.length; i++) {
      const last = this.#blockOf(time[i + 1]!);
      const here = value[i]!;
      for (; ; block++) {
        if (here < this.#least[block]!) this.#least[block] = here;
        if (block === last) break;
      }
    }
    this.#sumAt = new Float64Array(this.blocks + 1);
    for (let block = 0; block <= this.blocks; block++)
      this.#sumAt[block] = this.integral(Math.min(this.end, this.blockStart(block)));
  }

  blockStart(block: number): number {
    return this.start + block * this.blockDuration;
  }

  #blockOf(time: number): number {
    return Math.min(this.blocks - 1, Math.floor((time - this.start) / this.blockDuration));
  }

  /** Index of the last point at or before `time`, which is not before the start. */
  at(time: number): number {
    let low = 0;
    let high = this.time.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.time[middle]! <= time) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The integral from the start to `time`, which is in the curve. */
  integral(time: number): number {
    const i = this.at(time);
    return this.sum[i]! + this.value[i]! * (time - this.time[i]!);
  }

  /** For each block in which a window of that length can begin, a mean that none of those falls below. */
  bounds(window: number): Float64Array {
    const count = Math.min(this.blocks, Math.floor((this.duration - window) / this.blockDuration) + 1);
    const bounds = new Float64Array(count);
    for (let block = 0; block < count; block++) bounds[block] = this.#bound(block, window);
    return bounds;
  }

  #bound(block: number, window: number): number {
    const last = this.#blockOf(Math.min(this.end, this.blockStart(block + 1) + window));
    // A window over many blocks has more in common with its neighbours than the least of their steps.
    if (last - block > 8) {
      const whole = Math.floor(window / this.blockDuration);
      const shared = this.#sumAt[Math.min(this.blocks, block + whole)]! - this.#sumAt[block + 1]!;
      return Math.max(0, shared / window - 1e-12);
    }
    let least = 1;
    for (let i = block; i <= last; i++) if (this.#least[i]! < least) least = this.#least[i]!;
    return least;
  }
}

/** Goes through the means of all windows of one length that begin in [from, to], stopping where the mean bends. */
export class Windows {
  /** Begin and mean of the present window. */
  time = 0;
  mean = 0;
  readonly #curve: Curve;
  readonly #window: number;
  #to = 0;
  #left = 0;
  #right = 0;

  /** `window` is above 0 and at most the curve's duration. */
  constructor(curve: Curve, window: number) {
    this.#curve = curve;
    this.#window = window;
  }

  /** Goes to the window at `from`; `to` is at most the curve's end less the window. */
  begin(from: number, to: number): void {
    this.#to = to;
    this.#left = this.#curve.at(from);
    this.#right = this.#curve.at(from + this.#window);
    this.#move(from);
  }

  /** Goes to the next bend or to `to`; false where the present window is at `to`. */
  next(): boolean {
    if (this.time >= this.#to) return false;
    const { time } = this.#curve;
    const left = time[this.#left + 1]!;
    const right = this.#right + 1 < time.length ? time[this.#right + 1]! - this.#window : Infinity;
    const next = Math.min(left, right, this.#to);
    if (left === next) this.#left++;
    if (right === next) this.#right++;
    this.#move(next);
    return true;
  }

  #move(to: number): void {
    const { time, value, sum } = this.#curve;
    const [left, right] = [this.#left, this.#right];
    const end = to + this.#window;
    const area =
      sum[right]! + value[right]! * (end - time[right]!) - (sum[left]! + value[left]! * (to - time[left]!));
    this.time = to;
    this.mean = unit(area / this.#window);
  }
}

/** Rounding must not lead out of 0 to 1. */
function unit(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
