const DENSE_LIMIT = 1 << 20;

/**
 * A map from ids to values: an array for the small ids that real traces use, a Map for the rest (ids of a broken or
 * hostile file may be anything), so its memory is that of its entries.
 */
export class SparseTable<T> {
  readonly #dense: (T | undefined)[] = [];
  readonly #sparse = new Map<number, T>();
  /** By dense id: 1 where there is a value. Its memory is in proportion to the largest of them. */
  #present = new Uint8Array(256);

  has(id: number): boolean {
    return id < this.#present.length && id >= 0 ? this.#present[id] === 1 : this.#sparse.has(id);
  }

  get(id: number): T | undefined {
    return id >= 0 && id < DENSE_LIMIT ? this.#dense[id] : this.#sparse.get(id);
  }

  set(id: number, value: T): void {
    if (id >= 0 && id < DENSE_LIMIT) {
      this.#dense[id] = value;
      if (id >= this.#present.length) this.#grow(id);
      this.#present[id] = 1;
    } else this.#sparse.set(id, value);
  }

  #grow(id: number): void {
    const present = new Uint8Array(Math.min(DENSE_LIMIT, 2 * (id + 1)));
    present.set(this.#present);
    this.#present = present;
  }

  /** All ids, in no particular order. */
  *keys(): IterableIterator<number> {
    for (const id of this.#dense.keys()) if (this.#dense[id] !== undefined) yield id;
    yield* this.#sparse.keys();
  }

  /** All values, in no particular order. */
  *values(): IterableIterator<T> {
    for (const value of this.#dense) if (value !== undefined) yield value;
    yield* this.#sparse.values();
  }
}
