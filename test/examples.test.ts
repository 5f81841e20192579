/** The examples do what they say, as their README runs them. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { judged } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";
import { runCommand } from "#dist/testing/record.js";

const EXAMPLES = join(projectRoot(), "examples");
const REGISTER = join(projectRoot(), "dist", "register.js");
const folder = mkdtempSync(join(tmpdir(), "runtrace-examples-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an example in an empty folder; answers what it printed and where it left its files. */
async function run(
  name: string,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; file: (name: string) => string }> {
  const cwd = mkdtempSync(join(folder, "run-"));
  const { code, stdout, stderr } = await runCommand(process.execPath, [...options, join(EXAMPLES, name)], {
    cwd,
    env,
  });
  assert.deepEqual([code, stderr], [0, ""]);
  return { stdout, file: (of) => join(cwd, of) };
}

test("cappuccino.mjs: tasks, regions and logs; without a recording just coffee", async () => {
  const alone = await run("cappuccino.mjs");
  assert.equal(existsSync(alone.file("trace.out")), false);
  const { stdout, file } = await run("cappuccino.mjs", ["--import", REGISTER]);
  assert.equal(stdout, alone.stdout);
  const text = judged(file("trace.out"));
  for (const [what, times] of [
    [/ TaskBegin .*Type="makeCappuccino"/g, 3],
    [/ RegionBegin .*Type="(?:steamMilk|extractCoffee|mixMilkCoffee)"/g, 9],
    [/ Log .*Category="orderID"/g, 3],
  ] as const)
    assert.equal(text.match(what)?.length, times, String(what));
});

test("start-stop.mjs: only what is in between", async () => {
  const { file } = await run("start-stop.mjs");
  const text = judged(file("trace.out"));
  assert.match(text, /Type="recorded"/);
  assert.doesNotMatch(text, /Type="not recorded"/);
});

test("flight-recorder.mjs: the seconds before a slow order, and who held up the loop", async () => {
  const { stdout, file } = await run("flight-recorder.mjs", ["--import", REGISTER], {
    RUNTRACE_MODE: "dormant",
  });
  assert.match(stdout, /order 7 was slow: slow-order.out has the seconds before/);
  assert.ok(judged(file("slow-order.out")).match(/ TaskBegin .*Type="order"/g)!.length >= 7);
  assert.match(judged(file("lag-1.out")), /countBeansForTooLong @/);
  assert.ok(readdirSync(file(".")).length <= 1 + 3);
});
