/** Hostile and broken clients of /debug/pprof/ against a server that is under load: it must live on, unharmed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { judged } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";

const PPROF = pathToFileURL(join(projectRoot(), "dist", "pprof.js")).href;
const folder = mkdtempSync(join(tmpdir(), "runtrace-hostile-"));
let child: ChildProcess;
let port = 0;
let errors = "";

/** Serves /work, some awaits and a timer, and /memory, its heap after a collection, beside /debug/pprof/. */
const PROGRAM = `import { createServer } from "node:http";
import { pprofHandler } from ${JSON.stringify(PPROF)};
const pprof = pprofHandler();
const server = createServer(async (request, response) => {
  if (request.url.startsWith("/debug/pprof/") || request.url.startsWith("//")) return pprof(request, response);
  if (request.url === "/memory") {
    gc();
    return response.end(String(process.memoryUsage().heapUsed));
  }
  for (let i = 0; i < 5; i++) await null;
  await new Promise((resolve) => setTimeout(resolve, 1));
  response.end("done");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

before(async () => {
  const program = join(folder, "server.mjs");
  writeFileSync(program, PROGRAM);
  child = spawn(process.execPath, ["--expose-gc", program], { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [line] = (await once(child.stdout!.setEncoding("utf8"), "data")) as [string];
  port = Number(line);
});

after(() => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function ask(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode!, body: Buffer.concat(pieces) }));
    });
    asked.on("error", reject);
  });
}

/** Asks for /work all the time, until the answer is called; tells how many answers came, all of them right. */
function load(): () => Promise<number> {
  const state = { isOn: true, answers: 0 };
  const client = async (): Promise<void> => {
    while (state.isOn) {
      const { status, body } = await ask("/work");
      assert.equal(status, 200);
      assert.equal(body.toString(), "done");
      state.answers++;
    }
  };
  const clients = [client(), client(), client()];
  return async () => {
    state.isOn = false;
    await Promise.all(clients);
    return state.answers;
  };
}

async function isFree(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { status, body } = await ask("/debug/pprof/trace?seconds=0.05");
    if (status === 200) return;
    assert.match(body.toString(), /tracing is already enabled/);
    await sleep(50);
  }
  assert.fail("a trace that nobody reads is never over");
}

test("bad seconds, foreign hosts, fifty at once: the right status, and the server works on", async () => {
  const end = load();
  for (const seconds of ["-1", "0", "NaN", "1e99", "0x10", "1,5", "%00", "9".repeat(400)])
    assert.equal((await ask(`/debug/pprof/trace?seconds=${seconds}`)).status, 400, seconds);
  assert.equal((await ask("/debug/pprof/trace", { host: "rebound.example" })).status, 403);
  assert.equal((await ask("/debug/pprof/../../etc/passwd")).status, 404);
  assert.equal((await ask("//debug/pprof/__proto__")).status, 404);

  const many = await Promise.all(Array.from({ length: 50 }, () => ask("/debug/pprof/trace?seconds=0.5")));
  const good = many.filter(({ status }) => status === 200);
  assert.equal(good.length, 1, "one trace at a time");
  assert.ok(many.every(({ status }) => status === 200 || status === 500));
  const file = join(folder, "one.out");
  writeFileSync(file, good[0]!.body);
  judged(file);
  const profiles = await Promise.all(
    Array.from({ length: 50 }, (_, i) => ask(`/debug/pprof/${i % 2 ? "heap" : "profile"}?seconds=0.3`)),
  );
  assert.equal(profiles.filter(({ status }) => status === 200).length, 2);
  assert.ok((await end()) > 20);
  assert.equal(errors, "");
});

test("clients that go away, that do not read, and that are no clients end their traces; memory stays", async () => {
  const end = load();
  const heap = async (): Promise<number> => Number((await ask("/memory")).body.toString());
  const rude = async (): Promise<void> => {
    for (let i = 0; i < 8; i++) {
      const gone = request({ host: "127.0.0.1", port, path: "/debug/pprof/trace?seconds=60", agent: false });
      gone.on("error", () => {});
      gone.end();
      await sleep(60);
      gone.destroy();
      // Half a request, then nothing more.
      const half = connect(port, "127.0.0.1");
      half.on("error", () => {});
      half.write("GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: loc");
      await sleep(5);
      half.destroy();
      await isFree();
    }
    // Asks, and reads nothing for longer than the trace lasts.
    const slow = connect(port, "127.0.0.1");
    slow.on("error", () => {});
    slow.write("GET /debug/pprof/trace?seconds=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    slow.pause();
    await sleep(1500);
    slow.destroy();
    await isFree();
  };
  await rude();
  const first = await heap();
  await rude();
  await rude();
  const grown = (await heap()) - first;
  assert.ok(grown < 8e6, `the heap grew by ${grown} bytes`);
  assert.ok((await end()) > 20);
  assert.equal(errors, "");
  assert.equal(child.exitCode, null);
});
