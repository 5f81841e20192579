import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "./memory.ts";

const HEADER = Uint8Array.of(0xff);

test("a memory keeps the newest generations, as many as its limits ask for, whole and in order", () => {
  const step = fc.record({
    chunks: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 4 }),
    duration: fc.integer({ min: 1, max: 50 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 50, max: 2_000 }),
      (steps, minAgeNs, maxBytes) => {
        const memory = new Memory(HEADER, { minAgeNs, maxBytes }, 0);
        const generations: { start: number; bytes: number }[] = [];
        let now = 0;
        for (const [index, { chunks, duration }] of steps.entries()) {
          const start = now;
          for (const length of chunks) memory.write(new Uint8Array(length).fill(index));
          const bytes = chunks.reduce((sum, length) => sum + length, 0);
          now += duration;
          memory.rotated(now);
          generations.push({ start, bytes });
        }
        const [header, ...parts] = memory.parts();
        assert.deepEqual(header, HEADER);
        // What is kept is the end of everything, byte by byte.
        const kept = parts.flatMap((part) => [...part]);
        const all = steps.flatMap(({ chunks }, index) =>
          chunks.flatMap((length) => Array.from({ length }, () => index)),
        );
        assert.deepEqual(kept, all.slice(all.length - kept.length));
        const full = generations.filter(({ bytes }) => bytes > 0);
        if (full.length === 0) return;
        const newest = full.at(-1)!;
        assert.ok(kept.length >= newest.bytes, "the newest one is there");
        assert.ok(kept.length <= Math.max(maxBytes, newest.bytes), "within the room");
        // Whole generations: the first byte is the first of one.
        let first = full.length;
        for (let bytes = 0; bytes < kept.length;) bytes += full[--first]!.bytes;
        assert.equal(
          full.slice(first).reduce((sum, { bytes }) => sum + bytes, 0),
          kept.length,
        );
        const before = full[first - 1];
        if (before === undefined) return;
        const isOldEnough = now - full[first]!.start >= minAgeNs;
        assert.ok(isOldEnough || kept.length + before.bytes > maxBytes, "no less than was asked for");
      },
    ),
    { numRuns: 500 },
  );
});

test("the open generation belongs to it, and may not take most of the room", () => {
  const memory = new Memory(HEADER, { minAgeNs: 1e9, maxBytes: 1_000 }, 0);
  const bytes = Uint8Array.of(1, 2, 3);
  memory.write(bytes);
  bytes.fill(0);
  assert.deepEqual(memory.parts(), [HEADER, Uint8Array.of(1, 2, 3)]);
  assert.equal(memory.isLarge, false);
  memory.write(new Uint8Array(250));
  assert.equal(memory.isLarge, true);
  memory.rotated(1);
  assert.equal(memory.isLarge, false);
});
