/** The `mmu` of `summary --json`: minimum mutator utilization of a few windows for a few sets of flags. */
import { mmuOf } from "./mmu.ts";
import { mutatorUtilization } from "./mutator-utilization.ts";
import type { UtilizationFlags } from "./mutator-utilization.ts";
import type { UtilizationLog } from "./utilization-log.ts";

export interface MmuSummary {
  /** What was taken into account, as "STW|Background". */
  readonly flags: string;
  /** Numbers of series and of their points. */
  readonly series: number;
  readonly points: number;
  /** Minimum mutator utilization, 0 to 1, by window in nanoseconds; empty with `error`. */
  readonly mmu: Readonly<Record<string, number>>;
  readonly error?: string;
}

const WINDOWS = [1e3, 1e4, 1e5, 5e5, 1e6, 1e7, 5e7, 1e8, 1e9] as const;

const STW = { stw: true, background: false, assist: false, sweep: false, perProc: false };
const MARK = { ...STW, background: true, assist: true };
const SETS: readonly (readonly [name: string, flags: UtilizationFlags])[] = [
  ["STW", STW],
  ["STW|Background|Assist", MARK],
  ["STW|Background|Assist|Sweep", { ...MARK, sweep: true }],
  ["STW|Background|Assist|PerProc", { ...MARK, perProc: true }],
];

/** An entry a set of flags. */
export function mmuSummaries(log: UtilizationLog): MmuSummary[] {
  return SETS.map(([name, flags]) => {
    const series = mutatorUtilization(log, flags);
    if (series.length === 0)
      return {
        flags: name,
        series: 0,
        points: 0,
        mmu: {},
        error: "no utilization data (GOMAXPROCS never seen)",
      };
    const mmu = mmuOf(series, log.compat);
    return {
      flags: name,
      series: series.length,
      points: series.reduce((sum, one) => sum + one.time.length, 0),
      mmu: Object.fromEntries(WINDOWS.map((window) => [window, mmu.mmu(window)])),
    };
  });
}
