const LIMIT = 16;

/** A stretch of time of an activation on a proc: rows of whoever recorded them. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly activation: number;
  readonly proc: number;
}

/** The longest of many stretches, the longest first: 16 at most. */
export class Longest {
  readonly all: Stretch[] = [];
  /** What is not longer is none of them. Nanoseconds. */
  least = 0;

  /** Asks for what is longer than `least`. */
  add(stretch: Stretch): void {
    const length = stretch.end - stretch.start;
    let at = this.all.length;
    while (at > 0 && this.all[at - 1]!.end - this.all[at - 1]!.start < length) at--;
    this.all.splice(at, 0, stretch);
    if (this.all.length > LIMIT) this.all.pop();
    const last = this.all.at(-1)!;
    if (this.all.length === LIMIT) this.least = last.end - last.start;
  }
}
