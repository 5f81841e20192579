import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { test } from "node:test";
import { projectRoot } from "#dist/testing/project.js";

/** What a folder of src/ may import: these folders, and what those may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ["base"],
  encode: ["wire"],
  resolve: ["wire"],
  probe: ["base"],
  instrument: ["base"],
  loader: ["instrument"],
  recorder: ["probe", "resolve", "encode", "loader"],
  "pprof-http": ["recorder"],
  integrations: ["recorder"],
  raw: ["wire"],
  decode: ["wire"],
  order: ["decode"],
  reading: ["order"],
  model: ["order"],
  analysis: ["model"],
  profile: ["order"],
  server: ["analysis", "raw"],
  viewer: ["analysis"],
  cli: ["server", "analysis", "profile", "raw"],
};

/** Entry points and what is not shipped: they may import anything below them, nothing may import them. */
const TOP = new Set([
  "index",
  "register",
  "pprof",
  "pprof-auto",
  "node-test",
  "mocha",
  "vitest",
  "jest",
  "reader",
  "express",
  "fastify",
  "koa",
  "hono",
  "otel",
  "demo",
  "testing",
]);

/** The recorder's entrance for the command line: how a program is started recorded. */
const RECORDER_ENTRANCE = new Set([
  "recorder/environment",
  "recorder/options",
  "recorder/file",
  "recorder/attach-socket",
]);

/** What a test of any folder may lean on: helpers, the text form of traces, the writer, the server of a page, the reader. */
const TEST_HELPERS = new Set(["testing", "raw", "server", "encode", "reading"]);

/** Folders that run anywhere: no Node, no DOM. */
const PURE = new Set([
  "base",
  "wire",
  "raw",
  "encode",
  "resolve",
  "decode",
  "order",
  "model",
  "analysis",
  "profile",
]);

/** The packages that pure folders use; they run anywhere, too. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = { profile: ["pprof-format"] };

const SRC = join(projectRoot(), "src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"));

function reachable(folder: string, seen = new Set<string>()): Set<string> {
  for (const next of MAY_IMPORT[folder] ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reachable(next, seen);
  }
  return seen;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const found = text.matchAll(
    /^(?:import|export)\b[^;"'=]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

const isTest = (file: string): boolean => /\.test(\.util)?\.tsx?$/.test(file);

test("imports go one way through the folders", () => {
  let seen = 0;
  const wrong: string[] = [];
  for (const file of files) {
    const folder = file.split("/")[0]!.replace(/\.tsx?$/, "");
    if (TOP.has(folder)) continue;
    assert.ok(folder in MAY_IMPORT, `${file}: src/${folder} is not in the import rules`);
    seen++;
    const allowed = reachable(folder);
    for (const name of importsOf(file)) {
      if (!name.startsWith(".")) continue;
      const target = posix.normalize(posix.join(dirname(file), name));
      const into = target.split("/")[0]!;
      if (into === folder || allowed.has(into)) continue;
      if (isTest(file) && (TEST_HELPERS.has(into) || folder === "cli")) continue;
      if (folder === "cli" && RECORDER_ENTRANCE.has(target.replace(/\.ts$/, ""))) continue;
      wrong.push(`${file} imports ${name}`);
    }
  }
  assert.ok(seen > 50, `saw only ${seen} files`);
  assert.deepEqual(wrong, []);
});

test("the pure folders use neither Node nor the DOM, and no package but those that run anywhere", () => {
  let seen = 0;
  const wrong: string[] = [];
  for (const file of files) {
    if (!PURE.has(file.split("/")[0]!) || isTest(file)) continue;
    seen++;
    const packages = PURE_PACKAGES[file.split("/")[0]!] ?? [];
    for (const name of importsOf(file))
      if (!name.startsWith(".") && !packages.includes(name)) wrong.push(`${file} imports ${name}`);
    const text = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    const global = /(?<![.\w"'`])(process\.|Buffer\.|window\.|document\.|setTimeout\(|require\()/.exec(text);
    if (global !== null) wrong.push(`${file} uses ${global[1]}`);
  }
  assert.ok(seen > 20, `saw only ${seen} files`);
  assert.deepEqual(wrong, []);
});

test("what runs in production imports no package", () => {
  let seen = 0;
  const wrong: string[] = [];
  for (const file of files) {
    if (
      !/^(base|wire|encode|resolve|probe|loader|recorder|integrations|index|register)\b/.test(file) ||
      isTest(file)
    )
      continue;
    seen++;
    for (const name of importsOf(file)) {
      if (!name.startsWith(".") && !name.startsWith("node:")) wrong.push(`${file} imports ${name}`);
    }
  }
  assert.ok(seen > 20, `saw only ${seen} files`);
  assert.deepEqual(wrong, []);
});

test("the parser is loaded by name only, when it is needed", () => {
  const wrong: string[] = [];
  for (const file of files) {
    if (
      !/^(loader|recorder|integrations|index|register)\b/.test(file) ||
      isTest(file) ||
      file === "loader/compiler.ts"
    )
      continue;
    const text = readFileSync(join(SRC, file), "utf8").replace(/^import type .*$/gm, "");
    const bad = /"[^"]*\/(compiler|transform|syntax|source-map)\.ts"/.exec(text);
    if (bad !== null) wrong.push(`${file} imports ${bad[0]}`);
  }
  assert.deepEqual(wrong, []);
});

test("every folder of src/ has a README of at most 25 lines", () => {
  const folders = new Set(files.filter((file) => file.includes("/")).map((file) => file.split("/")[0]!));
  assert.ok(folders.size > 10);
  for (const folder of folders) {
    const lines = readFileSync(join(SRC, folder, "README.md"), "utf8")
      .trimEnd()
      .split("\n").length;
    assert.ok(lines <= 25, `src/${folder}/README.md has ${lines} lines, want at most 25`);
  }
});
