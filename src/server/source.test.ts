import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { sourceLines } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-source-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const root = join(folder, "app");
mkdirSync(root);
const lines = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`);
writeFileSync(join(root, "a.js"), lines.join("\n"));
writeFileSync(join(folder, "secret"), "nobody's business");
writeFileSync(join(root, "binary"), "a\0b");
symlinkSync(join(folder, "secret"), join(root, "link.js"));

test("the lines around one are told, by path and by URL", async () => {
  const want = { from: 38, lines: lines.slice(37, 62) };
  assert.deepEqual(await sourceLines(root, join(root, "a.js"), 50), want);
  assert.deepEqual(await sourceLines(root, pathToFileURL(join(root, "a.js")).href, 50), want);
  assert.deepEqual(await sourceLines(root, "a.js", 1), { from: 1, lines: lines.slice(0, 13) });
  assert.deepEqual(await sourceLines(root, "a.js", 100), { from: 88, lines: lines.slice(87) });
});

test("what is not text below the root is not told", async () => {
  for (const [file, line] of [
    ["../secret", 1],
    [join(folder, "secret"), 1],
    ["link.js", 1],
    ["binary", 1],
    [".", 1],
    ["a.js", 0],
    ["a.js", 101],
    ["nothing.js", 1],
    ["file://elsewhere/x", 1],
    ["node:events", 1],
    ["a.js\0", 1],
  ] as const)
    assert.equal(await sourceLines(root, file, line), null, file);
});
