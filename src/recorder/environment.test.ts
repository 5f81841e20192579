import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLauncher, removePreload, withPreload, withoutPreload, isRestricted } from "./environment.ts";
import { PRELOAD, REGISTER } from "./program.test.util.ts";

test("what withPreload adds, withoutPreload takes away, whatever else is in NODE_OPTIONS", () => {
  const word = fc.constantFrom(
    "--no-warnings",
    "-r",
    "./x.js",
    '"a b"',
    "--import",
    "tsx",
    '--title="q \\" r"',
    "--stack-trace-limit=5",
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const options = words.join(" ");
      assert.equal(withoutPreload(withPreload(options)) ?? "", options);
    }),
  );
  assert.equal(withoutPreload(withPreload(undefined)), undefined);
  assert.equal(withoutPreload("--no-warnings  -r ./x.js"), "--no-warnings  -r ./x.js");
});

test("the preload's options are taken out of an argument list, in each of their forms", () => {
  const url = new URL(`file://${REGISTER}`).href;
  const forms = [
    ["--require", PRELOAD],
    ["--require", REGISTER],
    ["-r", REGISTER],
    ["--import", url],
    [`--import=${url}`],
    ["--import", "runtrace/register"],
  ];
  for (const form of forms) {
    const args = ["--a", ...form, "--require", "./other.js"];
    removePreload(args);
    assert.deepEqual(args, ["--a", "--require", "./other.js"]);
  }
});

test("package managers and tsx's command are launchers, programs are not", () => {
  const launchers = [
    "/usr/lib/node_modules/npm/bin/npm-cli.js",
    "/usr/lib/node_modules/npm/bin/npx-cli.js",
    "/x/node_modules/pnpm/bin/pnpm.cjs",
    "/x/node_modules/corepack/dist/pnpm.js",
    "/x/.yarn/releases/yarn-4.1.0.cjs",
    "/x/node_modules/yarn/bin/yarn.js",
    "/x/node_modules/tsx/dist/cli.mjs",
  ];
  const programs = [
    "/x/app.js",
    "/x/npm.js",
    "/x/node_modules/tsx/dist/loader.mjs",
    "/x/node_modules/vite/bin/vite.js",
    undefined,
  ];
  for (const script of launchers) assert.equal(isLauncher(script), true, script);
  for (const script of programs) assert.equal(isLauncher(script), false, script);
});

test("the permission model is recognised among Node's own options only", () => {
  const cases: readonly (readonly [
    words: readonly string[],
    nodeOptions: string | undefined,
    is: boolean,
  ])[] = [
    [["--permission", "app.js"], undefined, true],
    [["--experimental-permission", "--allow-fs-read=*", "app.js"], undefined, true],
    [["--require", "x.js", "--permission", "app.js"], undefined, true],
    [["app.js", "--permission"], undefined, false],
    [["--no-warnings", "app.js", "--permission"], undefined, false],
    [["--permissions", "app.js"], undefined, false],
    [["app.js"], "--no-warnings --permission", true],
    [["app.js"], undefined, false],
    [["-c", "exec node --permission app.js"], undefined, true],
  ];
  for (const [words, nodeOptions, is] of cases) {
    assert.equal(isRestricted(words, nodeOptions), is, `${words.join(" ")} ${nodeOptions}`);
  }
});
