/** A file of 100 MB of usual generations is read in the memory of one generation and of Node itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeLargeTrace } from "#dist/testing/large-trace.js";
import { projectRoot } from "#dist/testing/project.js";

const FILE_SIZE = 100e6;
const MOST = 250 * 2 ** 20;

const folder = mkdtempSync(join(tmpdir(), "runtrace-memory-"));
const file = join(folder, "large.trace");
after(() => rmSync(folder, { recursive: true, force: true }));

/** Peak resident memory of the command line, in bytes. */
function peakOf(...args: readonly string[]): number {
  const tell = `import { readFileSync } from "node:fs";
    process.on("exit", () => console.error(/VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]));`;
  const preload = `data:text/javascript,${encodeURIComponent(tell)}`;
  const cli = join(projectRoot(), "dist", "cli.js");
  const done = spawnSync(process.execPath, ["--import", preload, cli, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  assert.equal(done.status, 0, done.stderr);
  return Number(done.stderr.trim()) * 1024;
}

test("100 MB of generations are read in 250 MiB", { skip: process.platform !== "linux" }, (t) => {
  writeLargeTrace(file, FILE_SIZE);
  for (const args of [
    ["check", file],
    ["dump", file, "--format", "parsed"],
  ]) {
    const peak = peakOf(...args);
    t.diagnostic(`${args[0]}: ${(peak / 2 ** 20).toFixed(0)} MiB`);
    assert.ok(peak < MOST, `${args[0]}: got ${(peak / 2 ** 20).toFixed(0)} MiB, want at most 250`);
    assert.ok(peak > 20 * 2 ** 20);
  }
});
