import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { judged } from "../testing/go.ts";
import { projectRoot } from "../testing/project.ts";
import { runCommand } from "../testing/record.ts";
import { Suite, assertOwnActivations, regionsIn, testsIn } from "../testing/suites.ts";

const CLI = join(projectRoot(), "dist", "cli.js");
const folder = mkdtempSync(join(tmpdir(), "runtrace-tests-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const FILES: Readonly<Record<string, string>> = {
  "a.test.mjs": `import test, { describe, it, todo } from "node:test";
import assert from "node:assert";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
test("waits", async () => { await sleep(20); });
test("fails", async () => { await sleep(1); assert.equal(1, 2); });
test("throws", () => { throw new Error("on purpose"); });
test("calls back", (t, done) => { setTimeout(done, 5); });
test("throws at once", (t, done) => { throw new Error("before"); });
test("never calls back", { timeout: 50 }, (t, done) => { setTimeout(() => {}, 300); });
test("has parts", async (t) => { await Promise.all([t.test("one", () => sleep(5)), t.test("two", () => sleep(5))]); });
test("is skipped", { skip: true }, () => {});
todo("is to do", () => { throw new Error("not yet"); });
test(async function itsOwnName() { await sleep(1); });
describe("suite", () => { it("has a test", async () => { await sleep(2); }); });
`,
  "b.test.cjs": `const test = require("node:test");
const { it } = require("node:test");
test("required", async () => { await null; });
it("named", () => {});
`,
};
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);

const TITLES = [
  "calls back",
  "fails",
  "has parts",
  "has parts > one",
  "has parts > two",
  "is to do",
  "itsOwnName",
  "named",
  "never calls back",
  "required",
  "suite > has a test",
  "throws",
  "throws at once",
  "waits",
];

/** TAP without times and Node's own frames: results, places of tests and errors, the program's part of stacks. */
function results(text: string): string[] {
  return text.split("\n").filter((line) => !/duration_ms|\(node:/.test(line));
}

/** Types of the tasks of a trace. */
function tasksOf(file: string): string[] {
  return [...judged(file).matchAll(/ TaskBegin .*Type="([^"]*)"/g)].map(([, type = ""]) => type);
}

test("runtrace test records each test as a task, and its results are those without", async () => {
  const command = ["node", "--test", "--test-reporter", "tap", ...Object.keys(FILES)];
  const env = { NODE_TEST_CONTEXT: undefined };
  const plain = await runCommand(process.execPath, command.slice(1), { cwd: folder, env });
  const traced = await runCommand(process.execPath, [CLI, "test", "--cpu", "off", "--", ...command], {
    cwd: folder,
    env,
  });
  assert.equal(traced.code, plain.code, traced.stderr);
  assert.ok(results(plain.stdout).length > 10, plain.stdout);
  assert.match(plain.stdout, /location: '[^']*a\.test\.mjs:\d+:\d+'/);
  assert.deepEqual(results(traced.stdout), results(plain.stdout));
  const tasks: string[] = [];
  for (let i = 0; i < 3; i++) tasks.push(...tasksOf(join(folder, i === 0 ? "trace.out" : `trace.out.${i}`)));
  assert.equal(existsSync(join(folder, "trace.out.3")), false);
  assert.deepEqual(tasks.toSorted(), TITLES);
});

test("what a test starts belongs to its task", async () => {
  const file = join(folder, "one.out");
  const program = join(folder, "one.test.mjs");
  const entry = JSON.stringify(new URL("../index.js", import.meta.url).href);
  writeFileSync(
    program,
    `import { test } from "node:test";
import * as trace from ${entry};
test("outer", async () => { await null; await trace.withRegion("inner", async () => { await null; }); trace.log("seen", "yes"); });
`,
  );
  const { code, stderr } = await runCommand(
    process.execPath,
    [CLI, "test", "-o", file, "--cpu", "off", "--", program],
    { cwd: folder, env: { NODE_TEST_CONTEXT: undefined } },
  );
  assert.equal(code, 0, stderr);
  const text = judged(file);
  const id = / TaskBegin .*ID=(\d+) .*Type="outer"/.exec(text)?.[1];
  assert.ok(id !== undefined, text);
  assert.match(text, new RegExp(` Log .*Task=${id} Category="seen" Message="yes"`));
  assert.match(text, new RegExp(` RegionBegin .*Task=${id} .*Type="inner"`));
});

test("a test tells its file and outcome, and hooks are regions", async () => {
  const suite = new Suite({
    "c.test.mjs": `import test, { after, afterEach, before, beforeEach, describe } from "node:test";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
before(async function setUp() { await sleep(1); });
beforeEach((t, done) => { setTimeout(done, 1); });
afterEach(() => {});
after(() => {});
test("passes", async () => { await sleep(1); });
test("fails", () => { throw new Error("on purpose"); });
test("takes too long", { timeout: 30 }, () => sleep(400));
test("skips itself", (t) => { t.skip(); });
test("never runs", { skip: true }, () => {});
test("is to do", { todo: true }, () => { throw new Error("not yet"); });
describe("suite", () => { test("has a part that fails", async (t) => { await t.test("part", () => { throw new Error("part"); }); }); });
`,
  });
  const { code, stderr } = await suite.run(["node", "c.test.mjs"], ["test", "-o", "c.out", "--cpu", "off"]);
  assert.equal(code, 1, stderr);
  const models = suite.traces("c.out");
  const tests = testsIn(models);
  assert.deepEqual(
    tests.map(({ title, file, outcome }) => [title, file, outcome]),
    [
      ["fails", "c.test.mjs", "failed"],
      ["is to do", "c.test.mjs", "failed"],
      ["passes", "c.test.mjs", "passed"],
      ["skips itself", "c.test.mjs", "skipped"],
      ["suite > has a part that fails", "c.test.mjs", "failed"],
      ["suite > has a part that fails > part", "c.test.mjs", "failed"],
      ["takes too long", "c.test.mjs", "timed out"],
    ],
  );
  assertOwnActivations(tests);
  const regions = regionsIn(models);
  assert.equal(regions["before setUp"], 1);
  assert.equal(regions["after"], 1);
  assert.ok((regions["beforeEach"] ?? 0) >= 7);
});

test("--on-failure keeps the traces of processes in which a test failed", async () => {
  const suite = new Suite({
    "a.test.mjs": `import test from "node:test"; test("passes", () => {}); test("is to do", { todo: true }, () => { throw new Error("not yet"); });`,
    "b.test.mjs": `import test from "node:test"; test("fails", () => { throw new Error("on purpose"); });`,
    "c.test.mjs": `throw new Error("cannot be loaded");`,
  });
  const options = ["test", "--on-failure", "--cpu", "off", "-o"];
  const both = await suite.run(["node", "--test", "a.test.mjs", "b.test.mjs"], [...options, "both.out"]);
  assert.equal(both.code, 1, both.stderr);
  const kept = readdirSync(suite.folder).filter((name) => name.startsWith("both.out"));
  assert.equal(kept.length, 1);
  const good = await suite.run(["node", "--test", "a.test.mjs"], [...options, "good.out"]);
  assert.equal(good.code, 0, good.stderr);
  const broken = await suite.run(["node", "c.test.mjs"], [...options, "broken.out"]);
  assert.equal(broken.code, 1);
  const files = readdirSync(suite.folder);
  assert.ok(!files.some((name) => name.startsWith("good.out")));
  assert.ok(files.includes("broken.out"));
});
