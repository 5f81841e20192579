import assert from "node:assert/strict";
import { test } from "node:test";
import { noteText } from "./notes.ts";

test("a note is JSON of at most 1,024 bytes, whatever its texts are", () => {
  const short = { process: { node: "v20", argv1: "/app/main.js" } };
  assert.equal(noteText(short), JSON.stringify(short));
  for (const text of ["a".repeat(5_000), "é".repeat(700), "\u0001".repeat(900), "😀".repeat(600)]) {
    const json = noteText({ process: { node: "v20", argv1: `/app/${text}/main.js` } });
    assert.ok(Buffer.byteLength(json) <= 1_024, json);
    const { argv1, node } = (JSON.parse(json) as { process: Record<string, string> }).process;
    assert.equal(node, "v20");
    assert.match(argv1!, /^\/app\/.+….+\/main\.js$/su);
  }
});
