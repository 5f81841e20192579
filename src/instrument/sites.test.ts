import assert from "node:assert/strict";
import { test } from "node:test";
import { transform } from "./transform.ts";
import type { ModuleKind } from "./transform.ts";

/** Sites of a text: kind, function, line:column, what is waited for, the function of the frame that it does not begin. */
function sitesOf(source: string, module: ModuleKind = "esm"): string[] {
  const result = transform(source, { module, firstSite: 7, runtime: "__rt" });
  const sites = result?.sites ?? [];
  return sites.map(({ id, kind, func, line, column, waits, of }, index) => {
    assert.equal(id, 7 + index);
    const owner = of < 0 ? "none" : of === index ? "" : sites[of]!.func;
    return `${kind} ${func} ${line}:${column} ${waits ?? ""} ${owner}`.trim().replace(/ +/g, " ");
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
    "function f() {\n  g(async () => {\n    h(async () => {}) }) }",
    "call f.(anonymous:2) 2:5",
    "call f.(anonymous:2).(anonymous:3) 3:7",
  ],
  [
    "class A { async b() {} static async #c() {} d = async () => {}; async *[e]() {} async 'f g'() {} }",
    "call A.b 1:11",
    "call A.#c 1:24",
    "call A.d 1:49",
    "call A[e] 1:65",
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
    "await f 2:2 call f",
    "await f 3:3 call f",
    "await f 4:2 other f",
    "await f 4:11 other f",
  ],
  [
    "async function f() { await Promise.all([]); await Promise.allSettled(x); await Promise.race(x); await Promise.any(x); await new Promise((r) => r()); await Promise.resolve(g()); await new X(); await (a, g()); await (a ? b : g()); await (a ?? g()); await a?.b(); await (x = g()); await g`t`; await import('x'); await g().then(h); }",
    "call f 1:1",
    "await f 1:22 all f",
    "await f 1:45 all f",
    "await f 1:74 race f",
    "await f 1:97 race f",
    "await f 1:119 promise f",
    "executor f 1:125 f",
    "await f 1:150 other f",
    "await f 1:178 other f",
    "await f 1:193 call f",
    "await f 1:209 call f",
    "await f 1:230 call f",
    "await f 1:248 call f",
    "await f 1:262 call f",
    "await f 1:279 call f",
    "await f 1:291 other f",
    "await f 1:310 call f",
  ],
  [
    "async function f() { if (a) return g(); if (b) return Promise.race(x); if (c) return 1; return; }",
    "call f 1:1",
    "tail f 1:36 call f",
    "tail f 1:55 race f",
  ],
  [
    "const f = async (x) => g(x), h = async () => ({}), i = async () => (await x);",
    "call f 1:11",
    "tail f 1:24 call f",
    "call h 1:34",
    "call i 1:56",
    "await i 1:69 other i",
  ],
  [
    "async function* f() { yield 1; yield* g(); for await (const x of y) ; }",
    "call f 1:1",
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
    assert.equal(transform(source, { module: module ?? "esm", firstSite: 1, runtime: "__rt" }), null);
  });
}

test("a text nested more deeply than the stack is left alone", () => {
  const source = `async () => ${"(".repeat(200_000)}1${")".repeat(200_000)}`;
  assert.equal(transform(source, { module: "esm", firstSite: 1, runtime: "__rt" }), null);
});
