import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { judged } from "../testing/go.ts";
import { runCommand } from "../testing/record.ts";
import type { Outcome } from "../testing/record.ts";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
const REGISTER = fileURLToPath(new URL("../register.js", import.meta.url));
const INDEX = new URL("../index.js", import.meta.url).href;

const folder = mkdtempSync(join(tmpdir(), "runtrace-attach-"));
const sockets = join(folder, "runtrace");
after(() => rmSync(folder, { recursive: true, force: true }));
/** Sockets lie in a folder of this test. */
const env = { XDG_RUNTIME_DIR: folder };

/** Works in small tasks until stdin ends, and says at its end how many pipes and servers keep it alive. */
const PROGRAM = join(folder, "program.mjs");
writeFileSync(
  PROGRAM,
  `import { withTask } from ${JSON.stringify(INDEX)};
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let isOver = false;
  process.stdin.on("end", () => (isOver = true)).resume();
  console.log("ready");
  while (!isOver) await withTask("small job", () => sleep(5));
  console.log("done", process.getActiveResourcesInfo().filter((kind) => /Pipe|Server/.test(kind)).length);
  if (process.argv[2] === "exit") process.exit(3);`,
);

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends it; resolves to what it printed and its exit code. */
  readonly end: () => Promise<{ stdout: string; code: number | null }>;
}

async function started(...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, ["--import", REGISTER, PROGRAM, ...args], {
    env: { ...process.env, ...env, RUNTRACE_MODE: "dormant" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  while (!stdout.includes("ready")) await once(child.stdout, "data");
  const end = async (): Promise<{ stdout: string; code: number | null }> => {
    child.stdin.end();
    const [code] = (await once(child, "close")) as [number | null];
    return { stdout, code };
  };
  return { child, pid: child.pid!, end };
}

function attach(...args: string[]): Promise<Outcome> {
  return runCommand(process.execPath, [CLI, "attach", ...args], { cwd: folder, env });
}

/** What the program prints by itself. */
const { stdout: PRINTED } = await runCommand(process.execPath, [PROGRAM]);
const QUIET = { stdout: PRINTED, code: 0 };

test("a prepared process is recorded for some seconds, and again, and does not notice", async () => {
  const { pid, end } = await started();
  for (const name of ["one.out", "%p.out"]) {
    const ran = await attach(String(pid), "--seconds", "0.5", "-o", name);
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, "", ""]);
    const text = judged(join(folder, name.replace("%p", String(pid))));
    assert.ok(text.match(/Type="small job"/g)!.length >= 10, text.slice(0, 500));
  }
  assert.deepEqual(await end(), QUIET);
  // What one leaves that was killed the next one takes away.
  writeFileSync(join(sockets, `${pid}.sock`), "");
  const next = await started();
  assert.deepEqual(readdirSync(sockets), [`${next.pid}.sock`]);
  await next.end();
});

test("Ctrl-C ends the recording, not the process; a second one is refused; who hangs up ends his", async () => {
  const { pid, end } = await started();
  const out = join(folder, "asked.out");
  const client = spawn(process.execPath, [CLI, "attach", "-o", out, String(pid)], {
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  while (statSync(out, { throwIfNoEntry: false }) === undefined) await sleep(20);
  const second = await attach(String(pid), "-o", "second.out");
  assert.deepEqual(
    [second.code, second.stderr],
    [1, `runtrace: process ${pid}: recording is already on: stop it first\n`],
  );
  client.kill("SIGINT");
  assert.deepEqual(await once(client, "close"), [0, null]);
  assert.match(judged(out), /small job/);
  const gone = spawn(process.execPath, [CLI, "attach", "-o", out, String(pid)], {
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  await sleep(1_000);
  gone.kill("SIGKILL");
  await once(gone, "close");
  let free = await attach(String(pid), "--seconds", "0.1", "-o", "free.out");
  for (let tries = 0; free.code !== 0 && tries < 20; tries++) {
    await sleep(100);
    free = await attach(String(pid), "--seconds", "0.1", "-o", "free.out");
  }
  assert.equal(free.code, 0, free.stderr);
  assert.deepEqual(await end(), QUIET);
});

test("a process that ends while it is recorded leaves the whole trace, and its own exit code", async () => {
  const { pid, end } = await started("exit");
  const attached = attach(String(pid), "-o", "ending.out");
  while (statSync(join(folder, "ending.out"), { throwIfNoEntry: false }) === undefined) await sleep(20);
  await sleep(300);
  assert.equal((await end()).code, 3);
  const { code, stderr } = await attached;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(judged(join(folder, "ending.out")), /small job/);
});

test("what cannot be attached to is said in one line", async () => {
  const { pid, end } = await started();
  const unwritable = await attach(String(pid), "-o", "no/such/folder.out");
  assert.equal(unwritable.code, 1);
  assert.match(unwritable.stderr, /^runtrace: process \d+: cannot write [^\n]*ENOENT[^\n]*\n$/);
  // A folder that others may enter is not trusted, by either side.
  chmodSync(sockets, 0o755);
  const open = await attach(String(pid), "-o", "open.out");
  assert.equal(open.code, 1);
  assert.match(open.stderr, /^runtrace: process \d+: cannot be attached to: [^\n]*\n$/);
  const distrusting = await started();
  assert.equal(statSync(join(sockets, `${distrusting.pid}.sock`), { throwIfNoEntry: false }), undefined);
  assert.deepEqual(await distrusting.end(), QUIET);
  chmodSync(sockets, 0o700);
  assert.deepEqual(await end(), QUIET);
  const over = await attach(String(pid));
  assert.deepEqual([over.code, over.stderr], [1, `runtrace: process ${pid}: no such process\n`]);
  const unprepared = await attach(String(process.pid));
  assert.match(
    unprepared.stderr,
    /cannot be attached to: want a process of this user, started with RUNTRACE_MODE=dormant or RUNTRACE_FLIGHT/,
  );
  assert.equal((await attach("everybody")).code, 2);
  assert.equal((await attach(String(pid), "--seconds", "0")).code, 2);
});

test("a folder of sockets that is somebody's file does not stop a program", async () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "runtrace"), "");
  const ran = await runCommand(process.execPath, ["--import", REGISTER, PROGRAM], {
    env: { XDG_RUNTIME_DIR: elsewhere, RUNTRACE_MODE: "dormant" },
  });
  assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, QUIET.stdout, ""]);
});
