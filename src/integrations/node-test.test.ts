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

const FAILURES = `
describe("outer", () => { it("fails", () => { throw new Error("no"); }); });
describe("hook", () => { before(async () => { throw new Error("before"); }); it("never begins", () => {}); });
const f = async () => { await null; }; it("late", async () => { await null; throw "text"; });
describe("each", () => { beforeEach(() => { throw new Error("before each"); }); it("never begins", () => {}); });
describe("last", () => { after((t, done) => { throw new Error("after"); }); it("passes", () => {}); });
const g = async () => { await null; }; test("no error", () => { throw "text"; }); test("outer", async (t) => { await t.test("inner", () => { throw "text"; }); });
describe("no suite", () => { throw new Error("suite"); });
const h = async () => { await null; }; test("to do", { todo: true }, () => { throw new Error("not yet"); });
`;

test("what Node prints of failures is byte for byte what it prints without, but for times", async () => {
  const names = "{ after, before, beforeEach, describe, it, test }";
  const suite = new Suite({
    "f.test.mjs": `import ${names} from "node:test";${FAILURES}`,
    "f.test.cjs": `const ${names} = require("node:test");${FAILURES}`,
  });
  const command = ["node", "--test", "--test-reporter", "tap", "f.test.mjs", "f.test.cjs"];
  const plain = await suite.run(command);
  const traced = await suite.run(command, ["test", "-o", "f.out", "--cpu", "off"]);
  const timeless = (text: string): string => text.replaceAll(/duration_ms:? [\d.]+/g, "duration_ms");
  assert.equal(traced.code, 1, traced.stderr);
  assert.equal(timeless(traced.stdout), timeless(plain.stdout));
  assert.match(plain.stdout, /f\.test\.cjs:4:\d+/);
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
describe("hooked", () => { beforeEach(() => { throw new Error("hook"); }); test("never begins", () => {}); });
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
      ["hooked > never begins", "c.test.mjs", "failed"],
      ["is to do", "c.test.mjs", "todo"],
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
    "d.test.mjs": `import test, { beforeEach } from "node:test"; beforeEach(() => { throw new Error("on purpose"); }); test("never begins", () => {});`,
    "e.test.mjs": `import test, { after, describe } from "node:test"; describe("suite", () => { after(() => { throw new Error("on purpose"); }); test("passes", () => {}); });`,
    "f.test.mjs": `import test from "node:test"; test("fails", () => { throw new Error("on purpose"); });`,
  });
  const options = ["test", "--on-failure", "--cpu", "off", "-o"];
  const both = await suite.run(["node", "--test", "a.test.mjs", "b.test.mjs"], [...options, "both.out"]);
  assert.equal(both.code, 1, both.stderr);
  const kept = readdirSync(suite.folder).filter((name) => name.startsWith("both.out"));
  assert.equal(kept.length, 1);
  const hooks = await suite.run(
    ["node", "--test", "a.test.mjs", "d.test.mjs", "e.test.mjs", "f.test.mjs"],
    [...options, "hooks.out"],
  );
  assert.equal(hooks.code, 1, hooks.stderr);
  assert.equal(readdirSync(suite.folder).filter((name) => name.startsWith("hooks.out")).length, 3);
  const good = await suite.run(["node", "--test", "a.test.mjs"], [...options, "good.out"]);
  assert.equal(good.code, 0, good.stderr);
  const broken = await suite.run(["node", "c.test.mjs"], [...options, "broken.out"]);
  assert.equal(broken.code, 1);
  const files = readdirSync(suite.folder);
  assert.ok(!files.some((name) => name.startsWith("good.out")));
  assert.ok(files.includes("broken.out"));
});
