/**
 * Minimum mutator utilization: the least share of its procs that a program has in any window of a given length, the
 * distribution of that share over all windows, and where the worst windows are. Windows are in nanoseconds.
 */
import { GoMmu } from "./mmu-go.ts";
import { quantilesOf } from "./mud.ts";
import type { UtilizationSeries } from "./mutator-utilization.ts";
import { Curve, Windows } from "./utilization-curve.ts";

/** A window with its begin, on the clock of the trace, and the mean utilization in it. */
export interface UtilizationWindow {
  readonly time: number;
  readonly utilization: number;
}

export interface Mmu {
  /**
   * The least mean in a window of that length. A series that is shorter than the window counts as a whole. 0 for a
   * window of 0 or less.
   */
  mmu(window: number): number;
  /**
   * Quantiles of the mean over all windows of that length, wherever they begin: in a share `q` of them it is at most
   * this. Where all series are shorter, or as long, they are the minimum.
   */
  quantiles(window: number, quantiles: readonly number[]): number[];
  /** Up to `limit` windows that do not overlap, the worst first. */
  worst(window: number, limit: number): UtilizationWindow[];
}

/** `compat`: as Go computes it, its mistakes included. There is at least one series. */
export function mmuOf(series: readonly UtilizationSeries[], compat: boolean): Mmu {
  return compat ? new GoMmu(series) : new RightMmu(series);
}

class RightMmu implements Mmu {
  readonly #curves: readonly Curve[];

  constructor(series: readonly UtilizationSeries[]) {
    this.#curves = series.map((one) => new Curve(one));
  }

  mmu(window: number): number {
    if (window <= 0) return 0;
    let least = 1;
    for (const curve of this.#curves) {
      const clipped = Math.min(window, curve.duration);
      const bounds = curve.bounds(clipped);
      const windows = new Windows(curve, clipped);
      // The block that looks worst first, and then only those that can be worse still.
      let first = 0;
      for (let block = 1; block < bounds.length; block++) if (bounds[block]! < bounds[first]!) first = block;
      if (bounds[first]! < least) least = Math.min(least, leastIn(windows, curve, clipped, first));
      for (let block = 0; block < bounds.length; block++)
        if (bounds[block]! < least && block !== first)
          least = Math.min(least, leastIn(windows, curve, clipped, block));
    }
    return least;
  }

  quantiles(window: number, quantiles: readonly number[]): number[] {
    const least = this.mmu(window);
    const curves = window > 0 ? this.#curves.filter((curve) => curve.duration > window) : [];
    const found = quantilesOf(curves, window, quantiles);
    return quantiles.map((q, i) => (q === 0 ? least : (found?.[i] ?? least)));
  }

  /** The worst window, then the worst of those that do not overlap it, and so on; the first of equals. */
  worst(window: number, limit: number): UtilizationWindow[] {
    if (window <= 0) return [];
    const found: UtilizationWindow[] = [];
    const free = [this.#worstIn(-Infinity, Infinity, window)];
    while (found.length < limit) {
      let best = -1;
      for (const [i, part] of free.entries()) {
        const than = free[best]?.worst ?? null;
        if (part.worst !== null && (than === null || isWorse(part.worst, than))) best = i;
      }
      const part = free[best];
      if (part === undefined || part.worst === null) break;
      found.push(part.worst);
      const { time } = part.worst;
      free[best] = this.#worstIn(part.from, time - window, window);
      free.push(this.#worstIn(time + window, part.to, window));
    }
    return found;
  }

  /** The worst of the windows that begin in [from, to]. */
  #worstIn(from: number, to: number, window: number): FreePart {
    let worst: UtilizationWindow | null = null;
    for (const curve of this.#curves) {
      const clipped = Math.min(window, curve.duration);
      const first = Math.max(from, curve.start);
      const last = Math.min(to, curve.end - clipped);
      if (first > last) continue;
      const windows = new Windows(curve, clipped);
      windows.begin(first, last);
      do {
        if (worst !== null && windows.mean > worst.utilization) continue;
        const candidate = { time: windows.time, utilization: windows.mean };
        if (worst === null || isWorse(candidate, worst)) worst = candidate;
      } while (windows.next());
    }
    return { from, to, worst };
  }
}

interface FreePart {
  readonly from: number;
  readonly to: number;
  readonly worst: UtilizationWindow | null;
}

function isWorse(a: UtilizationWindow, b: UtilizationWindow): boolean {
  return a.utilization < b.utilization || (a.utilization === b.utilization && a.time < b.time);
}

/** The least mean of the windows that begin in a block. */
function leastIn(windows: Windows, curve: Curve, window: number, block: number): number {
  const from = curve.blockStart(block);
  windows.begin(from, Math.min(from + curve.blockDuration, curve.end - window));
  let least = windows.mean;
  while (least > 0 && windows.next()) if (windows.mean < least) least = windows.mean;
  return least;
}
