import assert from "node:assert/strict";
import { test } from "node:test";
import { Awaited, Fact, ResourceKind } from "#dist/base/facts.js";
import { RingReader, RingWriter, createRing } from "#dist/base/ring.js";
import { transform } from "#dist/instrument/transform.js";
import { CallContext } from "#dist/probe/context.js";
import { FrameSource } from "#dist/probe/frames.js";
import { FactWriter } from "#dist/probe/writer.js";

/** What a program of transformed code tells, a line a fact: `block inner <- sleep` and so on. */
async function told(source: string, known = true): Promise<string[]> {
  const runtime = `__runtrace_test_${process.hrtime.bigint()}`;
  const frames = new FrameSource();
  Object.defineProperty(globalThis, runtime, { value: frames, configurable: true });
  const transformed = transform(source, { module: "cjs", runtime });
  assert.ok(transformed !== null);
  const { code, nameAt } = transformed;
  const named = `${code.slice(0, nameAt)}"/app.js"${code.slice(nameAt)}`;
  const ring = createRing(2 ** 20);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const context = new CallContext(facts, false, false);
  frames.start(facts, context);
  try {
    if (known) context.enter();
    // oxlint-disable-next-line typescript/no-implied-eval -- the program of the test
    const done = new Function(named)() as Promise<unknown>;
    if (known) context.leave();
    await done;
  } finally {
    frames.stop();
    Reflect.deleteProperty(globalThis, runtime);
  }
  return read(ring);
}

function read(ring: SharedArrayBuffer): string[] {
  const lines: string[] = [];
  const strings = new Map<number, string>();
  const sites = new Map<number, string>();
  const names = new Map<number, string>();
  const counts = new Map<string, number>();
  const name = (id: number, what: string): string => {
    const count = (counts.get(what) ?? 0) + 1;
    counts.set(what, count);
    names.set(id, count === 1 ? what : `${what}${count}`);
    return names.get(id)!;
  };
  const awaited = (id: number): string => {
    if (id === Awaited.Settled) return "settled";
    if (id === Awaited.Yielded) return "yielded";
    return id === Awaited.Unknown ? "unknown" : (names.get(id) ?? "ended");
  };
  new RingReader(ring).drain(Infinity, {
    text: (id, text) => void strings.set(id, text),
    fact: (kind, _time, a, b, c) => {
      if (kind === Fact.Site) sites.set(a % 2 ** 26, `${strings.get(b % 2 ** 26)}:${c % 2 ** 28}`);
      const site = sites.get(c) ?? "";
      if (kind === Fact.FrameCall)
        lines.push(`call ${name(a, site.split(":")[0]!)}${b % 2 === 1 ? " by nobody" : ""}`);
      if (kind === Fact.FrameBlock)
        lines.push(`block ${names.get(a)} <- ${awaited(b)} @${site.split(":")[1]}`);
      if (kind === Fact.FrameResume) lines.push(`resume ${names.get(a)}${b === 1 ? " inside" : ""}`);
      if (kind === Fact.FrameTail) lines.push(`tail ${names.get(a)} <- ${awaited(b)}`);
      if (kind === Fact.FrameEnd) lines.push(`end ${names.get(a)}`);
      if (kind === Fact.Derived) lines.push(`derived ${name(a, "promise")} <- ${awaited(b)}`);
      if (kind === Fact.Joint) lines.push(`joint ${name(a, "joint")}`);
      if (kind === Fact.Member) lines.push(`member ${names.get(a)} <- ${awaited(b)}`);
      if (kind === Fact.Executor) lines.push(`executor ${name(a, "promise")}`);
      if (kind === Fact.Source) lines.push(`source ${name(a, `kind${c}`)}`);
      if (kind === Fact.Settled)
        lines.push(`settled ${names.get(a)}${b > 0 ? ` <- ${awaited(b)}` : ""}${c > 0 ? " by nobody" : ""}`);
    },
  });
  return lines;
}

const cases: Readonly<Record<string, readonly [source: string, lines: string, known?: boolean]>> = {
  "an await names the call whose promise it waits for, and a value that is none": [
    `async function inner() { await null; return 1; }
     async function outer() {
       await inner();
       const late = inner();
       await undefined;
       await late;
     }
     return outer();`,
    `call outer, call inner, block inner <- settled @1, block outer <- inner @3,
     resume inner, end inner, resume outer,
     call inner2, block inner2 <- settled @1, block outer <- settled @5,
     resume inner2, end inner2, resume outer, block outer <- inner2 @6, resume outer, end outer`,
  ],
  "of several calls in an expression the awaited one is named, also through a function that is not async": [
    `async function argument() { await null; }
     async function callee(of) { await of; }
     const through = (of) => { argument(); return callee(of); };
     async function outer() { await through(argument()); }
     return outer();`,
    `call outer, call argument, block argument <- settled @1, call argument2, block argument2 <- settled @1,
     call callee, block callee <- argument @2, block outer <- callee @4,
     resume argument, end argument, resume argument2, end argument2, resume callee, end callee, resume outer, end outer`,
  ],
  "a promise made by hand names who resolves it": [
    `let open;
     async function waiter() { await new Promise((resolve) => { open = resolve; }); }
     async function opener() { await null; open(); }
     async function both() { await Promise.all([waiter(), opener()]); }
     return both();`,
    `call both, call waiter, executor promise, block waiter <- promise @2,
     call opener, block opener <- settled @3, joint joint, member joint <- waiter, member joint <- opener,
     block both <- joint @4,
     resume opener, settled promise, end opener, resume waiter, end waiter, resume both, end both`,
  ],
  "a function that returns a promise says which": [
    `async function inner() { await null; }
     async function outer() { return inner(); }
     async function main() { await outer(); }
     return main();`,
    `call main, call outer, call inner, block inner <- settled @1, tail outer <- inner, end outer, block main <- outer @3,
     resume inner, end inner, resume main, end main`,
  ],
  "a rejected await goes on in its catch clause, or ends the frame": [
    `async function fails() { await null; throw new Error("planned"); }
     async function catches() { try { await fails(); } catch { await null; } }
     async function main() { await catches(); await fails().catch(() => {}); }
     return main();`,
    `call main, call catches, call fails, block fails <- settled @1, block catches <- fails @2, block main <- catches @3,
     resume fails, end fails, resume catches, block catches <- settled @2, resume catches, end catches, resume main,
     call fails2, block fails2 <- settled @1, derived promise <- fails2, block main <- promise @3, resume fails2, end fails2, resume main, end main`,
  ],
  "a generator goes on inside of what asks for its next value, which then goes on": [
    `async function* values() { yield 1; yield 2; }
     async function inner() { await null; }
     async function main() { const all = values(); await all.next(); all.next(); await inner(); }
     return main();`,
    `call main, call values, block values <- yielded @1, block main <- values @3, resume main,
     resume values inside, block values <- yielded @1, call inner, block inner <- settled @2, block main <- inner @3,
     resume inner, end inner, resume main, end main`,
  ],
  "a promise made by the default of a parameter is not the function's": [
    `async function inner(p = Promise.resolve()) { await null; return p; }
     async function main() { await inner(); }
     return main();`,
    `call main, call inner, block inner <- settled @1, source kind13, block main <- kind13 @2,
     resume inner, source kind132, tail inner <- kind132, end inner, settled kind13 by nobody, resume main, end main`,
  ],
  "what nothing is known of calls by nobody": [
    `async function inner() { await null; }
     const later = () => inner();
     const start = Promise.resolve();
     return start.then(later);`,
    `call inner by nobody, block inner <- settled @1, resume inner, end inner`,
    false,
  ],
};

for (const [name, [source, lines, known]] of Object.entries(cases)) {
  test(name, async () => {
    assert.deepEqual(
      await told(source, known),
      lines.split(",").map((line) => line.trim()),
    );
  });
}

test("what a function of Node's returns is marked, and told of by its kind", async () => {
  const ring = createRing(2 ** 16);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const frames = new FrameSource();
  frames.start(facts, new CallContext(facts, false, false));
  try {
    const promise = Promise.resolve();
    assert.notEqual(frames.source(promise, ResourceKind.Fs), 0);
    assert.equal(frames.source(1, ResourceKind.Fs), 0);
    const frame = frames.call(Number.NaN);
    assert.equal(frames.block(frame, Number.NaN, promise), promise);
  } finally {
    frames.stop();
  }
  const lines = read(ring);
  assert.deepEqual(lines.slice(0, 1), [`source kind${ResourceKind.Fs}`]);
  assert.match(lines[2]!, /^block .* <- kind5 /);
});
