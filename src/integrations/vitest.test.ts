import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
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

const url = (name: string): string => JSON.stringify(pathToFileURL(join(projectRoot(), "dist", name)).href);
const VITEST = [join(projectRoot(), "node_modules", ".bin", "vitest"), "run", "--reporter", "json"];

const CONFIG = `export default { cacheDir: "cache", test: { setupFiles: process.env.SETUP ? [${JSON.stringify(join(projectRoot(), "dist", "vitest.js"))}] : [] } };`;

const suite = new Suite({
  "vite.config.mjs": CONFIG,
  "work.js": `export async function work() { await Promise.all([part(1), part(2)]); }
async function part(ms) { await new Promise((resolve) => setTimeout(resolve, ms)); }
`,
  "a.test.js": `import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { work } from "./work.js";
const trace = await import(/* @vite-ignore */ ${url("index.js")});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
beforeAll(async () => { await sleep(2); });
beforeEach(() => {});
test("waits", async () => { await sleep(5); await work(); trace.log("seen", "waits"); });
test("fails", async () => { await sleep(1); expect(1).toBe(2); });
test("fails softly", () => { expect.soft(1).toBe(2); });
test("tells its text", () => { expect(work.toString()).toBe(""); });
test("takes too long", { timeout: 30 }, async () => { await sleep(400); });
test.fails("fails as it should", async () => { throw new Error("on purpose"); });
test("skips itself", (context) => { context.skip(); });
test("never runs", { skip: true }, () => {});
let open;
const opened = new Promise((resolve) => { open = resolve; });
describe.concurrent("together", () => {
  test("one", async () => { await opened; trace.log("seen", "one"); });
  test("two", async () => { await sleep(1); open(); trace.log("seen", "two"); });
});
`,
  "b.test.ts": `import { test } from "vitest";
interface Typed { readonly ms: number }
test("has types", async () => { const typed: Typed = { ms: 1 }; await new Promise<void>((resolve) => setTimeout(resolve, typed.ms)); throw new Error("typed"); });
`,
});

const EXPECTED = [
  ["fails", "a.test.js", "failed", []],
  ["fails as it should", "a.test.js", "passed", []],
  ["fails softly", "a.test.js", "failed", []],
  ["has types", "b.test.ts", "failed", []],
  ["skips itself", "a.test.js", "skipped", []],
  ["takes too long", "a.test.js", "timed out", []],
  ["tells its text", "a.test.js", "failed", []],
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

/** Text of failures without frames of vitest itself: it calls its runner's method and a test's function in different lines. */
function withoutRunner(text: string): string {
  return withoutNode(text)
    .split("\n")
    .filter((line) => !/node_modules\/@?vitest\//.test(line))
    .join("\n");
}

/** What vitest's own report says, without durations. */
function results(stdout: string): unknown[] {
  const { testResults } = JSON.parse(stdout) as Report;
  return testResults
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status, failureMessages }) => [
        fullName,
        status,
        failureMessages.map(withoutRunner),
      ]),
    );
}

for (const pool of ["forks", "threads", "vmThreads"]) {
  test(`each test of vitest is a task, and its results are those without: ${pool}`, async () => {
    const command = [...VITEST, "--pool", pool];
    const plain = await suite.run(command);
    const traced = await suite.run(command, ["test", "-o", `${pool}.out`, "--cpu", "off"]);
    assert.equal(plain.code, 1, plain.stderr);
    assert.equal(traced.code, plain.code, traced.stderr);
    assert.ok(results(plain.stdout).length === EXPECTED.length + 1, plain.stdout);
    assert.deepEqual(results(traced.stdout), results(plain.stdout));
    const models = suite.traces(`${pool}.out`);
    const tests = testsIn(models);
    assert.deepEqual(
      tests.map(({ title, file, outcome, seen }) => [title, file, outcome, seen]),
      EXPECTED,
    );
    assertOwnActivations(tests);
    assert.deepEqual(regionsIn(models), { beforeAll: 1, beforeEach: 9 });
  });
}

test("setupFiles: runtrace/vitest makes tests tasks of a recording, and changes nothing without one", async () => {
  const env = ["env", "SETUP=1"];
  // Threads: a process that vitest kills, as it does with one that is slow to end, may lose its last moments.
  const command = [...VITEST, "--pool", "threads"];
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

test("setupFiles in processes of vitest's: each has the tests of its files", async () => {
  // vitest kills a process that is slow to end, which may then lose its last moments: nothing happens in these.
  const file = (name: string): string => `import { afterAll, test } from "vitest";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
test("${name} passes", async () => { await sleep(5); });
test("${name} fails", async () => { await sleep(1); throw new Error("on purpose"); });
afterAll(() => sleep(2_000));
`;
  const forked = new Suite({
    "vite.config.mjs": CONFIG,
    "a.test.js": file("a"),
    "b.test.js": file("b"),
  });
  const command = [...VITEST, "--pool", "forks"];
  const plain = await forked.run(command);
  const traced = await forked.run(
    ["env", "SETUP=1", ...command],
    ["run", "--children", "-o", "forked.out", "--cpu", "off"],
  );
  assert.equal(traced.code, plain.code, traced.stderr);
  assert.deepEqual(results(traced.stdout), results(plain.stdout));
  const models = forked.traces("forked.out");
  assert.deepEqual(
    testsIn(models).map(({ title, outcome }) => [title, outcome]),
    [
      ["a fails", "failed"],
      ["a passes", "passed"],
      ["b fails", "failed"],
      ["b passes", "passed"],
    ],
  );
  const withTests = models.filter((model) => testsIn([model]).length > 0);
  assert.deepEqual(
    withTests.map((model) => testsIn([model]).length),
    [2, 2],
  );
});

test("a test that a hook of its own fails has failed, and its trace is kept", async () => {
  const hooked = new Suite({
    "vite.config.mjs": CONFIG,
    ...hookedFiles(`import { afterAll, afterEach, beforeEach, test } from "vitest";`),
  });
  // Threads: a process that vitest kills may lose its last moments.
  const { code, stderr } = await hooked.run(
    [...VITEST, "--pool", "threads"],
    ["test", "-o", "h.out", "--cpu", "off"],
  );
  assert.equal(code, 1, stderr);
  assert.deepEqual(
    testsIn(hooked.traces("h.out")).map(({ title, file, outcome }) => [title, file, outcome]),
    HOOKED_TESTS,
  );
  const kept = await hooked.run(
    [...VITEST, "--pool", "forks"],
    ["test", "--on-failure", "-o", "kept.out", "--cpu", "off"],
  );
  assert.equal(kept.code, 1, kept.stderr);
  assert.equal(readdirSync(hooked.folder).filter((name) => name.startsWith("kept.out")).length, 4);
});
