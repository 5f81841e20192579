import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makeScope } from "./scopes.ts";
import type { Scope } from "./scopes.ts";
import { OpKind, OpQueue } from "./ops.ts";

interface Expected {
  readonly time: number;
  value: number;
  readonly refs: readonly Scope[];
}

test("operations come out as they went in, with their references, however it grows", () => {
  const step = fc.record({
    adds: fc.nat(2_000),
    takes: fc.nat(2_000),
    rewinds: fc.nat(20),
    bits: fc.nat(255),
  });
  const scopes = Array.from({ length: 5 }, (_, i) => makeScope("frame", null, "open", i));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const queue = new OpQueue();
      const model: Expected[] = [];
      let time = 0;
      for (const { adds, takes, rewinds, bits } of steps) {
        for (let i = 0; i < adds; i++) {
          const refs = scopes.slice(0, (time + bits) % 4);
          const number = queue.add(OpKind.Call, ++time);
          for (const ref of refs) queue.refer(ref);
          queue.mark(number, bits);
          model.push({ time, value: bits, refs });
        }
        for (let i = 0; i < rewinds && model.length > 0; i++) {
          const { refs } = model.pop()!;
          queue.rewind(queue.last, (queue.nextRef - refs.length) | 0);
        }
        for (let i = 0; i < takes && model.length > 0; i++) {
          const { refs, ...of } = model.shift()!;
          assert.deepEqual({ time: queue.time, value: queue.value }, of);
          for (const ref of refs) assert.equal(queue.takeScope(), ref);
          queue.drop();
        }
        assert.equal(queue.size, model.length);
      }
    }),
    { numRuns: 50 },
  );
});

test("an operation can be marked as long as its time is within the look-ahead", () => {
  const queue = new OpQueue();
  const number = queue.add(OpKind.Await, 1_000);
  queue.markEarlier(number, 1, 1_100, 100);
  assert.equal(queue.value, 0);
  queue.markEarlier(number, 1, 1_099, 100);
  assert.equal(queue.value, 1);
});
