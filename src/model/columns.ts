/**
 * Columns that grow while a trace is read and are cut to size at the end. One class an element type, so that every
 * call site stays monomorphic.
 */

const FIRST_CAPACITY = 64;

/** A growable column of doubles: times, ids, values. */
export class FloatColumn {
  length = 0;
  data = new Float64Array(FIRST_CAPACITY);

  /** Appends a value and returns its row. */
  push(value: number): number {
    if (this.length === this.data.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length] = value;
    return this.length++;
  }

  /** The values, in an array of their own. */
  take(): Float64Array {
    return this.data.slice(0, this.length);
  }
}

/** A growable column of 32-bit integers: rows of other tables, -1 for none. */
export class IntColumn {
  length = 0;
  data = new Int32Array(FIRST_CAPACITY);

  /** Appends a value and returns its row. */
  push(value: number): number {
    if (this.length === this.data.length) {
      const grown = new Int32Array(this.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length] = value;
    return this.length++;
  }

  /** The values, in an array of their own. */
  take(): Int32Array {
    return this.data.slice(0, this.length);
  }
}

/** A growable column of small codes. */
export class ByteColumn {
  length = 0;
  data = new Uint8Array(FIRST_CAPACITY);

  /** Appends a value and returns its row. */
  push(value: number): number {
    if (this.length === this.data.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length] = value;
    return this.length++;
  }

  /** The values, in an array of their own. */
  take(): Uint8Array {
    return this.data.slice(0, this.length);
  }
}

/** A copy of the first `place.length` values of `from`, each moved to its new place. */
export function moveFloats(from: Float64Array, place: Uint32Array): Float64Array {
  const to = new Float64Array(place.length);
  for (let row = 0; row < place.length; row++) to[place[row]!] = from[row]!;
  return to;
}

/** As `moveFloats`, for integers. */
export function moveInts(from: Int32Array, place: Uint32Array): Int32Array {
  const to = new Int32Array(place.length);
  for (let row = 0; row < place.length; row++) to[place[row]!] = from[row]!;
  return to;
}

/** Rewrites the row numbers in `rows` by `place`, in place; -1 stays -1. */
export function renumber(rows: Int32Array, place: Uint32Array): Int32Array {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= 0) rows[i] = place[row]!;
  }
  return rows;
}
