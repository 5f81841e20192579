/**
 * Published packages that carry their tests: as many pass recorded as without us, by the package's own runner. What
 * they test is what programs do with promises, timers, streams, sockets, signals and processes.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { judged } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand } from "#dist/testing/record.js";
import type { Outcome } from "#dist/testing/record.js";

const PACKAGES = join(projectRoot(), "test", "packages", "node_modules");
const CLI = join(projectRoot(), "dist", "cli.js");
const TAPE = join(PACKAGES, "tape", "bin", "tape");
const NODE_TEST = ["--test", "--test-reporter=tap", "--test-concurrency=2"];

interface Case {
  readonly name: string;
  /** Arguments of `node`, relative to the package. */
  readonly command: readonly string[];
  /** How many tests or assertions the runner counts, at least. */
  readonly atLeast: number;
}

/** Test files of a package by their names. */
function files(name: string, matching: RegExp): string[] {
  if (!existsSync(join(PACKAGES, name))) return [];
  return readdirSync(join(PACKAGES, name, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => matching.test(file))
    .map((file) => join("test", file))
    .sort();
}

const CASES: readonly Case[] = [
  { name: "fastq", command: [TAPE, "test/test.js", "test/promise.js"], atLeast: 274 },
  { name: "abstract-level", command: ["test/self.js"], atLeast: 6795 },
  { name: "close-with-grace", command: [TAPE, "test/close.test.js"], atLeast: 441 },
  // Its tests of time-outs race them against 10 ms of loading, which a busy machine loses.
  { name: "avvio", command: [...NODE_TEST, ...files("avvio", /^(?!.*timeout).*\.test\.js$/)], atLeast: 317 },
  // drain-toxiproxy needs a proxy of its own.
  {
    name: "aedes",
    command: [...NODE_TEST, ...files("aedes", /^(?!drain-toxiproxy)[\w-]+\.c?js$/)],
    atLeast: 371,
  },
];

/** What a TAP summary says, by its words: tests, pass, fail, skipped, … */
function counts({ stdout, stderr }: Outcome): Record<string, number> {
  const found = [...stdout.matchAll(/^# (tests|pass|fail|cancelled|skipped|todo)\s+(\d+)$/gm)];
  assert.ok(found.length > 0, `got no summary of tests:\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
  return Object.fromEntries(found.map(([, word, number]) => [word, Number(number)]));
}

const failures = ({ stdout }: Outcome): string[] => stdout.match(/^\s*not ok .*/gm) ?? [];

for (const { name, command, atLeast } of CASES) {
  test(`as many tests of ${name} pass recorded as without us`, async (t) => {
    const cwd = join(PACKAGES, name);
    if (!existsSync(cwd)) return t.skip("the packages are not installed");
    const folder = mkdtempSync(join(tmpdir(), "runtrace-test-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const run = (args: readonly string[]): Promise<Outcome> =>
      runCommand("env", ["-u", "NODE_TEST_CONTEXT", process.execPath, ...args], { cwd });
    const plain = await run(command);
    const recorded = await run([CLI, "run", "-o", join(folder, "trace.out"), "--", "node", ...command]);
    assert.ok((counts(plain)["tests"] ?? 0) >= atLeast, `${counts(plain)["tests"]} tests`);
    assert.deepEqual(
      { ...counts(recorded), failures: failures(recorded), code: recorded.code },
      { ...counts(plain), failures: failures(plain), code: plain.code },
    );
    const traces = readdirSync(folder);
    assert.ok(traces.length > 0);
    for (const trace of traces) judged(join(folder, trace));
  });
}
