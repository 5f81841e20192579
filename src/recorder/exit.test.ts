import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { after, test } from "node:test";
import { byTwo, contents, runNode, runRecorded, scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

const INDEX = new URL("../index.js", import.meta.url).href;
const ANNOTATED = `const trace = require(${JSON.stringify(new URL(INDEX).pathname)});\n`;

/** A note of the trace by its only key. */
function note(notes: readonly Record<string, unknown>[], key: string): unknown {
  return notes.find((one) => key in one)?.[key];
}

/** Names of the event loops, as the notes tell them. */
function loopsOf(notes: readonly Record<string, unknown>[]): string[] {
  return notes.flatMap(({ process }) =>
    ((process as { loops?: { name: string }[] } | undefined)?.loops ?? []).map(({ name }) => name),
  );
}

test("what a program logs in its last moment is in the trace, however it ends", async () => {
  const last = `trace.log("test", "last");`;
  const endings: Readonly<Record<string, string>> = {
    normal: `process.on("exit", () => { ${last} });`,
    exit: `setTimeout(() => { ${last} process.exit(1); }, 5);`,
    throws: `setTimeout(() => { ${last} throw new Error("x"); }, 5);`,
    rejects: `setTimeout(async () => { ${last} throw new Error("x"); }, 5);`,
    term: `setTimeout(() => { ${last} process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 100); }, 5);`,
    int: `setTimeout(() => { ${last} process.kill(process.pid, "SIGINT"); setTimeout(() => {}, 100); }, 5);`,
    self: `setTimeout(() => { ${last} process.kill(process.pid, "SIGKILL"); }, 5);`,
  };
  const jobs = Object.entries(endings).map(
    ([name, source]) =>
      () =>
        runRecorded(folder, name, ANNOTATED + source),
  );
  for (const { out, stderr } of await byTwo(jobs)) {
    const found = contents(out);
    assert.deepEqual(found.logs, ["test: last"], out + stderr);
  }
});

const hasExecve = "execve" in process;

test("a program that becomes another one leaves its whole trace", { skip: !hasExecve }, async () => {
  const become = (args: string): string => `process.execve(process.execPath, ${args});`;
  const other = `console.log("other")`;
  const source = `${ANNOTATED}
    setTimeout(() => {
      try { ${become(`["node", 7]`)} } catch (error) { console.log(error.code.slice(0, 15)); }
      trace.log("test", "last");
      ${become(`["node", "-e", ${JSON.stringify(other)}], process.env`)}
    }, 1_100);`;
  const { out, stdout, stderr, code } = await runRecorded(folder, "execve", source);
  assert.equal(stdout, "ERR_INVALID_ARG\nother\n");
  assert.doesNotMatch(stderr, /runtrace|debugger/i);
  assert.equal(code, 0);
  assert.deepEqual(contents(out).logs, ["test: last"], stderr);
});

test("a loop that hangs until SIGKILL shows its hang up to the last moments", async () => {
  const source = `${ANNOTATED}
    const tick = () => { trace.log("test", String(Date.now())); setTimeout(tick, 5); };
    tick();
    const pause = new Int32Array(new SharedArrayBuffer(4));
    setTimeout(() => { for (;;) { trace.log("busy", String(Date.now())); Atomics.wait(pause, 0, 0, 2); } }, 100);`;
  const begin = performance.now();
  const { out, signal } = await runRecorded(folder, "hang", source, { killAfter: 1_200, signal: "SIGKILL" });
  const lasted = performance.now() - begin;
  assert.equal(signal, "SIGKILL");
  assert.ok(lasted >= 1_200);
  const found = contents(out);
  const killed = statSync(out).mtimeMs;
  const lastLog = Number(found.logs.at(-1)!.replace(/^\w+: /, ""));
  assert.ok(found.logs.some((line) => line.startsWith("busy: ")));
  assert.ok(killed - lastLog < 250, `the last flush had nothing of its last ${killed - lastLog} ms`);
});

test("a program that ends with much to write still gets its whole trace", async () => {
  const claims = folder.path("claims3");
  mkdirSync(claims);
  const out = folder.path("much.out");
  const message = JSON.stringify({ out, claims, options: { buffer: 2 ** 27, cpu: "off" } });
  const source = `${ANNOTATED}
    const { stat } = require("fs").promises;
    Promise.all(Array.from({ length: 20_000 }, () => stat(__filename))).then(() => trace.log("test", "last"));`;
  const { stderr } = await runRecorded(folder, "much", source, { env: { RUNTRACE_RUN: message } });
  assert.equal(stderr, "");
  const found = contents(out);
  assert.deepEqual(found.logs, ["test: last"]);
  assert.equal(note(found.notes, "drops"), undefined);
});

test("an end that cannot be written is one line on stderr, and holds nothing up", async (t) => {
  const out = folder.path("pipe");
  if (spawnSync("mkfifo", [out]).status !== 0) return t.skip("no named pipes here");
  // Reads nothing, and keeps the pipe open.
  const reader = openSync(out, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const source = `${ANNOTATED}
      for (let i = 0; i < 20_000; i++) trace.log("test", "message " + i);
      setImmediate(() => process.kill(process.pid, "SIGTERM"));
      setInterval(() => {}, 1000);`;
    const { signal, stdout, stderr } = await runRecorded(folder, "stuck", source, { out });
    assert.equal(signal, "SIGTERM");
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^runtrace: (.*pipe lacks its end: .* within \d\.\d s|cannot write .*pipe: EAGAIN: .*); recording has ended\n$/,
    );
  } finally {
    closeSync(reader);
  }
});

test("start and stop of a program that has frozen what we replace neither throw nor leave a hook that acts", async () => {
  const freeze = `for (const name of ["fs", "child_process", "timers", "worker_threads", "v8"]) Object.freeze(require(name));
    Object.freeze(require("worker_threads").Worker.prototype);
    for (const one of [Error, process, globalThis]) Object.freeze(one);`;
  const file = (name: string): string => folder.path(`${name}.out`);
  const body = (name: string): string => `
    const start = () => trace.start(${JSON.stringify(file(name))}, { cpu: 100 });
    const stop = () => trace.stop().then(() => {
      require("fs").statSync("/");
      console.log(trace.isEnabled());
      process.kill(process.pid, "SIGINT");
      setTimeout(() => console.log("alive"), 1_000);
    });`;
  const programs: Readonly<Record<string, string>> = {
    frozenBefore: `${body("frozenBefore")} ${freeze} start(); trace.log("test", "x"); setTimeout(stop, 50);`,
    frozenWithin: `${body("frozenWithin")} start(); trace.log("test", "x"); setTimeout(() => { ${freeze} stop(); }, 50);`,
  };
  for (const [name, source] of Object.entries(programs)) {
    const program = folder.path(`${name}.cjs`);
    writeFileSync(program, ANNOTATED + source);
    const { stdout, stderr, signal } = await runNode([program], { killAfter: 10_000, signal: "SIGKILL" });
    assert.deepEqual({ stdout, stderr, signal }, { stdout: "false\n", stderr: "", signal: "SIGINT" }, name);
    const found = contents(file(name));
    assert.deepEqual(found.logs, ["test: x"]);
  }
});

test("CPU samples end when the program uses the inspector, and the trace says so", async () => {
  const source = `const inspector = require("inspector");
    setTimeout(() => { inspector.open(0); inspector.close(); console.log(inspector.url()); }, 300);
    setTimeout(() => console.log("end"), 400);`;
  const { out, code, stdout } = await runRecorded(folder, "inspector", source);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: "undefined\nend\n" });
  const found = contents(out);
  assert.deepEqual(note(found.notes, "cpu"), { off: "the program uses the inspector" });
});

test("without the signal flush a signal kills at once, and the trace is whole as far as it goes", async () => {
  const claims = folder.path("claims");
  mkdirSync(claims);
  const out = folder.path("noflush.out");
  const message = JSON.stringify({ out, claims, options: { signalFlush: false, cpu: "off" } });
  const source = `setTimeout(() => process.kill(process.pid, "SIGTERM"), 400); setInterval(() => {}, 10);
    console.log(process.listenerCount("SIGTERM"), process.rawListeners === require("events").prototype.rawListeners);`;
  const ending = await runRecorded(folder, "noflush", source, { env: { RUNTRACE_RUN: message } });
  assert.equal(ending.signal, "SIGTERM");
  assert.equal(ending.stdout, "0 true\n");
  assert.equal(readFileSync(folder.path("claims/0"), "utf8"), out);
  contents(out);
});

test("a sink that cannot be opened or fails is one line on stderr, and nothing else changes", async () => {
  const source = `console.log("before"); setTimeout(() => { console.log("after"); process.exitCode = 5; }, 300);`;
  const missing = await runRecorded(folder, "missing", source, { out: folder.path("no/folder.out") });
  assert.equal(missing.stdout, "before\nafter\n");
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /^runtrace: cannot write .*: ENOENT.*\n$/);
  if (!existsSync("/dev/full")) return;
  const full = await runRecorded(folder, "full", source, { out: "/dev/full" });
  assert.equal(full.stdout, "before\nafter\n");
  assert.equal(full.code, 5);
  assert.match(full.stderr, /^runtrace: cannot write \/dev\/full: ENOSPC.*\n$/);
});

test("Workers are loops of their own, and one that is terminated or fails leaves the trace whole", async () => {
  const source = `${ANNOTATED}
    const { Worker, isMainThread, workerData } = require("worker_threads");
    if (isMainThread) {
      const start = (data, options) => new Worker(__filename, { workerData: data, ...options });
      start("plain"); start("own", { execArgv: [] }); start("fails").on("error", () => {});
      const spinner = start("spins");
      setTimeout(() => spinner.terminate(), 2000);
    } else {
      trace.log("worker", workerData);
      if (workerData === "fails") throw new Error("x");
      if (workerData === "spins") for (;;);
      setTimeout(() => {}, 50);
    }`;
  const { out, code, stderr } = await runRecorded(folder, "workers", source);
  assert.equal(code, 0, stderr);
  const found = contents(out);
  assert.deepEqual(found.logs.toSorted(), ["worker: fails", "worker: own", "worker: plain", "worker: spins"]);
  assert.deepEqual(loopsOf(found.notes).toSorted(), [
    "main",
    ...[1, 2, 3, 4].map((id) => `worker ${id}: workers.cjs`),
  ]);
});

test("every one of many Workers has its name in the trace", async () => {
  const source = `
    const { Worker, isMainThread } = require("worker_threads");
    let left = 40;
    const next = () => left-- > 0 && new Worker(__filename).on("exit", next);
    if (isMainThread) next();`;
  const { out, code, stderr } = await runRecorded(folder, "pool", source);
  assert.equal(code, 0, stderr);
  const found = contents(out);
  assert.deepEqual(loopsOf(found.notes), [
    "main",
    ...Array.from({ length: 40 }, (_, i) => `worker ${i + 1}: pool.cjs`),
  ]);
});

test("facts that a ring had to drop are counted in the trace", async () => {
  const claims = folder.path("claims2");
  mkdirSync(claims);
  const message = JSON.stringify({
    out: folder.path("drops.out"),
    claims,
    options: { buffer: 65_536, cpu: "off" },
  });
  const source = `${ANNOTATED} for (let i = 0; i < 20_000; i++) trace.log("test", "message " + i);`;
  const { stderr } = await runRecorded(folder, "drops", source, { env: { RUNTRACE_RUN: message } });
  assert.equal(stderr, "");
  const found = contents(folder.path("drops.out"));
  const drops = note(found.notes, "drops") as { loop: number; facts: number };
  assert.equal(drops.loop, 0);
  assert.ok(drops.facts > 0 && drops.facts + found.logs.length <= 40_000, JSON.stringify(drops));
});

test("the file of a live recorder is left alone: the next process writes FILE.1", async () => {
  const file = folder.path("child.cjs");
  writeFileSync(file, "setTimeout(() => {}, 20);");
  const source = `const { spawnSync } = require("child_process");
    spawnSync(process.execPath, ["--require", process.argv[2] ?? "", ${JSON.stringify(file)}]);`.replace(
    'process.argv[2] ?? ""',
    JSON.stringify(new URL("../register.js", import.meta.url).pathname),
  );
  const { out, pid } = await runRecorded(folder, "parent", source);
  const first = contents(out);
  const second = contents(`${out}.1`);
  assert.equal((note(first.notes, "process") as { pid: number }).pid, pid);
  assert.equal((note(second.notes, "process") as { argv1: string }).argv1, file);
});

test("a package manager is not recorded, the program that it starts is", async () => {
  mkdirSync(folder.path("node_modules/npm/bin"), { recursive: true });
  const program = folder.path("program.cjs");
  writeFileSync(program, `console.log("program", process.env.NODE_OPTIONS);`);
  const launcher = folder.path("node_modules/npm/bin/npm-cli.js");
  writeFileSync(
    launcher,
    `require("child_process").spawnSync(process.execPath, [${JSON.stringify(program)}], { stdio: "inherit" });`,
  );
  const out = folder.path("launched.out");
  const env = {
    RUNTRACE_OUT: out,
    NODE_OPTIONS: `--require ${new URL("../register.js", import.meta.url).pathname}`,
  };
  const { stdout } = await runNode([launcher], { env });
  assert.equal(stdout, "program undefined\n");
  const found = contents(out);
  assert.equal((note(found.notes, "process") as { argv1: string }).argv1, program);
  assert.equal(existsSync(`${out}.1`), false);
});
