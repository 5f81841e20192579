import type { ByteSource } from "./source.ts";
import type { WideValues } from "./wide.ts";

/** What may be wrong with a varint, in the words of Go's tools; "" is nothing. */
export type Fault = "" | "EOF" | "unexpected EOF" | "binary: varint overflows a 64-bit integer";

const EMPTY = new Uint8Array(0);

/**
 * A forward cursor over bytes: a whole source (the framing of a file) or one payload (the tables). Values are codes
 * as in wide.ts.
 */
export class Input {
  /** Set by `uvarint` when it failed; the value it returned then means nothing. */
  fault: Fault = "";
  readonly #source: ByteSource | null;
  readonly #wide: WideValues;
  #piece: Uint8Array;
  #at = 0;
  #pieceOffset: number;

  private constructor(source: ByteSource | null, piece: Uint8Array, offset: number, wide: WideValues) {
    this.#source = source;
    this.#piece = piece;
    this.#pieceOffset = offset;
    this.#wide = wide;
  }

  /** Over a whole file. */
  static ofSource(source: ByteSource, wide: WideValues): Input {
    return new Input(source, EMPTY, 0, wide);
  }

  /** Over bytes that begin at `offset` of the file. */
  static ofBytes(bytes: Uint8Array, offset: number, wide: WideValues): Input {
    return new Input(null, bytes, offset, wide);
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.#pieceOffset + this.#at;
  }

  /** The unsigned 64-bit value of a code. */
  exact(code: number): bigint {
    return this.#wide.value(code);
  }

  /** The next byte, or -1 at the end. */
  byte(): number {
    if (this.#at >= this.#piece.length && !this.#refill()) return -1;
    return this.#piece[this.#at++]!;
  }

  /** All that is left: a view where it is in one piece, else one array, filled as the source is read. */
  rest(): Uint8Array {
    if (this.#source === null) return this.take(this.#piece.length - this.#at);
    let whole = this.#piece.subarray(this.#at);
    let length = whole.length;
    let isOwn = false;
    this.#at = this.#piece.length;
    while (this.#refill()) {
      const piece = this.#piece;
      this.#at = piece.length;
      if (length === 0) {
        whole = piece;
      } else {
        if (!isOwn || length + piece.length > whole.length) {
          const known = (this.#source.size ?? 0) - this.#pieceOffset + length;
          const size = Math.max(length + piece.length, isOwn ? Math.ceil(length * 1.25) : known);
          const larger = new Uint8Array(size);
          larger.set(whole.subarray(0, length));
          whole = larger;
          isOwn = true;
        }
        whole.set(piece, length);
      }
      length += piece.length;
    }
    return whole.subarray(0, length);
  }

  /** The next `size` bytes, fewer where the input ends. A view where one piece holds them all. */
  take(size: number): Uint8Array {
    if (this.#at + size <= this.#piece.length) {
      return this.#piece.subarray(this.#at, (this.#at += size));
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < size && (this.#at < this.#piece.length || this.#refill())) {
      const part = this.#piece.subarray(this.#at, this.#at + size - length);
      this.#at += part.length;
      length += part.length;
      parts.push(part);
    }
    const whole = new Uint8Array(length);
    let to = 0;
    for (const part of parts) {
      whole.set(part, to);
      to += part.length;
    }
    return whole;
  }

  /** The next unsigned LEB128 number as a code; zero-padded forms are legal. Sets `fault`. */
  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      if (byte < 128) {
        if (byte < 0) return this.#fail(i === 0 ? "EOF" : "unexpected EOF");
        this.fault = "";
        return value + byte * scale;
      }
      value += (byte - 128) * scale;
      scale *= 128;
    }
    let rest = BigInt(value);
    for (let i = 7; i < 10; i++) {
      const byte = this.byte();
      if (byte < 0) return this.#fail("unexpected EOF");
      rest |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) {
        if (i === 9 && byte > 1) break;
        this.fault = "";
        return this.#wide.code(rest);
      }
    }
    return this.#fail("binary: varint overflows a 64-bit integer");
  }

  #fail(fault: Fault): number {
    this.fault = fault;
    return 0;
  }

  #refill(): boolean {
    while (this.#source !== null) {
      const piece = this.#source.read();
      if (piece === null) return false;
      this.#pieceOffset += this.#piece.length;
      this.#piece = piece;
      this.#at = 0;
      if (piece.length > 0) return true;
    }
    return false;
  }
}
