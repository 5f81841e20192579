import assert from "node:assert/strict";
import { test } from "node:test";
import { loopNames, readNotes } from "./notes.ts";
import type { Note } from "./types.ts";

function notes(...messages: readonly Readonly<Record<string, unknown>>[]): Note[] {
  return messages.map((message, time) => ({ time, activation: -1, message }));
}

test("later process notes win field by field and loop by loop, counts add up", () => {
  const said = notes(
    {
      process: {
        runtrace: "0.1.0",
        node: "v20.1.0",
        pid: 7,
        argv1: "app.js",
        loops: [{ proc: 0, name: "main" }],
      },
    },
    { drops: { loop: 0, facts: 100 } },
    { misuse: { regions: 1 } },
    {
      process: {
        loops: [
          { proc: 1, name: "worker 1" },
          { proc: 0, name: "main again" },
        ],
      },
    },
    { drops: { loop: 0, facts: 23 } },
    { drops: { loop: 1, facts: 4 } },
    { misuse: { regions: 2, tasks: 1 } },
    { pauses: { lost: 2, ns: 900 } },
    { pauses: { lost: 1, ns: 50 } },
    { cost: { facts: 1, lost: 7 } },
    { cost: { facts: 5, bytes: "many" } },
  );
  const read = readNotes(said);
  assert.deepEqual(read.process, { runtrace: "0.1.0", node: "v20.1.0", pid: 7, argv1: "app.js" });
  assert.deepEqual(
    [...read.drops],
    [
      [0, 123],
      [1, 4],
    ],
  );
  assert.deepEqual(read.lostPauses, { count: 3, ns: 950 });
  assert.deepEqual(
    [...read.misuse],
    [
      ["regions", 3],
      ["tasks", 1],
    ],
  );
  assert.deepEqual(read.cost, {
    facts: 5,
    lost: null,
    activations: null,
    hooksNs: null,
    tracerNs: null,
    bytes: null,
  });
  assert.deepEqual(
    [...loopNames(said)],
    [
      [0, "main again"],
      [1, "worker 1"],
    ],
  );
});

test("notes of another shape are passed over", () => {
  const said = notes(
    { process: { pid: "7", loops: [null, { proc: "0", name: "x" }, { proc: 1 }, { proc: 2, name: "ok" }] } },
    { process: "x", drops: [1], misuse: { regions: "many" }, cost: null },
    { drops: { loop: 1 } },
    { request: { method: "GET", url: "/x" } },
  );
  const read = readNotes(said);
  assert.deepEqual(read.process, { runtrace: null, node: null, pid: null, argv1: null });
  assert.equal(read.drops.size + read.misuse.size, 0);
  assert.equal(read.cost, null);
  assert.deepEqual([...loopNames(said)], [[2, "ok"]]);
});
