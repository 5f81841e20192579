import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../testing/project.ts";
import { Suite, testsIn } from "../testing/suites.ts";

const suite = new Suite({
  "vite.config.mjs": `export default { cacheDir: "cache" };`,
  "tiny.mjs": `import { Bench } from "tinybench";
const bench = new Bench({ time: 5, iterations: 2, warmup: false });
bench.add("sums", () => { let sum = 0; for (let i = 0; i < 100; i++) sum += i; return sum; });
bench.add("sleeps", async () => { await new Promise((resolve) => setTimeout(resolve, 1)); });
await bench.run();
console.log(bench.tasks.map(({ name }) => name).join());
`,
  "mitata.mjs": `import { bench, group, run } from "mitata";
bench("nothing", () => {});
group("some", () => { bench("sums", () => [1, 2, 3].reduce((a, b) => a + b)); });
await run({ format: "quiet" });
`,
  "mitata-args.mjs": `import { bench, run } from "mitata";
const fill = function* (state) { const size = state.get("size"); yield () => new Array(size).fill(state.get("with")); };
bench("fill $size with $with", fill).args({ size: [1, 20], with: ["a", "$&"] });
bench("one $size", fill).args("size", [3]);
bench("none", fill).args("size", []);
bench("throws $x", function* (state) { yield () => { if (state.get("x") === 2) throw new Error("two"); }; }).args([1, 2]);
const { benchmarks } = await run({ format: "quiet" });
const told = benchmarks.map(({ kind, args, alias, runs, style, group, baseline }) =>
  ({ kind, args, alias, style, group, baseline, runs: runs.map(({ name, args, error, stats }) => ({ name, args, error: error?.message, isMeasured: stats !== undefined })) }));
console.log(JSON.stringify(told));
`,
  "x.bench.js": `import { bench, describe } from "vitest";
const options = { time: 5, iterations: 2, warmupTime: 1, warmupIterations: 1 };
describe("arrays", () => {
  bench("sort", () => { [3, 2, 1].sort(); }, options);
  bench("await", async () => { await null; }, options);
});
`,
});
const VITEST = join(projectRoot(), "node_modules", ".bin", "vitest");

for (const [name, command, titles] of [
  ["tinybench", ["node", "tiny.mjs"], ["sleeps", "sums"]],
  ["mitata", ["node", "mitata.mjs"], ["nothing", "sums"]],
  ["vitest bench", [VITEST, "bench", "--run"], ["await", "sort"]],
] as const) {
  test(`each benchmark of ${name} is a task`, async () => {
    const { code, stderr } = await suite.run(command, [
      "run",
      "--children",
      "-o",
      `${name}.out`,
      "--cpu",
      "off",
    ]);
    assert.equal(code, 0, stderr);
    const tasks = testsIn(suite.traces(`${name}.out`));
    assert.deepEqual(
      tasks.map(({ title }) => title),
      titles,
    );
  });
}

test("a benchmark of mitata with arguments is a task for each choice of them, and gives what it gives without", async () => {
  const plain = await suite.run(["node", "mitata-args.mjs"]);
  const traced = await suite.run(["node", "mitata-args.mjs"], ["run", "-o", "args.out", "--cpu", "off"]);
  assert.deepEqual([traced.code, traced.stdout], [plain.code, plain.stdout], traced.stderr);
  assert.match(plain.stdout, /"fill 20 with/);
  assert.deepEqual(
    testsIn(suite.traces("args.out")).map(({ title }) => title),
    [
      "fill 1 with $with",
      "fill 1 with a",
      "fill 20 with $with",
      "fill 20 with a",
      "none",
      "one 3",
      "throws 1",
      "throws 2",
    ],
  );
});
