/**
 * Puts the value of rank `rank` (0-based) of values[from .. to) at its sorted place, smaller ones before and larger
 * ones behind it, in linear time on average (Hoare's selection; the pivot is the median of three, so sorted input is no
 * trap). NaN must not be among the values.
 */
export function select(values: Float64Array, rank: number, from: number, to: number): number {
  let low = from;
  let high = to - 1;
  while (low < high) {
    const pivot = medianOfThree(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return values[rank]!;
}

function medianOfThree(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : Math.max(a, c);
  return a < c ? a : Math.max(b, c);
}
