import assert from "node:assert/strict";
import { test } from "node:test";
import { Awaited, Fact, ResourceKind, RootKind } from "../base/facts.ts";
import { Resolver } from "./resolver.ts";
import { EventLog } from "./scenario.test.util.ts";

type Facts = readonly (readonly [ms: number, kind: number, a: number, b?: number, c?: number])[];

/** The events of these facts. `advance`: whether it is called before each fact. */
function events(facts: Facts, advance: boolean, end = 0): string {
  const log = new EventLog();
  const resolver = new Resolver(log.out);
  resolver.addLoop(0, { name: "main", time: 0 });
  for (const [ms, kind, a, b = 0, c = 0] of facts) {
    if (advance) resolver.advance(ms * 1e6);
    resolver.visitor(0).fact(kind, ms * 1e6, a, b, c);
  }
  if (end > 0) resolver.advance(end * 1e6);
  else resolver.finish((facts.at(-1)![0] + 1) * 1e6);
  return log.text;
}

/** Two calls of the main script, of which the first goes on after so many ms, all in one turn. */
const goesOnAfter = (ms: number): Facts => [
  [1, Fact.FrameCall, 1],
  [2, Fact.FrameBlock, 1, Awaited.Unknown],
  [3, Fact.FrameCall, 2],
  [4, Fact.FrameBlock, 2, Awaited.Unknown],
  [2 + ms, Fact.FrameResume, 1],
  [3 + ms, Fact.FrameBlock, 1, Awaited.Unknown],
];

test("that a frame waited for a job only is told by its going on within the look-ahead, not later", () => {
  for (const ms of [2, 99, 100, 150]) {
    const text = events(goesOnAfter(ms), false);
    assert.match(text, ms < 100 ? /^2000 L0 stop G2 runtime.Gosched/m : /^2000 L0 block G2 unspecified/m);
    assert.equal(events(goesOnAfter(ms), true), text, "whenever advance is called");
  }
});

test("a promise that was resolved with another one is not resolved again, whenever advance is called", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1],
    [1, Fact.Executor, 2],
    [1, Fact.FrameCall, 3],
    [2, Fact.Settled, 2, 3],
    [2, Fact.FrameCall, 4],
    [2, Fact.FrameBlock, 4, 2],
    [1_200, Fact.Settled, 2, 3],
    [1_200, Fact.FrameCall, 5],
  ];
  assert.equal(events(facts, true), events(facts, false));
});

test("an activation that goes on in the same turn is still told of its timer when it stops", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1],
    [1, Fact.Executor, 2],
    [1, Fact.Init, 3, 2, ResourceKind.Timeout + 32],
    // Due at 2 ms, while it is busy.
    [3, Fact.SyscallBegin, 0],
    [3.1, Fact.SyscallEnd, 0],
    [3.2, Fact.FrameBlock, 1, Awaited.Settled],
    [3.3, Fact.FrameResume, 1],
    [3.4, Fact.FrameBlock, 1, 2],
  ];
  assert.match(events(facts, false, 200), /^3400 timers unblock G\d+$/m);
});

test("a timer that falls due between two jobs of a turn wakes its activation then", () => {
  const facts: Facts = [
    [0.1, Fact.FrameCall, 1],
    [0.1, Fact.Executor, 2],
    [0.1, Fact.Init, 3, 2, ResourceKind.Timeout + 32],
    [0.1, Fact.FrameBlock, 1, 2],
    [0.2, Fact.FrameCall, 4],
    [0.2, Fact.FrameBlock, 4, Awaited.Settled],
    [0.3, Fact.FrameResume, 4],
    [0.3, Fact.FrameBlock, 4, Awaited.Settled],
    // Due at 1.1 ms, when no job runs.
    [2, Fact.FrameResume, 4],
    [190, Fact.FrameBlock, 4, Awaited.Settled],
  ];
  assert.match(events(facts, false, 200), /^1100 timers unblock G\d+$/m);
});

test("what a frame calls after a generator has gone on inside of it is its call", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1],
    [1.1, Fact.FrameCall, 2],
    [1.2, Fact.FrameBlock, 2, Awaited.Unknown],
    [1.3, Fact.FrameBlock, 1, Awaited.Unknown],
    [50, Fact.FrameResume, 1],
    [51, Fact.FrameResume, 2, 1],
    [52, Fact.FrameBlock, 2, Awaited.Unknown],
    [53, Fact.FrameCall, 3],
    [54, Fact.FrameBlock, 3, Awaited.Unknown],
    [55, Fact.FrameBlock, 1, 3],
  ];
  const before = events(facts.slice(0, 4), false, 500).match(/create/g);
  assert.deepEqual(events(facts, false, 500).match(/create/g), before);
});

test("a server's root is nobody's call, and all that runs until its handler returns", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1],
    [2, Fact.FrameBlock, 1, Awaited.Unknown],
    [10, Fact.Settled, 99, Awaited.Settled, 32],
    [20, Fact.Root, 7, 0, RootKind.Request],
    [21, Fact.FrameCall, 2],
    [22, Fact.FrameBlock, 2, Awaited.Unknown],
    [30, Fact.Return, 7],
    [31, Fact.Root, 8, 0, RootKind.Connection],
    [32, Fact.Return, 8],
  ];
  const text = events(facts, false, 500);
  const created = [...text.matchAll(/^(\d+) L0 create G\d+ (\w+)/gm)].map(([, at, name]) => `${at} ${name}`);
  assert.deepEqual(created, ["0 main", "20000 root", "31000 root"]);
  assert.doesNotMatch(text, /preempted/);
  assert.match(text, /^30000 L0 block G2 /m);
});

test("a frame that asks an iterator which is no generator's waits from then on, not from the next fact on", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1, 1],
    [2, Fact.FrameBlock, 1, Awaited.Kind - ResourceKind.Timeout],
    [12, Fact.Idle, 9e6],
    [12, Fact.FrameResume, 1],
  ];
  const text = events(facts, false);
  assert.match(text, /^2000 L0 block G\d+ sleep\b/m);
  assert.equal(events(facts, true), text, "whenever advance is called");
});

test("code goes on behind a call that asks an iterator of which the kind is told", () => {
  const facts: Facts = [
    [1, Fact.FrameCall, 1],
    [2, Fact.FrameBlock, 1, Awaited.Iterates],
    [3, Fact.FrameBlock, 1, Awaited.Kind - ResourceKind.Timeout],
    [4, Fact.FrameCall, 2],
    [5, Fact.FrameBlock, 2, Awaited.Unknown],
  ];
  const text = events(facts, false);
  for (const made of [/^1000 L0 create G2 .* \| main@1/m, /^2000 L0 block G2 sleep\b/m])
    assert.match(text, made);
  assert.match(text, /^4000 L0 create G3 .* \| main@1/m);
  assert.equal(events(facts, true), text, "whenever advance is called");
});
