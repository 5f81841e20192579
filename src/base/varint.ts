/**
 * Unsigned LEB128, the number of the trace format: seven bits a byte, least significant group first, bit 7 set on
 * all but the last. Numbers are exact up to 2^53 - 1; nothing here needs a BigInt.
 */

/** Most bytes that a 64-bit value takes. */
export const MAX_UVARINT_SIZE = 10;

/**
 * Writes `value`, an integer of 0 to 2^53 - 1, at `bytes[at]` and returns the index after it. The caller has made
 * room: up to 8 bytes.
 */
export function writeUvarint(bytes: Uint8Array, at: number, value: number): number {
  let low = value >>> 0;
  if (low !== value) {
    let high = (value - low) / 0x1_0000_0000;
    while (high !== 0) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
  }
  while (low > 0x7f) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low >>>= 7;
  }
  bytes[at++] = low;
  return at;
}
