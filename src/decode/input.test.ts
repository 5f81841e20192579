import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Input } from "./input.ts";
import { bytesSource } from "./source.ts";
import { WideValues } from "./wide.ts";

const uint64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 54n), fc.bigInt(0n, 300n));

function encode(value: bigint, padding: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  while (out.length < padding) {
    out[out.length - 1]! |= 0x80;
    out.push(0);
  }
  return out;
}

function inPieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end));
}

test("uvarint: every value, padded or not, comes back from pieces of any size", () => {
  const values = fc.array(fc.tuple(uint64, fc.integer({ min: 1, max: 10 })), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.array(fc.nat()), (list, cuts) => {
      const bytes = Uint8Array.from(list.flatMap(([value, padding]) => encode(value, padding)));
      const wide = new WideValues();
      const input = Input.ofSource(bytesSource(...inPieces(bytes, cuts)), wide);
      for (const [value] of list) {
        const code = input.uvarint();
        assert.equal(input.fault, "");
        assert.equal(wide.value(code), value);
        if (value < 2n ** 53n) assert.equal(code, Number(value));
      }
      assert.equal(input.offset, bytes.length);
      assert.equal(input.byte(), -1);
    }),
  );
});

const OVERFLOW = "binary: varint overflows a 64-bit integer";
const NINE = Array.from({ length: 9 }, () => 0xff);

for (const [bytes, fault] of [
  [[], "EOF"],
  [[0x80], "unexpected EOF"],
  [NINE, "unexpected EOF"],
  [[...NINE, 1], ""],
  [[...NINE, 2], OVERFLOW],
  [[...NINE, 0x80], OVERFLOW],
] as const) {
  test(`uvarint: ${bytes.length} bytes ending in ${bytes.at(-1)} is "${fault}"`, () => {
    const input = Input.ofBytes(Uint8Array.from(bytes), 0, new WideValues());
    const code = input.uvarint();
    assert.equal(input.fault, fault);
    if (fault === "") assert.equal(code, -1);
  });
}

test("codes: equal exactly where values are, ordered and counted up as 64-bit numbers", () => {
  fc.assert(
    fc.property(uint64, uint64, (a, b) => {
      const wide = new WideValues();
      const [codeA, codeB] = [wide.code(a), wide.code(b)];
      assert.equal(codeA === codeB, a === b);
      assert.equal(wide.less(codeA, codeB), a < b);
      assert.equal(wide.isNext(codeA, codeB), BigInt.asUintN(64, a + 1n) === b);
      assert.equal(wide.isNext(codeA, wide.code(BigInt.asUintN(64, a + 1n))), true);
      assert.equal(wide.toNumber(codeA), Number(a));
    }),
  );
});

test("take: gives what is asked for across pieces, and less only at the end", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat()), fc.array(fc.nat(20)), (bytes, cuts, sizes) => {
      const input = Input.ofSource(bytesSource(...inPieces(bytes, cuts)), new WideValues());
      let at = 0;
      for (const size of sizes) {
        assert.deepEqual([...input.take(size)], [...bytes.subarray(at, at + size)]);
        at = Math.min(bytes.length, at + size);
        assert.equal(input.offset, at);
      }
    }),
  );
});

test("rest: all that was not read, whatever the source says of its size", () => {
  const size = fc.option(fc.nat(100), { nil: undefined });
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat()), fc.nat(50), size, (bytes, cuts, taken, told) => {
      const { read } = bytesSource(...inPieces(bytes, cuts));
      const source = told === undefined ? { read } : { read, size: told };
      const input = Input.ofSource(source, new WideValues());
      input.take(taken);
      assert.deepEqual(Buffer.from(input.rest()), Buffer.from(bytes.subarray(taken)));
      assert.equal(input.offset, bytes.length);
      assert.equal(input.byte(), -1);
    }),
  );
});
