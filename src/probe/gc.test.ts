import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Fact } from "../base/facts.ts";
import { performanceOrigin, watchGc } from "./gc.ts";

test("collections are dated on hrtime's clock, and the heap is measured", async () => {
  const facts: { kind: number; time: bigint; a: number; b: number; c: number }[] = [];
  const delivered: number[] = [];
  const begin = process.hrtime.bigint();
  const { stop } = watchGc(
    { put: (kind, time, a, b, c) => void facts.push({ kind, time, a, b, c }) },
    () => void delivered.push(1),
  );
  const kept: unknown[] = [];
  const deadline = performance.now() + 5_000;
  while (delivered.length === 0 && performance.now() < deadline) {
    for (let i = 0; i < 200_000; i++) kept[i % 1000] = { i };
    await sleep(1);
  }
  stop();
  const end = process.hrtime.bigint();
  assert.ok(delivered.length > 0);
  const collections = facts.filter(({ kind }) => kind === Fact.Gc);
  assert.ok(collections.length > 0);
  for (const { time, a, c } of collections) {
    assert.ok(time >= begin && time + BigInt(a) <= end);
    assert.ok([1, 2, 4, 8, 16].includes(c));
  }
  const [heap] = facts.filter(({ kind }) => kind === Fact.Heap);
  assert.ok(heap !== undefined && heap.a > 1e6 && heap.b > heap.a);
});

test("a heap that grows without a collection is seen by a look, once", () => {
  const sizes: number[] = [];
  const { stop, look } = watchGc({ put: (kind, _time, a) => void (kind === Fact.Heap && sizes.push(a)) });
  // The next fact is told 100 ms after the last one at the soonest.
  const wait = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 110);
  look(true);
  const kept = Array.from({ length: 4 }, () => Array.from<number>({ length: 500_000 }).fill(0.5));
  wait();
  look(false);
  wait();
  look(false);
  assert.equal(sizes.length, 3);
  assert.ok(sizes[2]! - sizes[1]! >= 15e6 && kept.length === 4, sizes.join(" "));
  stop();
});

test("performance.now() and hrtime differ by a constant that is known to some microseconds", () => {
  const origin = performanceOrigin();
  for (let i = 0; i < 3; i++) {
    const before = process.hrtime.bigint();
    const now = origin + BigInt(Math.round(performance.now() * 1e6));
    const after = process.hrtime.bigint();
    assert.ok(now > before - 5_000n && now < after + 5_000n, `${before} ${now} ${after}`);
  }
});
