import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteBuffer } from "../base/buffer.ts";
import type { Frame } from "../wire/format.ts";
import type { Generation } from "./batches.ts";
import { decodeText } from "./decoder.test.util.ts";
import { StackTable } from "./stacks.ts";
import { StringTable } from "./strings.ts";

class Tables {
  readonly generation: Generation = { number: 1, start: 5 };
  readonly strings = new StringTable(this.generation);
  readonly stacks: StackTable;

  constructor(fullStacks?: number) {
    this.stacks = new StackTable(this.generation, this.strings, fullStacks);
  }

  /** Frames by stack id as the wire has them now; every pc must mean one frame. */
  drained(pcs = new Map<number, string>()): Map<number, Frame[]> {
    const out = new ByteBuffer();
    out.append(new Uint8Array(16));
    this.strings.drain(out);
    this.stacks.drain(out);
    const texts = new Map<string, string>([["0", ""]]);
    const stacks = new Map<number, Frame[]>();
    let frames: Frame[] = [];
    const lines = decodeText(out.view()).batches.flatMap((batch) => batch.lines);
    for (const [i, line] of lines.entries()) {
      const string = /^String id=(\d+)$/.exec(line);
      const stack = /^Stack id=(\d+)/.exec(line);
      const frame = /^\tpc=(\d+) func=(\d+) file=(\d+) line=(\d+)$/.exec(line);
      if (string !== null) texts.set(string[1]!, JSON.parse(lines[i + 1]!.slice(6)) as string);
      if (stack !== null) {
        assert.equal(stacks.has(Number(stack[1])), false);
        stacks.set(Number(stack[1]), (frames = []));
      }
      if (frame !== null) {
        const [pc, func, file, at] = frame.slice(1) as [string, string, string, string];
        frames.push({ func: texts.get(func)!, file: texts.get(file)!, line: Number(at) });
        const meaning = JSON.stringify(frames.at(-1));
        assert.ok(Number(pc) > 0);
        assert.equal(pcs.get(Number(pc)) ?? meaning, meaning);
        pcs.set(Number(pc), meaning);
      }
    }
    return stacks;
  }
}

const anyFrame: fc.Arbitrary<Frame> = fc
  .tuple(fc.constantFrom("", "main", "a:b", "b", "é"), fc.constantFrom("", "/a.ts", "b/a.ts"), fc.nat(3))
  .map(([func, file, line]) => ({ func, file, line }));
const anyStack = fc.array(anyFrame, { maxLength: 5 });

test("an id leads back to its frames, in every generation, with one pc a frame for the whole file", () => {
  fc.assert(
    fc.property(fc.array(anyStack, { maxLength: 40 }), (wanted) => {
      const tables = new Tables();
      const ids = wanted.map((frames) => tables.stacks.intern(frames));
      const again = wanted.map((frames) => tables.stacks.intern(structuredClone(frames)));
      assert.deepEqual(again, ids);
      assert.equal(tables.drained().size, 0, "nothing is defined before its use");
      const pcs = new Map<number, string>();
      for (let round = 0; round < 2; round++) {
        for (const id of [...ids, ...ids]) assert.equal(tables.stacks.use(id), id);
        const stacks = tables.drained(pcs);
        for (const [i, frames] of wanted.entries()) assert.deepEqual(stacks.get(ids[i]!) ?? [], frames);
        assert.equal(tables.drained().size, 0, "a second drain has nothing new");
        tables.strings.reset();
        tables.stacks.reset();
      }
    }),
  );
});

test("of a deep stack the leaf end and the outermost frame stay", () => {
  const frames = Array.from({ length: 300 }, (_, i) => ({ func: `f${i}`, file: "/a.ts", line: 1 }));
  const tables = new Tables();
  tables.stacks.use(tables.stacks.intern(frames));
  assert.deepEqual(tables.drained().get(1), [...frames.slice(0, 127), frames[299]]);
});

test("1,000 stacks are told apart while the hash table grows", () => {
  const tables = new Tables();
  const stackOf = (i: number): Frame[] => [
    { func: "f", file: "/a.ts", line: i },
    { func: "main", file: "", line: 1 },
  ];
  const ids = Array.from({ length: 1000 }, (_, i) => tables.stacks.intern(stackOf(i + 1)));
  assert.equal(new Set(ids).size, 1000);
  assert.deepEqual(
    ids,
    Array.from({ length: 1000 }, (_, i) => tables.stacks.intern(stackOf(i + 1))),
  );
});

test("beyond the limit new stacks are shortened, then empty; ids given out stay valid", () => {
  const tables = new Tables(3);
  const stackOf = (i: number): Frame[] =>
    ["leaf", "middle", "main"].map((func) => ({
      func: func === "middle" ? `m${i}` : func,
      file: "",
      line: i % 4,
    }));
  const ids = Array.from({ length: 20 }, (_, i) => tables.stacks.intern(stackOf(i)));
  assert.deepEqual(ids.slice(0, 3), [1, 2, 3]);
  assert.ok(Math.max(...ids) <= 6);
  assert.equal(tables.stacks.shortened, 17);
  for (const id of ids) tables.stacks.use(id);
  const stacks = tables.drained();
  assert.deepEqual(stacks.get(1), stackOf(0));
  assert.deepEqual(stacks.get(ids[3]!), [stackOf(3)[0], stackOf(3)[2]]);
  assert.equal(tables.stacks.intern(stackOf(0)), 1);
  const lone = Array.from({ length: 9 }, (_, i) =>
    tables.stacks.intern([{ func: `lone ${i}`, file: "", line: 1 }]),
  );
  assert.equal(lone.at(-1), 0, "no id is left");
});

test("has tells ids that were given out from others", () => {
  const { stacks } = new Tables();
  stacks.intern([{ func: "f", file: "", line: 1 }]);
  assert.deepEqual(
    [0, 1, 2, -1, 0.5, Number.NaN, 2 ** 32].map((id) => stacks.has(id)),
    [true, true, false, false, false, false, false],
  );
});

test("a line that is no number from 1 up is unknown", () => {
  const tables = new Tables();
  for (const line of [-1, Number.NaN, 1.5, Infinity])
    tables.stacks.use(tables.stacks.intern([{ func: "f", file: "", line }]));
  assert.deepEqual([...tables.drained().values()], [[{ func: "f", file: "", line: 0 }]]);
});
