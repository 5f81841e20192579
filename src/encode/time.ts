/**
 * Times are whole nanoseconds in a number: exact below 2^53 (104 days since the machine started), and steps of 2 ns or
 * more above, which the format and Go's reader carry without loss.
 */

/** A time beyond this (36 years) is no time. */
const MAX_TIME = 2 ** 60;

/** `t` as a whole time, raised to `least` where it is earlier or no time at all. */
export function notBefore(t: number, least: number): number {
  return t > least && t <= MAX_TIME ? Math.floor(t) : least;
}

/** The least time that is certainly later than `time`, up to the precision of numbers. */
export function after(time: number): number {
  const next = time + 1;
  return next > time ? next : time + 1024;
}
