import { InvalidArgumentError } from "commander";
import type { UtilizationFlags } from "../analysis/mutator-utilization.ts";

/** What the curve is of: what counts as taken from the program, and whether it has percentiles (`mut`). */
export interface MmuFlags extends UtilizationFlags {
  readonly mut: boolean;
}

const NAMES = ["system", "perProc", "stw", "background", "assist", "sweep", "mut"] as const;

export const DEFAULT_FLAGS = "system,stw,background,assist";

/** Parses names separated by "," or "|"; `system` is the opposite of `perProc` and yields to it. */
export function parseFlags(text: string): MmuFlags {
  const names = text.split(/[,|]/).map((name) => name.trim());
  for (const name of names)
    if (!NAMES.some((known) => known === name))
      throw new InvalidArgumentError(`unknown flag "${name}", want a list of ${NAMES.join(", ")}.`);
  const has = (name: (typeof NAMES)[number]): boolean => names.includes(name);
  return {
    perProc: has("perProc"),
    stw: has("stw"),
    background: has("background"),
    assist: has("assist"),
    sweep: has("sweep"),
    mut: has("mut"),
  };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };

/** Parses a duration, "10ms" or "500 us", to nanoseconds; a number alone is nanoseconds. */
export function parseWindow(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(\D*)$/.exec(text.trim());
  const unit = match === null ? undefined : UNITS[match[2]!];
  const window = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit);
  if (!(window >= 1 && window <= Number.MAX_SAFE_INTEGER))
    throw new InvalidArgumentError("want a duration of 1ns or more, such as 10ms.");
  return window;
}
