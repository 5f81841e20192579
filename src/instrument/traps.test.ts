import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { projectRoot } from "../testing/project.ts";
import { named, strip, transform } from "./transform.ts";
import { RUNTIME } from "./traps.test.util.ts";

const FIXTURES = join(projectRoot(), "test", "fixtures", "instrument");
const RUNNER = fileURLToPath(new URL("./traps.test.util.js", import.meta.url));
const run = promisify(execFile);

/** Files whose functions are all left alone on purpose. */
const LEFT_ALONE = new Set(["generators-untouched.mjs"]);

/** What a run printed, by program. */
async function outputs(folder: string, mode: string): Promise<{ by: Map<string, string>; stderr: string }> {
  const { stdout, stderr } = await run(process.execPath, ["--no-warnings", RUNNER, folder, mode]);
  const by = new Map<string, string>();
  for (const part of stdout.split(/^== /m).slice(1)) {
    const end = part.indexOf("\n");
    by.set(part.slice(0, end), part.slice(end + 1));
  }
  return { by, stderr };
}

test("trap programs do the same, transformed or not", async (t) => {
  const base = mkdtempSync(join(tmpdir(), "runtrace-traps-"));
  t.after(() => rmSync(base, { recursive: true }));
  const plain = join(base, "plain");
  const other = join(base, "other");
  cpSync(FIXTURES, plain, { recursive: true });
  cpSync(FIXTURES, other, { recursive: true });
  let programs = 0;
  for (const name of readdirSync(other, { recursive: true, encoding: "utf8" })) {
    if (!/\.[cm]js$/.test(name)) continue;
    const source = readFileSync(join(other, name), "utf8");
    const module = name.endsWith(".mjs") ? "esm" : "cjs";
    const result = transform(source, { module, runtime: RUNTIME });
    programs++;
    if (LEFT_ALONE.has(name)) {
      assert.equal(result, null, name);
      continue;
    }
    assert.ok(result !== null, `${name} was not transformed`);
    assert.equal(strip(result.code), source, name);
    assert.equal(result.code.split("\n").length, source.split("\n").length, name);
    writeFileSync(join(other, name), named(result, name));
  }
  assert.ok(programs >= 75, `ran only ${programs} programs`);

  const [wanted, quiet, noting] = await Promise.all([
    outputs(plain, "plain"),
    outputs(other, "quiet"),
    outputs(other, "noting"),
  ]);
  assert.equal(wanted.stderr, "");
  assert.equal(quiet.stderr, "");
  for (const [name, want] of wanted.by) {
    await t.test(name, () => {
      assert.notEqual(want, "");
      assert.equal(quiet.by.get(name), want, "while nothing records");
      assert.equal(noting.by.get(name), want, "while everything is noted");
    });
  }
  const counts = JSON.parse(noting.stderr) as Record<string, number>;
  for (const what of [
    "module",
    "call",
    "end",
    "block",
    "resume",
    "caught",
    "tail",
    "iterate",
    "produce",
    "next",
    "settler",
    "executed",
  ]) {
    assert.ok((counts[what] ?? 0) > 0, `${what} was never noted`);
  }
  assert.equal(counts["unseen"], 1, "only a catch clause's pattern may suspend before it says that it runs");
});
