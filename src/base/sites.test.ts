import assert from "node:assert/strict";
import { test } from "node:test";
import { countSites, readSites, writeSites } from "./sites.ts";
import type { Site } from "./sites.ts";

const SITES: readonly Site[] = [
  { kind: "call", func: 'A["x:1"]', file: "", line: 1, column: 7, of: 0 },
  { kind: "await", func: "A", file: "a b.ts", line: 20, column: 1, waits: "call", callee: "find", of: 0 },
  { kind: "await", func: "A", file: "a b.ts", line: 21, column: 1, waits: "all", callee: "all", of: 0 },
  { kind: "tail", func: "é\n", file: "../c.ts", line: 22, column: 9, waits: "other", of: 0 },
  { kind: "executor", func: "", file: "", line: 1e6, column: 1, of: -1 },
];

test("sites come back from their text", () => {
  const text = writeSites(SITES);
  assert.equal(countSites(text), SITES.length);
  assert.deepEqual(readSites(text), SITES);
  assert.deepEqual(readSites(writeSites([])), []);
});

test("a text of another version or a damaged one has a count at most", () => {
  const text = writeSites(SITES);
  assert.equal(countSites(text.replace(/^2/, "9")), SITES.length);
  assert.deepEqual(readSites(text.replace(/^2/, "9")), []);
  assert.deepEqual(readSites(text.slice(0, -1)), []);
  assert.equal(countSites("nothing"), 0);
});
