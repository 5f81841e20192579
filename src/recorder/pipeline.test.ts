import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Fact, GcKind, ResourceKind } from "../base/facts.ts";
import { RingWriter, createRing } from "../base/ring.ts";
import { LOOK_AHEAD_NS, Pipeline } from "./pipeline.ts";

const MS = 1e6;

test("a cut that covers much shows progress and writes all along", () => {
  const ring = createRing(2 ** 23);
  const facts = new RingWriter(ring, process.hrtime.bigint);
  let steps = 0;
  const stepsAtWrite: number[] = [];
  const pipeline = new Pipeline({
    version: 25,
    process: {},
    write: () => stepsAtWrite.push(steps),
    progress: () => steps++,
  });
  pipeline.addLoop({ type: "loop", ring, name: "main", file: "", time: MS, threadId: 0 });
  for (let i = 1; i <= 100_000; i++) {
    facts.put(Fact.Before, BigInt(MS + i * 10_000), i, 0, ResourceKind.Fs);
    facts.put(Fact.After, BigInt(MS + i * 10_000 + 5_000), i, 0, 0);
  }
  pipeline.cut(1_001 * MS);
  // Not by slices alone: one may hold any amount of work.
  assert.ok(steps >= 10_000, `${steps} signs of life`);
  assert.ok(
    stepsAtWrite.length >= 10 && stepsAtWrite[0]! < 5,
    `writes at the steps ${stepsAtWrite.join(" ")}`,
  );
  pipeline.finish(1_001 * MS);
});

test("the ring of a Worker that has ended is let go, and what it dropped is still told", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  let written = "";
  const pipeline = new Pipeline({
    version: 25,
    process: {},
    write: (bytes) => (written += Buffer.from(bytes).toString("latin1")),
  });
  const add = (threadId: number): WeakRef<SharedArrayBuffer> => {
    const ring = createRing(65_536);
    pipeline.addLoop({ type: "loop", ring, name: `loop ${threadId}`, file: "", time: MS, threadId });
    const facts = new RingWriter(ring, process.hrtime.bigint);
    for (let i = 0; i < 5_000; i++) facts.put(Fact.Settle, BigInt(2 * MS), i, 0, 0);
    return new WeakRef(ring);
  };
  const main = add(0);
  const worker = add(1);
  pipeline.cut(3 * MS);
  assert.equal(pipeline.endLoop(1, 4 * MS), true);
  assert.equal(pipeline.endLoop(1, 4 * MS), false);
  await new Promise((resolve) => setTimeout(resolve, 10));
  gc();
  assert.notEqual(main.deref(), undefined);
  assert.equal(worker.deref(), undefined);
  pipeline.finish(200 * MS);
  assert.match(written, /\{"drops":\{"loop":0,"facts":\d+\}\}/);
  assert.match(written, /\{"drops":\{"loop":1,"facts":\d+\}\}/);
});

test("a note is in the generation of its time, also where a collection goes on that began before and ends after it", () => {
  for (const isRunning of [false, true]) {
    const ring = createRing(65_536);
    const facts = new RingWriter(ring, process.hrtime.bigint);
    let written = "";
    const pipeline = new Pipeline({
      version: 25,
      process: {},
      write: (bytes) => (written += Buffer.from(bytes).toString("latin1")),
    });
    pipeline.addLoop({ type: "loop", ring, name: "main", file: "", time: MS, threadId: 0 });
    facts.put(Fact.Before, BigInt(10 * MS), 1, 0, ResourceKind.Fs);
    if (!isRunning) facts.put(Fact.After, BigInt(15 * MS), 1, 0, 0);
    facts.put(Fact.Gc, BigInt(190 * MS), 20 * MS, 0, GcKind.Minor);
    if (isRunning) facts.put(Fact.After, BigInt(220 * MS), 1, 0, 0);
    pipeline.note(0, 200 * MS, { flight: { trigger: "signal", name: "A" } });
    pipeline.note(0, 201 * MS, { flight: { trigger: "signal", name: "B" } });
    pipeline.cut(200 * MS + LOOK_AHEAD_NS);
    pipeline.rotate();
    const notes = (): string[] =>
      [...written.matchAll(/"name":"([AB])"/g), ...written.matchAll(/GC (scavenge)/g)].map(
        ([, name]) => name!,
      );
    assert.deepEqual(notes(), ["A"]);
    pipeline.finish(400 * MS);
    assert.deepEqual(notes(), ["A", "B", "scavenge"]);
  }
});
