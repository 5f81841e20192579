import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { TraceError } from "./error.ts";

test("an error prints its code, and its offset and cause only where it has them", () => {
  const plain = new TraceError("ERR_X", "got 1, want 2");
  assert.deepEqual([plain.name, plain.code, plain.offset], ["TraceError", "ERR_X", undefined]);
  assert.doesNotMatch(inspect(plain), /offset|cause/);
  const placed = new TraceError("ERR_X", "got 1, want 2", { offset: 0, cause: new Error("why") });
  assert.equal(placed.offset, 0);
  assert.match(inspect(placed), /offset: 0/);
  assert.match(inspect(placed), /why/);
});
