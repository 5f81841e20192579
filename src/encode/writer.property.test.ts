import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { goTool, parsed } from "../testing/go.ts";
import type { Frame } from "../wire/format.ts";
import { decodeText } from "./decoder.test.util.ts";
import { TraceWriter } from "./writer.ts";

/**
 * Random calls, most of them legal at the moment they are made, for ids are few and states recur. `jump` moves the
 * clock of one thread alone, back as well, so threads disagree about the order of what they do.
 */
interface Step {
  readonly call: number;
  readonly m: number;
  readonly id: number;
  readonly other: number;
  readonly jump: number;
  readonly text: string;
}

const THREADS = 4;
const GOROUTINES = 6;

const anyText = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("network", "sleep", "sync", "chan receive", "a", "b") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "é".repeat(3000), "\ud800".repeat(400), "x".repeat(70_000)) },
);

const anyStep: fc.Arbitrary<Step> = fc.record({
  call: fc.nat(999),
  m: fc.integer({ min: 1, max: THREADS }),
  id: fc.integer({ min: 1, max: GOROUTINES }),
  other: fc.nat(3),
  jump: fc.oneof(
    { weight: 6, arbitrary: fc.nat(50) },
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -400, max: 5000 }) },
  ),
  text: anyText,
});

const frame = (i: number): Frame => ({
  func: `f${i % 7}`,
  file: i % 5 === 0 ? "" : `/src/${i % 3}.ts`,
  line: i % 11,
});

const STACKS: readonly (readonly Frame[])[] = [
  [],
  [frame(1)],
  [frame(2), frame(1)],
  [frame(3), frame(1)],
  Array.from({ length: 128 }, (_, i) => frame(i)),
  Array.from({ length: 128 }, (_, i) => frame(i)).concat({ func: "main", file: "", line: 1 }),
  [{ func: "long ".repeat(300), file: `/${"dir/".repeat(400)}`, line: 1 }, frame(1)],
];

type Call = (w: TraceWriter, t: number, step: Step, stack: number) => void;

const flush: Call = (w) => w.flush();

/** How often, and what. Starts outweigh ends, so that there is something to act upon. */
const CALLS: readonly (readonly [weight: number, call: Call])[] = [
  [120, (w, t, { m, other }) => w.procStart(m, t, other)],
  [15, (w, t, { m }) => w.procStop(m, t)],
  [90, (w, t, { m, id }, stack) => w.goCreate(m, t, id, w.stack(STACKS[1]!), stack)],
  [170, (w, t, { m, id }) => w.goStart(m, t, id)],
  [40, (w, t, { m, text }, stack) => w.goStop(m, t, text, stack)],
  [70, (w, t, { m, text }, stack) => w.goBlock(m, t, text, stack)],
  [120, (w, t, { m, id }, stack) => w.goUnblock(m, t, id, stack)],
  [25, (w, t, { m }) => w.goDestroy(m, t)],
  [25, (w, t, { m }, stack) => w.syscallBegin(m, t, stack)],
  [20, (w, t, { m }) => w.syscallEnd(m, t)],
  [20, (w, t, { m, text }, stack) => w.stwBegin(m, t, text, stack)],
  [10, (w, t, { m }) => w.stwEnd(m, t)],
  [20, (w, t, { m }, stack) => w.gcBegin(m, t, stack)],
  [15, (w, t, { m }) => w.gcEnd(m, t)],
  [20, (w, t, { m }, stack) => w.markAssistBegin(m, t, stack)],
  [10, (w, t, { m }) => w.markAssistEnd(m, t)],
  [10, (w, t, { m, other }) => w.heapAlloc(m, t, other * 1e12)],
  [10, (w, t, { m, other }) => w.heapGoal(m, t, other * 1e12)],
  [8, (w, t, { m, other }, stack) => w.procsChange(m, t, other, stack)],
  [10, (w, t, { m, text }) => w.label(m, t, text)],
  [20, (w, t, { m, id, other, text }, stack) => w.taskBegin(m, t, id, other, text, stack)],
  [20, (w, t, { m, id }, stack) => w.taskEnd(m, t, id, stack)],
  [30, (w, t, { m, other, text }, stack) => w.regionBegin(m, t, other, text, stack)],
  [30, (w, t, { m, other, text }, stack) => w.regionEnd(m, t, other, text, stack)],
  [20, (w, t, { m, other, text }, stack) => w.log(m, t, other, text, text, stack)],
  [20, (w, t, { m, id, other }, stack) => w.cpuSample(t, m, other - 1, id - 1, stack)],
  [12, (w, t, { m }) => w.goStart(m, Number.NaN, -t)],
  [12, flush],
  [12, (w, t) => w.rotate(t)],
];

const TOTAL = CALLS.reduce((sum, [weight]) => sum + weight, 0);

function pick(at: number): Call {
  let left = (at / 1000) * TOTAL;
  for (const [weight, call] of CALLS) {
    left -= weight;
    if (left < 0) return call;
  }
  throw new Error(`no call for ${at}`);
}

interface Run {
  readonly file: Uint8Array;
  /** Ends of what the writes have written, in bytes. */
  readonly cuts: readonly number[];
  readonly writer: TraceWriter;
}

function run(version: 23 | 25, start: number, steps: readonly Step[], flushes = true, oneClock = false): Run {
  const chunks: Uint8Array[] = [];
  const cuts: number[] = [];
  const clocks = Array.from({ length: THREADS + 1 }, () => start);
  let written = 0;
  const writer = new TraceWriter({
    version,
    write: (bytes) => {
      chunks.push(bytes.slice());
      cuts.push((written += bytes.length));
    },
    snapshot: () => ({ mono: Math.max(...clocks), wallSec: 1_700_000_000, wallNsec: 0 }),
  });
  for (const step of steps) {
    const t = (clocks[oneClock ? 0 : step.m]! += step.jump);
    // Interned at every step alike: ids and pcs are given in the order of the first sight.
    const stack = writer.stack(STACKS[(step.id + step.other) % STACKS.length]!);
    const call = pick(step.call);
    if (flushes || call !== flush) call(writer, t, step, stack);
  }
  writer.end();
  return { file: Buffer.concat(chunks), cuts, writer };
}

/** The file without its first `skip` generations, as a flight recorder would keep it. */
function without(file: Uint8Array, skip: number): Uint8Array {
  let at = 16;
  for (const { gen, m, time, size } of decodeText(file).batches) {
    if (gen > skip) break;
    const sizeOf = (value: bigint): number => Math.max(1, Math.ceil(value.toString(2).length / 7));
    at += 1 + sizeOf(BigInt(gen)) + sizeOf(BigInt(m)) + sizeOf(BigInt(time)) + sizeOf(BigInt(size)) + size;
  }
  return Buffer.concat([file.subarray(0, 16), file.subarray(at)]);
}

const STARTS = [1, 1_000_000, 2 ** 53 - 500, 2 ** 55];

test("Go accepts what any sequence of calls wrote, cut after any flush and before any generation", (t) => {
  if (goTool() === null) return t.skip("no go");
  const folder = mkdtempSync(join(tmpdir(), "runtrace-writer-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "trace.out");
  const accepted = (file: Uint8Array, what: string): string => {
    writeFileSync(path, file);
    const go = parsed(path);
    assert.ok(go.ok && go.stderr === "", `${what}: ${go.stderr.split("\n", 1)[0]}`);
    return go.stdout;
  };
  let files = 0;
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(23 as const, 25 as const),
      fc.constantFrom(...STARTS),
      fc.array(anyStep, { minLength: 50, maxLength: 3000, size: "max" }),
      fc.nat(),
      (version, start, steps, at) => {
        const { file, cuts, writer } = run(version, start, steps);
        const text = accepted(file, "whole file");
        for (const kind of text.matchAll(
          / (GoID=\d+ \w+->\w+|\w+Begin|\w+Active|\w+End|StackSample|Log) ?/g,
        )) {
          seen.add(kind[1]!.replace(/GoID=\d+ /, ""));
        }
        const cut = cuts[at % cuts.length]!;
        accepted(file.subarray(0, cut), `first ${cut} bytes`);
        files += 2;
        const { generations } = writer.stats;
        if (generations > 1) {
          const skip = 1 + (at % (generations - 1));
          accepted(without(file, skip), `from generation ${skip + 1}`);
          files++;
        }
      },
    ),
    { numRuns: 20 },
  );
  t.diagnostic(`${files} files, kinds: ${[...seen].toSorted().join(" ")}`);
  for (const kind of [
    "Running->Waiting",
    "Waiting->Runnable",
    "Syscall->Running",
    "RangeActive",
    "RegionEnd",
  ]) {
    assert.ok(seen.has(kind), `no ${kind} in any file: the property has become empty`);
  }
});

// In order of time over all threads: an earlier time than what is written is raised, so there a flush does show.
test("the file is the same wherever it is flushed, but for the batches", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 1000, size: "max" }), (steps) => {
      const events = (calls: readonly Step[], flushes: boolean): string[] => {
        const lines = new Map<string, string[]>();
        for (const { m, lines: batch } of decodeText(run(25, 1000, calls, flushes, true).file).batches) {
          const kept = batch.filter((line) => line.includes(" dt=") && !line.startsWith("ClockSnapshot"));
          lines.set(m, [...(lines.get(m) ?? []), ...kept.map((line) => line.replace(/ dt=\d+/, ""))]);
        }
        return [...lines].map(([m, of]) => [m, ...of].join("\n")).toSorted();
      };
      const ordered = steps.map((step) => ({ ...step, jump: Math.abs(step.jump) }));
      assert.deepEqual(events(ordered, true), events(ordered, false));
    }),
    { numRuns: 50 },
  );
});
