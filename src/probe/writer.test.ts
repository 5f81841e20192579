import assert from "node:assert/strict";
import { test } from "node:test";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";
import { FactWriter } from "./writer.ts";

/** A writer, and what its reader knows of the ids so far. */
function writer(): { readonly facts: FactWriter; readonly name: (text: string) => string | undefined } {
  const ring = createRing(2 ** 20);
  const reader = new RingReader(ring);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const names = new Map<number, string>();
  const name = (text: string): string | undefined => {
    const id = facts.string(text);
    reader.drain(Infinity, { fact: () => {}, text: (number, said) => names.set(number, said) });
    return names.get(id);
  };
  return { facts, name };
}

test("after 100,000 distinct names new ones are one, and the old ones stay", () => {
  const { name } = writer();
  for (let i = 0; i < 100_000; i++) assert.equal(name(`name ${i}`), `name ${i}`);
  for (let i = 0; i < 100; i++) assert.equal(name(`late ${i}`), "(other)");
  assert.equal(name("name 7"), "name 7");
});

test("names take a bounded number of characters", () => {
  const { name } = writer();
  const long = "x".repeat(60_000);
  const said = Array.from({ length: 1_000 }, (_, i) => name(`${i} ${long}`));
  assert.equal(said[0], `0 ${long}`);
  assert.equal(said.at(-1), "(other)");
  assert.ok(said.filter((text) => text !== "(other)").length < 600);
});
