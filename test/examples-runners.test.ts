import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand } from "#dist/testing/record.js";
import { testsIn, tracesOf } from "#dist/testing/suites.js";

const CLI = join(projectRoot(), "dist", "cli.js");
const BIN = join(projectRoot(), "node_modules", ".bin");
const folder = mkdtempSync(join(tmpdir(), "runtrace-examples-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Records the command of an example, in its folder; answers the trace file. */
async function record(example: string, mode: "run" | "test", command: readonly string[]): Promise<string> {
  const file = join(folder, `${example}.out`);
  const { code, stdout, stderr } = await runCommand(
    process.execPath,
    [CLI, mode, "-o", file, "--cpu", "off", "--", ...command],
    { cwd: join(projectRoot(), "examples", "runners", example), env: { NODE_TEST_CONTEXT: undefined } },
  );
  assert.equal(code, 0, stdout + stderr);
  return file;
}

for (const [example, command] of [
  ["node-test", ["node", "--test"]],
  ["mocha", [join(BIN, "mocha")]],
  ["vitest", [join(BIN, "vitest"), "run"]],
  ["jest", [join(BIN, "jest"), "--runInBand"]],
] as const) {
  test(`example: ${example}`, async () => {
    const file = await record(example, "test", command);
    const traces = tracesOf(file);
    assert.deepEqual(
      testsIn(traces).map(({ title, outcome }) => [title, outcome]),
      ["checks out", "takes an item", "waits for another"].map((title) => [`cart > ${title}`, "passed"]),
    );
    const files = traces.map((_, i) => (i === 0 ? file : `${file}.${i}`));
    const summary = await runCommand(process.execPath, [CLI, "summary", ...files]);
    const [, left = ""] = summary.stdout.split("Left behind by tests");
    assert.match(left.split("\n\n")[0]!, /cart > checks out/);
    await checkJson(files);
  });
}

/** The JSON of the traces of an example has its three tests, and who goes on to save the cart. */
async function checkJson(files: readonly string[]): Promise<void> {
  const { stdout } = await runCommand(process.execPath, [CLI, "summary", "--json", ...files]);
  const parsed = JSON.parse(stdout) as unknown;
  // The process of a runner that only directs others has no tests.
  const found = (Array.isArray(parsed) ? parsed : [parsed]).flatMap(
    ({ tests }: { tests?: JsonTests }) => tests ?? [],
  );
  assert.equal(found.length, 1);
  const { files: sums, runs, leftBehind } = found[0]!;
  assert.deepEqual(
    sums.map(({ outcomes }) => outcomes),
    [{ passed: 3, failed: 0, "timed out": 0, skipped: 0, todo: 0 }],
  );
  assert.deepEqual(
    runs.map(({ test: title, outcome }) => [title, outcome]),
    ["takes an item", "checks out", "waits for another"].map((title) => [`cart > ${title}`, "passed"]),
  );
  assert.ok(runs.every(({ file, duration }) => file === sums[0]!.file && duration > 0));
  const save = leftBehind.find(({ activation }) => activation.name === "Cart.#save");
  assert.ok(save !== undefined, stdout);
  assert.equal(save.test, "cart > checks out");
  assert.match(save.stack[0]!.file, /cart\.cjs$/);
}

interface JsonTests {
  readonly files: readonly { readonly file: string; readonly outcomes: unknown }[];
  readonly runs: readonly {
    readonly test: string;
    readonly file: string;
    readonly outcome: string;
    readonly duration: number;
  }[];
  readonly leftBehind: readonly {
    readonly test: string;
    readonly activation: { readonly name: string };
    readonly stack: readonly { readonly file: string }[];
  }[];
}

test("example: bench", async () => {
  const file = await record("bench", "run", ["bench.mjs"]);
  assert.deepEqual(
    testsIn(tracesOf(file)).map(({ title }) => title),
    ["sorts", "waits"],
  );
});
