/** Branded numbers, so that a time is never mistaken for a count. The brand exists for the type checker only. */

declare const unit: unique symbol;

/** A point or span of time in nanoseconds, on the clock of the traced machine (exact below 2^53, 104 days). */
export type Nanoseconds = number & { readonly [unit]?: "ns" };

/** A size in bytes. */
export type Bytes = number & { readonly [unit]?: "bytes" };
