import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { projectRoot } from "../testing/project.ts";
import { Suite, assertOwnActivations, regionsIn, testsIn, withoutNode } from "../testing/suites.ts";

const ENTRY = join(projectRoot(), "dist", "mocha.js");
const TRACE = JSON.stringify(pathToFileURL(join(projectRoot(), "dist", "index.js")).href);

const suite = new Suite({
  "a.test.mjs": `import assert from "node:assert";
import * as trace from ${TRACE};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
before(async function setUp() { await sleep(2); });
beforeEach((done) => { setTimeout(done, 1); });
it("waits", async () => { await sleep(5); await null; trace.log("seen", "waits"); });
it("is sync", () => { trace.log("seen", "sync"); });
it("fails", async () => { await sleep(1); assert.equal(1, 2); });
it("throws", () => { assert.equal(1, 2); });
it("takes too long", async function () { this.timeout(30); await sleep(400); });
it("calls back", (done) => { setTimeout(() => { trace.log("seen", "called"); done(); }, 3); });
it("is next", (done) => { setTimeout(() => done(new Error("bad")), 3); });
it("throws later", (done) => { setTimeout(() => { throw new Error("loose"); }, 3); });
it("skips itself", function () { this.skip(); });
it("skips itself later", async function () { await null; this.skip(); });
xit("never runs", () => {});
describe("suite", () => {
  let tries = 0;
  it("is flaky", async function () { this.retries(2); await sleep(1); if (tries++ < 1) throw new Error("first"); });
});
`,
});
const MOCHA = ["mocha", "--reporter", "json", "a.test.mjs"];
const EXPECTED = [
  ["calls back", "passed", ["called"]],
  ["fails", "failed", []],
  ["is next", "failed", []],
  ["is sync", "passed", ["sync"]],
  ["skips itself", "skipped", []],
  ["skips itself later", "skipped", []],
  ["suite > is flaky", "failed", []],
  ["suite > is flaky", "passed", []],
  ["takes too long", "timed out", []],
  ["throws", "failed", []],
  ["throws later", "failed", []],
  ["waits", "passed", ["waits"]],
];

interface Report {
  readonly tests: readonly {
    readonly fullTitle: string;
    readonly currentRetry: number;
    readonly err: { readonly message?: string; readonly stack?: string };
  }[];
}

/** What mocha's own report says, without durations. */
function results(stdout: string): unknown {
  const { tests } = JSON.parse(stdout) as Report;
  return tests.map(({ fullTitle, currentRetry, err }) => [
    fullTitle,
    currentRetry,
    err.message,
    withoutNode(err.stack ?? ""),
  ]);
}

for (const [name, recorded, options] of [
  ["runtrace test", ["test"], []],
  ["--require runtrace/mocha", ["run"], ["--require", ENTRY]],
] as const) {
  test(`${name}: each test of mocha is a task, and its results are those without`, async () => {
    const command = [join(projectRoot(), "node_modules", ".bin", "mocha"), ...MOCHA.slice(1)];
    const plain = await suite.run(command);
    const traced = await suite.run([...command, ...options], [...recorded, "-o", "m.out", "--cpu", "off"]);
    assert.equal(traced.code, plain.code, traced.stderr);
    assert.deepEqual(results(traced.stdout), results(plain.stdout));
    const models = suite.traces("m.out");
    const tests = testsIn(models);
    assert.deepEqual(
      tests.map(({ title, outcome, seen }) => [title, outcome, seen]).toSorted(),
      EXPECTED.toSorted(),
    );
    assert.ok(tests.every(({ file }) => file === "a.test.mjs"));
    assertOwnActivations(tests);
    // None is a part of another, whoever mocha goes on from.
    assert.ok(models.every(({ tasks }) => tasks.parent.every((parent) => parent === -1)));
    assert.deepEqual(regionsIn(models), { "before setUp": 1, beforeEach: 12 });
  });
}

test("runtrace/mocha changes nothing where nothing is recorded", async () => {
  const command = [join(projectRoot(), "node_modules", ".bin", "mocha"), ...MOCHA.slice(1)];
  const plain = await suite.run(command);
  const loaded = await suite.run([...command, "--require", ENTRY]);
  assert.equal(loaded.code, plain.code);
  assert.deepEqual(results(loaded.stdout), results(plain.stdout));
});
