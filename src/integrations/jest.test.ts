import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../testing/project.ts";
import {
  HOOKED_TESTS,
  Suite,
  assertOwnActivations,
  hookedFiles,
  regionsIn,
  testsIn,
  withoutNode,
} from "../testing/suites.ts";

const ENTRY = JSON.stringify(join(projectRoot(), "dist", "jest.cjs"));
const JEST = [join(projectRoot(), "node_modules", ".bin", "jest"), "--json", "--no-watchman", "--no-cache"];

const suite = new Suite({
  "package.json": "{}",
  "jest.config.cjs": `module.exports = { cacheDirectory: "cache", setupFilesAfterEnv: process.env.SETUP ? [${ENTRY}] : [] };`,
  "work.js": `exports.work = async function work() { await Promise.all([part(1), part(2)]); };
async function part(ms) { await new Promise((resolve) => setTimeout(resolve, ms)); }
`,
  "a.test.js": `const { work } = require("./work.js");
const trace = require(${ENTRY});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
beforeAll(async () => { await sleep(2); });
beforeEach((done) => { setTimeout(done, 1); });
test("waits", async () => { await sleep(5); await work(); trace.log("seen", "waits"); });
test("fails", async () => { await sleep(1); expect(1).toBe(2); });
test("throws", () => { work.missing(); });
test("tells its text", () => { expect(work.toString()).toBe(""); });
test("takes too long", async () => { await sleep(400); }, 30);
test.failing("fails as it should", async () => { throw new Error("on purpose"); });
xtest("never runs", () => {});
test("calls back", (done) => { setTimeout(() => { trace.log("seen", "called"); done(); }, 3); });
test("generates", function* () { yield sleep(3); });
let open;
const opened = new Promise((resolve) => { open = resolve; });
describe("together", () => {
  test.concurrent("one", async () => { await opened; trace.log("seen", "one"); });
  test.concurrent("two", async () => { await sleep(1); open(); trace.log("seen", "two"); });
});
`,
  "b.test.js": `test("other", async () => { await new Promise((resolve) => setTimeout(resolve, 1)); throw new Error("other"); });
`,
});

const EXPECTED = [
  ["calls back", "a.test.js", "passed", ["called"]],
  ["fails", "a.test.js", "failed", []],
  ["fails as it should", "a.test.js", "passed", []],
  ["generates", "a.test.js", "passed", []],
  ["other", "b.test.js", "failed", []],
  ["takes too long", "a.test.js", "timed out", []],
  ["tells its text", "a.test.js", "failed", []],
  ["throws", "a.test.js", "failed", []],
  ["together > one", "a.test.js", "passed", ["one"]],
  ["together > two", "a.test.js", "passed", ["two"]],
  ["waits", "a.test.js", "passed", ["waits"]],
];

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** What jest's own report says, without durations. */
function results(stdout: string): unknown[] {
  const { testResults } = JSON.parse(stdout) as Report;
  return testResults
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status, failureMessages }) => [
        fullName,
        status,
        failureMessages.map(withoutNode),
      ]),
    );
}

for (const [name, options] of [
  ["in one process", ["--runInBand"]],
  ["in workers", ["--maxWorkers", "2"]],
] as const) {
  test(`each test of jest is a task, and its results are those without: ${name}`, async () => {
    const command = [...JEST, ...options];
    const plain = await suite.run(command);
    const traced = await suite.run(command, ["test", "-o", `${options[0]}.out`, "--cpu", "off"]);
    assert.equal(plain.code, 1, plain.stderr);
    assert.equal(traced.code, plain.code, traced.stderr);
    assert.equal(results(plain.stdout).length, EXPECTED.length + 1, plain.stdout);
    assert.deepEqual(results(traced.stdout), results(plain.stdout));
    const models = suite.traces(`${options[0]}.out`);
    const tests = testsIn(models);
    assert.deepEqual(
      tests.map(({ title, file, outcome, seen }) => [title, file, outcome, seen]),
      EXPECTED,
    );
    assertOwnActivations(tests);
    assert.deepEqual(regionsIn(models), { beforeAll: 1, beforeEach: 8 });
  });
}

test("setupFilesAfterEnv: runtrace/jest makes tests tasks of a recording, and changes nothing without one", async () => {
  const env = ["env", "SETUP=1"];
  const command = [...JEST, "--runInBand"];
  const plain = await suite.run(command);
  const loaded = await suite.run([...env, ...command]);
  assert.deepEqual(results(loaded.stdout), results(plain.stdout));
  const traced = await suite.run(
    [...env, ...command],
    ["run", "--children", "-o", "setup.out", "--cpu", "off"],
  );
  assert.equal(traced.code, plain.code, traced.stderr);
  assert.deepEqual(results(traced.stdout), results(plain.stdout));
  assert.deepEqual(
    testsIn(suite.traces("setup.out")).map(({ title, outcome }) => [title, outcome]),
    EXPECTED.map(([title, , outcome]) => [title, outcome]),
  );
});

test("a test that a hook of its own fails has failed", async () => {
  const hooked = new Suite({
    "package.json": "{}",
    "jest.config.cjs": `module.exports = { cacheDirectory: "cache" };`,
    ...hookedFiles(),
  });
  const { code, stderr } = await hooked.run(
    [...JEST, "--runInBand"],
    ["test", "-o", "h.out", "--cpu", "off"],
  );
  assert.equal(code, 1, stderr);
  assert.deepEqual(
    testsIn(hooked.traces("h.out")).map(({ title, file, outcome }) => [title, file, outcome]),
    HOOKED_TESTS,
  );
});
