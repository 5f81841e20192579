import assert from "node:assert/strict";
import { after, test } from "node:test";
import { contents, runRecorded, scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

test("reports of collections, which only the recorder asks for, are no callbacks of the program", async () => {
  const source = `
    let kept = [], rounds = 0;
    const timer = setInterval(() => {
      kept = Array.from({ length: 100_000 }, (_, i) => ({ i }));
      if (++rounds === 20) clearInterval(timer);
    }, 5);
    setImmediate(function mine() {});`;
  const { out, stderr } = await runRecorded(folder, "collects", source);
  assert.equal(stderr, "");
  const found = contents(out);
  if (found === null) return;
  assert.match(found.text, /GC scavenge/);
  assert.doesNotMatch(found.text, /immediate callback/);
});
