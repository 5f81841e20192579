import { idOf, kindOf, setStamp } from "./stamp.ts";

/**
 * The requests or connections that are open, each with the id of its root. A place in the list and the id are stamped
 * on the object itself (the id negative, for it is no promise's).
 *
 * Why not a Map: its tables are replaced as entries come and go, and each refers to the next one. Once one of them is
 * in the old generation of the heap, all that follow and everything that was in them stay until it is collected, here
 * half of all requests with everything they refer to.
 */
export class OpenRoots<T extends object> {
  readonly #objects: (T | null)[] = [];
  readonly #free: number[] = [];

  /** Answers its place in the list. */
  add(object: T, id: number): number {
    const place = this.#free.pop() ?? this.#objects.length;
    this.#objects[place] = object;
    setStamp(object, -id, place);
    return place;
  }

  /** Its place in the list, -1 where it is not open. */
  placeOf(object: T): number {
    const place = kindOf(object);
    return place >= 0 && this.#objects[place] === object ? place : -1;
  }

  /** The id of what is at that place, 0 where nothing is. */
  idAt(place: number): number {
    const object = this.#objects[place] ?? null;
    return object === null ? 0 : -idOf(object);
  }

  has(object: T): boolean {
    return this.placeOf(object) >= 0;
  }

  /** It is open no longer. Answers its id, 0 where it was not open. */
  remove(object: T): number {
    const place = this.placeOf(object);
    if (place < 0) return 0;
    this.#objects[place] = null;
    this.#free.push(place);
    return -idOf(object);
  }

  /** Calls `found` with each. */
  forEach(found: (object: T) => void): void {
    for (const object of this.#objects) if (object !== null) found(object);
  }
}
