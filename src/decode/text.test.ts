import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeText, encodeText } from "./text.ts";

test("text keeps whatever bytes there are, and different bytes are different texts", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          0x41,
          0xc3,
          0xa9,
          0xe2,
          0x82,
          0xac,
          0xed,
          0xa0,
          0x80,
          0xf0,
          0x9f,
          0x98,
          0xef,
          0xbb,
          0xbf,
        ),
      )
      .map((list) => Uint8Array.from(list)),
  );
  fc.assert(fc.property(bytes, (given) => assert.deepEqual([...encodeText(decodeText(given))], [...given])));
});

test("text: valid UTF-8 is itself, a byte order mark included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(decodeText(new TextEncoder().encode(text)), text);
    }),
  );
  assert.equal(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
});

for (const [bytes, text] of [
  [[0xff, 0x61], "\udcffa"],
  [[0xc3], "\udcc3"],
  [[0xe2, 0x82, 0x61], "\udce2\udc82a"],
  [[0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  [[0xc0, 0x80], "\udcc0\udc80"],
  [[0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
] as const) {
  test(`text: ${bytes.map((byte) => byte.toString(16)).join(" ")} is one surrogate a byte`, () => {
    assert.equal(decodeText(Uint8Array.from(bytes)), text);
  });
}
