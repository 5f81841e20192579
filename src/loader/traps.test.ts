import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { projectRoot } from "../testing/project.ts";
import { folderOf, run } from "./program.test.util.ts";

const FIXTURES = join(projectRoot(), "test", "fixtures", "instrument");
const RUNNER = fileURLToPath(new URL("../instrument/traps.test.util.js", import.meta.url));

/** What a run printed, by program. */
function byProgram(stdout: string): Map<string, string> {
  const parts = stdout.split(/^== /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part]));
}

test("trap programs do the same through the loader, and a second time from its cache", async (t) => {
  const folder = folderOf(t, {});
  const args = ["--no-warnings", RUNNER, FIXTURES, "plain"];
  const cache = join(folder, "cache");
  const plain = await run(folder, args, null);
  assert.equal(plain.stderr, "");
  for (const mode of ["quiet", "noting"] as const) {
    const got = await run(folder, args, { mode, cache });
    assert.equal(got.stderr, "", mode);
    assert.equal(got.end, plain.end);
    const programs = byProgram(got.stdout);
    for (const [name, want] of byProgram(plain.stdout)) {
      await t.test(`${name}, ${mode}`, () => assert.equal(programs.get(name), want));
    }
    assert.equal(programs.size, byProgram(plain.stdout).size);
  }
});
