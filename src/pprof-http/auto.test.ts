import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { judged } from "../testing/go.ts";
import { projectRoot } from "../testing/project.ts";

const AUTO = pathToFileURL(join(projectRoot(), "dist", "pprof-auto.js")).href;

/** A program that waits in an async function until its standard input ends. */
const PROGRAM = `
async function nap() { await new Promise((resolve) => setTimeout(resolve, 20)); }
let on = true;
process.stdin.on("end", () => { on = false; }).resume();
async function main() { console.log("ready"); while (on) await nap(); console.log("over"); }
await main();
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Running {
  readonly ready: Promise<unknown>;
  end(): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function run(folder: string, address: string, env: Record<string, string> = {}): Running {
  const program = join(folder, "app.mjs");
  writeFileSync(program, PROGRAM);
  const child = spawn(process.execPath, ["--import", AUTO, program], {
    env: { ...process.env, RUNTRACE_HTTP: address, NODE_OPTIONS: "", ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return {
    ready: once(child.stdout, "data"),
    end: async () => {
      child.stdin.end();
      const [code] = (await once(child, "close")) as [number | null];
      return { code, stdout, stderr };
    },
  };
}

test("one word makes a program ready: a trace has its functions, and it ends as it would", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-auto-"));
  try {
    const address = `127.0.0.1:${await freePort()}`;
    const app = run(folder, address);
    await app.ready;
    const response = await fetch(`http://${address}/debug/pprof/trace?seconds=0.5`);
    assert.equal(response.status, 200);
    const file = join(folder, "trace.out");
    writeFileSync(file, new Uint8Array(await response.arrayBuffer()));
    assert.match(judged(file), /Reason="sleep"[^]*\bnap @/);

    const second = run(folder, address);
    await second.ready;
    const busy = await second.end();
    assert.equal(busy.code, 0);
    assert.equal(busy.stdout, "ready\nover\n");
    assert.match(
      busy.stderr,
      /^runtrace: cannot serve \/debug\/pprof\/ at [\d.:]+: listen EADDRINUSE[^\n]*\n$/,
    );

    assert.deepEqual(await app.end(), { code: 0, stdout: "ready\nover\n", stderr: "" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("RUNTRACE_HTTP=off serves nothing, and what is no address is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-auto-"));
  try {
    for (const [address, stderr] of [
      ["off", /^$/],
      ["a:b:c", /^runtrace: RUNTRACE_HTTP: got a:b:c, want HOST:PORT or off\n$/],
    ] as const) {
      const app = run(folder, address);
      await app.ready;
      const ending = await app.end();
      assert.equal(ending.code, 0);
      assert.match(ending.stderr, stderr);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an empty token serves nobody, and is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-auto-"));
  try {
    const address = `127.0.0.1:${await freePort()}`;
    const app = run(folder, address, { RUNTRACE_HTTP_TOKEN: "" });
    await app.ready;
    await assert.rejects(fetch(`http://${address}/debug/pprof/`));
    assert.deepEqual(await app.end(), {
      code: 0,
      stdout: "ready\nover\n",
      stderr: 'runtrace: RUNTRACE_HTTP_TOKEN: got "", want a token, or none set; nothing is served\n',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("of a cluster the first process serves, and one line says that the others do not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-auto-"));
  const program = join(folder, "cluster.mjs");
  writeFileSync(
    program,
    `import cluster from "node:cluster";
import { get } from "node:http";
if (cluster.isPrimary) {
  const workers = [1, 2, 3].map(() => cluster.fork());
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
  get("http://" + process.env.RUNTRACE_HTTP + "/debug/pprof/cmdline", (response) => {
    console.log(response.statusCode);
    cluster.disconnect();
  });
} else setTimeout(() => process.send("up"), 300);
`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, ["--import", AUTO, program], {
    env: { ...process.env, RUNTRACE_HTTP: address, NODE_OPTIONS: "" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual([code, stdout], [0, "200\n"]);
  assert.match(stderr, /^runtrace: cannot serve \/debug\/pprof\/ at [\d.:]+: .*EADDRINUSE.*\n$/);
});
