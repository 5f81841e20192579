import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { IdIndex } from "./id-index.ts";

test("id index: is a map, for ids of any size, and uses rows again", () => {
  const id = fc.oneof(
    fc.nat(40),
    fc.nat(100_000),
    fc.constantFrom(-1, -2, -7, 2 ** 40, Number.MAX_SAFE_INTEGER),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(id, fc.boolean()), { maxLength: 400 }), (steps) => {
      const index = new IdIndex();
      const model = new Map<number, number>();
      let most = 0;
      for (const [key, isRemoval] of steps) {
        assert.equal(index.get(key), model.get(key) ?? -1);
        if (isRemoval) {
          index.remove(key);
          model.delete(key);
        } else if (!model.has(key)) {
          const row = index.add(key);
          assert.ok(![...model.values()].includes(row));
          model.set(key, row);
        }
        most = Math.max(most, model.size);
      }
      assert.deepEqual(new Map(index.entries()), model);
      assert.equal(index.rows, most);
    }),
  );
});
