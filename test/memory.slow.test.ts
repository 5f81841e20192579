/** A file of 100 MB of usual generations is read in the memory of one generation and of Node itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TraceWriter } from "#dist/encode/writer.js";
import { projectRoot } from "#dist/testing/project.js";

const FILE_SIZE = 100e6;
const MOST = 250 * 2 ** 20;
const THREADS = 4;
/** Goroutines a thread: they take turns, block and are unblocked. */
const GOROUTINES = 250;
const GENERATION_NS = 1e9;

const folder = mkdtempSync(join(tmpdir(), "runtrace-memory-"));
const file = join(folder, "large.trace");
after(() => rmSync(folder, { recursive: true, force: true }));

/** Goroutines that block and are unblocked, with stacks: an event each 500 ns or so on each thread. */
function writeTrace(): void {
  const fd = openSync(file, "w");
  const written = { size: 0 };
  let now = 1_000;
  const writer = new TraceWriter({
    version: 25,
    write: (bytes) => {
      written.size += writeSync(fd, bytes);
    },
    snapshot: () => ({ mono: now, wallSec: 1_700_000_000, wallNsec: 5 }),
    strict: true,
  });
  const stacks = Array.from({ length: 300 }, (_, i) =>
    writer.stack(
      Array.from({ length: 3 + (i % 20) }, (_frame, depth) => ({
        func: `main.f${i % 50}.${depth}`,
        file: `/src/f${i % 50}.go`,
        line: i + depth,
      })),
    ),
  );
  const first = (thread: number): number => 1 + thread * GOROUTINES;
  for (let thread = 0; thread < THREADS; thread++) {
    writer.procStart(thread + 1, ++now, thread);
    for (let i = 0; i < GOROUTINES; i++) writer.goCreate(thread + 1, ++now, first(thread) + i, stacks[i]!, 0);
    writer.goStart(thread + 1, ++now, first(thread));
  }
  let begun = now;
  for (let turn = 0; written.size < FILE_SIZE; turn++) {
    for (let thread = 0; thread < THREADS; thread++) {
      const next = first(thread) + ((turn + 1) % GOROUTINES);
      const stack = stacks[(turn * 7 + thread) % stacks.length]!;
      now += 400 + (turn % 97);
      if (turn >= GOROUTINES - 1) writer.goUnblock(thread + 1, now - 100, next, stack);
      writer.goBlock(thread + 1, now - 50, "chan receive", stack);
      writer.goStart(thread + 1, now, next);
    }
    if (now - begun > GENERATION_NS) {
      writer.rotate(now);
      begun = now;
    } else if (turn % 10_000 === 0) writer.flush();
  }
  writer.end();
  closeSync(fd);
}

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
  writeTrace();
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
