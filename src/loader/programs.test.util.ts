/** A program: its files, and how node is started; `main.cjs` or `main.mjs` by default. */
export interface TestProgram {
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly input?: string;
  /** Files that must have been transformed. */
  readonly transformed?: readonly string[];
}

const ASYNC = "async function work(x) { await x; return x; }";
const LATE = `${ASYNC} const fail = async () => { await null; throw new Error("late"); };`;

/** An ES module as TypeScript's compiler might have left it, its source map beside it. */
const COMPILED = `${ASYNC}\nexport const run = async () => { await work(1); throw new Error("mapped"); };\n//# sourceMappingURL=out.mjs.map\n`;
const MAP = JSON.stringify({
  version: 3,
  sources: ["src/in.ts"],
  names: [],
  // Line 2 of the output: column 1 from 11:1, column 34 from 12:3, column 49 from 13:5.
  mappings: ";AAUA,iCACE,eACE",
});

/** Programs that must print, exit and fail through the loader as they do alone. */
export const PROGRAMS: Readonly<Record<string, TestProgram>> = {
  cycle: {
    files: {
      "main.mjs": `import { b } from "./b.mjs"; export async function a(x) { await x; return [x, typeof b]; } console.log(await a(1), await b());`,
      "b.mjs": `import { a } from "./main.mjs"; const early = a(2); export async function b() { return [await early, await a(3)]; }`,
    },
    transformed: ["main.mjs", "b.mjs"],
  },
  topLevel: {
    files: {
      "main.mjs": `${ASYNC} console.log(await work(1), import.meta.url.slice(-8)); const { default: c } = await import("./c.mjs?x=1#y"); console.log(await c());`,
      "c.mjs": `await 0; export default async () => { await 1; return [import.meta.url.slice(-10), new Error("c").stack.split("\\n")[1].slice(-24)]; };`,
    },
    transformed: ["main.mjs", "c.mjs?x=1#y"],
  },
  mixed: {
    files: {
      "main.cjs": `${ASYNC} const { f } = require("./lib/f.mjs"); f().then(console.log); console.log(require("./data.json"), require.cache[__filename] === module, module.children.length);
        import("./lib/f.mjs").then(async (m) => console.log(m.f === f, await work(2), (await import("./named.cjs")).g));`,
      "lib/f.mjs": `import { inner } from "./inner.mjs"; import named from "../named.cjs"; export const f = async () => [await inner(), named.g];`,
      "lib/inner.mjs": `import fs from "node:fs"; export async function inner() { await 1; return [typeof fs, inner.toString()]; }`,
      "named.cjs": `exports.g = 5; exports.h = async () => { await 1; };`,
      "data.json": `{"a":1}`,
    },
    // What a required module imports is out of reach in older versions.
    transformed: [
      "main.cjs",
      "f.mjs",
      "named.cjs",
      ...(Number(process.versions.node.split(".")[0]) >= 24 ? ["inner.mjs"] : []),
    ],
  },
  syntaxErrors: {
    files: {
      "main.mjs": `for (const file of ["a.mjs", "b.cjs"]) try { await import("./" + file); } catch (e) { console.log(e.name, e.message); }`,
      "a.mjs": "async () => { await; }",
      "b.cjs": "async () => { let let; }",
    },
    transformed: ["main.mjs"],
  },
  detected: {
    files: { "main.js": `import fs from "node:fs"; ${ASYNC}\nconsole.log(typeof fs, await work(1));` },
    args: ["--no-warnings", "main.js"],
    transformed: ["main.js"],
  },
  evaluated: {
    files: { "lib.cjs": `${ASYNC} module.exports = work;` },
    args: [
      "-e",
      `const w = require("./lib.cjs"); w(1).then(console.log); console.log(String(w), __filename)`,
    ],
    transformed: ["lib.cjs"],
  },
  printed: { files: {}, args: ["-p", "(async () => { await 1 }).toString()"] },
  evaluatedModule: {
    files: { "lib.mjs": `${ASYNC} export default work;` },
    args: ["--input-type=module", "-e", `import w from "./lib.mjs"; console.log(await w(1), String(w))`],
    transformed: ["lib.mjs"],
  },
  piped: { files: {}, args: ["-"], input: `${ASYNC} work(3).then(console.log); console.log(String(work));` },
  otherThings: {
    files: {
      "main.mjs": `import json from "./data.json" with { type: "json" }; import { createRequire } from "node:module"; ${ASYNC}
        const data = await import("data:text/javascript,export default async () => { await 1; return 7; }");
        const wasm = await WebAssembly.instantiate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
        console.log(json, await data.default(), wasm.instance.exports, await work(1));
        try { createRequire(import.meta.url)("./no.node"); } catch (e) { console.log(e.code); }`,
      "data.json": `{"a":[1]}`,
      "no.node": "no",
    },
    transformed: ["main.mjs"],
  },
  workers: {
    files: {
      "main.mjs": `import { Worker, threadId } from "node:worker_threads"; ${ASYNC}
        for (const [file, options] of [["./w.mjs"], ["./w.cjs"], ["console.log(require('worker_threads').threadId)", { eval: true }]]) {
          const worker = new Worker(options ? file : new URL(file, import.meta.url), options);
          worker.on("error", (e) => console.log(e.stack));
          await new Promise((done) => worker.on("exit", (code) => done(console.log(code))));
        }
        console.log(threadId, await work(1));`,
      "w.mjs": `import { threadId } from "node:worker_threads"; ${LATE} console.log(threadId, await work(2), String(work)); await fail();`,
      "w.cjs": `${LATE} work(3).then(console.log); console.log(require("node:worker_threads").threadId); fail();`,
    },
    transformed: ["main.mjs", "w.mjs", "w.cjs"],
  },
  texts: {
    files: {
      "main.cjs": `const f = async (x = 1) => x; class A { static async s() { await 1; } #p = async () => {}; async *g() { yield 1; } get x() { return new Promise((r) => r()); } }
        const own = Function.prototype.toString;
        console.log(String(f), String(A), String(A.s), A.prototype.g.toString(), String(Object.getOwnPropertyDescriptor(A.prototype, "x").get));
        console.log(own.call(own), own.name, own.length, String(own.toString), Object.getOwnPropertyDescriptor(Function.prototype, "toString"));
        console.log(String(function plain() { return 1; }), String(Map), String(class {}), String(f.bind(null)), String(new Proxy(f, {})));
        for (const value of [{}, null]) try { own.call(value); } catch (e) { console.log(e.message); }
        try { new own(); } catch (e) { console.log(e.message); }
        console.log(require("util").inspect(A), f, [A.s], String(require("module").prototype._compile).length, String(require("module").register));
        console.log(String(Error.prepareStackTrace), Object.keys(globalThis), JSON.stringify(Object.getOwnPropertyNames(process).sort()));`,
    },
    transformed: ["main.cjs"],
  },
  stacks: {
    files: {
      "main.cjs": `${LATE} const show = (e) => console.log(e.stack); fail().catch(show); (async () => { await work(1); null.x; })().catch(show);
        class K { async m() { await 1; return new Error("m"); } } new K().m().then(show); new Promise((resolve, reject) => { reject(new Error("executor")); }).catch(show);
        try { require("./not-there"); } catch (e) { show(e); }
        require("./deep.cjs"); eval("show(new Error('eval'))"); show(new AggregateError([new Error("inner")], "outer"));`,
      "deep.cjs": `${LATE} console.log(new Error("deep").stack); require("./deeper.cjs");`,
      "deeper.cjs": `${LATE} console.log(new Error("deeper").stack); const old = Error.stackTraceLimit; Error.stackTraceLimit = 2; console.log(new Error("two").stack); Error.stackTraceLimit = 40; console.log(new Error("all").stack); Error.stackTraceLimit = old;`,
    },
    transformed: ["main.cjs", "deep.cjs", "deeper.cjs"],
  },
  ownFormatter: {
    files: {
      "main.mjs": `${LATE} const first = Error.prepareStackTrace; console.log(typeof first, first.name, first.length);
        function mine(error, trace) { return trace.map((s) => [s.getFunctionName(), s.getLineNumber(), s.getColumnNumber(), s.getEnclosingColumnNumber?.(), s.isAsync(), s.getTypeName(), String(s).slice(-12), s.constructor.name].join()); }
        Error.prepareStackTrace = mine; console.log(Error.prepareStackTrace.name, String(Error.prepareStackTrace) === String(mine));
        try { await fail(); } catch (e) { console.log(e.stack); }
        console.log(new Error("x").stack.length, (await (async () => { await 1; return new Error("y"); })()).stack);
        Error.prepareStackTrace = first; try { await fail(); } catch (e) { console.log(e.stack.replaceAll(import.meta.url, "")); }
        Error.prepareStackTrace = undefined; try { await fail(); } catch (e) { console.log(e.stack.replaceAll(import.meta.url, "")); }`,
    },
    transformed: ["main.mjs"],
  },
  frozen: {
    files: {
      "main.cjs": `"use strict"; Object.freeze(Error); Object.freeze(Function.prototype); ${LATE} require("./b.cjs"); fail().catch((e) => console.log(e.stack, String(fail)));`,
      "b.cjs": `${LATE} console.log(new Error("b").stack); fail().catch((e) => console.log(e.stack)); import("./c.mjs");`,
      "c.mjs": `${LATE} try { await fail(); } catch (e) { console.log(e.stack); }`,
    },
    transformed: ["main.cjs", "b.cjs", "c.mjs"],
  },
  sourceMaps: {
    files: {
      "main.mjs": `import { run } from "./out.mjs"; try { await run(); } catch (e) { console.log(e.stack); } await run();`,
      "out.mjs": COMPILED,
      "out.mjs.map": MAP,
      "src/in.ts": Array.from({ length: 20 }, (_, i) => `${" ".repeat(i)}original ${i + 1}\n`).join(""),
    },
    args: ["--enable-source-maps", "main.mjs"],
    transformed: ["main.mjs", "out.mjs"],
  },
  uncaughtRejection: { files: { "main.cjs": `${LATE} fail();` }, transformed: ["main.cjs"] },
  uncaughtModule: { files: { "main.mjs": `\n${LATE} await fail();` }, transformed: ["main.mjs"] },
  uncaughtThrow: {
    files: {
      "main.cjs": `\t${LATE} process.on("exit", (c) => console.log(c)); setTimeout(() => { throw new RangeError("é 1") }, 1);`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtEngine: { files: { "main.cjs": `${LATE} nothing.there();` }, transformed: ["main.cjs"] },
  uncaughtCause: {
    files: {
      "main.mjs": `${LATE} const e = new Error("two\\nlines", { cause: new TypeError("c") }); e.code = "X"; process.exitCode = 4; await (async () => { throw e; })();`,
    },
    transformed: ["main.mjs"],
  },
  uncaughtTwice: {
    files: {
      "main.cjs": `${ASYNC}\nprocess.on("uncaughtException", () => { throw new Error("again"); }); setTimeout(() => { throw 1; }, 1);`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtValue: {
    files: { "main.cjs": `(async () => { await 1; throw { a: 1 }; })();` },
    transformed: ["main.cjs"],
  },
  uncaughtBuiltin: {
    files: {
      "main.cjs": `const f = async (x) => { await x; BigInt("x"); };\n(async () => { await 1; [].reduce(f); })();`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtElsewhere: {
    files: {
      "main.cjs": `${ASYNC} const made = () => { const e = new Error("made"); return e; };\nconst fail = (x = async () => await 1) => { throw made(); };\nsetTimeout(fail, 1);`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtMicrotask: {
    files: {
      "main.cjs": `queueMicrotask(async () => await 1); queueMicrotask(() => { throw new Error("late"); });`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtAssertion: {
    files: { "main.cjs": `${ASYNC}\nrequire("assert").strictEqual(1, 2, String(async () => await 1));` },
    transformed: ["main.cjs"],
  },
  uncaughtSyntax: {
    files: { "main.cjs": `const f = (x = async () => await 1) => { eval("("); }; f();` },
    transformed: ["main.cjs"],
  },
  missingExport: {
    files: {
      "main.mjs": `import { nothing } from "./lib.mjs";\nexport * from "./lib.mjs";\nawait nothing();`,
      "lib.mjs": `export const f = async () => { await 1; };`,
    },
    transformed: [],
  },
  evaluatedPlace: {
    files: {
      "main.cjs": `const f = (x = async () => await 1) => console.log(eval("new Error('evaluated').stack.split('\\\\n')[1]")); f();`,
    },
    transformed: ["main.cjs"],
  },
  uncaughtEvent: {
    files: {
      "main.cjs": `(async () => {\n await 1;\n fail();\n })();\nfunction fail() {\n new (require("events"))().emit("error", new Error("emitted"));\n }`,
    },
    transformed: ["main.cjs"],
  },
  longLine: {
    files: { "main.mjs": `${LATE} ${" ".repeat(1500)} await fail();` },
    transformed: ["main.mjs"],
  },
  otherCompiler: {
    files: {
      "main.cjs": `const old = require.extensions[".js"]; require.extensions[".js"] = (module, file) => { const compile = module._compile;
        module._compile = function (code, name) { return compile.call(this, code.replaceAll("ASYNC", "async"), name); }; old(module, file); };
        require("./lib.js")().then(console.log); console.log(String(require("./lib.js")));`,
      "lib.js": `module.exports = ASYNC () => { await 1; return 2; };`,
    },
    transformed: ["lib.js"],
  },
  hooks: {
    files: {
      "main.mjs": `import { register } from "node:module"; register("./hooks.mjs", import.meta.url); register("./more.mjs", import.meta.url); const { f } = await import("./odd.mjs"); console.log(await f(), String(f)); try { await f(1); } catch (e) { console.log(e.stack); }`,
      "hooks.mjs": `export async function load(url, context, next) { const loaded = await next(url); if (!url.endsWith("odd.mjs")) return loaded; return { ...loaded, source: String(loaded.source).replaceAll("ASYNC", "async") }; }`,
      "more.mjs": `export async function resolve(name, context, next) { const r = await next(name, context); return r; }`,
      "odd.mjs": `export const f = ASYNC (x) => { await 1; if (x) throw new Error("odd"); return 3; };`,
    },
    args: ["--no-warnings", "main.mjs"],
    transformed: ["main.mjs", "odd.mjs"],
  },
  packageType: {
    files: {
      "package.json": `{"type":"module"}`,
      "main.js": `${ASYNC} import x from "dep"; console.log(await work(1), await x());`,
      "node_modules/dep/package.json": `{"name":"dep","exports":"./i.js"}`,
      "node_modules/dep/i.js": `exports.__esModule = true; exports.default = async () => { await 1; return require("./j.js")(); }; module.exports = exports.default;`,
      "node_modules/dep/j.js": `module.exports = async () => { await 2; return __filename.slice(-4); };`,
    },
    args: ["main.js"],
    transformed: ["main.js", "i.js", "j.js"],
  },
};
