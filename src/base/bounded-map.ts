/**
 * A map by id of the youngest entries: when it is full, the older half goes. (Taking the oldest entry out of a Map each
 * time would cost more the more it holds, for a Map steps over the holes at its beginning.)
 */
export class BoundedMap<V extends object | true> {
  readonly #half: number;
  #young = new Map<number, V>();
  #old = new Map<number, V>();

  /** `capacity`: entries at the most. */
  constructor(capacity: number) {
    this.#half = capacity / 2;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(id: number): V | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /** Sets the entry, which becomes the youngest. Answers the entries that had to go, oldest first, if any had to. */
  set(id: number, value: V): Map<number, V> | null {
    if (this.#old.size > 0) this.#old.delete(id);
    this.#young.set(id, value);
    if (this.#young.size < this.#half) return null;
    const gone = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    return gone.size === 0 ? null : gone;
  }

  delete(id: number): boolean {
    return this.#young.delete(id) || this.#old.delete(id);
  }

  entries(): [id: number, value: V][] {
    return [...this.#old, ...this.#young];
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
