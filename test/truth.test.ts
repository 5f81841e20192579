/**
 * Programs with planted forks, awaits, wakers and annotations. Each ends with a comment `truth` that says what its trace
 * must say, in the words of `tell`: nothing more and nothing less, but for lines that begin with "?", which may be absent.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { goTool, parsed } from "#dist/testing/go.js";
import { fixture } from "#dist/testing/fixtures.js";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand } from "#dist/testing/record.js";
import { tell } from "./truth.test.util.ts";

const CLI = join(projectRoot(), "dist", "cli.js");
/** The machine may be busy: waits are longer then, and what is left of others that began earlier is shorter. */
const SLACK_MS = 250;

const MS = /^( +.*?) (\d+) in /;

/** Whether the lines are those wanted, as far as waits that are longer count as the same. */
function differences(got: readonly string[], want: readonly string[]): string[] {
  const found: string[] = [];
  let at = 0;
  for (const line of want) {
    const optional = line.startsWith("?");
    const wanted = optional ? line.slice(1) : line;
    if (at < got.length && isSame(got[at]!, wanted)) at++;
    else if (!optional) found.push(`want ${wanted}`, `got  ${got[at++] ?? "nothing"}`);
  }
  for (; at < got.length; at++) found.push(`got  ${got[at]}`);
  return found;
}

function isSame(got: string, want: string): boolean {
  const [, , gotMs] = MS.exec(got) ?? [];
  const [, , wantMs] = MS.exec(want) ?? [];
  if (gotMs === undefined || wantMs === undefined) return got === want;
  const longer = Number(gotMs) - Number(wantMs);
  return (
    got.replace(MS, "$1 in ") === want.replace(MS, "$1 in ") &&
    longer >= -Number(wantMs) / 2 &&
    longer <= SLACK_MS
  );
}

const folder = fixture("truth");
/**
 * A busy machine stretches the programs' sleeps until they meet others: a trace that is not as planted is recorded again,
 * up to this often. What is wrong by rule is wrong each time.
 */
const RECORDINGS = 4;

for (const name of readdirSync(folder).filter((file) => /\.[cm]?[jt]s$/.test(file))) {
  test(`the trace of ${name} is true`, async () => {
    const program = join(folder, name);
    const truth = /\/\* truth\n([^]*)\*\/\s*$/.exec(readFileSync(program, "utf8"))?.[1];
    assert.ok(truth !== undefined, `${name} has no truth`);
    for (let left = RECORDINGS - 1; ; left--) {
      try {
        await judge(name, program, truth);
        return;
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  });
}

/** Records the program and throws where its trace is not what `truth` says, or not legal. */
async function judge(name: string, program: string, truth: string): Promise<void> {
  const at = mkdtempSync(join(tmpdir(), "runtrace-truth-"));
  try {
    const file = join(at, "trace.out");
    const options = ["--cpu", "off", "--exclude", "**/node_modules/**", "-o", file];
    const node = name.endsWith("ts") ? ["node", "--import", "tsx", program] : ["node", program];
    const run = await runCommand(process.execPath, [CLI, "run", ...options, "--", ...node]);
    assert.equal(run.code, 0, run.stderr);
    const dump = await runCommand(process.execPath, [CLI, "dump", "--format", "parsed", file]);
    assert.equal(dump.code, 0, dump.stderr);
    if (goTool() !== null) {
      const verdict = parsed(file);
      assert.ok(verdict.ok, verdict.stderr);
      assert.equal(dump.stdout, verdict.stdout);
    }
    const { text, events, bare, unequal } = tell(dump.stdout);
    const want = truth.split("\n").filter((line) => line.trim() !== "");
    const got = text.split("\n");
    const found = differences(got, want);
    assert.deepEqual(found, [], `${found.join("\n")}\n\nin all:\n${text}`);
    assert.deepEqual(unequal, [], "states do not sum to the lifetime");
    assert.ok(bare <= events / 20, `got ${bare} of ${events} events without a stack`);
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}
