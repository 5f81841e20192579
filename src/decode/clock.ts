import type { WideValues } from "./wide.ts";

/** What Go's float64 to int64 conversion makes of everything outside int64 (on amd64). */
const OUT_OF_RANGE = -(2 ** 63);
const INT64_LIMIT = 2 ** 63;

/** Clock snapshot of a generation: one instant on three clocks. */
export interface ClockSnapshot {
  /** Trace time in ns. */
  readonly trace: number;
  /** The system's monotonic clock in ns. */
  readonly mono: bigint;
  /** Unix wall clock. */
  readonly wallSec: bigint;
  readonly wallNsec: number;
}

/** Nanoseconds per clock unit, in the order of float64 operations that Go has. */
export function nanosecondsPerUnit(frequency: number): number {
  return 1 / (frequency / 1e9);
}

/** Clock units (a number, not a code) to whole nanoseconds, truncated; always an integer of int64. */
export function toNanoseconds(units: number, perUnit: number): number {
  const product = Math.trunc(units * perUnit);
  return product >= -INT64_LIMIT && product < INT64_LIMIT ? product : OUT_OF_RANGE;
}

/** The snapshot from the fields of its record, as codes; `base` is the time of its batch. */
export function clockSnapshot(
  wide: WideValues,
  perUnit: number,
  base: number,
  fields: readonly [dt: number, mono: number, sec: number, nsec: number],
): ClockSnapshot {
  const [dt, mono, sec, nsec] = fields;
  const units = Number(BigInt.asUintN(64, wide.value(base) + wide.value(dt)));
  const nanos = BigInt.asIntN(64, wide.value(nsec));
  const carry = floorDivide(nanos, 1_000_000_000n);
  return {
    trace: toNanoseconds(units, perUnit),
    mono: wide.value(mono),
    wallSec: BigInt.asIntN(64, wide.value(sec) + carry),
    wallNsec: Number(nanos - carry * 1_000_000_000n),
  };
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a % b < 0n ? a / b - 1n : a / b;
}
