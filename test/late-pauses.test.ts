import assert from "node:assert/strict";
import { test } from "node:test";
import { Fact, GcKind } from "#dist/base/facts.js";
import { RingWriter, createRing } from "#dist/base/ring.js";
import { bytesSource } from "#dist/decode/source.js";
import { headerOf } from "#dist/encode/generations.js";
import { buildModel } from "#dist/model/build.js";
import { readNotes } from "#dist/model/notes.js";
import { Pipeline } from "#dist/recorder/pipeline.js";

const MS = 1e6;

test("a pause of which V8 tells when its time has been written is counted, and none of no length is told", () => {
  const ring = createRing(65_536);
  const facts = new RingWriter(ring, process.hrtime.bigint);
  const chunks: Uint8Array[] = [headerOf(25)];
  const pipeline = new Pipeline({ version: 25, process: {}, write: (bytes) => chunks.push(bytes.slice()) });
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
