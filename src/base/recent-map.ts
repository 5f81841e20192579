import { BoundedMap } from "./bounded-map.ts";

/** The id of a slot that is free. */
const FREE = -1;

/**
 * A bounded map by id for entries that come and go: ids are counters, so a young id has a slot to itself. An entry
 * whose slot is taken by a younger one moves to a BoundedMap. Ids are 0 or more.
 *
 * Why not a Map: its tables are replaced as entries come and go, and each refers to the next one. Once one of them is
 * in the old generation of the heap, all that follow and everything that was in them stay until it is collected.
 */
export class RecentMap<V extends object> {
  readonly #mask: number;
  readonly #ids: Float64Array;
  readonly #values: (V | null)[];
  readonly #rest: BoundedMap<V>;
  #recent = 0;
  /** No id in `#rest` is higher. */
  #highestOfRest = -1;

  /** `slots`, a power of two: about how many ids lie between the youngest and most others; `capacity`: entries beside. */
  constructor(slots: number, capacity: number) {
    this.#mask = slots - 1;
    this.#ids = new Float64Array(slots).fill(FREE);
    this.#values = Array.from<V | null>({ length: slots }).fill(null);
    this.#rest = new BoundedMap(capacity);
  }

  get size(): number {
    return this.#recent + this.#rest.size;
  }

  get(id: number): V | undefined {
    const slot = id & this.#mask;
    if (this.#ids[slot] === id) return this.#values[slot]!;
    return id > this.#highestOfRest ? undefined : this.#rest.get(id);
  }

  /** Sets the entry, which becomes the youngest. Answers the entries that had to go, if any had to. */
  set(id: number, value: V): Map<number, V> | null {
    const slot = id & this.#mask;
    const former = this.#ids[slot]!;
    let gone: Map<number, V> | null = null;
    if (former !== id) {
      if (id <= this.#highestOfRest) this.#rest.delete(id);
      if (former === FREE) {
        this.#recent++;
      } else {
        gone = this.#rest.set(former, this.#values[slot]!);
        if (former > this.#highestOfRest) this.#highestOfRest = former;
      }
    }
    this.#ids[slot] = id;
    this.#values[slot] = value;
    return gone;
  }

  delete(id: number): boolean {
    const slot = id & this.#mask;
    if (this.#ids[slot] !== id) return id <= this.#highestOfRest && this.#rest.delete(id);
    this.#ids[slot] = FREE;
    this.#values[slot] = null;
    this.#recent--;
    return true;
  }

  /** All entries by id, lowest first. */
  entries(): [id: number, value: V][] {
    const all = this.#rest.entries();
    for (const [slot, id] of this.#ids.entries()) if (id !== FREE) all.push([id, this.#values[slot]!]);
    return all.sort(([a], [b]) => a - b);
  }

  clear(): void {
    this.#ids.fill(FREE);
    this.#values.fill(null);
    this.#recent = 0;
    this.#rest.clear();
    this.#highestOfRest = -1;
  }
}
