import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Cells } from "./cells.ts";

type Step =
  | {
      readonly do: "add";
      readonly key: readonly [number, number, number];
      readonly spent: number;
      readonly whole: number;
    }
  | { readonly do: "clear" | "letAllIn"; readonly goroutine: number };

const goroutine = fc.integer({ min: 0, max: 40 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        do: fc.constant("add" as const),
        key: fc.tuple(goroutine, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3 })),
        spent: fc.integer({ min: 0, max: 9 }),
        whole: fc.integer({ min: 9, max: 20 }),
      }),
    },
    fc.record({ do: fc.constantFrom("clear" as const, "letAllIn" as const), goroutine }),
  ),
  { minLength: 500, maxLength: 3_000, size: "max" },
);

interface Sums {
  count: number;
  sum: number;
  wholeCount: number;
  wholeSum: number;
}

test("cells sum up as maps would, through growth, forgetting and letting in", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const cells = new Cells({ keepWhole: true });
      const model = new Map<string, Sums>();
      for (const step of all) {
        if (step.do === "add") {
          cells.add(...step.key, step.spent, step.whole);
          const key = step.key.join(" ");
          const sums = model.get(key) ?? { count: 0, sum: 0, wholeCount: 0, wholeSum: 0 };
          model.set(key, sums);
          sums.count += Number(step.spent > 0);
          sums.sum += step.spent;
          sums.wholeCount++;
          sums.wholeSum += step.whole;
          continue;
        }
        cells[step.do](step.goroutine);
        for (const [key, sums] of model) {
          if (Number(key.split(" ")[0]) !== step.goroutine) continue;
          const isClear = step.do === "clear";
          sums.count = isClear ? 0 : sums.wholeCount;
          sums.sum = isClear ? 0 : sums.wholeSum;
        }
      }
      assert.equal(cells.size, model.size);
      for (let cell = 0; cell < cells.size; cell++) {
        const key = `${cells.goroutine(cell)} ${cells.stack(cell)} ${cells.tag(cell)}`;
        const { count, sum } = model.get(key)!;
        assert.deepEqual([cells.count(cell), cells.sum(cell)], [count, sum], key);
      }
    }),
    { numRuns: 30 },
  );
});

test("an addition can be taken back", () => {
  const cells = new Cells({ keepWhole: false });
  const cell = cells.add(70_000, 1, 2, 5, 5);
  assert.equal(cells.add(70_000, 1, 2, 7, 7), cell);
  cells.remove(cell, 7);
  assert.deepEqual([cells.count(cell), cells.sum(cell)], [1, 5]);
});
