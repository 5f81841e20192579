import { MAX_UVARINT_SIZE, writeUvarint } from "./varint.ts";

/** A buffer that has once grown beyond this gives its memory back when it is cleared. */
const KEPT_CAPACITY = 1 << 20;

/** Bytes that grow at the end. Every write makes its own room, so nothing can be lost at a boundary. */
export class ByteBuffer {
  /** Number of bytes written. */
  length = 0;
  #bytes: Uint8Array;
  readonly #initial: number;

  /** `capacity` is the room to start with, in bytes. */
  constructor(capacity = 1024) {
    this.#initial = capacity;
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written, without a copy: valid until the next write or `clear`. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = new Uint8Array(this.#initial);
  }

  /** Appends one byte. */
  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  /** Appends an integer of 0 to 2^53 - 1 as a varint. */
  uvarint(value: number): void {
    if (this.length + MAX_UVARINT_SIZE > this.#bytes.length) this.#grow(MAX_UVARINT_SIZE);
    this.length = writeUvarint(this.#bytes, this.length, value);
  }

  /** Appends an integer of -1 to 2^53 - 1 as the varint of its 64-bit two's complement: -1 is 2^64 - 1. */
  varint(value: number): void {
    if (value >= 0) return this.uvarint(value);
    for (let i = 1; i < MAX_UVARINT_SIZE; i++) this.byte(0xff);
    this.byte(1);
  }

  /** Appends a copy of `bytes`. */
  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #grow(more: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    bytes.set(this.#bytes.subarray(0, this.length));
    this.#bytes = bytes;
  }
}
