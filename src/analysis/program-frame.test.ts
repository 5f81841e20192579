import assert from "node:assert/strict";
import { test } from "node:test";
import { programFrame } from "./program-frame.ts";

const frame = (func: string, file: string) => ({ func, file, line: 1 });

test("the innermost frame that is the program's own, else the leaf", () => {
  const own = frame("serve", "file:///app/server.js");
  const native = frame("Hash", "");
  const node = frame("emit", "node:events");
  assert.equal(programFrame([native, node, own, frame("main", "/app/main.js")]), own);
  const request = frame("request GET", "node");
  assert.equal(programFrame([native, node, request]), native);
  const park = frame("runtime.gopark", "/go/src/runtime/proc.go");
  const run = frame("main.run", "/src/main.go");
  assert.equal(programFrame([park, run]), run);
  assert.equal(programFrame([park]), park);
  assert.equal(programFrame([]), undefined);
});
