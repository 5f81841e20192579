import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, run } from "./program.test.util.ts";

const PROGRAM = `import assert from "node:assert";
const get = async () => 1;
try { assert(await get() === 2); } catch (e) { console.log(e.message, e.stack.split("\\n").slice(0, 4).join("\\n")); }
try {
  assert.ok((await get()) > 1 &&
    await get());
} catch (e) { console.log(e.message); }
`;

test("a failed assert.ok quotes its call as it was written", async (t) => {
  const folder = folderOf(t, { "main.mjs": PROGRAM });
  const plain = await run(folder, ["main.mjs"], null);
  const got = await run(folder, ["main.mjs"], { mode: "quiet" });
  assert.equal(got.stderr, plain.stderr);
  assert.doesNotMatch(got.stdout, /__runtrace/);
  // Node 20 looks for the call in the file: docs/transparency.md.
  if (process.version.startsWith("v20.")) return;
  assert.equal(got.stdout, plain.stdout);
});
