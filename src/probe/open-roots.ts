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

  add(object: T, id: number): void {
    const place = this.#free.pop() ?? this.#objects.length;
    this.#objects[place] = object;
    setStamp(object, -id, place);
  }

  has(object: T): boolean {
    const place = kindOf(object);
    return place >= 0 && this.#objects[place] === object;
  }

  /** It is open no longer. Answers its id, 0 where it was not open. */
  remove(object: T): number {
    if (!this.has(object)) return 0;
    const place = kindOf(object);
    this.#objects[place] = null;
    this.#free.push(place);
    return -idOf(object);
  }

  /** Calls `found` with each. */
  forEach(found: (object: T) => void): void {
    for (const object of this.#objects) if (object !== null) found(object);
  }
}
