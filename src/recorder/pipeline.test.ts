import assert from "node:assert/strict";
import { test } from "node:test";
import { Fact, ResourceKind } from "../base/facts.ts";
import { RingWriter, createRing } from "../base/ring.ts";
import { Pipeline } from "./pipeline.ts";

const MS = 1e6;

test("a cut that covers much shows progress and writes all along", () => {
  const ring = createRing(2 ** 23);
  const facts = new RingWriter(ring);
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
  assert.ok(steps >= 20, `${steps} signs of life`);
  assert.ok(
    stepsAtWrite.length >= 10 && stepsAtWrite[0]! < 5,
    `writes at the steps ${stepsAtWrite.join(" ")}`,
  );
  pipeline.finish(1_001 * MS);
});
