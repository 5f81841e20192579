/** Values are kept in pieces of this many: growing copies none. */
const PIECE = 1 << 13;

/** A growing list of doubles. */
export class Values {
  length = 0;
  readonly #pieces: Float64Array[] = [];
  #last = new Float64Array(0);

  push(value: number): void {
    const place = this.length++ % PIECE;
    if (place === 0) this.#pieces.push((this.#last = new Float64Array(PIECE)));
    this.#last[place] = value;
  }

  /** A copy of all. */
  all(): Float64Array {
    const all = new Float64Array(this.#pieces.length * PIECE);
    for (const [i, piece] of this.#pieces.entries()) all.set(piece, i * PIECE);
    return all.subarray(0, this.length);
  }
}
