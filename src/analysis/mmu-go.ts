/**
 * Minimum mutator utilization as `go tool trace` computes it: the numbers of `--compat`. Where it is wrong:
 * - A series is cut into bands of whole nanoseconds, so the last one may begin past the last window. Its window hangs
 *   over the end, up to a microsecond, and what is over counts as the closing 0.
 * - Which disjoint windows are found depends on the order of the bands, and a zero is shown at a band's begin.
 * - The distribution's accumulator returns before it adds anything, so all quantiles are the minimum.
 *
 * The order in which bands and windows are looked at, down to the layout of the heaps, is Go's.
 */
import type { Mmu, UtilizationWindow } from "./mmu.ts";
import type { UtilizationSeries } from "./mutator-utilization.ts";

const BANDS = 1000;

interface Band {
  readonly series: GoSeries;
  readonly window: number;
  readonly band: number;
  readonly bound: number;
}

export class GoMmu implements Mmu {
  readonly #series: readonly GoSeries[];

  constructor(series: readonly UtilizationSeries[]) {
    this.#series = series.map((one) => new GoSeries(one));
  }

  mmu(window: number): number {
    if (window <= 0) return 0;
    const seen = new Seen(0);
    this.#look(window, seen);
    return seen.least;
  }

  quantiles(window: number, quantiles: readonly number[]): number[] {
    const least = this.mmu(window);
    return quantiles.map(() => least);
  }

  worst(window: number, limit: number): UtilizationWindow[] {
    if (window <= 0) return [];
    const seen = new Seen(limit);
    this.#look(window, seen);
    return seen.kept.items.toSorted((a, b) => a.utilization - b.utilization || a.time - b.time);
  }

  /** Looks into the bands, lowest bound first, as long as one can matter. */
  #look(window: number, seen: Seen): void {
    const bands = this.#series.flatMap((series) => series.bands(Math.min(window, series.duration)));
    const heap = new Heap<Band>((a, b) => a.bound < b.bound, bands);
    for (;;) {
      const next = heap.items[0];
      if (next === undefined || next.bound >= seen.bound) return;
      next.series.look(next.band, next.window, seen);
      heap.removeAt(0);
    }
  }
}

/** What is known of the windows looked at: the least mean and, where `limit` is not 0, that many of the worst. */
class Seen {
  least = 1;
  /** A mean above this cannot matter any more. */
  bound = 1;
  /** The least bad on top. */
  readonly kept = new Heap<UtilizationWindow>(
    (a, b) => a.utilization > b.utilization || (a.utilization === b.utilization && a.time > b.time),
  );
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a window; true where no other can matter. */
  add(time: number, mean: number, window: number): boolean {
    this.least = Math.min(this.least, mean);
    this.bound = this.least;
    if (this.#limit === 0) return mean === 0;
    const { items } = this.kept;
    if (items.length < this.#limit || mean < items[0]!.utilization) {
      const overlapped = items.findIndex((other) => time + window > other.time && other.time + window > time);
      const other = items[overlapped];
      if (other === undefined || other.utilization > mean) {
        if (other !== undefined) this.kept.removeAt(overlapped);
        this.kept.add({ time, utilization: mean });
        if (items.length > this.#limit) this.kept.removeAt(0);
      }
    }
    this.bound = items.length < this.#limit ? 1 : Math.max(this.bound, items[0]!.utilization);
    return items.length === this.#limit && items[0]!.utilization === 0;
  }
}

class GoSeries {
  readonly duration: number;
  readonly #time: Float64Array;
  readonly #value: Float64Array;
  readonly #sum: Float64Array;
  readonly #bandDuration: number;
  /** By band: the least value in it, the integral up to it, and the place in the series. */
  readonly #least: number[] = [];
  readonly #before: number[] = [];
  readonly #place: number[] = [];

  constructor({ time, value }: UtilizationSeries) {
    this.#time = time;
    this.#value = value;
    this.duration = time.at(-1)! - time[0]!;
    this.#sum = new Float64Array(time.length);
    for (let i = 1; i < time.length; i++)
      this.#sum[i] = this.#sum[i - 1]! + value[i - 1]! * (time[i]! - time[i - 1]!);
    const bands = Math.min(BANDS, time.length);
    this.#bandDuration = Math.max(1, Math.ceil(this.duration / bands));
    const edge = new Edge(time, value, this.#sum, 0);
    for (let band = 0; band <= bands; band++) {
      const start = this.#start(band);
      this.#before.push(edge.integral(start));
      this.#place.push(edge.place);
      let least = 1;
      for (let i = edge.place; i < time.length && time[i]! < start + this.#bandDuration; i++)
        least = Math.min(least, value[i]!);
      this.#least.push(least);
    }
  }

  #start(band: number): number {
    return this.#time[0]! + band * this.#bandDuration;
  }

  /** The bands in which a window can begin, each with a bound of the means. At a series of no duration Go panics. */
  bands(window: number): Band[] {
    if (window === 0) return [];
    const duration = this.#bandDuration;
    const fewest = Math.ceil(window / duration);
    const most = Math.floor((window + 2 * (duration - 1)) / duration);
    const bands: Band[] = [];
    for (let band = 0; band < this.#least.length - most + 1; band++) {
      // The worst window covers the lowest of the partial bands, then the second lowest, and all whole ones between.
      const partial = [this.#least[band]!, this.#least[band + fewest - 1]!, this.#least[band + most - 1]!];
      const [lowest = 0, second = 0] = partial.toSorted((a, b) => a - b);
      let area = fewest === 1 ? lowest * window : lowest * duration + second * (window % duration);
      if (fewest > 2) area += this.#before[band + fewest - 1]! - this.#before[band + 1]!;
      bands.push({ series: this, window, band, bound: area / window });
    }
    return bands;
  }

  /** Adds the windows that begin in a band. */
  look(band: number, window: number, seen: Seen): void {
    const left = new Edge(this.#time, this.#value, this.#sum, this.#place[band]!);
    const right = new Edge(this.#time, this.#value, this.#sum, this.#place[band]!);
    let time = this.#start(band);
    const end = Math.min(time + this.#bandDuration, this.#time.at(-1)! - window);
    for (;;) {
      const area = right.integral(time + window) - left.integral(time);
      const mean = area / window;
      if (seen.add(time, mean, window) || time === end) return;
      // The mean falls by 1 / window at most, so no window before this can matter.
      const first = time + Math.trunc((mean - seen.bound) * window);
      time = Math.max(first, Math.min(left.next(time), right.next(time + window) - window));
      if (time >= end) time = end;
    }
  }
}

/** One edge of a window that moves through a series. */
class Edge {
  place: number;
  readonly #time: Float64Array;
  readonly #value: Float64Array;
  readonly #sum: Float64Array;

  constructor(time: Float64Array, value: Float64Array, sum: Float64Array, place: number) {
    this.#time = time;
    this.#value = value;
    this.#sum = sum;
    this.place = place;
  }

  /** The integral up to `time`, the last value going on past the end. A step back may be to the point before only. */
  integral(time: number): number {
    const times = this.#time;
    let place = this.place;
    if (place + 8 < times.length && times[place + 8]! > time) {
      while (place + 1 < times.length && times[place + 1]! <= time) place++;
    } else {
      let high = times.length;
      while (place < high) {
        const middle = (place + high) >>> 1;
        if (times[middle]! <= time) place = middle + 1;
        else high = middle;
      }
      place--;
    }
    this.place = place;
    const since = time - times[place]!;
    return this.#sum[place]! + (since === 0 ? 0 : this.#value[place]! * since);
  }

  /** The first change after `time`. */
  next(time: number): number {
    for (let i = this.place; i < this.#time.length; i++) if (this.#time[i]! > time) return this.#time[i]!;
    return Infinity;
  }
}

/** A binary heap: least item first, equals in an order that depends on the way it was filled. */
class Heap<T> {
  readonly items: T[];
  readonly #isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean, items: T[] = []) {
    this.#isLess = isLess;
    this.items = items;
    for (let i = (items.length >>> 1) - 1; i >= 0; i--) this.#down(i, items.length);
  }

  add(item: T): void {
    this.items.push(item);
    this.#up(this.items.length - 1);
  }

  removeAt(place: number): void {
    const last = this.items.length - 1;
    if (place !== last) {
      this.#swap(place, last);
      if (!this.#down(place, last)) this.#up(place);
    }
    this.items.pop();
  }

  #up(from: number): void {
    for (let i = from; i > 0;) {
      const parent = (i - 1) >>> 1;
      if (!this.#isLess(this.items[i]!, this.items[parent]!)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Sinks an item among the first `count`; false where it stays. */
  #down(from: number, count: number): boolean {
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#isLess(this.items[child + 1]!, this.items[child]!)) child++;
      if (!this.#isLess(this.items[child]!, this.items[i]!)) break;
      this.#swap(i, child);
      i = child;
    }
    return i > from;
  }

  #swap(a: number, b: number): void {
    const item = this.items[a]!;
    this.items[a] = this.items[b]!;
    this.items[b] = item;
  }
}
