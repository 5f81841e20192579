import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventSpec } from "./events.ts";
import { EVENTS, Ev, SPEC_BY_TYPE } from "./events.ts";
import { V2_VERSIONS } from "./format.ts";

const numbers: Readonly<Record<string, number>> = Ev;

test("the table and the numbers by name are the same set, without gaps up to 52 and from 128 to 136", () => {
  assert.deepEqual(
    EVENTS.map(({ type, name }) => [name, type]),
    Object.entries(numbers),
  );
  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);
  assert.deepEqual(
    EVENTS.map(({ type }) => type),
    [...range(1, 52), ...range(128, 136)],
  );
});

test("an event number leads to its spec, any other number to none", () => {
  for (let type = 0; type < 256; type++) {
    assert.equal(
      SPEC_BY_TYPE[type],
      EVENTS.find((spec) => spec.type === type),
    );
  }
});

test("the last event number of each version is the one of the specification", () => {
  const last = (version: number): number =>
    Math.max(...EVENTS.filter((spec) => spec.since <= version).map((spec) => spec.type));
  assert.deepEqual(V2_VERSIONS.map(last), [44, 49, 51, 136]);
});

test("arguments that name a table entry or a resource say so", () => {
  const kindsOf = (name: string): readonly string[] => EVENTS.find((spec) => spec.name === name)!.kinds;
  assert.deepEqual(kindsOf("GoCreate"), ["goroutine", "stack", "stack"]);
  assert.deepEqual(kindsOf("GoBlock"), ["string", "stack"]);
  assert.deepEqual(kindsOf("GoUnblock"), ["goroutine", "number", "stack"]);
  assert.deepEqual(kindsOf("ProcSteal"), ["proc", "number", "thread"]);
  assert.deepEqual(kindsOf("UserTaskBegin"), ["task", "task", "string", "stack"]);
  assert.deepEqual(kindsOf("UserLog"), ["task", "string", "string", "stack"]);
  assert.deepEqual(kindsOf("CPUSample"), ["number", "thread", "proc", "goroutine", "stack"]);
  assert.deepEqual(kindsOf("HeapAlloc"), ["number"]);
});

test("structural records are exactly those without a time delta", () => {
  const names = EVENTS.filter((spec: EventSpec) => !spec.timed).map((spec) => spec.name);
  assert.deepEqual(names, [
    "EventBatch",
    "Stacks",
    "Stack",
    "Strings",
    "String",
    "CPUSamples",
    "CPUSample",
    "Frequency",
    "ExperimentalBatch",
    "Sync",
    "ClockSnapshot",
    "EndOfGeneration",
  ]);
});
