import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Fact, GcKind, ResourceKind } from "../base/facts.ts";
import { RingWriter, createRing } from "../base/ring.ts";
import { bytesSource } from "../decode/source.ts";
import { buildModel } from "../model/build.ts";
import { readNotes } from "../model/notes.ts";
import { Pipeline } from "./pipeline.ts";

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

test("a pause of which V8 tells when its time has been written is counted, and none of no length is told", () => {
  const ring = createRing(65_536);
  const facts = new RingWriter(ring, process.hrtime.bigint);
  const chunks: Uint8Array[] = [];
  const pipeline = new Pipeline({ version: 25, process: {}, write: (bytes) => chunks.push(bytes) });
  pipeline.addLoop({ type: "loop", ring, name: "main", file: "", time: MS, threadId: 0 });
  const pause = (at: number, ms: number, kind: number): void =>
    facts.put(Fact.Gc, BigInt(at * MS), ms * MS, 0, kind);
  const call = (at: number): void => {
    facts.put(Fact.SyscallBegin, BigInt(at * MS), 0, 0, 0);
    facts.put(Fact.SyscallEnd, BigInt((at + 1) * MS), 0, 0, 0);
  };
  // One turn of a second: its code makes synchronous calls, and a generation ends in it.
  call(200);
  pipeline.cut(500 * MS);
  pipeline.rotate();
  pipeline.cut(1_000 * MS);
  // Before a call that is written, before the generation, in time.
  pause(100, 7, GcKind.Minor);
  pause(300, 20, GcKind.Incremental);
  pause(330, 30, GcKind.Major);
  pause(950, 5, GcKind.Minor);
  pipeline.cut(1_200 * MS);
  pipeline.rotate();
  // Nobody has told of this one when the trace ends.
  pause(1_010, 11, GcKind.Minor);
  pipeline.finish(1_300 * MS);
  const model = buildModel(bytesSource(Buffer.concat(chunks)));
  assert.equal(model.error, null);
  const { ranges } = model;
  const told = Array.from(ranges.name, (name, i) => [
    model.strings[name],
    Math.round((ranges.end[i]! - ranges.start[i]!) / MS),
  ]);
  assert.deepEqual(told, [["stop-the-world (GC scavenge)", 5]]);
  assert.deepEqual(readNotes(model.notes).lostPauses, { count: 4, ns: 68 * MS });
});
