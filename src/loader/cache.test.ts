import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CodeCache, cacheKey, userCache } from "./cache.ts";
import { folderOf } from "./program.test.util.ts";

const KEY = cacheKey(["a", "b"]);
const isWindows = process.platform === "win32";

/** What is in a folder, by the only file's path. */
function onlyFile(folder: string): string {
  const names = fs.readdirSync(folder);
  assert.equal(names.length, 1);
  return join(folder, names[0]!);
}

test("what is kept comes back, in a folder and files of the user's own", (t) => {
  const folder = join(folderOf(t, {}), "deep", "cache");
  const cache = new CodeCache(folder);
  assert.equal(cache.get(KEY), null);
  cache.set(KEY, "code é");
  assert.equal(new CodeCache(folder).get(KEY), "code é");
  if (isWindows) return;
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  assert.equal(fs.statSync(onlyFile(folder)).mode & 0o777, 0o600);
});

test("keys tell apart what they are made of", () => {
  assert.notEqual(cacheKey(["ab", "c"]), cacheKey(["a", "bc"]));
  assert.equal(cacheKey(["ab", "c"]), cacheKey(["ab", "c"]));
});

test("a damaged file is as if it were not there", (t) => {
  const folder = folderOf(t, {});
  fs.chmodSync(folder, 0o700);
  const cache = new CodeCache(folder);
  cache.set(KEY, "code");
  const file = onlyFile(folder);
  const text = fs.readFileSync(file, "utf8");
  for (const damaged of [text.replace("code", "c0de"), text.slice(0, -1), `${text}x`, ""]) {
    fs.writeFileSync(file, damaged);
    assert.equal(cache.get(KEY), null);
  }
  fs.writeFileSync(file, text);
  assert.equal(cache.get(KEY), "code");
});

test("what others could have written is not read", { skip: isWindows }, (t) => {
  const folder = folderOf(t, {});
  fs.chmodSync(folder, 0o700);
  new CodeCache(folder).set(KEY, "code");
  const file = onlyFile(folder);
  for (const mode of [0o620, 0o602]) {
    fs.chmodSync(file, mode);
    assert.equal(new CodeCache(folder).get(KEY), null);
  }
  fs.chmodSync(file, 0o600);
  for (const mode of [0o770, 0o707]) {
    fs.chmodSync(folder, mode);
    assert.equal(new CodeCache(folder).get(KEY), null);
  }
  fs.chmodSync(folder, 0o700);
  assert.equal(new CodeCache(folder).get(KEY), "code");
  fs.symlinkSync(folder, `${folder}.link`);
  t.after(() => fs.rmSync(`${folder}.link`));
  assert.equal(new CodeCache(`${folder}.link`).get(KEY), null);
  fs.renameSync(file, join(folder, "else"));
  fs.symlinkSync(join(folder, "else"), file);
  assert.equal(new CodeCache(folder).get(KEY), null);
});

test("a pipe in a file's place is not waited for", { skip: isWindows }, (t) => {
  const folder = folderOf(t, {});
  fs.chmodSync(folder, 0o700);
  execFileSync("mkfifo", ["-m", "600", join(folder, KEY)]);
  assert.equal(new CodeCache(folder).get(KEY), null);
});

test("another user's folder and files are not read", { skip: process.getuid?.() !== 0 }, (t) => {
  const folder = folderOf(t, {});
  fs.chmodSync(folder, 0o700);
  new CodeCache(folder).set(KEY, "code");
  const file = onlyFile(folder);
  fs.chownSync(file, 12345, 12345);
  assert.equal(new CodeCache(folder).get(KEY), null);
  fs.chownSync(file, 0, 0);
  assert.equal(new CodeCache(folder).get(KEY), "code");
  fs.chownSync(folder, 12345, 12345);
  assert.equal(new CodeCache(folder).get(KEY), null);
});

test("a folder that cannot be made or written is none", (t) => {
  const folder = folderOf(t, { file: "" });
  const cache = new CodeCache(join(folder, "file", "cache"));
  cache.set(KEY, "code");
  assert.equal(cache.get(KEY), null);
});

test("the oldest files go when there are too many", (t) => {
  const folder = folderOf(t, {});
  fs.chmodSync(folder, 0o700);
  const cache = new CodeCache(folder, 10_000);
  const content = "x".repeat(1000);
  for (let i = 0; i < 20; i++) {
    cache.set(`ff${i}`, content);
    fs.utimesSync(join(folder, `ff${i}`), i + 1, i + 1);
  }
  assert.equal(fs.readdirSync(folder).length, 20, "nothing is looked at for most keys");
  cache.set("00", content);
  const names = fs.readdirSync(folder);
  assert.ok(names.length >= 3 && names.length <= 5, `kept ${names.length}`);
  assert.ok(names.includes("00") && names.includes("ff19") && !names.includes("ff0"));
});

test("the user's folder is where the system wants caches", (t) => {
  const before = process.env.XDG_CACHE_HOME;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  process.env.XDG_CACHE_HOME = join(import.meta.dirname, "x");
  assert.equal(userCache(), join(import.meta.dirname, "x", "runtrace"));
  process.env.XDG_CACHE_HOME = "relative";
  assert.match(String(userCache()), /\.cache.runtrace$/);
});
