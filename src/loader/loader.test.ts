import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { projectRoot } from "../testing/project.ts";
import { folderOf, run, sitesIn } from "./program.test.util.ts";
import { PROGRAMS } from "./programs.test.util.ts";

for (const [name, { files, args, input, transformed = [] }] of Object.entries(PROGRAMS)) {
  test(`program ${name} does the same through the loader`, async (t) => {
    const folder = folderOf(t, files);
    const log = join(folder, ".log");
    const start = args ?? ["main.cjs", "main.mjs"].filter((file) => file in files);
    const more = input === undefined ? {} : { input };
    const want = await run(folder, start, null, more);
    const got = await run(folder, start, { mode: "noting", log }, more);
    assert.deepEqual(got, want);
    const seen = existsSync(log) ? sitesIn(log) : new Map<string, unknown>();
    for (const file of transformed) assert.ok(seen.has(file), `${file} was not transformed`);
  });
}

test("TypeScript through tsx does the same, and sites name its lines", async (t) => {
  const main = `interface A { x: number }\n\nenum E { A = 3 }\nexport async function f(a: A): Promise<number> {\n  await g(a);\n  return a.x + E.A;\n}\nconst g = async <T extends A>(a: T): Promise<number> => a.x;\nf({ x: 1 }).then(console.log);\ng(null as never).catch((e: Error) => console.log(e.stack));\n`;
  for (const file of ["main.ts", "main.mts", "main.cts"]) {
    const folder = folderOf(t, { [file]: file === "main.cts" ? main.replace("export ", "") : main });
    symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
    const log = join(folder, ".log");
    const args = ["--import", "tsx", file];
    const want = await run(folder, args, null);
    assert.equal(want.stderr, "");
    assert.deepEqual(await run(folder, args, { mode: "noting", log }), want);
    const sites = sitesIn(log).get(file) ?? [];
    assert.deepEqual(
      sites.map(({ kind, func, file: of, line, callee }) => `${kind} ${func} ${of}${line} ${callee ?? ""}`),
      ["call f 4 ", "await f 5 g", "call g 8 ", "tail g 8 "],
      file,
    );
  }
});

test("an uncaught error of TypeScript through tsx is printed with its line", async (t) => {
  const failing: Readonly<Record<string, string>> = {
    "rejected.ts": `async function g() { await null; throw new TypeError("no"); }\ninterface A { x: number }\nasync function f(): Promise<void> {\n  await g();\n}\nvoid f();\n`,
    "rejected.mts": `type A = { x: number };\nasync function f(): Promise<never> { await 1; throw new Error("no"); }\nawait f();\n`,
    "thrown.ts": `const f = async (x: number) => { await x; };\nsetTimeout(() => { f(1); throw new Error("no"); });\nf(2);\n`,
    "value.ts": `const f = async (x: number) => { await x; };\nsetTimeout(() => { f(1); throw 5; });\nf(2);\n`,
  };
  for (const [file, text] of Object.entries(failing)) {
    const folder = folderOf(t, { [file]: text });
    symlinkSync(join(projectRoot(), "node_modules"), join(folder, "node_modules"));
    const log = join(folder, ".log");
    const args = ["--import", "tsx", file];
    const want = await run(folder, args, null);
    assert.match(want.stderr, new RegExp(`${file}:\\d+\\n.*(no|5)`));
    assert.deepEqual(await run(folder, args, { mode: "noting", log }), want, file);
    assert.ok(sitesIn(log).has(file), `${file} was not transformed`);
  }
});

test("sites name the original file where a source map lies beside", async (t) => {
  const { files } = PROGRAMS["sourceMaps"]!;
  const folder = folderOf(t, files);
  const cache = join(folder, "cache");
  const log = join(folder, ".log");
  const places = async (): Promise<string[]> => {
    writeFileSync(log, "");
    await run(folder, ["main.mjs"], { mode: "quiet", cache, log });
    return sitesIn(log)
      .get("out.mjs")!
      .map(({ file, line, column }) => `${file} ${line}:${column}`);
  };
  assert.deepEqual((await places()).slice(-2), ["src/in.ts 11:1", "src/in.ts 12:3"]);
  // The map is not part of the file's content.
  writeFileSync(join(folder, "out.mjs.map"), files["out.mjs.map"]!.replace("in.ts", "other.ts"));
  assert.deepEqual((await places()).slice(-1), ["src/other.ts 12:3"]);
});

test("files are left out as the options say", async (t) => {
  const text = "module.exports = async () => { await 1; };";
  const folder = folderOf(t, {
    "main.cjs": `require("./a/x.cjs"); require("./b/x2.cjs"); require("./b/y.cjs"); ${text}`,
    "a/x.cjs": text,
    "b/x2.cjs": text,
    "b/y.cjs": text,
  });
  const log = join(folder, ".log");
  await run(folder, ["main.cjs"], { mode: "quiet", log, include: ["a", "b"], exclude: ["y.*"] });
  assert.deepEqual([...sitesIn(log).keys()].sort(), ["x.cjs", "x2.cjs"]);
});

test("the parser is loaded only for what the cache does not know", async (t) => {
  const folder = folderOf(t, {
    "main.mjs": `import "./lib.cjs"; const f = async () => { await 1; }; console.log(await f(), String(f));`,
    "lib.cjs": `exports.f = async () => { await 1; };`,
    "broken.cjs": `async () => {`,
  });
  const cache = join(folder, "cache");
  // Says whether the parser was read, by the time that the file was last read where the system knows it.
  const compiler = fileURLToPath(new URL("./compiler.cjs", import.meta.url));
  const trace = `const vm = require("vm"); const { compileFunction } = vm; vm.compileFunction = (...v) => { process._rawDebug("compiled " + (v[2].filename === ${JSON.stringify(compiler)})); return compileFunction(...v); };`;
  writeFileSync(join(folder, "trace.cjs"), trace);
  const more = { env: { NODE_OPTIONS_FIRST: join(folder, "trace.cjs") } };
  const cold = await run(folder, ["main.mjs"], { mode: "quiet", cache }, more);
  assert.match(cold.stderr, /^(?:compiled true\n){1,2}$/);
  const kept = readdirSync(cache);
  assert.ok(kept.length >= 2, "one a file");
  for (const name of kept)
    assert.ok(!readFileSync(join(cache, name), "utf8").includes(folder), "names no place");
  const warm = await run(folder, ["main.mjs"], { mode: "quiet", cache }, more);
  assert.deepEqual(warm, { ...cold, stderr: "" });
  await run(folder, ["broken.cjs"], { mode: "quiet", cache }, more);
  const broken = await run(folder, ["broken.cjs"], { mode: "quiet", cache }, more);
  assert.doesNotMatch(broken.stderr, /compiled/, "what cannot be parsed is kept, too");
});

test("a cache that cannot be used, or is damaged, is not noticed", async (t) => {
  const folder = folderOf(t, {
    "main.mjs": `const f = async () => { await 1; return 5; }; console.log(await f());`,
    file: "",
  });
  const want = { stdout: "5\n", stderr: "", end: 0 };
  assert.deepEqual(
    await run(folder, ["main.mjs"], { mode: "quiet", cache: join(folder, "file", "x") }),
    want,
  );
  const cache = join(folder, "cache");
  mkdirSync(cache, { mode: 0o700 });
  chmodSync(cache, 0o700);
  assert.deepEqual(await run(folder, ["main.mjs"], { mode: "quiet", cache }), want);
  const [name] = readdirSync(cache);
  writeFileSync(join(cache, name!), "console.log('evil')");
  assert.deepEqual(await run(folder, ["main.mjs"], { mode: "quiet", cache }), want);
});
