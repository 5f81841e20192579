/**
 * Numbers attached to objects of the program in a way that no code can see: private fields, added by letting a base
 * class return the object. They do not show in reflection, printing or cloning, need no weak map, and end with the
 * object.
 */
class Given {
  constructor(object: object) {
    return object as Given;
  }
}

class Stamp extends Given {
  #id: number;
  #kind: number;

  constructor(object: object, id: number, kind: number) {
    super(object);
    this.#id = id;
    this.#kind = kind;
  }

  static set(object: object, id: number, kind: number): void {
    if (#id in object) {
      (object as Stamp).#id = id;
      (object as Stamp).#kind = kind;
    } else {
      new Stamp(object, id, kind);
    }
  }

  static id(object: object): number {
    return #id in object ? (object as Stamp).#id : 0;
  }

  static kind(object: object): number {
    return #id in object ? (object as Stamp).#kind : -1;
  }
}

/** Attaches an id and a kind; a second time replaces them. */
export const setStamp: (object: object, id: number, kind: number) => void = Stamp.set;
/** The id, or 0 where there is none. */
export const idOf: (object: object) => number = Stamp.id;
/** The kind, or -1 where there is none. */
export const kindOf: (object: object) => number = Stamp.kind;
