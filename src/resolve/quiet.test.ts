import assert from "node:assert/strict";
import { test } from "node:test";
import { Awaited, Fact, ResourceKind } from "../base/facts.ts";
import { FramePool } from "./frame-pool.ts";
import { makeScope } from "./scopes.ts";
import { TurnReader } from "./turns.ts";

/** A frame, 1, that runs in a reaction of its own. */
function reader(): TurnReader {
  const turns = new TurnReader({
    root: makeScope("root", null, "fork", 0),
    time: 0,
    lookAhead: 100e6,
    pool: new FramePool(),
    newTask: (name) => ({ id: 1, name, since: -1, ended: false }),
    onTimer: () => {},
    onEnd: () => {},
  });
  turns.text(1, "f");
  turns.fact(Fact.Site, 0, 2 ** 26 + 1, 1, 1);
  turns.fact(Fact.Before, 10, 5, 0, ResourceKind.Net);
  turns.fact(Fact.FrameCall, 20, 1, 0, 1);
  turns.fact(Fact.FrameBlock, 30, 1, Awaited.Settled, 1);
  turns.fact(Fact.After, 40, 5, 0, 0);
  turns.fact(Fact.FrameResume, 50, 1, 0, 0);
  return turns;
}

/** Frame 1 awaits a call that awaits a job, and before that does `meanwhile`. */
function awaitCall(turns: TurnReader, time: number, id: number, meanwhile: () => void = () => {}): void {
  turns.fact(Fact.FrameCall, time, id, 0, 1);
  turns.fact(Fact.FrameBlock, time, id, Awaited.Settled, 1);
  turns.fact(Fact.FrameBlock, time, 1, id, 1);
  turns.fact(Fact.FrameResume, time, id, 0, 0);
  meanwhile();
  turns.fact(Fact.FrameEnd, time, id, 0, 0);
  turns.fact(Fact.FrameResume, time, 1, 0, 0);
}

test("calls that a frame awaits within a turn leave one operation, however many they are", () => {
  const turns = reader();
  const { size } = turns.running.queue;
  for (let id = 2; id < 1_000; id++) awaitCall(turns, 50 + id, id);
  assert.equal(turns.running.queue.size, size + 1);
});

test("a call in which something happens leaves all of its operations", () => {
  const things: [kind: number, c: number][] = [
    [Fact.Init, ResourceKind.Timeout],
    [Fact.SyscallBegin, 1],
    [Fact.FrameCall, 1],
    [Fact.Heap, 0],
  ];
  for (const [kind, c] of things) {
    const turns = reader();
    const { size } = turns.running.queue;
    awaitCall(turns, 60, 2, () => turns.fact(kind, 60, 3, 0, c));
    assert.ok(turns.running.queue.size >= size + 6, `fact ${kind}`);
  }
});

test("a call that took as long as the look-ahead leaves its operations, which may be written", () => {
  const turns = reader();
  const { size } = turns.running.queue;
  turns.fact(Fact.FrameCall, 60, 2, 0, 1);
  turns.fact(Fact.FrameBlock, 60, 2, Awaited.Settled, 1);
  turns.fact(Fact.FrameBlock, 60, 1, 2, 1);
  turns.fact(Fact.FrameResume, 60 + 100e6, 2, 0, 0);
  turns.fact(Fact.FrameEnd, 60 + 100e6, 2, 0, 0);
  turns.fact(Fact.FrameResume, 60 + 100e6, 1, 0, 0);
  assert.ok(turns.running.queue.size >= size + 6);
});
