import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelBuilder } from "../model/build.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { MEASURES, Occurrences, aggregate, atOnce, wakePairs } from "./aggregate.ts";
import { callTree, functionSums } from "./call-tree.ts";
import type { CallNode } from "./call-tree.ts";
import { partOf } from "./part.ts";

/** A waits 10 at read < load < A for the network, then 4 at lock < A for sync until B wakes it; B runs meanwhile. */
function model() {
  const builder = new ModelBuilder();
  const read = stack("read", "load", "A");
  const lock = stack("lock", "A");
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("A") }),
    go(0, 2, "NotExist->Runnable", { transitionStack: stack("B") }),
    go(2, 1, "Runnable->Running", { proc: 0 }),
    event({ kind: "RegionBegin", time: 3, name: "query", goroutine: 1, proc: 0 }),
    go(5, 1, "Running->Waiting", { proc: 0, reason: "network", stack: read }),
    go(15, 1, "Waiting->Runnable", {}),
    go(16, 1, "Runnable->Running", { proc: 0 }),
    event({ kind: "RegionEnd", time: 17, name: "query", goroutine: 1, proc: 0 }),
    event({ kind: "StackSample", time: 18, goroutine: 1, proc: 0, stack: stack("parse", "A") }),
    go(20, 1, "Running->Waiting", { proc: 0, reason: "sync", stack: lock }),
    go(20, 2, "Runnable->Running", { proc: 0 }),
    go(24, 1, "Waiting->Runnable", { goroutine: 2, stack: stack("unlock", "B") }),
    go(30, 2, "Running->NotExist", { proc: 0 }),
    go(30, 1, "Runnable->Running", { proc: 0 }),
    sync(40),
  ])
    builder.event(e);
  return builder.finish(null, 25);
}

/** A tree as text: "func total/self" indented. */
function text(node: CallNode, depth = 0): string[] {
  return [
    `${" ".repeat(depth)}${node.func} ${node.total}/${node.self}`,
    ...node.children.flatMap((child) => text(child, depth + 1)),
  ];
}

test("waits are summed by their stacks, below their reasons, and cut by the range", () => {
  const trace = model();
  const all = partOf(trace, 0, 40);
  assert.deepEqual(text(callTree(trace, aggregate(trace, all, "waiting"), false)), [
    "all 14/0",
    " A 14/0",
    "  load 10/0",
    "   read 10/0",
    "    (network) 10/10",
    "  lock 4/0",
    "   (sync) 4/4",
  ]);
  assert.deepEqual(text(callTree(trace, aggregate(trace, partOf(trace, 10, 22), "waiting"), true)), [
    "all 7/0",
    " (network) 5/0",
    "  read 5/0",
    "   load 5/0",
    "    A 5/5",
    " (sync) 2/0",
    "  lock 2/0",
    "   A 2/2",
  ]);
  const sync1 = trace.strings.indexOf("sync");
  assert.equal(aggregate(trace, all, "waiting", sync1).length, 1);
  assert.deepEqual(
    aggregate(trace, all, "waits").map(({ value }) => value),
    [1, 1],
  );
});

test("running and ready time lies where it stops, else where it stopped before, else at the entry function", () => {
  const trace = model();
  const all = partOf(trace, 0, 40);
  assert.deepEqual(text(callTree(trace, aggregate(trace, all, "running"), false)), [
    "all 27/0",
    " A 17/0",
    "  lock 14/14",
    "  load 3/0",
    "   read 3/3",
    " B 10/10",
  ]);
  assert.deepEqual(text(callTree(trace, aggregate(trace, all, "runnable"), false)), [
    "all 29/0",
    " B 20/20",
    " A 9/2",
    "  lock 6/6",
    "  load 1/0",
    "   read 1/1",
  ]);
});

test("a region, an activation and samples narrow the part", () => {
  const trace = model();
  const inQuery = partOf(trace, 0, 40, { region: trace.strings.indexOf("query") });
  assert.deepEqual([...inQuery.start, ...inQuery.end], [3, 17]);
  assert.equal(
    aggregate(trace, inQuery, "running").reduce((sum, { value }) => sum + value, 0),
    3,
  );
  assert.deepEqual(aggregate(trace, partOf(trace, 0, 40, { rows: new Set([1]) }), "waiting"), []);
  const [sample] = aggregate(trace, partOf(trace, 0, 40), "samples");
  assert.equal(trace.stacks[sample!.stack]![0]!.func, "parse");
  assert.deepEqual(aggregate(trace, partOf(trace, 0, 18), "samples"), []);
  const [taken] = atOnce(new Occurrences(trace, partOf(trace, 0, 40), "samples", () => true, 10));
  assert.equal(trace.spans.start[taken!], 16);
});

test("all states make up the time that activations lived", () => {
  const trace = model();
  const all = partOf(trace, 0, 40);
  let total = 0;
  for (const measure of MEASURES) {
    if (measure === "samples" || measure === "waits") continue;
    for (const { value } of aggregate(trace, all, measure)) total += value;
  }
  assert.equal(total, 40 + 30);
});

test("functions by self and total, and where one of them occurs", () => {
  const trace = model();
  const all = partOf(trace, 0, 40);
  const sums = aggregate(trace, all, "waiting");
  const functions = functionSums(trace, sums);
  assert.deepEqual(
    functions.map(({ func, self, total }) => [func, self, total]),
    [
      ["(network)", 10, 10],
      ["(sync)", 4, 4],
      ["A", 0, 14],
      ["load", 0, 10],
      ["read", 0, 10],
      ["lock", 0, 4],
    ],
  );
  const lock = sums[functions.find(({ func }) => func === "lock")!.sums[0]!]!;
  const rows = atOnce(new Occurrences(trace, all, "waiting", (at) => at === lock.stack, 10));
  assert.deepEqual(
    rows.map((row) => trace.spans.start[row]),
    [20],
  );
});

test("who waits and who wakes are pairs, by the time that was waited", () => {
  const trace = model();
  const [pair, ...others] = wakePairs(trace, partOf(trace, 0, 40));
  assert.deepEqual(others, []);
  assert.equal(trace.stacks[pair!.waiting]![0]!.func, "lock");
  assert.equal(trace.stacks[pair!.waking]![0]!.func, "unlock");
  assert.deepEqual([pair!.count, pair!.total, trace.strings[pair!.reason]], [1, 4, "sync"]);
});
