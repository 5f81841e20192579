import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { DEFAULT_SHOWN, fromAddress, toAddress, type Shown } from "./address.ts";

const known = { tabs: ["overview", "details", "logs"], orders: ["creation", "name"] };

const shown: fc.Arbitrary<Shown> = fc.record(
  {
    range: fc.option(
      fc
        .tuple(fc.integer({ min: -1e9, max: 1e15 }), fc.integer({ min: 1, max: 1e12 }))
        .map(([start, length]) => ({ start, end: Math.max(start + length, 1) })),
    ),
    tab: fc.constantFrom(...known.tabs),
    selection: fc.option(
      fc.record(
        { kind: fc.constantFrom("span", "region", "task"), row: fc.nat(999_999_999) },
        { noNullPrototype: true },
      ),
    ),
    task: fc.integer({ min: -1, max: 1e6 }),
    order: fc.constantFrom(...known.orders),
    allLanes: fc.boolean(),
    query: fc.string(),
  },
  { noNullPrototype: true },
);

test("what is shown comes back from its address", () => {
  fc.assert(
    fc.property(shown, (one) => {
      assert.deepEqual(fromAddress(`#${toAddress(one)}`, known), one);
    }),
  );
});

test("what an address cannot mean is as at the start", () => {
  assert.equal(toAddress(DEFAULT_SHOWN), "");
  for (const text of ["", "#", "#t=5-4&tab=nonsense&span=-1&only=x&order=?&lanes=some", "#%%%=1&t=--"])
    assert.deepEqual(fromAddress(text, known), DEFAULT_SHOWN, text);
});
