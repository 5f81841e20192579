import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { contents, runNode, scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

test("reports of collections, which only the recorder asks for, are no callbacks of the program", async () => {
  const out = folder.path("collects.out");
  const program = folder.path("collects.mjs");
  // Recorded by itself: Node's hooks tell of every callback then, also of those that hand out the reports.
  writeFileSync(
    program,
    `import { start, stop } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
    start(${JSON.stringify(out)});
    let kept = [], rounds = 0;
    const timer = setInterval(() => {
      kept = Array.from({ length: 100_000 }, (_, i) => ({ i }));
      if (++rounds < 20) return;
      clearInterval(timer);
      stop();
    }, 5);`,
  );
  assert.equal((await runNode([program])).stderr, "");
  const { text } = contents(out);
  assert.match(text, /GC scavenge/);
  assert.match(text, /setInterval in /);
  assert.doesNotMatch(text, /immediate callback/);
});
