import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { NotingRuntime, QuietRuntime } from "./runtime.ts";
import { named, transform } from "./transform.ts";
import { RUNTIME, installRuntime } from "./traps.test.util.ts";

/** Runs the body of an async function, transformed; gives what it returns. */
function run(body: string): Promise<unknown> {
  const result = transform(`(async () => {${body}})`, { module: "script", runtime: RUNTIME });
  assert.ok(result !== null);
  return (runInThisContext(named(result, "")) as () => Promise<unknown>)();
}

/** What the runtime is told: frames have their number behind the word, sites are those of the text. */
const TABLE: readonly (readonly [body: string, notes: string])[] = [
  ["", "call1 end1"],
  ["await 1;", "call1 block1 resume1 end1"],
  ["await (async () => 1)();", "call1 call2 end2 block1 resume1 end1"],
  [
    "const f = async () => { await 1; }; const p = f(); await 2; await p;",
    "call1 call2 block2 block1 resume2 end2 resume1 block1 resume1 end1",
  ],
  ["try { await Promise.reject(1); } catch {}", "call1 block1 caught1 end1"],
  ["try { throw 1; } catch {}", "call1 end1"],
  ["try { await 1; } finally { f = 1; } var f;", "call1 block1 resume1 caught1 end1"],
  [
    "try { await Promise.reject(1); } catch (e) { await 2; } finally {}",
    "call1 block1 caught1 block1 resume1 caught1 end1",
  ],
  ["await Promise.reject(1);", "call1 block1 end1"],
  ["return Promise.resolve(1);", "call1 tail1 end1"],
  ["return await 1;", "call1 block1 resume1 end1"],
  ["for await (const x of [1, 2]) ;", "call1 iterate1 caught1 iterate1 caught1 iterate1 caught1 end1"],
  ["for await (const x of [1, 2]) break;", "call1 iterate1 caught1 iterate1 caught1 end1"],
  ["for await (const x of [1]) await x;", "call1 iterate1 caught1 block1 resume1 iterate1 caught1 end1"],
  ["for await (const x of await [1]) ;", "call1 block1 resume1 iterate1 caught1 iterate1 caught1 end1"],
  [
    "for await (const x of (async function* () { yield 1; })()) ;",
    "call1 iterate1 call2 produce2 caught1 iterate1 next2 end2 caught1 end1",
  ],
  [
    "const i = (async function* () { yield* [1]; })(); await i.next(); await i.next();",
    "call1 call2 iterate2 block1 resume1 block1 next2 end2 resume1 end1",
  ],
  [
    "const i = (async function* () { yield 1; })(); await i.next(); await i.return();",
    "call1 call2 produce2 block1 resume1 block1 end2 resume1 end1",
  ],
  ["await new Promise((resolve) => resolve(1));", "call1 settler settle executed block1 resume1 end1"],
  [
    "await new Promise(async (resolve) => resolve(1));",
    "call1 settler call2 settle tail2 end2 block1 resume1 end1",
  ],
  [
    "let go; const p = new Promise((resolve, reject) => { go = reject; }); go(1); await p.catch(() => {});",
    "call1 settler settler executed settle block1 resume1 end1",
  ],
];

for (const [body, want] of TABLE) {
  test(`the runtime is told of ${body || "an empty function"}`, async () => {
    const notes: string[] = [];
    installRuntime(
      new NotingRuntime((what, frame) => {
        if (what !== "module") notes.push(`${what}${frame || ""}`);
      }),
    );
    await run(body).catch(() => {});
    assert.equal(notes.join(" "), want);
  });
}

/** Errors whose message says what V8 sees in the text: the runtime's name must not be in it. */
const FAILING = [
  "for (const x of await 1) ;",
  "for (const x of (await {})) ;",
  "for await (const x of await 1) ;",
  "for await (const x of (await 1)) ;",
  "for await (const x of 1) ;",
  "const [a] = await 1;",
  "const { a: [b] } = await { a: 1 };",
  "[...await 1];",
  "(await 1)();",
  "(await {}).f();",
  "await (async function* () { yield* 1; })().next();",
  "await (async function* () { yield* run(); })().next(); function run() { return 1; }",
  "const i = (async function* () { (yield)(); })(); await i.next(); await i.next();",
];

for (const body of FAILING) {
  test(`the error of ${body} does not name the runtime`, async () => {
    installRuntime(new QuietRuntime());
    await assert.rejects(run(body), (error: Error) => {
      assert.equal(error.name, "TypeError");
      assert.doesNotMatch(error.message, /runtrace|resume|iterate|\$f/);
      return true;
    });
  });
}

test("frames that nothing records are numbered all the same", () => {
  const runtime = new QuietRuntime();
  assert.deepEqual([runtime.call(5), runtime.call(5), runtime.call(6)], [1, 2, 3]);
});
