import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fstatSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openFreeTrace, openTrace } from "./file.ts";
import { scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

test("a file is opened by one recorder at a time, by whatever name", () => {
  const name = folder.path("a.out");
  writeFileSync(name, "former");
  const first = openTrace(name);
  assert.equal(readFileSync(name, "utf8"), "");
  symlinkSync(name, folder.path("link.out"));
  assert.throws(() => openTrace(name), /another recorder is writing it/);
  assert.throws(() => openTrace(folder.path("link.out")), /another recorder is writing it/);
  const second = openFreeTrace(name, 0);
  const third = openFreeTrace(name, 1);
  assert.deepEqual([second.name, third.name], [`${name}.1`, `${name}.2`]);
  for (const file of [first, second, third]) file.close();
  openTrace(name).close();
});

test("the lock of a process that is gone is no lock", () => {
  const name = folder.path("stale.out");
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  const file = openTrace(name);
  const { dev, ino } = fstatSync(file.fd);
  const lock = join(tmpdir(), `runtrace-${dev}-${ino}.lock`);
  assert.ok(existsSync(lock));
  file.close();
  assert.ok(!existsSync(lock));
  writeFileSync(lock, `${pid} 12345\n`);
  openTrace(name).close();
  // The same pid, but not the same process.
  if (existsSync("/proc/self/stat")) {
    writeFileSync(lock, `${process.pid} 1\n`);
    openTrace(name).close();
  }
  assert.deepEqual(
    readdirSync(tmpdir()).filter((entry) => entry === `runtrace-${dev}-${ino}.lock`),
    [],
  );
});

test("a file that cannot be opened says why; a device needs no lock", () => {
  assert.throws(() => openTrace(folder.path("no/file")), /^TraceError: cannot write .*no\/file: ENOENT/);
  assert.throws(() => openTrace(""), { code: "ERR_TRACE_SINK", message: /^sink: got "", want a file path/ });
  if (!existsSync("/dev/null")) return;
  const [one, two] = [openTrace("/dev/null"), openTrace("/dev/null")];
  one.close();
  two.close();
});
