/**
 * Programs with planted forks, awaits, wakers and annotations. Each ends with a comment `truth` that says what its trace
 * must say, in the words of `tell`: nothing more and nothing less, but for lines that begin with "?", which may be absent.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { judged } from "#dist/testing/go.js";
import { fixture } from "#dist/testing/fixtures.js";
import { projectRoot } from "#dist/testing/project.js";
import { RECORDINGS, runCommand } from "#dist/testing/record.js";
import { tell } from "./truth.test.util.ts";
import type { Truth } from "./truth.test.util.ts";

const CLI = join(projectRoot(), "dist", "cli.js");
/** The machine may be busy: waits are longer then, and what is left of others that began earlier is shorter. */
const SLACK_MS = 500;

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

for (const name of readdirSync(folder).filter((file) => /\.[cm]?[jt]s$/.test(file))) {
  test(`the trace of ${name} is true`, async () => {
    const program = join(folder, name);
    const truth = /\/\* truth\n([^]*)\*\/\s*$/.exec(readFileSync(program, "utf8"))?.[1];
    assert.ok(truth !== undefined, `${name} has no truth`);
    let found: string[] = [];
    let all = "";
    for (let left = RECORDINGS; left > 0; left--) {
      const told = await recorded(name, program);
      all = told.text;
      found = differences(
        all.split("\n"),
        truth.split("\n").filter((line) => line.trim() !== ""),
      );
      if (found.length === 0) break;
    }
    assert.deepEqual(found, [], `${found.join("\n")}\n\nin all:\n${all}`);
  });
}

/** What the program's trace says; throws where it is not legal, lacks stacks, or has states that do not follow. */
async function recorded(name: string, program: string): Promise<Truth> {
  const at = mkdtempSync(join(tmpdir(), "runtrace-truth-"));
  try {
    const file = join(at, "trace.out");
    const options = ["--cpu", "off", "--exclude", "**/node_modules/**", "-o", file];
    const node = name.endsWith("ts") ? ["node", "--import", "tsx", program] : ["node", program];
    const run = await runCommand(process.execPath, [CLI, "run", ...options, "--", ...node]);
    assert.equal(run.code, 0, run.stderr);
    const dump = await runCommand(process.execPath, [CLI, "dump", "--format", "parsed", file]);
    assert.equal(dump.code, 0, dump.stderr);
    assert.equal(dump.stdout, judged(file));
    const told = tell(dump.stdout);
    assert.deepEqual(told.broken, [], "states do not follow each other");
    assert.ok(told.bare <= told.events / 20, `got ${told.bare} of ${told.events} events without a stack`);
    return told;
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}
