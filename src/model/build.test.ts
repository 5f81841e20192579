import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { bytesSource } from "../decode/source.ts";
import type { OrderedEvent } from "../order/types.ts";
import { fixture } from "../testing/fixtures.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { buildModel, buildModelInSteps, ModelBuilder } from "./build.ts";
import { State } from "./types.ts";
import type { TraceModel } from "./types.ts";

function build(events: readonly OrderedEvent[]): TraceModel {
  const builder = new ModelBuilder();
  for (const e of events) builder.event(e);
  return builder.finish(null, 25);
}

/** Spans of activation row `row` as "state start-end reason by". */
function spansOf(model: TraceModel, row: number): string[] {
  const { spans, activations, strings } = model;
  const names = ["", "Running", "Runnable", "Waiting", "Syscall"];
  const lines: string[] = [];
  for (let i = activations.firstSpan[row]!; i < activations.firstSpan[row + 1]!; i++) {
    const reason = strings[spans.reason[i]!]!;
    lines.push(`${names[spans.state[i]!]} ${spans.start[i]}-${spans.end[i]} ${reason || "-"} ${spans.by[i]}`);
  }
  return lines;
}

/** Spans of proc row `row` as "activation start-end". */
function procSpansOf(model: TraceModel, row: number): string[] {
  const { procSpans, procs } = model;
  const lines: string[] = [];
  for (let i = procs.firstSpan[row]!; i < procs.firstSpan[row + 1]!; i++) {
    lines.push(`${procSpans.activation[i]} ${procSpans.start[i]}-${procSpans.end[i]}`);
  }
  return lines;
}

test("an activation's life: created, runs, waits, is woken, ends", () => {
  const entry = stack("main");
  const site = stack("read", "main");
  const model = build([
    sync(100),
    proc(110, 0, "Undetermined->Running"),
    go(120, 1, "Undetermined->Running", { proc: 0 }),
    go(130, 7, "NotExist->Runnable", { by: 1, proc: 0, transitionStack: entry, stack: stack("spawn") }),
    go(140, 1, "Running->Waiting", { by: 1, proc: 0, reason: "network", stack: site, transitionStack: site }),
    go(150, 7, "Runnable->Running", { proc: 0 }),
    go(160, 1, "Waiting->Runnable", { by: 7, proc: 0, stack: stack("wake") }),
    go(170, 7, "Running->NotExist", { by: 7, proc: 0 }),
    go(180, 1, "Runnable->Running", { proc: 0 }),
    sync(200),
  ]);
  assert.equal(model.startTime, 100);
  assert.equal(model.endTime, 200);
  assert.equal(model.events, 10);
  const { activations, strings, stacks } = model;
  assert.deepEqual([...activations.id], [1, 7]);
  assert.deepEqual(
    [...activations.name].map((name) => strings[name]),
    ["main", "main"],
  );
  assert.deepEqual([...activations.creator], [-1, 0]);
  assert.deepEqual([...activations.created], [100, 130]);
  assert.deepEqual([...activations.ended], [Number.NaN, 170]);
  assert.equal(stacks[activations.creationStack[1]!]![0]!.func, "spawn");
  assert.deepEqual(spansOf(model, 0), [
    "Running 100-140 - 0",
    "Waiting 140-160 network -1",
    "Runnable 160-180 - 1",
    "Running 180-200 - 0",
  ]);
  assert.deepEqual(spansOf(model, 1), ["Runnable 130-150 - 0", "Running 150-170 - 0"]);
  const leaf = (span: number): string | undefined => stacks[model.spans.stack[span]!]![0]?.func;
  assert.deepEqual([0, 1, 2].map(leaf), [undefined, "read", "wake"]);
  assert.deepEqual(procSpansOf(model, 0), [
    "0 100-140",
    "-1 140-150",
    "1 150-170",
    "-1 170-180",
    "0 180-200",
  ]);
});

test("a yield keeps its reason and has no waker", () => {
  const model = build([
    sync(0),
    go(10, 1, "NotExist->Runnable"),
    go(20, 1, "Runnable->Running", { proc: 0 }),
    go(30, 1, "Running->Runnable", { by: 1, proc: 0, reason: "runtime.Gosched" }),
    sync(40),
  ]);
  assert.deepEqual(spansOf(model, 0), [
    "Runnable 10-20 - -1",
    "Running 20-30 - 0",
    "Runnable 30-40 runtime.Gosched -1",
  ]);
});

test("a syscall that loses its proc is split there", () => {
  const model = build([
    sync(0),
    proc(5, 3, "Undetermined->Running"),
    go(10, 1, "NotExist->Runnable"),
    go(20, 1, "Runnable->Running", { proc: 3 }),
    go(30, 1, "Running->Syscall", { by: 1, proc: 3 }),
    proc(40, 3, "Running->Idle"),
    go(70, 1, "Syscall->Runnable", { by: 1 }),
    sync(80),
  ]);
  assert.deepEqual(spansOf(model, 0).slice(1), [
    "Running 20-30 - 0",
    "Syscall 30-40 - 0",
    "Syscall 40-70 - -1",
    "Runnable 70-80 - -1",
  ]);
  assert.deepEqual(procSpansOf(model, 0), ["-1 0-20", "0 20-40"]);
});

test("statuses repeated by a generation change nothing", () => {
  const model = build([
    sync(0),
    go(10, 1, "Undetermined->Waiting"),
    sync(50),
    go(60, 1, "Waiting->Waiting", { transitionStack: stack("late") }),
    sync(90),
  ]);
  assert.deepEqual(spansOf(model, 0), ["Waiting 0-90 - -1"]);
  assert.equal(model.strings[model.activations.name[0]!], "");
});

const waitAt = (time: number, func: string): OrderedEvent[] => [
  go(time, 1, "Runnable->Running", { proc: 0 }),
  go(time + 1, 1, "Running->Waiting", { by: 1, stack: { ...stack(func), id: 5 } }),
  go(time + 2, 1, "Waiting->Runnable"),
];

test("stack ids are of their generation, stacks of the trace", () => {
  const model = build([
    sync(0),
    go(1, 1, "NotExist->Runnable"),
    ...waitAt(10, "a"),
    sync(20),
    ...waitAt(30, "b"),
    sync(40),
    ...waitAt(50, "a"),
    sync(60),
  ]);
  const leaves = [...model.spans.stack].filter((row) => row > 0).map((row) => model.stacks[row]![0]!.func);
  assert.deepEqual(leaves, ["a", "b", "a"]);
  assert.equal(model.stacks.length, 3);
});

test("activations found late are sorted by creation, and everything that names them follows", () => {
  const model = build([
    sync(0),
    go(10, 9, "NotExist->Runnable", { by: -1 }),
    go(20, 9, "Runnable->Running", { proc: 0 }),
    event({ kind: "Log", time: 25, goroutine: 9, name: "c", message: "m" }),
    go(30, 4, "Undetermined->Waiting"),
    go(40, 4, "Waiting->Runnable", { by: 9 }),
    event({ kind: "StackSample", time: 45, goroutine: 9, proc: 0, stack: stack("hot") }),
    sync(50),
  ]);
  assert.deepEqual([...model.activations.id], [4, 9]);
  assert.deepEqual(spansOf(model, 0), ["Waiting 0-40 - -1", "Runnable 40-50 - 1"]);
  assert.deepEqual([...model.logs.activation], [1]);
  assert.deepEqual([...model.samples.activation], [1]);
  assert.deepEqual(procSpansOf(model, 0), ["1 20-50"]);
});

test("procs are sorted by id and named by notes", () => {
  const note = {
    process: {
      runtrace: "0.1.0",
      loops: [
        { proc: 0, name: "main" },
        { proc: 2, name: "worker 1: w.js" },
      ],
    },
  };
  const model = build([
    sync(0),
    proc(1, 2, "Undetermined->Idle"),
    proc(2, 0, "Undetermined->Running"),
    proc(3, 1, "Undetermined->Idle"),
    event({ kind: "Log", time: 5, name: "runtrace", message: JSON.stringify(note) }),
    event({ kind: "Log", time: 6, name: "runtrace", message: "not JSON" }),
    event({ kind: "Log", time: 7, name: "runtrace", message: "[1]" }),
    sync(9),
  ]);
  assert.deepEqual([...model.procs.id], [0, 1, 2]);
  assert.deepEqual(
    [...model.procs.name].map((name) => model.strings[name]),
    ["main", "proc 1", "worker 1: w.js"],
  );
  assert.deepEqual(model.notes, [{ time: 5, activation: -1, message: note }]);
  assert.deepEqual(
    [...model.logs.message].map((message) => model.strings[message]),
    ["not JSON", "[1]"],
  );
});

const taskEvent = (
  time: number,
  kind: "TaskBegin" | "TaskEnd",
  id: bigint,
  fields: Partial<OrderedEvent> = {},
): OrderedEvent => event({ kind, time, task: id, goroutine: 1, ...fields });

test("tasks: parents, mentions, ids used again", () => {
  const model = build([
    sync(0),
    go(1, 1, "NotExist->Runnable"),
    taskEvent(10, "TaskBegin", 5n, { name: "request" }),
    taskEvent(20, "TaskBegin", 6n, { name: "query", parent: 5n }),
    taskEvent(30, "TaskEnd", 6n, { name: "query", parent: 5n }),
    event({
      kind: "Log",
      time: 35,
      task: 8n,
      goroutine: 1,
      name: "k",
      message: "of a task begun before the trace",
    }),
    taskEvent(40, "TaskEnd", 8n),
    taskEvent(50, "TaskBegin", 6n, { name: "again" }),
    event({ kind: "Log", time: 60, goroutine: 1, name: "k", message: "background" }),
    sync(90),
  ]);
  const { tasks, strings } = model;
  assert.deepEqual([...tasks.id], [5, 6, 8, 6]);
  assert.deepEqual([...tasks.parent], [-1, 0, -1, -1]);
  assert.deepEqual(
    [...tasks.name].map((name) => strings[name]),
    ["request", "query", "", "again"],
  );
  assert.deepEqual([...tasks.start], [10, 20, Number.NaN, 50]);
  assert.deepEqual([...tasks.end], [Number.NaN, 30, 40, Number.NaN]);
  assert.deepEqual([...tasks.activation], [0, 0, -1, 0]);
  assert.deepEqual([...model.logs.task], [2, -1]);
});

test("a note names a task that began before the trace, and no other", () => {
  const open = (time: number, task: object): OrderedEvent =>
    event({ kind: "Log", time, goroutine: 1, name: "runtrace", message: JSON.stringify({ task }) });
  const model = build([
    sync(0),
    go(1, 1, "Undetermined->Running", { proc: 0 }),
    taskEvent(10, "TaskEnd", 4n),
    open(20, { id: 4, name: "ended at once" }),
    open(20, { id: 5, name: "request" }),
    open(20, { id: 6, name: "query", parent: 5 }),
    taskEvent(30, "TaskBegin", 7n, { name: "new" }),
    open(40, { id: 7, name: "told again" }),
    taskEvent(50, "TaskEnd", 6n),
    ...[{ id: "8", name: "x" }, { id: 9 }, { id: -1, name: "x" }].map((task) => open(60, task)),
    sync(90),
  ]);
  const { tasks, strings } = model;
  assert.deepEqual([...tasks.id], [4, 5, 6, 7]);
  assert.deepEqual(
    [...tasks.name].map((name) => strings[name]),
    ["ended at once", "request", "query", "new"],
  );
  assert.deepEqual([...tasks.parent], [-1, -1, 1, -1]);
  assert.deepEqual([...tasks.start], [Number.NaN, Number.NaN, Number.NaN, 30]);
  assert.deepEqual([...tasks.end], [10, Number.NaN, 50, Number.NaN]);
  assert.equal(model.logs.count, 0);
});

const regionEvent = (time: number, kind: "RegionBegin" | "RegionEnd", name: string): OrderedEvent =>
  event({ kind, time, name, goroutine: 1, stack: stack("site") });

test("regions are a stack of their activation and end with it", () => {
  const model = build([
    sync(0),
    go(1, 1, "Undetermined->Running", { proc: 0 }),
    regionEvent(5, "RegionEnd", "before"),
    regionEvent(10, "RegionBegin", "outer"),
    regionEvent(20, "RegionBegin", "inner"),
    regionEvent(30, "RegionEnd", "inner"),
    regionEvent(40, "RegionBegin", "open"),
    go(50, 1, "Running->NotExist", { by: 1 }),
    sync(90),
  ]);
  const { regions, strings } = model;
  assert.deepEqual(
    [...regions.name].map((name) => strings[name]),
    ["before", "outer", "inner", "open"],
  );
  assert.deepEqual([...regions.start], [Number.NaN, 10, 20, 40]);
  assert.deepEqual([...regions.end], [5, 50, 30, 50]);
  assert.deepEqual([...regions.depth], [0, 0, 1, 1]);
  assert.deepEqual([...regions.task], [-1, -1, -1, -1]);
});

const rangeEvent = (
  time: number,
  kind: "RangeBegin" | "RangeActive" | "RangeEnd",
  fields: Partial<OrderedEvent>,
): OrderedEvent => event({ kind, time, ...fields });

test("ranges: active at a generation's start, open at the end, ended without a begin", () => {
  const model = build([
    sync(0),
    go(1, 1, "Undetermined->Running", { proc: 4 }),
    rangeEvent(5, "RangeActive", { name: "mark" }),
    rangeEvent(6, "RangeEnd", { name: "sweep", scope: "proc", scopeId: 4 }),
    rangeEvent(10, "RangeBegin", { name: "assist", scope: "goroutine", scopeId: 1 }),
    sync(20),
    rangeEvent(21, "RangeActive", { name: "mark" }),
    rangeEvent(22, "RangeActive", { name: "assist", scope: "goroutine", scopeId: 1 }),
    rangeEvent(30, "RangeEnd", { name: "mark" }),
    rangeEvent(40, "RangeBegin", { name: "sweep", scope: "proc", scopeId: 4 }),
    rangeEvent(45, "RangeEnd", { name: "sweep", scope: "proc", scopeId: 4 }),
    sync(50),
  ]);
  const { ranges, strings } = model;
  assert.deepEqual(
    [...ranges.name].map((name) => strings[name]),
    ["mark", "assist", "sweep"],
  );
  assert.deepEqual([...ranges.start], [0, 10, 40]);
  assert.deepEqual([...ranges.end], [30, 50, 45]);
  assert.deepEqual([...ranges.scope], [0, 1, 2]);
  assert.deepEqual([...ranges.of], [-1, 0, 0]);
});

test("metrics keep name, time and value", () => {
  const model = build([sync(0), event({ kind: "Metric", time: 3, name: "/heap", value: 4096 }), sync(9)]);
  assert.deepEqual([...model.metrics.value], [4096]);
  assert.equal(model.strings[model.metrics.name[0]!], "/heap");
});

test("the reader's error is in the model, with the header's version", () => {
  const header = new TextEncoder().encode("go 1.25 trace\0\0\0\x01\x01");
  let given = false;
  const source = {
    read(): Uint8Array | null {
      if (given) return null;
      given = true;
      return header;
    },
  };
  const model = buildModel(source);
  assert.equal(model.version, 25);
  assert.ok(model.error !== null && model.error.offset >= 16);
});

/** Plays random legal moves of a few activations on two procs. */
function play(moves: readonly (readonly [who: number, move: number])[]): OrderedEvent[] {
  const events = [sync(0), proc(1, 0, "Undetermined->Idle"), proc(2, 1, "Undetermined->Idle")];
  const state = new Map<number, string>();
  const onProc = new Map<number, number>();
  const procs: (number | "idle" | "free")[] = ["idle", "idle"];
  let time = 10;
  for (const [id, move] of moves) {
    time += 1 + move;
    const was = state.get(id) ?? "NotExist";
    const held = onProc.get(id);
    const p = move % 2;
    if (was === "NotExist" || was === "Waiting") state.set(id, "Runnable");
    else if (was === "Runnable") {
      if (procs[p] === "idle") {
        procs[p] = "free";
        events.push(proc(time, p, "Idle->Running"));
        continue;
      }
      if (procs[p] !== "free") continue;
      state.set(id, "Running");
      procs[p] = id;
      onProc.set(id, p);
    } else if (was === "Running") {
      const next = ["Runnable", "Waiting", "Syscall", "NotExist"][move % 4]!;
      state.set(id, next);
      if (next !== "Syscall") procs[held!] = "free";
    } else if (move % 3 === 0 && held !== undefined && procs[held] === id) {
      procs[held] = "idle";
      onProc.delete(id);
      events.push(proc(time, held, "Running->Idle"));
      continue;
    } else {
      state.set(id, held === undefined ? "Runnable" : "Running");
    }
    const now = state.get(id)!;
    events.push(
      go(time, id, `${was}->${now}`, {
        by: was === "Running" || was === "Syscall" ? id : -1,
        proc: now === "Running" ? onProc.get(id)! : (held ?? -1),
      }),
    );
    if (now !== "Running" && now !== "Syscall") onProc.delete(id);
    if (now === "NotExist") state.delete(id);
  }
  return [...events, sync(time + 1)];
}

test("property: spans cover each life without gaps; a proc runs one activation at a time", () => {
  const moves = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 11 })), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(moves, (played) => {
      const model = build(play(played));
      const { activations, spans, procs, procSpans } = model;
      let onProcs = 0;
      for (let row = 0; row < activations.count; row++) {
        const first = activations.firstSpan[row]!;
        const last = activations.firstSpan[row + 1]! - 1;
        assert.equal(spans.start[first], activations.created[row]);
        const end = activations.ended[row]!;
        assert.equal(spans.end[last], Number.isNaN(end) ? model.endTime : end);
        for (let i = first; i <= last; i++) {
          if (i > first) assert.equal(spans.start[i], spans.end[i - 1]);
          const holdsProc = spans.state[i] === State.Running || spans.state[i] === State.Syscall;
          if (holdsProc && spans.by[i] !== -1) onProcs += spans.end[i]! - spans.start[i]!;
        }
      }
      let ran = 0;
      for (let row = 0; row < procs.count; row++) {
        for (let i = procs.firstSpan[row]!; i < procs.firstSpan[row + 1]!; i++) {
          assert.ok(procSpans.start[i]! <= procSpans.end[i]!);
          if (i > procs.firstSpan[row]!) assert.ok(procSpans.start[i]! >= procSpans.end[i - 1]!);
          if (procSpans.activation[i] !== -1) ran += procSpans.end[i]! - procSpans.start[i]!;
        }
      }
      assert.equal(ran, onProcs);
    }),
    { numRuns: 300 },
  );
});

test("a model that is built in steps is the same, tells how far it is, and can be cancelled", async () => {
  const bytes = readFileSync(join(fixture("model"), "go125-annotate.out"));
  const want = buildModel(bytesSource(bytes));
  assert.deepEqual(await buildModelInSteps(bytesSource(bytes), { pause }), want);
  assert.deepEqual(
    await buildModelInSteps(bytesSource(bytes.subarray(0, bytes.length / 2)), { pause }),
    buildModel(bytesSource(bytes.subarray(0, bytes.length / 2))),
  );

  const slow = { size: bytes.length, read: slowly(bytes) };
  const controller = new AbortController();
  const seen: [bytes: number, events: number][] = [];
  const building = buildModelInSteps(slow, {
    pause,
    signal: controller.signal,
    progress: (...told) => {
      seen.push(told);
      setTimeout(() => controller.abort(new Error("enough")));
    },
  });
  await assert.rejects(building, /enough/);
  assert.equal(seen.length, 1);
  assert.ok(seen[0]![0] > 0 && seen[0]![0] <= bytes.length && seen[0]![1] <= want.events);
  await assert.rejects(
    buildModelInSteps(bytesSource(bytes), { pause, signal: AbortSignal.abort(new Error("before")) }),
    /before/,
  );
});

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve));

/** Reads a byte source whose first piece takes longer than a step lasts. */
function slowly(bytes: Uint8Array): () => Uint8Array | null {
  const inner = bytesSource(bytes);
  return () => {
    for (const end = performance.now() + 60; performance.now() < end;);
    return inner.read();
  };
}
