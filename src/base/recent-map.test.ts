import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecentMap } from "./recent-map.ts";

test("it holds what was set and has not gone, and never more than slots and capacity", () => {
  const step = fc.record({ what: fc.nat(3), id: fc.nat(60) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 300 }), (half, steps) => {
      const map = new RecentMap<{ at: number }>(8, 2 * half);
      const model = new Map<number, { at: number }>();
      for (const [at, { what, id }] of steps.entries()) {
        if (what === 0) assert.equal(map.delete(id), model.delete(id));
        else if (what === 1) assert.equal(map.get(id), model.get(id));
        else {
          model.set(id, { at });
          const gone = map.set(id, model.get(id)!);
          for (const [goneId, value] of gone ?? []) {
            assert.equal(value, model.get(goneId));
            assert.ok(model.delete(goneId) && goneId !== id);
          }
        }
        assert.equal(map.size, model.size);
        assert.ok(map.size <= 8 + 2 * half);
      }
      assert.deepEqual(
        map.entries(),
        [...model].sort(([a], [b]) => a - b),
      );
      map.clear();
      assert.deepEqual([map.size, map.entries()], [0, []]);
    }),
  );
});
