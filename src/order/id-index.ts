/**
 * Maps ids (codes) to dense row numbers, so that state can live in typed arrays. Ids that are dense themselves, as
 * Go's and runtrace's are, cost one array read; others go through a Map. Rows of removed ids are used again.
 */
export class IdIndex {
  /** Rows ever handed out: the size that columns need. */
  rows = 0;
  /** Row + 1 by id, 0 for none. */
  #direct = new Int32Array(256);
  readonly #sparse = new Map<number, number>();
  readonly #free: number[] = [];
  #added = 0;

  /** The row of an id, or -1. */
  get(id: number): number {
    if (id >= 0 && id < this.#direct.length) return this.#direct[id]! - 1;
    return this.#sparse.get(id) ?? -1;
  }

  /** Gives a new id a row. */
  add(id: number): number {
    const row = this.#free.pop() ?? this.rows++;
    this.#added++;
    if (id >= this.#direct.length && id < this.#added * 4) this.#grow(id);
    if (id >= 0 && id < this.#direct.length) this.#direct[id] = row + 1;
    else this.#sparse.set(id, row);
    return row;
  }

  /** Forgets an id; its row may be given to another. */
  remove(id: number): void {
    const row = this.get(id);
    if (row < 0) return;
    this.#free.push(row);
    if (id >= 0 && id < this.#direct.length) this.#direct[id] = 0;
    else this.#sparse.delete(id);
  }

  /** Every id with its row, in no particular order. */
  *entries(): IterableIterator<[id: number, row: number]> {
    for (const [id, row] of this.#direct.entries()) if (row > 0) yield [id, row - 1];
    yield* this.#sparse;
  }

  /** Memory stays in proportion to the ids added: at most eight entries for each. */
  #grow(id: number): void {
    const direct = new Int32Array(Math.max(id + 1, this.#added * 8));
    direct.set(this.#direct);
    this.#direct = direct;
    for (const [known, row] of this.#sparse) {
      if (known < 0 || known >= direct.length) continue;
      direct[known] = row + 1;
      this.#sparse.delete(known);
    }
  }
}
