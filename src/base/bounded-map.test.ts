import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BoundedMap } from "./bounded-map.ts";

test("it holds what was set and has not gone, and never more than its capacity", () => {
  const step = fc.record({ what: fc.nat(3), id: fc.nat(60) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 300 }), (half, steps) => {
      const map = new BoundedMap<{ at: number }>(2 * half);
      const model = new Map<number, { at: number }>();
      for (const [at, { what, id }] of steps.entries()) {
        if (what === 0) assert.equal(map.delete(id), model.delete(id));
        else if (what === 1) assert.equal(map.get(id), model.get(id));
        else {
          const value = { at };
          model.delete(id);
          model.set(id, value);
          const oldest = [...model.keys()];
          const gone = map.set(id, value);
          if (gone !== null) assert.deepEqual([...gone.keys()], oldest.slice(0, gone.size), "the oldest go");
          for (const goneId of gone?.keys() ?? []) model.delete(goneId);
        }
        assert.equal(map.size, model.size);
        assert.ok(map.size <= 2 * half);
      }
    }),
  );
});
