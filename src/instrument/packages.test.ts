import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Script } from "node:vm";
import { projectRoot } from "../testing/project.ts";
import { readSites, writeSites } from "../base/sites.ts";
import { parse } from "./syntax.ts";
import { named, strip, transform } from "./transform.ts";
import type { ModuleKind } from "./transform.ts";

/** Packages of this project's own tools, from hand-written to bundled and minified. */
const PACKAGES = ["commander", "fast-check", "playwright-core", "rolldown", "vite"];

interface Text {
  readonly name: string;
  readonly source: string;
}

function textsOf(name: string): Text[] {
  const folder = join(projectRoot(), "node_modules", name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[cm]?js$/.test(file))
    .map((file) => ({ name: join(name, file), source: readFileSync(join(folder, file), "utf8") }));
}

/** Throws where a text is not valid; V8 itself judges what is no module. */
function check(code: string, kind: ModuleKind, name: string): void {
  if (kind === "esm") parse(code, kind);
  else new Script(`(function (exports, require, module) {${code}\n})`, { filename: name });
}

for (const name of PACKAGES) {
  test(`every file of ${name} stays valid and comes back`, () => {
    let transformed = 0;
    for (const { name: file, source } of textsOf(name)) {
      for (const module of ["esm", "cjs"] as const) {
        const result = transform(source, { module, runtime: "__runtrace_test" });
        if (result === null) continue;
        transformed++;
        check(named(result, file), module, file);
        assert.ok(strip(result.code) === source, `${file} does not come back`);
        const insertions = result.code.split("\n").length - source.split("\n").length;
        assert.equal(insertions, 0, `${file} has other lines`);
        assert.deepEqual(readSites(writeSites(result.sites)), result.sites);
        break;
      }
    }
    assert.ok(transformed > 0, `transformed ${transformed} files`);
  });
}
