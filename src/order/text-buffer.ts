const ENCODER = new TextEncoder();
const FIRST_SIZE = 1 << 16;

/** A growing buffer of text as bytes, for output by the million lines. */
export class TextBuffer {
  #bytes = new Uint8Array(FIRST_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends text of ASCII characters. */
  ascii(text: string): void {
    const size = text.length;
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < size; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** Appends any well-formed text as UTF-8. */
  text(text: string): void {
    this.bytes(ENCODER.encode(text));
  }

  bytes(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends an integer below 2^53 in decimal. */
  integer(value: number): void {
    if (this.#length + 17 > this.#bytes.length) this.#grow(17);
    const bytes = this.#bytes;
    let rest = value;
    if (rest < 0) {
      bytes[this.#length++] = MINUS;
      rest = -rest;
    }
    let digits = 1;
    for (let limit = 10; limit <= rest; limit *= 10) digits++;
    let at = this.#length + digits;
    this.#length = at;
    // Two steps, because integer division is fast below 2^31 only.
    while (rest >= 1e9) {
      const high = Math.floor(rest / 1e9);
      let low = rest - high * 1e9;
      for (let i = 0; i < 9; i++) {
        const tens = (low / 10) | 0;
        bytes[--at] = ZERO + low - tens * 10;
        low = tens;
      }
      rest = high;
      digits -= 9;
    }
    for (; digits > 0; digits--) {
      const tens = (rest / 10) | 0;
      bytes[--at] = ZERO + rest - tens * 10;
      rest = tens;
    }
  }

  /** Everything appended since the last `take`; the buffer is empty afterwards. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

const ZERO = 48;
const MINUS = 45;
