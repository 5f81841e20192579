import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { Fact } from "./facts.ts";
import { RingReader, RingWriter, createRing, droppedFacts, resetRing } from "./ring.ts";

test("a writer that an error interrupts anywhere has written nothing, and goes on", (t) => {
  const memory = createRing(1024);
  const writer = new RingWriter(memory, process.hrtime.bigint);
  for (let calls = 0; calls < 4; calls++) {
    const failing = t.mock.method(Uint8Array.prototype, "subarray");
    failing.mock.mockImplementationOnce(() => {
      throw new RangeError("no stack left");
    }, calls);
    assert.throws(() => writer.putText(1n, 1, "x".repeat(300)), RangeError);
    failing.mock.restore();
    writer.drop(1);
    writer.put(Fact.Clear, 2n, calls, 0, 0);
    const seen: number[][] = [];
    new RingReader(memory).drain(10, {
      fact: (kind, _time, a) => void seen.push([kind, a]),
      text: () => void seen.push([-1]),
    });
    assert.deepEqual(seen, [
      [Fact.Gap, 1],
      [Fact.Clear, calls],
    ]);
  }
  assert.equal(droppedFacts(memory), 4);
});

/** Writes `count` facts whose fields belong together, as fast as it can. */
const WRITER = `
  const { workerData } = require("node:worker_threads");
  import(workerData.module).then(({ RingWriter }) => {
    const writer = new RingWriter(workerData.ring, process.hrtime.bigint, workerData.isOrdered);
    for (let i = 1; i <= workerData.count; i++) writer.now(10 + (i & 7), i, -2 * i, i & 0xffff);
  });
`;

for (const isOrdered of process.arch === "x64" ? [false, true] : [false]) {
  test(`a reader on another thread sees whole records only; stores ordered: ${isOrdered}`, async () => {
    const count = 1_000_000;
    const ring = createRing(2 ** 20);
    const workerData = { ring, count, isOrdered, module: new URL("./ring.js", import.meta.url).href };
    const worker = new Worker(WRITER, { eval: true, workerData });
    const exit = once(worker, "exit").then(() => true);
    const reader = new RingReader(ring);
    let last = 0;
    let lost = 0;
    let wrong = 0;
    const visitor = {
      fact: (kind: number, _time: number, a: number, b: number, c: number) => {
        if (kind === Fact.Gap) lost += a;
        else {
          if (kind !== 10 + (a & 7) || b !== -2 * a || c !== (a & 0xffff) || a !== last + lost + 1) wrong++;
          last = a - lost;
        }
      },
      text: () => wrong++,
    };
    const turn = (): Promise<boolean> => new Promise((resolve) => setImmediate(() => resolve(false)));
    while (!(await Promise.race([exit, turn()]))) reader.drain(Infinity, visitor);
    reader.drain(Infinity, visitor);
    assert.equal(wrong, 0);
    assert.ok(last > 0);
    assert.equal(last + droppedFacts(ring), count);
  });
}

test("whatever is written and drained, the reader finds it whole and in order, or a gap", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ put: fc.integer({ min: 1, max: 400 }) }) },
    { weight: 2, arbitrary: fc.record({ text: fc.integer({ min: 0, max: 9_000 }) }) },
    { weight: 3, arbitrary: fc.record({ drain: fc.integer({ min: 1, max: 900 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = createRing(65_536);
      const writer = new RingWriter(memory, () => 1n);
      const reader = new RingReader(memory);
      let next = 0;
      let expected = 0;
      let lost = 0;
      const visitor = {
        fact: (kind: number, _time: number, a: number, b: number) => {
          if (kind === Fact.Gap) {
            expected += a;
            lost += a;
            return;
          }
          assert.deepEqual([kind, a, b], [Fact.Init, expected, -expected]);
          expected++;
        },
        text: (id: number, text: string) => {
          assert.deepEqual(
            [id, text],
            [expected, String(expected).repeat(text.length / String(expected).length)],
          );
          expected++;
        },
      };
      for (const { put = 0, text = -1, drain = 0 } of steps as {
        put?: number;
        text?: number;
        drain?: number;
      }[]) {
        for (let i = 0; i < put; i++, next++) writer.put(Fact.Init, 1n, next, -next, 0);
        if (text >= 0) writer.putText(1n, next, String(next++).repeat(text));
        if (drain > 0) reader.drain(2, visitor, drain);
      }
      reader.drain(2, visitor);
      assert.equal(expected + writer.pendingGap, next);
      assert.equal(lost + writer.pendingGap, droppedFacts(memory));
    }),
    { numRuns: 300 },
  );
});

test("a reader that keeps up is met with the same few segments", () => {
  const memory = createRing(2 ** 24);
  const writer = new RingWriter(memory, () => 1n);
  const reader = new RingReader(memory);
  const nobody = { fact: () => {}, text: () => {} };
  for (let i = 0; i < 2_000_000; i++) {
    writer.put(Fact.Init, 1n, i, 0, 0);
    if (i % 3_000 === 0) reader.drain(2, nobody);
  }
  const untouched = new Uint32Array(memory, 2 ** 20).every((word) => word === 0);
  assert.ok(untouched, "2,000,000 facts of 32 bytes lie within the first MiB");
});

test("a closed writer writes nothing, and its memory can be another's ring", () => {
  const memory = createRing(2 ** 16);
  const before = new RingWriter(memory, () => 1n);
  for (let i = 0; i < 5_000; i++) before.put(Fact.Init, 1n, i, 0, 0);
  before.close();
  resetRing(memory);
  const after = new RingWriter(memory, () => 1n);
  const reader = new RingReader(memory);
  for (let i = 0; i < 3; i++) after.put(Fact.Init, 1n, i, 0, 0);
  before.put(Fact.Init, 1n, 99, 0, 0);
  before.now(Fact.Init, 99, 0, 0);
  before.putText(1n, 99, "text");
  before.drop(7);
  assert.equal(before.elapsed(), 0);
  const found: number[] = [];
  reader.drain(2, { fact: (_kind, _time, a) => found.push(a), text: () => found.push(-1) });
  assert.deepEqual(found, [0, 1, 2]);
  assert.equal(droppedFacts(memory), 0);
});
