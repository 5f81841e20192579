/** Binary searches in ascending typed arrays, between two indexes. */

/** First index in [from, to) whose value is greater than `value`, or `to`. */
export function firstAbove(values: Float64Array, value: number, from: number, to: number): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (values[middle]! > value) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** First index in [from, to) whose value is at least `value`, or `to`. */
export function firstAtLeast(values: Float64Array, value: number, from: number, to: number): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (values[middle]! >= value) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Like firstAbove, for an answer that is expected near `from`: doubles its step first. */
export function firstAboveNear(values: Float64Array, value: number, from: number, to: number): number {
  let step = 1;
  let low = from;
  let high = from;
  while (high < to && values[high]! <= value) {
    low = high + 1;
    high += step;
    step <<= 1;
  }
  return firstAbove(values, value, low, Math.min(high, to));
}
