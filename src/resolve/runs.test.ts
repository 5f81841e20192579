import assert from "node:assert/strict";
import { test } from "node:test";
import { RunHistory } from "./runs.ts";

test("it tells which goroutine ran when, for recent times", () => {
  const runs = new RunHistory();
  assert.equal(runs.at(5), 0);
  for (let i = 1; i <= 600_000; i++) runs.add(10 * i, i);
  assert.equal(runs.at(6_000_000), 600_000);
  assert.equal(runs.at(5_999_999), 599_999);
  assert.equal(runs.at(4_000_005), 400_000);
  assert.equal(runs.at(9e9), 600_000);
  assert.equal(runs.at(15), 0, "long ago");
});
