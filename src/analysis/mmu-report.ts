/** Everything that `runtrace mmu` tells: the curve over windows of all sizes, and the worst windows of one size. */
import { mmuOf } from "./mmu.ts";
import type { Mmu, UtilizationWindow } from "./mmu.ts";
import { mutatorUtilization } from "./mutator-utilization.ts";
import type { UtilizationFlags, UtilizationSeries } from "./mutator-utilization.ts";
import type { UtilizationLog } from "./utilization-log.ts";

/** Minimum and percentiles: in all but 0.1, 1 and 5 % of the windows the utilization is higher. */
export const MUT_QUANTILES: readonly number[] = [0, 1 - 0.999, 1 - 0.99, 1 - 0.95];

/** Points of the curve, and worst windows at most. */
const POINTS = 100;
const WORST = 10;

/** Times in nanoseconds on the clock of the trace, windows in nanoseconds, utilization 0 to 1. */
export interface MmuReport {
  /** Numbers of series (one, or one a proc) and of their points. */
  readonly series: number;
  readonly points: number;
  /** What the series cover. */
  readonly start: number;
  readonly end: number;
  /** Mean utilization, over all series. */
  readonly mean: number;
  /** The least and the greatest window of the curve. */
  readonly xMin: number;
  readonly xMax: number;
  /** Null: the curve has the minimum only. Else what its columns are; 0 is the minimum. */
  readonly quantiles: readonly number[] | null;
  /** Rows of window, minimum, and one column for each further quantile; windows in even steps of their logarithm. */
  readonly curve: readonly (readonly number[])[];
  /** The size of the worst windows. */
  readonly window: number;
  readonly worst: readonly UtilizationWindow[];
}

export interface MmuRequest {
  readonly flags: UtilizationFlags;
  readonly quantiles: boolean;
  /** Size of the worst windows; null: 10 ms, or the power of ten that fits a short trace ten times. */
  readonly window: number | null;
}

/** Answers for any window of one trace. */
export interface MmuAnswers {
  readonly report: MmuReport;
  /** Minimum, or minimum and further quantiles, of one window. */
  row(window: number): number[];
}

/** The report on a log; null where it has no utilization data, which is where GOMAXPROCS is never given. */
export function mmuReport(log: UtilizationLog, request: MmuRequest): MmuAnswers | null {
  const series = mutatorUtilization(log, request.flags);
  const start = Math.min(...series.map((one) => one.time[0]!));
  const end = Math.max(...series.map((one) => one.time.at(-1)!));
  if (series.length === 0 || !(end > start)) return null;
  const mmu = mmuOf(series, log.compat);
  const quantiles = request.quantiles ? MUT_QUANTILES : null;
  const row = (window: number): number[] => [
    window,
    ...(quantiles === null ? [mmu.mmu(window)] : mmu.quantiles(window, quantiles)),
  ];
  const xMin = log.compat ? goLeastWindow(mmu) : leastWindow(mmu, end - start);
  const xMax = Math.min(xMin * 1e6, end - start);
  const window =
    request.window ?? Math.min(1e7, 10 ** Math.floor(Math.log10(Math.max(10, end - start) / 10)));
  const report: MmuReport = {
    series: series.length,
    points: series.reduce((sum, one) => sum + one.time.length, 0),
    start,
    end,
    mean: meanOf(series),
    xMin,
    xMax,
    quantiles,
    curve: windowsOf(xMin, xMax, log.compat).map(row),
    window,
    worst: mmu.worst(window, WORST),
  };
  return { report, row };
}

/** The least of 1 s, 1 ms, 1 us, 1 ns at which the minimum is still not 0, and one further. */
function goLeastWindow(mmu: Mmu): number {
  let window = 1e9;
  while (window > 1 && mmu.mmu(window) >= 0.0001) window /= 1_000;
  return window;
}

/** As Go has it, but in the trace: a window that is longer says nothing. */
function leastWindow(mmu: Mmu, span: number): number {
  let window = 1e9;
  while (window > 1 && (window * 10 > span || mmu.mmu(window) >= 0.0001)) window /= 1_000;
  return window;
}

function windowsOf(xMin: number, xMax: number, compat: boolean): number[] {
  const [from, to] = [Math.log(xMin), Math.log(xMax)];
  const whole = compat ? Math.trunc : Math.round;
  return Array.from({ length: POINTS }, (_, i) => whole(Math.exp((i / (POINTS - 1)) * (to - from) + from)));
}

function meanOf(series: readonly UtilizationSeries[]): number {
  let area = 0;
  let duration = 0;
  for (const { time, value } of series) {
    for (let i = 0; i + 1 < time.length; i++) area += value[i]! * (time[i + 1]! - time[i]!);
    duration += time.at(-1)! - time[0]!;
  }
  return area / duration;
}
