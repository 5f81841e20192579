import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { projectRoot } from "#dist/testing/project.js";

const ROOT = projectRoot();
const ALWAYS = new Set(["package.json", "README.md", "CHANGELOG.md", "LICENSE"]);

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Files that a module loads (`static`: at once), by its text: imports, and URLs of files and whole folders. */
function loads(file: string, all: boolean): string[] {
  const text = readFileSync(file, "utf8");
  const patterns = [/^(?:import|export)\b[^;"']*?\bfrom\s*"(\.[^"]+)"/gm, /^import\s*"(\.[^"]+)"/gm];
  if (file.endsWith(".cjs")) patterns.push(/\brequire\("(\.[^"]+)"\)/g);
  if (all) {
    patterns.push(/\bimport\(\s*"(\.[^"]+)"\s*\)/g, /new URL\(\s*"(\.[^"]*[^"/.])",\s*import\.meta\.url\)/g);
  }
  return patterns
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(([, name = ""]) => join(dirname(file), name))
    .map((path) => (file.endsWith(".d.ts") ? path.replace(/\.js$/, ".d.ts") : path))
    .filter((path) => existsSync(path))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Everything that is reached from `entries`, which are among it; paths as npm prints them. */
function reached(entries: readonly string[], all = true): string[] {
  const seen = new Set(entries.map((entry) => join(ROOT, entry)));
  for (const file of seen)
    if (/\.c?js$|\.d\.ts$/.test(file)) for (const next of loads(file, all)) seen.add(next);
  return [...seen].map((path) => relative(ROOT, path).replaceAll("\\", "/"));
}

test("the package holds what its entry points reach, and nothing else", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
  const entries = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((way) => (typeof way === "string" ? way : Object.values(way))),
  ];
  const shell = process.platform === "win32";
  const packed = spawnSync("npm", ["pack", "--dry-run", "--json"], { cwd: ROOT, encoding: "utf8", shell });
  assert.equal(packed.status, 0, packed.stderr);
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
  assert.deepEqual(
    files
      .map(({ path }) => path)
      .filter((path) => !ALWAYS.has(path))
      .toSorted(),
    reached(entries)
      .filter((path) => !ALWAYS.has(path))
      .toSorted(),
  );
});

test("a recorded process loads few files", () => {
  const first = ["dist/register.js"];
  assert.deepEqual(reached(first, false), ["dist/register.js", "dist/recorder/recorder.js"]);
  assert.deepEqual(reached(["dist/index.js"], false), ["dist/index.js", "dist/recorder/recorder.js"]);
  assert.ok(reached(first).includes("dist/recorder/tracer.cjs"));
  assert.ok(reached(["dist/recorder/tracer.cjs"]).length <= 3);
});
