/** An unsigned 64-bit value: a number below 2^53, else a bigint. */
export type WireValue = number | bigint;

/** Where the bytes come from: synchronous pieces, null at the end. */
export interface WireSource {
  read(): Uint8Array | null;
}

/** The input ended between two fields, or in the data of a record. Go's tools take that for its proper end. */
export class InputEnd extends Error {}

/** The input broke inside a field; the message is Go's. */
export class InputBroken extends Error {}

/** A forward cursor over the bytes of a source. */
export class WireInput {
  readonly #source: WireSource;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #pieceOffset = 0;

  constructor(source: WireSource) {
    this.#source = source;
  }

  get offset(): number {
    return this.#pieceOffset + this.#at;
  }

  /** The next byte, or -1 at the end. */
  byte(): number {
    while (this.#at >= this.#piece.length) {
      const piece = this.#source.read();
      if (piece === null) return -1;
      this.#pieceOffset += this.#piece.length;
      this.#piece = piece;
      this.#at = 0;
    }
    return this.#piece[this.#at++]!;
  }

  /** The next unsigned LEB128 number. Throws InputEnd or InputBroken. */
  uvarint(): WireValue {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      if (byte < 0) throw i === 0 ? new InputEnd() : new InputBroken("unexpected EOF");
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
      scale *= 128;
    }
    let rest = BigInt(value);
    for (let i = 7; i < 10; i++) {
      const byte = this.byte();
      if (byte < 0) throw new InputBroken("unexpected EOF");
      rest |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte >= 128) continue;
      if (i === 9 && byte > 1) break;
      return rest <= Number.MAX_SAFE_INTEGER ? Number(rest) : rest;
    }
    throw new InputBroken("binary: varint overflows a 64-bit integer");
  }

  /** The next `size` bytes. Throws InputEnd where some are missing. */
  take(size: WireValue): Uint8Array {
    const bytes: number[] = [];
    while (bytes.length < size) {
      const byte = this.byte();
      if (byte < 0) throw new InputEnd();
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }
}
