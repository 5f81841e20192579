import assert from "node:assert/strict";
import { test } from "node:test";
import { Fact } from "./facts.ts";
import { RingReader, RingWriter, createRing, droppedFacts } from "./ring.ts";

test("a writer that an error interrupts anywhere has written nothing, and goes on", (t) => {
  const memory = createRing(1024);
  const writer = new RingWriter(memory);
  for (let calls = 0; calls < 4; calls++) {
    const failing = t.mock.method(Uint8Array.prototype, "subarray");
    failing.mock.mockImplementationOnce(() => {
      throw new RangeError("no stack left");
    }, calls);
    assert.throws(() => writer.putText(1n, 1, "x".repeat(200)), RangeError);
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
