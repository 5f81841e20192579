import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteBuffer } from "../base/buffer.ts";
import { MAX_BATCH_SIZE, MAX_STRING_SIZE } from "../wire/format.ts";
import { decodeText } from "./decoder.test.util.ts";
import { StringTable } from "./strings.ts";

/** What `use` defines in a fresh table: text by id, and the sizes of the batches. */
function table(use: (strings: StringTable) => void): { texts: Map<number, string>; sizes: number[] } {
  const strings = new StringTable({ number: 1, start: 5 });
  use(strings);
  const out = new ByteBuffer();
  out.append(new Uint8Array(16));
  strings.drain(out);
  const { batches } = decodeText(out.view());
  const texts = new Map<number, string>();
  for (const { lines } of batches) {
    assert.equal(lines[0], "Strings");
    for (let i = 1; i < lines.length; i += 2) {
      const id = Number(/^String id=(\d+)$/.exec(lines[i]!)![1]);
      assert.equal(texts.has(id), false, `id ${id} is defined twice`);
      texts.set(id, JSON.parse(lines[i + 1]!.slice("\tdata=".length)) as string);
    }
  }
  return { texts, sizes: batches.map(({ size }) => size) };
}

const utf8 = (text: string): Buffer => Buffer.from(text);
const wellFormed = (text: string): string => utf8(text).toString();

test("an id leads back to the text, lone surrogates replaced; equal texts share one; 0 is empty", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 40 })), (texts) => {
      const ids: number[] = [];
      const defined = table((strings) => {
        for (const text of [...texts, ...texts]) ids.push(strings.id(text));
      });
      for (const [i, text] of texts.entries()) {
        assert.equal(ids[i], ids[i + texts.length]);
        if (text === "") assert.equal(ids[i], 0);
        else assert.equal(defined.texts.get(ids[i]!), wellFormed(text));
      }
      assert.equal(defined.texts.has(0), false);
      assert.equal(defined.texts.size, new Set(texts.filter((text) => text !== "")).size);
    }),
  );
});

test("long text is cut at a character: as much of its beginning, or of its end, as fits", () => {
  const unit = fc.constantFrom("a", "é", "中", "😀", "\ud800", "\udc00");
  const long = fc.array(unit, { minLength: 300, maxLength: 2100 }).map((units) => units.join(""));
  fc.assert(
    fc.property(long, fc.constantFrom("beginning" as const, "end" as const), (text, keep) => {
      const { texts } = table((strings) => {
        assert.equal(strings.id(text, keep), 1);
        assert.equal(strings.id(text, keep), 1);
      });
      const got = texts.get(1)!;
      const whole = wellFormed(text);
      const size = utf8(got).length;
      assert.ok(size <= MAX_STRING_SIZE);
      assert.ok(keep === "end" ? whole.endsWith(got) : whole.startsWith(got));
      if (got !== whole) assert.ok(size > MAX_STRING_SIZE - 4, `cut to ${size}`);
      else assert.ok(utf8(whole).length <= MAX_STRING_SIZE);
    }),
    { numRuns: 60 },
  );
});

test("1,024 bytes stay whole, 1,025 do not", () => {
  const { texts } = table((strings) => {
    strings.id("a".repeat(1024));
    strings.id(`b${"a".repeat(1024)}`);
    strings.id(`b${"a".repeat(1024)}`, "end");
  });
  assert.deepEqual([...texts.values()], ["a".repeat(1024), `b${"a".repeat(1023)}`]);
});

test("a table larger than a batch is split, and every batch is within the limit", () => {
  const { texts, sizes } = table((strings) => {
    for (let i = 0; i < 300; i++) strings.id(`${i} ${"x".repeat(2000)}`);
  });
  assert.equal(texts.size, 300);
  assert.ok(sizes.length >= 5);
  for (const size of sizes) assert.ok(size <= MAX_BATCH_SIZE);
});

test("a reset table starts again from 1", () => {
  const strings = new StringTable({ number: 1, start: 5 });
  strings.id("a");
  assert.equal(strings.id("b"), 2);
  strings.reset();
  assert.equal(strings.id("b"), 1);
});
