import assert from "node:assert/strict";
import child_process from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import * as namespace from "node:fs";
import { test } from "node:test";
import zlib from "node:zlib";
import { Fact } from "../base/facts.ts";
import { watchSyncCalls } from "./sync-calls.ts";

interface Put {
  readonly kind: number;
  readonly time: bigint;
  readonly site: number;
}

function recorder(): {
  readonly facts: Put[];
  put: (k: number, t: bigint, a: number, b: number, c: number) => void;
  site: () => number;
} {
  const facts: Put[] = [];
  return { facts, put: (kind, time, _a, _b, c) => void facts.push({ kind, time, site: c }), site: () => 7 };
}

test("the outermost synchronous call is one syscall, whatever it calls and however it ends", () => {
  const probe = recorder();
  const stop = watchSyncCalls(probe);
  const results = [
    fs.readFileSync(process.execPath).length > 0,
    namespace.existsSync("/"),
    fs.realpathSync.native("/"),
  ];
  assert.throws(() => fs.readFileSync("/no/such/file"), { code: "ENOENT" });
  child_process.execFileSync(process.execPath, ["-e", "0"]);
  stop();
  fs.existsSync("/");
  assert.deepEqual(results, [true, true, "/"]);
  const begin = { kind: Fact.SyscallBegin, site: 7 };
  const end = { kind: Fact.SyscallEnd, site: 0 };
  assert.deepEqual(
    probe.facts.map(({ kind, site }) => ({ kind, site })),
    [begin, end, begin, end, begin, end, begin, end],
  );
  for (const [i, { time }] of probe.facts.entries()) assert.ok(i === 0 || time >= probe.facts[i - 1]!.time);
});

test("compression, cryptography, children and Atomics.wait block as files do", () => {
  const calls = [
    () => zlib.gzipSync("a"),
    () => crypto.pbkdf2Sync("a", "b", 1, 8, "sha1"),
    () => crypto.scryptSync("a", "b", 8),
    () => child_process.spawnSync(process.execPath, ["-e", "0"]),
    () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1),
  ];
  for (const call of calls) {
    const probe = recorder();
    const stop = watchSyncCalls(probe);
    call();
    stop();
    assert.deepEqual(
      probe.facts.map(({ kind }) => kind),
      [Fact.SyscallBegin, Fact.SyscallEnd],
      String(call),
    );
  }
});

test("the wrapped functions look as before, and are gone afterwards unless someone wrapped them again", () => {
  const shape = (): unknown =>
    Object.entries(fs)
      .filter(([name, value]) => name.endsWith("Sync") && typeof value === "function")
      .map(([name, value]) => [
        name,
        (value as () => void).name,
        (value as () => void).length,
        Object.getOwnPropertyNames(value),
      ]);
  const before = shape();
  const { statSync, existsSync } = fs;
  const stop = watchSyncCalls(recorder());
  assert.notEqual(fs.statSync, statSync);
  assert.equal(namespace.statSync, fs.statSync);
  assert.deepEqual(shape(), before);
  const patched = (path: fs.PathLike): boolean => existsSync(path);
  fs.existsSync = patched;
  stop();
  assert.equal(fs.statSync, statSync);
  assert.equal(namespace.statSync, statSync);
  assert.equal(fs.existsSync, patched);
  fs.existsSync = existsSync;
});

test("Error.stackTraceLimit is the program's own before, after and where it cannot be set", () => {
  const stop = watchSyncCalls(recorder());
  const limit = Error.stackTraceLimit;
  for (const own of [limit, 0, 3, Infinity]) {
    Error.stackTraceLimit = own;
    assert.throws(() => fs.statSync("/no/such/file"));
    assert.equal(Error.stackTraceLimit, own);
  }
  Error.stackTraceLimit = limit;
  stop();
});
