/** Most slices of a `TimeSums`: more than a picture of text has columns. */
const SLICES = 256;
const FIRST_WIDTH = 2 ** 16;

/**
 * How much of something there was over time, for a trace whose length is not known yet: sums in at most 256 slices of
 * one width, which doubles whenever the trace outgrows them.
 */
export class TimeSums {
  readonly #sums = new Float64Array(SLICES);
  #origin = 0;
  #width = FIRST_WIDTH;
  #end = FIRST_WIDTH * SLICES;
  /** The slice of the last, its edges, and what is to be added to it. */
  #current = 0;
  #from = Infinity;
  #to = 0;
  #sum = 0;

  /** The trace begins at `time`, in nanoseconds: call it before `add`. */
  begin(time: number): void {
    this.#origin = time;
    this.#end = time + this.#width * SLICES;
  }

  /**
   * Something lasted from `start` to `end`: it counts in each slice by its time there. What is told in the order of its
   * end lies in the slice of the one before, mostly.
   */
  add(start: number, end: number): void {
    if (start >= this.#from && end <= this.#to) this.#sum += end - start;
    else this.#spread(start, end);
  }

  #spread(start: number, end: number): void {
    const sums = this.#sums;
    sums[this.#current]! += this.#sum;
    this.#sum = 0;
    while (end > this.#end) this.#widen();
    const width = this.#width;
    let slice = Math.floor((start - this.#origin) / width);
    let from = start;
    for (let to = this.#origin + (slice + 1) * width; to < end; slice++, from = to, to += width)
      sums[slice]! += to - from;
    this.#sum = end - from;
    this.#current = slice;
    this.#from = this.#origin + slice * width;
    this.#to = this.#from + width;
  }

  /**
   * The mean number of them at a time, in `columns` equal parts (at most 256) of the time from the begin to `end`, and
   * how many nanoseconds a part lasts. No parts where that is no time.
   */
  means(end: number, columns: number): { readonly width: number; readonly means: number[] } {
    const duration = end - this.#origin;
    if (duration <= 0) return { width: 0, means: [] };
    const part = duration / columns;
    this.#sums[this.#current]! += this.#sum;
    this.#sum = 0;
    const means = Array.from({ length: columns }, (_, column) => {
      let sum = 0;
      const [from, to] = [column * part, (column + 1) * part];
      for (let slice = Math.floor(from / this.#width); slice < SLICES; slice++) {
        const [start, stop] = [slice * this.#width, Math.min((slice + 1) * this.#width, duration)];
        if (start >= to) break;
        // Where in a slice its sum lies is not known: it is taken as even.
        const share = (Math.min(stop, to) - Math.max(start, from)) / (stop - start);
        if (share > 0) sum += this.#sums[slice]! * share;
      }
      return sum / part;
    });
    return { width: part, means };
  }

  #widen(): void {
    const sums = this.#sums;
    for (let slice = 0; slice < SLICES / 2; slice++) sums[slice] = sums[2 * slice]! + sums[2 * slice + 1]!;
    sums.fill(0, SLICES / 2);
    this.#width *= 2;
    this.#end = this.#origin + this.#width * SLICES;
  }
}
