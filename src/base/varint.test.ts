import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteBuffer } from "./buffer.ts";
import { MAX_UVARINT_SIZE, writeUvarint } from "./varint.ts";

/** The definition, in BigInt: seven bits a byte, least significant first, bit 7 on all but the last. */
function expected(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  bytes.push(Number(value));
  return bytes;
}

function written(value: number): number[] {
  const bytes = new Uint8Array(MAX_UVARINT_SIZE);
  return [...bytes.subarray(0, writeUvarint(bytes, 0, value))];
}

test("writeUvarint writes every safe integer as LEB128", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      assert.deepEqual(written(value), expected(BigInt(value)));
    }),
  );
});

test("writeUvarint is right on both sides of every power of two that a number can carry", () => {
  for (let power = 0; power <= 62; power++) {
    for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
      assert.deepEqual(written(value), expected(BigInt(value)), `2^${power}`);
    }
  }
});

test("writeUvarint writes at the index it is given and leaves the rest alone", () => {
  const bytes = new Uint8Array(6).fill(7);
  assert.equal(writeUvarint(bytes, 2, 300), 4);
  assert.deepEqual([...bytes], [7, 7, 0xac, 0x02, 7, 7]);
});

test("a ByteBuffer holds what was appended, whatever its first capacity", () => {
  const piece = fc.oneof(
    fc.record({ kind: fc.constant("byte" as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant("uvarint" as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant("varint" as const), value: fc.integer({ min: -1, max: 1 << 30 }) }),
    fc.record({ kind: fc.constant("append" as const), value: fc.uint8Array({ maxLength: 300 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(piece), (capacity, pieces) => {
      const buffer = new ByteBuffer(capacity);
      const want: number[] = [];
      for (const { kind, value } of pieces) {
        if (kind === "append") {
          buffer.append(value);
          want.push(...value);
        } else {
          buffer[kind](value);
          want.push(...(kind === "byte" ? [value] : expected(BigInt.asUintN(64, BigInt(value)))));
        }
      }
      assert.deepEqual([...buffer.view()], want);
    }),
  );
});

test("a cleared ByteBuffer is empty, and one that grew large gives its memory back", () => {
  const buffer = new ByteBuffer(16);
  buffer.append(new Uint8Array(3 << 20));
  assert.equal(buffer.view().buffer.byteLength >= 3 << 20, true);
  buffer.clear();
  assert.equal(buffer.length, 0);
  buffer.byte(1);
  assert.deepEqual([...buffer.view()], [1]);
  assert.equal(buffer.view().buffer.byteLength, 16);
});
