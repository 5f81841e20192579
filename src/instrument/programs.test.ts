import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { NotingRuntime, QuietRuntime } from "./runtime.ts";
import { strip, transform } from "./transform.ts";
import { RUNTIME, frameChecker, installRuntime } from "./traps.test.util.ts";

/** Functions of a random program: f0 and f1 are async, g0 and g1 async generators; each calls only those behind it. */
const NAMES = ["main", "f0", "g0", "f1", "g1"];

/** Where a statement stands: what it may use. */
interface Place {
  /** Index of the function. */
  readonly index: number;
  readonly isGenerator: boolean;
  readonly loops: readonly string[];
}

const callable = (place: Place, kind: string): string[] =>
  NAMES.slice(place.index + 1).filter((name) => name.startsWith(kind));

function expression(place: Place, depth: number): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("1", "x", "log('e')", "Promise.resolve(2)", "thenable(4)") },
    { weight: 1, arbitrary: fc.constant("Promise.reject(3)") },
  );
  if (depth === 0) return leaf;
  const inner = expression(place, depth - 1);
  const inArrow = expression({ ...place, isGenerator: false, loops: [] }, depth - 1);
  const kinds = [
    leaf,
    inner.map((e) => `await ${e}`),
    inner.map((e) => `-(await (${e}))`),
    fc.tuple(inner, inner).map(([a, b]) => `(await ${a}, ${b})`),
    fc.tuple(inner, inner).map(([a, b]) => `[${a}, await ${b}].length`),
    fc.tuple(inner, inner).map(([a, b]) => `(await ${a} ? ${b} : await (${b}))`),
    fc.array(inner, { maxLength: 2 }).map((list) => `Promise.allSettled([${list.join(", ")}])`),
    inArrow.map((e) => `(async () => ${e})()`),
    inArrow.map((e) => `(async (y) => { x = y; return ${e}; })(await 5)`),
    fc.constant("new Promise((resolve, reject) => { later(() => resolve(6)); x++; })"),
    fc.constant("new Promise((resolve, reject) => later(() => reject(8)))"),
    inArrow.map((e) => `new Promise(async function (resolve) { later(resolve); log(${e}); })`),
  ];
  for (const name of callable(place, "f")) kinds.push(inner.map((e) => `${name}(${e})`));
  for (const name of callable(place, "g")) kinds.push(inner.map((e) => `drain(${name}(${e}))`));
  if (place.isGenerator) kinds.push(inner.map((e) => `(yield ${e})`));
  return fc.oneof(...kinds);
}

function statement(place: Place, depth: number): fc.Arbitrary<string> {
  const value = expression(place, 2);
  const simple = [
    value.map((e) => `log(${e});`),
    value.map((e) => `x = await ${e};`),
    value.map((e) => `${e};`),
    value.map((e) => `return ${e};`),
    value.map((e) => `throw ${e};`),
    fc.constant("log('here');"),
  ];
  for (const loop of place.loops) {
    simple.push(fc.constantFrom("break;", "continue;", `continue ${loop};`, `break ${loop};`));
  }
  if (place.isGenerator) {
    for (const name of callable(place, "g")) simple.push(value.map((e) => `x = yield* ${name}(${e});`));
    simple.push(value.map((e) => `yield ${e};`));
  }
  if (depth === 0) return fc.oneof(...simple);
  const list = block(place, depth - 1);
  const loop = `loop${depth}`;
  const body = block({ ...place, loops: [...place.loops, loop] }, depth - 1);
  const sources = ["[1, Promise.resolve(2)]", "[Promise.reject(7)]"];
  for (const name of callable(place, "g")) sources.push(`${name}(1)`, `await ${name}(2)`);
  return fc.oneof(
    ...simple,
    fc.tuple(list, list).map(([a, b]) => `try ${a} catch (e) ${b}`),
    fc.tuple(list, list).map(([a, b]) => `try ${a} finally ${b}`),
    fc.tuple(list, list, list).map(([a, b, c]) => `try ${a} catch ${b} finally ${c}`),
    fc.tuple(value, list).map(([e, a]) => `if (await ${e}) ${a} else log("else");`),
    body.map((a) => `${loop}: for (let i = 0; i < 2; i++) ${a}`),
    value.chain((e) => body.map((a) => `${loop}: for (const i of [1, await ${e}]) ${a}`)),
    fc.constantFrom(...sources).chain((s) => body.map((a) => `${loop}: for await (const i of ${s}) ${a}`)),
    value.chain((e) => list.map((a) => `switch (await ${e}) { case 1: ${a} default: log("default"); }`)),
  );
}

function block(place: Place, depth: number): fc.Arbitrary<string> {
  return fc
    .array(statement(place, depth), { minLength: 1, maxLength: 3 })
    .map((list) => `{ ${list.join("\n")} }`);
}

const program = fc
  .tuple(
    ...NAMES.map((_, index) => block({ index, isGenerator: NAMES[index]!.startsWith("g"), loops: [] }, 2)),
  )
  .map((bodies) => {
    const functions = bodies.map((body, index) => {
      const name = NAMES[index]!;
      const star = name.startsWith("g") ? "*" : "";
      return `async function${star} ${name}(x) { if (calls++ > 60) return;\nlog("${name}"); ${body} log("end"); }`;
    });
    const drain =
      "async function drain(i) { let r; while (!(r = await i.next(9)).done) log(r.value); return r.value; }";
    return `(function (log, later, thenable) { let calls = 0; ${drain}\n${functions.join("\n")}\nreturn main(0); })`;
  });

/** What a program logs while ticks of a chain of promises are logged beside it, until nothing is left to do. */
async function logOf(code: string): Promise<string[]> {
  const lines: string[] = [];
  const log = (value: unknown): unknown => {
    lines.push(typeof value === "object" ? JSON.stringify(value) : String(value));
    return value;
  };
  const thenable = (value: number): object => ({
    // oxlint-disable-next-line unicorn/no-thenable
    then(resolve: (value: number) => void) {
      log("then");
      resolve(value);
    },
  });
  const later = (task: () => void): void => void Promise.resolve().then(task);
  const run = runInThisContext(code) as (...use: unknown[]) => Promise<unknown>;
  let tick = Promise.resolve();
  for (let i = 0; i < 150; i++) tick = tick.then(() => void lines.push(`tick ${i}`));
  run(log, later, thenable).then(
    (value) => log({ value }),
    (error: unknown) => log({ error: String(error) }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return lines;
}

test("random programs log the same in the same microtasks, transformed or not", async (t) => {
  // The programs reject promises that nobody handles: the test runner would take them for its own.
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", () => {});
  t.after(() => {
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
  });
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(program, async (source) => {
      const result = transform(source, { module: "script", runtime: RUNTIME });
      assert.ok(result !== null, "was not transformed");
      assert.equal(strip(result.code), source);
      const want = await logOf(source);
      installRuntime(new QuietRuntime());
      assert.deepEqual(await logOf(result.code), want);
      const checker = frameChecker();
      installRuntime(new NotingRuntime(checker.note));
      assert.deepEqual(await logOf(result.code), want);
      assert.equal(checker.counts.get("unseen"), undefined);
      for (const [what, count] of checker.counts) seen.set(what, (seen.get(what) ?? 0) + count);
    }),
    { numRuns: 500 },
  );
  for (const what of ["block", "resume", "caught", "iterate", "produce", "next", "tail", "settle"]) {
    assert.ok((seen.get(what) ?? 0) > 30, `saw ${what} ${seen.get(what)} times`);
  }
});
