import assert from "node:assert/strict";
import { test } from "node:test";
import { named, strip, transform } from "./transform.ts";
import type { ModuleKind } from "./transform.ts";

/** Sites of a text: kind, function, line:column, what is waited for, the function of the frame that it does not begin. */
function sitesOf(source: string, module: ModuleKind = "esm"): string[] {
  const result = transform(source, { module, runtime: "__rt" });
  const sites = result?.sites ?? [];
  return sites.map(({ kind, func, line, column, waits, callee, of }, index) => {
    const owner = of < 0 ? "none" : of === index ? "" : sites[of]!.func;
    return `${kind} ${func} ${line}:${column} ${waits ?? ""}${callee === undefined ? "" : `=${callee}`} ${owner}`
      .trim()
      .replace(/ +/g, " ");
  });
}

const TABLE: readonly (readonly [source: string, ...sites: string[]])[] = [
  ["async function f() {}", "call f 1:1"],
  ["export default async function () {}", "call default 1:16"],
  ["const a = async () => {}, b = { c: async () => {} };", "call a 1:11", "call b.c 1:36"],
  [
    "exports.a = async function () {}; A.prototype.b = async () => {};",
    "call exports.a 1:13",
    "call A.b 1:51",
  ],
  ["x(async () => {});", "call (anonymous:1) 1:3"],
  [
    'const a = __name(async () => {}, "b"); x(async () => {}, "c");',
    "call b 1:18",
    "call (anonymous:1) 1:42",
  ],
  [
    "function f() {\n  g(async () => {\n    h(async () => {}) }) }",
    "call f.(anonymous:2) 2:5",
    "at f.(anonymous:2) 3:5 f.(anonymous:2)",
    "call f.(anonymous:2).(anonymous:3) 3:7",
  ],
  [
    "class A { async b() {} static async #c() {} d = async () => {}; async *[e]() {} async 'f g'() {} }",
    "call A.b 1:11",
    "call A.#c 1:24",
    "call A.d 1:49",
    "generator A[e] 1:65",
    "call A.f g 1:81",
  ],
  [
    "const o = { async m() {}, p: { q: async function named() {} }, get r() { return async () => {}; } };",
    "call o.m 1:13",
    "call named 1:35",
    "call o.r.(anonymous:1) 1:81",
  ],
  ["const { a = async () => {} } = {}; function f(b = async () => {}) {}", "call a 1:13", "call b 1:51"],
  [
    "async function f() {\n\tawait g();\r\n  await (h.i(1));\r await `${await j}`; }",
    "call f 1:1",
    "await f 2:2 call=g f",
    "await f 3:3 call=i f",
    "await f 4:2 other f",
    "await f 4:11 other f",
  ],
  [
    "async function f() { await Promise.all([]); await Promise.allSettled(x); await Promise.race(x); await Promise.any(x); await new Promise((r) => r()); await Promise.resolve(g()); await new X(); await (a, g()); await (a ? b : g()); await (a ?? g()); await a?.b(); await (x = g()); await g`t`; await import('x'); await g().then(h); }",
    "call f 1:1",
    "await f 1:22 all=all f",
    "await f 1:45 all=allSettled f",
    "await f 1:74 race=race f",
    "await f 1:97 race=any f",
    "await f 1:119 promise f",
    "executor f 1:125 f",
    "await f 1:150 other=resolve f",
    "at f 1:172 f",
    "await f 1:178 other f",
    "await f 1:193 call f",
    "at f 1:203 f",
    "await f 1:209 call f",
    "at f 1:224 f",
    "await f 1:230 call f",
    "at f 1:242 f",
    "await f 1:248 call=b f",
    "await f 1:262 call f",
    "at f 1:273 f",
    "await f 1:279 call f",
    "await f 1:291 other f",
    "await f 1:310 call=then f",
  ],
  [
    "async function f() { if (a) return g(); if (b) return Promise.race(x); if (c) return 1; return; }",
    "call f 1:1",
    "tail f 1:36 call=g f",
    "tail f 1:55 race=race f",
  ],
  [
    "const f = async (x) => g(x), h = async () => ({}), i = async () => (await x);",
    "call f 1:11",
    "tail f 1:24 call=g f",
    "call h 1:34",
    "call i 1:56",
    "await i 1:69 other i",
  ],
  [
    "async function* f() { yield 1; yield* g(); for await (const x of y) ; }",
    "generator f 1:1",
    "yield f 1:23 f",
    "yield f 1:32 f",
    "forAwait f 1:44 f",
  ],
  [
    "new Promise((resolve, reject) => {});\nfunction f() { return new Promise(function (r) { async () => {} }); }",
    "executor (module) 1:1 none",
    "executor f 2:23 none",
    "call f.(anonymous:2).(anonymous:2) 2:50",
  ],
  [
    "import x from 'x';\nawait x;\nasync () => { await 1; };",
    "module (module) 1:1",
    "await (module) 2:1 other (module)",
    "call (anonymous:3) 3:1",
    "await (anonymous:3) 3:15 other (anonymous:3)",
  ],
  [
    "async function f() {\n  const { a } = b(), [c] = d();\n  e(g()).h(i());\n  for (const x of j(k())) l(...m());\n  n()(); new O(new P()); Math.max(q());\n  return r(s()); }",
    "call f 1:1",
    "at f 3:10 f",
    "at f 3:5 f",
    "at f 3:12 f",
    "at f 4:21 f",
    "at f 4:27 f",
    "at f 5:3 f",
    "at f 5:10 f",
    "at f 5:16 f",
    "at f 5:35 f",
    "tail f 6:10 call=r f",
    "at f 6:12 f",
  ],
];

for (const [source, ...want] of TABLE) {
  test(`sites of ${source.slice(0, 60)}`, () => {
    assert.deepEqual(sitesOf(source), want);
  });
}

/** Texts that stay as they are. */
const LEFT: readonly (readonly [why: string, source: string, module?: ModuleKind])[] = [
  ["nothing asynchronous", "function f() { return 1; }"],
  ["only the words", "// async await new Promise\nconst s = 'async';"],
  ["not JavaScript", "async function f( {"],
  ["await at the top level of a script", "async () => {}; await x;", "cjs"],
  ["the runtime's name", "async () => { __rt.call(1); }"],
  ["the runtime's name, escaped", "async () => { \\u005f_rt.call(1); }"],
  ["a mark of insertions", "async () => { /*\u0001*/ }"],
  ["a direct eval", "async function f() { eval('1'); }"],
  ["a with", "with (o) { x = async () => {}; }", "cjs"],
  ["asynchronous disposal", "async function f() { { await using x = y; } }"],
  ["asynchronous disposal in a loop", "async function f() { for (await using x of y) ; }"],
  ["a function that a block would change", "async function f(a) { function a() {} }"],
  ["an executor that reads its arguments", "new Promise(function (r) { arguments[0](); })"],
  [
    "an executor with patterns",
    "new Promise(({ a }) => {}); new Promise((...a) => {}); new Promise(() => {})",
  ],
  ["a Promise of one's own", "import { Promise } from 'x'; new Promise((r) => r());"],
  ["another Promise of one's own", "const { a: [Promise] } = x; new Promise((r) => r());"],
];

for (const [why, source, module] of LEFT) {
  test(`left alone: ${why}`, () => {
    assert.equal(transform(source, { module: module ?? "esm", runtime: "__rt" }), null);
  });
}

test("a text nested more deeply than the stack is left alone", () => {
  const source = `async () => ${"(".repeat(200_000)}1${")".repeat(200_000)}`;
  assert.equal(transform(source, { module: "esm", runtime: "__rt" }), null);
});

test("what a file begins with stands behind its directives, on their line", () => {
  const source = "#!/usr/bin/env node\n// x\n'use strict' // y\nasync () => {};";
  const result = transform(source, { module: "cjs", runtime: "__rt" });
  assert.ok(result !== null);
  const code = named(result, "/x/*/a.js");
  const [hashbang, comment, directive] = code.split("\n");
  assert.deepEqual([hashbang, comment], ["#!/usr/bin/env node", "// x"]);
  assert.match(
    directive!,
    /^'use strict'\/\*.\*\/;var \$m=__rt\.module\("2:1:.*","\/x\/\*\\\/a\.js"\);\/\*\*\/ \/\/ y$/,
  );
  assert.equal(strip(code), source);
});

test("sites name the original text where there is one", () => {
  const result = transform("async () => {};\nasync () => {};", {
    module: "esm",
    runtime: "__rt",
    original: (line, column) => (line === 1 ? null : { file: "a.ts", line: line * 10, column: column + 1 }),
  });
  assert.deepEqual(
    result?.sites.map(({ file, line, column }) => [file, line, column]),
    [
      ["", 1, 1],
      ["a.ts", 20, 2],
    ],
  );
});

test("what jobs call back is marked where nobody else can know it", () => {
  const marked = (source: string): string[] => {
    const code = transform(source, { module: "cjs", runtime: "__rt" })?.code ?? "";
    return [...code.matchAll(/__rt\.(?:reaction|job)\(/g)].map(([text]) => text.slice(5, -1));
  };
  assert.deepEqual(marked("p.then(() => 1, function () {}).catch(f.bind(x)).finally(async () => {});"), [
    "reaction",
    "reaction",
    "reaction",
    "reaction",
  ]);
  assert.deepEqual(marked("p.then(f, g); p['then'](() => 1); p.then(...a); async () => {};"), []);
  assert.deepEqual(marked("process.nextTick(f, 1); queueMicrotask(f); globalThis.queueMicrotask(f);"), [
    "job",
    "job",
    "job",
  ]);
  assert.deepEqual(marked("other.nextTick(f); other.queueMicrotask(f); async () => {};"), []);
});
