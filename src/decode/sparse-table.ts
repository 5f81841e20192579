const DENSE_LIMIT = 1 << 20;

/**
 * A map from ids to values: an array for the small ids that real traces use, a Map for the rest (ids of a broken or
 * hostile file may be anything), so its memory is that of its entries.
 */
export class SparseTable<T> {
  readonly #dense: (T | undefined)[] = [];
  readonly #sparse = new Map<number, T>();

  get(id: number): T | undefined {
    return id >= 0 && id < DENSE_LIMIT ? this.#dense[id] : this.#sparse.get(id);
  }

  set(id: number, value: T): void {
    if (id >= 0 && id < DENSE_LIMIT) this.#dense[id] = value;
    else this.#sparse.set(id, value);
  }

  /** All ids, in no particular order. */
  *keys(): IterableIterator<number> {
    for (const id of this.#dense.keys()) if (this.#dense[id] !== undefined) yield id;
    yield* this.#sparse.keys();
  }
}
