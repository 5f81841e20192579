import assert from "node:assert/strict";
import { once } from "node:events";
import { createWriteStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import { WritableStream } from "node:stream/web";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { TraceError } from "../base/error.ts";
import * as api from "./api.ts";
import type { StartOptions } from "./options.ts";
import { contents, scratch } from "./program.test.util.ts";
import { isEnabled, start, stop } from "./session.ts";
import type { Sink } from "./sinks.ts";

const trace = { ...api, isEnabled, start, stop };

const folder = scratch();
after(() => folder.remove());

/** Starts, logs, stops. */
async function record(sink: Sink, message: string): Promise<void> {
  trace.start(sink);
  trace.log("test", message);
  await sleep(5);
  await trace.stop();
}

function hasCode(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof TraceError && error.code === code && pattern.test(error.message);
}

test("a recording goes on and off, again and again", async () => {
  assert.equal(trace.isEnabled(), false);
  await trace.stop();
  for (const round of ["first", "second"]) {
    const file = folder.path(`${round}.out`);
    trace.start(file);
    assert.equal(trace.isEnabled(), true);
    assert.throws(
      () => trace.start(folder.path("other.out")),
      hasCode("ERR_TRACE_ALREADY_ENABLED", /already on/),
    );
    assert.equal(existsSync(folder.path("other.out")), false);
    trace.log("test", round);
    await trace.withTask("job", () => sleep(5));
    const stopped = trace.stop();
    assert.equal(trace.isEnabled(), false);
    await Promise.all([stopped, trace.stop()]);
    const found = contents(file);
    assert.deepEqual(found.logs, [`test: ${round}`]);
    assert.deepEqual(Object.keys(found.notes[0]!), ["process"]);
    assert.deepEqual(Object.keys(found.notes.at(-1)!), ["cost"]);
  }
});

test("many recordings one after the other use one buffer", async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 8; i++) await record(folder.path("cycles.out"), String(i));
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 2 * 16 * 2 ** 20, `${grown / 2 ** 20} MiB more after 8 recordings with 16 MiB each`);
  assert.deepEqual(contents(folder.path("cycles.out")).logs, ["test: 7"]);
});

test("a file's former content is gone, and its place is free again after stop", async () => {
  const file = folder.path("former.out");
  writeFileSync(file, Buffer.alloc(1 << 20));
  await record(file, "one");
  const size = readFileSync(file).length;
  assert.ok(size < 1 << 16, `${size} bytes`);
  await record(file, "two");
  contents(file);
});

test("format 1.23 is written where it is asked for", async () => {
  const file = folder.path("old.out");
  trace.start(file, { version: "1.23" });
  await trace.stop();
  assert.match(readFileSync(file, "latin1"), /^go 1\.23 trace/);
  contents(file);
});

test("a Writable gets the whole trace before stop resolves, and stays open", async () => {
  const chunks: Buffer[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      setTimeout(() => {
        chunks.push(chunk);
        done();
      }, 2);
    },
  });
  await record(slow, "slow");
  const file = folder.path("slow.out");
  writeFileSync(file, Buffer.concat(chunks));
  const found = contents(file);
  assert.deepEqual(found.logs, ["test: slow"]);
  assert.equal(slow.writableEnded, false);
  assert.equal(slow.listenerCount("error"), 0);
});

test("what a stream does not take in time is dropped and counted, and the recording goes on", async () => {
  const chunks: Buffer[] = [];
  let isOpen = false;
  let release = (): void => {};
  const stalled = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      release = done;
      if (isOpen) done();
    },
  });
  trace.start(stalled, { buffer: 2 ** 20 });
  for (let i = 0; i < 300; i++) {
    // Each message is another one: a text is written once.
    for (let j = 0; j < 100; j++) trace.log("test", `${i} ${j} ${"x".repeat(1_000)}`);
    await sleep(2);
  }
  assert.equal(trace.isEnabled(), true);
  isOpen = true;
  release();
  const deadline = performance.now() + 5_000;
  while (stalled.writableLength > 0 && performance.now() < deadline) await sleep(20);
  await sleep(200);
  trace.log("test", "afterwards");
  await trace.stop();
  const bytes = Buffer.concat(chunks);
  assert.ok(bytes.length > 6 * 2 ** 20 && bytes.length < 12 * 2 ** 20, `${bytes.length} bytes of 30 MB`);
  const file = folder.path("stalled.out");
  writeFileSync(file, bytes);
  const { logs, notes } = contents(file);
  assert.equal(logs.at(-1), "test: afterwards");
  const drops = notes.flatMap((note) => (note as { drops?: { facts: number } }).drops?.facts ?? []);
  assert.ok(drops[0]! > 1_000, JSON.stringify(drops));
});

test("a WritableStream gets the whole trace, and its lock is let go", async () => {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) });
  await record(stream, "web");
  assert.equal(stream.locked, false);
  const file = folder.path("web.out");
  writeFileSync(file, Buffer.concat(chunks));
  const found = contents(file);
  assert.deepEqual(found.logs, ["test: web"]);
});

test("a sink that fails ends the recording, and stop rejects with its error, once", async () => {
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error("no more")) });
  const destroyed = new PassThrough();
  destroyed.destroy();
  const broken = new WritableStream({ write: () => Promise.reject(new Error("no web")) });
  const sinks: readonly (readonly [string, Sink, RegExp])[] = [
    ["a failing Writable", failing, /cannot write the stream: no more/],
    ["a destroyed Writable", destroyed, /cannot write the stream: /],
    ["a failing WritableStream", broken, /cannot write the stream: no web/],
    ...(existsSync("/dev/full")
      ? ([["a full disk", "/dev/full", /cannot write \/dev\/full: ENOSPC/]] as const)
      : []),
  ];
  for (const [name, sink, pattern] of sinks) {
    trace.start(sink);
    const deadline = performance.now() + 5_000;
    while (trace.isEnabled() && performance.now() < deadline) await sleep(10);
    assert.equal(trace.isEnabled(), false, name);
    trace.log("test", "into nothing");
    await assert.rejects(trace.stop(), hasCode("ERR_TRACE_SINK", pattern), name);
    await trace.stop();
  }
  await record(folder.path("after-failure.out"), "works again");
});

test("a recording that failed does not stand in the way of the next", async () => {
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error("no more")) });
  trace.start(failing);
  while (trace.isEnabled()) await sleep(10);
  await record(folder.path("next.out"), "next");
  const found = contents(folder.path("next.out"));
  assert.deepEqual(found.logs, ["test: next"]);
});

test("a stream that ends while it is written is a failure, not a crash", async () => {
  const file = createWriteStream(folder.path("ended.out"));
  trace.start(file);
  file.end();
  await once(file, "close");
  await assert.rejects(trace.stop(), hasCode("ERR_TRACE_SINK", /cannot write the stream/));
});

test("what is no sink, and options out of range, throw before anything is on", () => {
  const locked = new WritableStream();
  locked.getWriter();
  const bad: readonly (readonly [Sink, StartOptions, string, RegExp])[] = [
    [folder.path("no/such/folder"), {}, "ERR_TRACE_SINK", /cannot write .*ENOENT/],
    [folder.path("."), {}, "ERR_TRACE_SINK", /EISDIR/],
    [42 as unknown as string, {}, "ERR_TRACE_SINK", /got number/],
    [{} as unknown as string, {}, "ERR_TRACE_SINK", /want a file path/],
    [null as unknown as string, {}, "ERR_TRACE_SINK", /^sink: got null, want a file path/],
    [new URL("http://localhost/x"), {}, "ERR_TRACE_SINK", /^cannot write http:.*must be of scheme file$/],
    [locked, {}, "ERR_TRACE_SINK", /^sink: got a locked WritableStream, want /],
    ["never", null as unknown as StartOptions, "ERR_TRACE_OPTION", /^options: got null, want an object$/],
    ["never", { cpu: -1 }, "ERR_TRACE_OPTION", /option cpu: got -1/],
    ["never", { buffer: 1 }, "ERR_TRACE_OPTION", /option buffer/],
    ["never", { version: "1.2" as "1.25" }, "ERR_TRACE_OPTION", /option version/],
    ["never", { signalFlush: 1 as unknown as boolean }, "ERR_TRACE_OPTION", /option signalFlush/],
  ];
  for (const [sink, options, code, pattern] of bad) {
    assert.throws(() => trace.start(sink, options), hasCode(code, pattern));
    assert.equal(trace.isEnabled(), false);
  }
  assert.equal(existsSync("never"), false);
});

test("a Worker cannot start a recording, and is recorded while one is on", async () => {
  const source = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(new URL("../index.js", import.meta.url).href)}).then((trace) => {
      let code = "";
      try { trace.start("never"); } catch (error) { code = error.code; }
      trace.log("test", "from the worker");
      parentPort.postMessage({ code, on: trace.isEnabled() });
      setTimeout(() => {}, 20);
    });`;
  const answer = async (): Promise<unknown> => {
    const worker = new Worker(source, { eval: true });
    const [message] = (await once(worker, "message")) as unknown[];
    await once(worker, "exit");
    return message;
  };
  assert.deepEqual(await answer(), { code: "ERR_TRACE_WORKER", on: false });
  const file = folder.path("worker.out");
  trace.start(file);
  assert.deepEqual(await answer(), { code: "ERR_TRACE_WORKER", on: true });
  await trace.stop();
  const found = contents(file);
  assert.deepEqual(found.logs, ["test: from the worker"]);
});
