import assert from "node:assert/strict";
import { test } from "node:test";
import { factPrice, threadCpu } from "./own-cost.ts";

test("a fact costs some nanoseconds, the clock's among them", () => {
  let now = 0n;
  assert.equal(
    factPrice(() => (now += 10n), 1e6),
    10.01,
  );
  assert.equal(
    factPrice(() => (now += 10n), 100),
    10.1,
  );
  assert.equal(factPrice(process.hrtime.bigint, 0), 0);
  const price = factPrice(process.hrtime.bigint, 1e6);
  assert.ok(price > 1 && price < 20_000, `${price} ns`);
});

test("the CPU time of the thread grows with what it does", (t) => {
  const before = threadCpu();
  if (before === undefined) return t.skip("the system does not tell");
  const until = performance.now() + 30;
  while (performance.now() < until);
  const grown = (threadCpu()! - before) / 1e6;
  assert.ok(grown > 5 && grown < 1_000, `${grown} ms`);
});
