/** A preload that the user has written reaches the children of the process as Node hands it on. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { REGISTER, contents, runNode, scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

const CLUSTER = folder.path("cluster.cjs");
writeFileSync(
  CLUSTER,
  `const cluster = require("node:cluster");
  if (cluster.isPrimary) {
    const worker = cluster.fork();
    worker.on("exit", () => console.log(worker.process.pid, JSON.stringify(process.execArgv)));
  } else {
    function culprit() { const end = Date.now() + 600; while (Date.now() < end); }
    setTimeout(culprit, 500);
    setTimeout(() => { console.log(JSON.stringify(process.execArgv)); process.exit(); }, 2_500);
  }`,
);

/** Runs it; answers the worker's pid and the files that came of it, by their names. */
async function cluster(
  name: string,
  env: Readonly<Record<string, string>>,
  preload: readonly string[],
): Promise<{ readonly pid: string; readonly argv: readonly string[]; readonly files: readonly string[] }> {
  const asked = Object.entries(env).map(([key, value]) => [key, value.replace("DIR", folder.path(name))]);
  const { code, stdout, stderr } = await runNode([...preload, CLUSTER], {
    env: Object.fromEntries(asked) as Record<string, string>,
  });
  assert.deepEqual([code, stderr], [0, ""]);
  const [inWorker, last] = stdout.trim().split("\n") as [string, string];
  const [pid, own] = last.split(" ") as [string, string];
  const files = readdirSync(folder.path(".")).filter((file) => file.startsWith(`${name}-`));
  return { pid, argv: [own, inWorker], files };
}

const IMPORT = ["--import", `file://${REGISTER}`];

test("a flight recorder is in every process of a cluster", async () => {
  const { pid, argv, files } = await cluster(
    "flight",
    { RUNTRACE_FLIGHT: "lag:200ms,out:DIR-%p-%n.out" },
    IMPORT,
  );
  assert.deepEqual(argv, [JSON.stringify(IMPORT), JSON.stringify(IMPORT)]);
  assert.deepEqual(
    files.filter((file) => file.includes(`-${pid}-`)),
    [`flight-${pid}-1.out`],
  );
  assert.match(contents(folder.path(`flight-${pid}-1.out`)).text, /StackSample[^]*?\bculprit @/);
});

test("with %p in its name each process writes a trace, without it the first one does", async () => {
  const { pid, files } = await cluster("each", { RUNTRACE_OUT: "DIR-%p.out" }, IMPORT);
  assert.equal(files.length, 2);
  assert.match(contents(folder.path(`each-${pid}.out`)).text, /\bculprit @/);
  const one = await cluster("one", { RUNTRACE_OUT: "DIR-.out" }, IMPORT);
  assert.deepEqual([one.files, one.argv], [["one-.out"], ["[]", "[]"]]);
});

test("children of a prepared process are prepared, by NODE_OPTIONS, too", async () => {
  const env = { RUNTRACE_MODE: "dormant" };
  assert.deepEqual((await cluster("dormant", env, IMPORT)).argv, [
    JSON.stringify(IMPORT),
    JSON.stringify(IMPORT),
  ]);
  const options = `--import file://${REGISTER}`;
  const print = `console.log(require("node:child_process").execFileSync(process.execPath, ["-p", "process.env.NODE_OPTIONS + ' ' + typeof globalThis.__runtrace"]).toString().trim());`;
  const { stdout } = await runNode(["-e", print], { env: { ...env, NODE_OPTIONS: options } });
  assert.equal(stdout, `${options} object\n`);
});
