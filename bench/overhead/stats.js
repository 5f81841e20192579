/** Statistics of paired measurements: medians, and how sure they are. */

const RESAMPLES = 4000;

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which a share of the values lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** `combine` of the pairs of two lists of the same rounds: its median, and the bootstrap's 95 % interval of that. */
export function paired(values, references, combine) {
  const pairs = values.map((value, round) => combine(value, references[round]));
  const random = generator(pairs.length);
  const medians = new Float64Array(RESAMPLES);
  const sample = new Float64Array(pairs.length);
  for (let i = 0; i < RESAMPLES; i++) {
    for (let k = 0; k < sample.length; k++) sample[k] = pairs[Math.floor(random() * pairs.length)];
    medians[i] = median(sample);
  }
  return { median: median(pairs), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

export const ratio = (value, reference) => value / reference;
export const difference = (value, reference) => value - reference;

/** The items in random order. */
export function shuffled(items) {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const k = Math.floor(Math.random() * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}

/** Random numbers that are the same in every run, so that the same measurements give the same interval. */
function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
