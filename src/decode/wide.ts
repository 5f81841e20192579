/**
 * Numbers of the wire are unsigned 64-bit, a JavaScript number is exact below 2^53 only. Almost every value is below
 * it, and almost all the rest is 2^64-1 ("none"). So a value travels as a *code*, a plain number:
 *
 * - 0 to 2^53-1 stands for itself,
 * - -1 stands for 2^64-1,
 * - -2 - i stands for the i-th other large value of the file, interned here.
 *
 * One value has one code, so equality of values is equality of codes. Order and arithmetic of codes below -1 need
 * this table.
 */
export class WideValues {
  /** The interned values, by -2 - code. */
  readonly values: bigint[] = [];
  readonly #codes = new Map<bigint, number>();

  /** The code of an unsigned 64-bit value. */
  code(value: bigint): number {
    if (value <= MAX_SAFE) return Number(value);
    if (value === MAX_UINT64) return -1;
    let code = this.#codes.get(value);
    if (code === undefined) {
      code = -2 - this.values.length;
      this.values.push(value);
      this.#codes.set(value, code);
    }
    return code;
  }

  /** The unsigned 64-bit value of a code. */
  value(code: number): bigint {
    return wideValue(this.values, code);
  }

  /** The value of a code as the nearest float64. */
  toNumber(code: number): number {
    return code >= 0 ? code : Number(this.value(code));
  }

  /** Whether `next` is `previous` + 1 in unsigned 64-bit arithmetic. */
  isNext(previous: number, next: number): boolean {
    if (previous >= 0 && next >= 0) return next === previous + 1;
    return BigInt.asUintN(64, this.value(previous) + 1n) === this.value(next);
  }

  /** Whether the value of `a` is less than that of `b`. */
  less(a: number, b: number): boolean {
    return a >= 0 && b >= 0 ? a < b : this.value(a) < this.value(b);
  }
}

/** The unsigned 64-bit value of a code, given the interned values. */
export function wideValue(values: readonly bigint[], code: number): bigint {
  if (code >= 0) return BigInt(code);
  return code === -1 ? MAX_UINT64 : values[-2 - code]!;
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
