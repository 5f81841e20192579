import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModelBuilder } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import { NO_PARENT, event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { Aggregation, MEASURES, Occurrences, WakePairs, aggregate, atOnce } from "./aggregate.ts";
import type { InSteps } from "./aggregate.ts";
import { partOf } from "./part.ts";
import type { Part, PartOptions } from "./part.ts";

/**
 * Main (row 0) begins the task "order" at 10 and ends it at 30; meanwhile it makes A (row 1), which works until 50 and
 * makes B (row 2) at 35, after the task's end. C (row 3), on the second loop, has a region of the task from 12 to 16 and one of its
 * child "query" from 15 to 20, and yields at 22.
 */
function trace(): TraceModel {
  const builder = new ModelBuilder();
  const task = (time: number, kind: "TaskBegin" | "TaskEnd", id: bigint, name = "", parent = NO_PARENT) =>
    event({ kind, time, task: id, name, parent, goroutine: 1, proc: 0 });
  const region = (time: number, kind: "RegionBegin" | "RegionEnd", id: bigint) =>
    event({ kind, time, task: id, name: "work", goroutine: 4, proc: 1 });
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    proc(0, 1, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("main") }),
    go(1, 1, "Runnable->Running", { proc: 0 }),
    go(2, 4, "NotExist->Runnable", { transitionStack: stack("C") }),
    go(3, 4, "Runnable->Running", { proc: 1, thread: 2 }),
    task(10, "TaskBegin", 7n, "order"),
    go(11, 2, "NotExist->Runnable", { transitionStack: stack("A"), by: 1, proc: 0 }),
    region(12, "RegionBegin", 7n),
    task(13, "TaskBegin", 8n, "query", 7n),
    region(15, "RegionBegin", 8n),
    event({ kind: "StackSample", time: 15, goroutine: 4, proc: 1, stack: stack("inside", "C") }),
    region(20, "RegionEnd", 8n),
    region(21, "RegionEnd", 7n),
    go(22, 4, "Running->Runnable", { proc: 1, thread: 2, reason: "yield", stack: stack("spin", "C") }),
    event({ kind: "StackSample", time: 23, goroutine: -1, proc: 1, stack: stack("nobody") }),
    go(24, 4, "Runnable->Running", { proc: 1, thread: 2 }),
    task(28, "TaskEnd", 8n),
    task(30, "TaskEnd", 7n),
    go(31, 1, "Running->Waiting", { proc: 0, reason: "sleep", stack: stack("nap", "main") }),
    go(31, 2, "Runnable->Running", { proc: 0 }),
    go(35, 3, "NotExist->Runnable", { transitionStack: stack("B"), by: 2, proc: 0 }),
    go(50, 2, "Running->NotExist", { proc: 0 }),
    sync(60),
  ])
    builder.event(e);
  return builder.finish(null, 25);
}

const model = trace();
/** Rows by entry function. */
const row = (name: string): number => model.activations.name.findIndex((at) => model.strings[at] === name);
const order = model.tasks.name.findIndex((at) => model.strings[at] === "order");
const query = model.tasks.name.findIndex((at) => model.strings[at] === "query");

function told({ count, activation, start, end }: Part): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${model.strings[model.activations.name[activation[i]!]!]} ${start[i]} ${end[i]}`,
  ).toSorted();
}

const PARTS: readonly (readonly [string, PartOptions, [number, number], readonly string[]])[] = [
  ["everything", {}, [0, 60], ["A 0 60", "B 0 60", "C 0 60", "main 0 60"]],
  ["a range of some", { rows: new Set([row("A")]) }, [20, 40], ["A 20 40"]],
  ["regions that nest", { region: model.strings.indexOf("work") }, [0, 60], ["C 12 21"]],
  [
    "a task: who began it and whom that one makes meanwhile, its regions and its children's",
    { task: order },
    [0, 60],
    ["A 11 30", "C 12 21", "main 10 30"],
  ],
  ["a child of a task", { task: query }, [0, 60], ["C 15 20", "main 13 28"]],
  ["a task in a range", { task: order }, [12, 18], ["A 12 18", "C 12 18", "main 12 18"]],
  ["regions in a task", { task: query, region: model.strings.indexOf("work") }, [0, 60], ["C 15 20"]],
];

for (const [title, options, [from, to], want] of PARTS) {
  test(`part: ${title}`, () => assert.deepEqual(told(partOf(model, from, to, options)), want));
}

function total(part: Part, measure: (typeof MEASURES)[number]): number {
  return aggregate(model, part, measure).reduce((sum, { value }) => sum + value, 0);
}

test("a loop: what ran on it, and what waits or is ready and goes on there", () => {
  const first = partOf(model, 0, 60, { proc: 0 });
  const second = partOf(model, 0, 60, { proc: 1 });
  assert.equal(total(first, "running"), 31 - 1 + (50 - 31));
  assert.equal(total(second, "running"), 22 - 3 + (60 - 24));
  assert.equal(total(second, "runnable"), 3 - 2 + (24 - 22));
  // Main's wait has no end: it goes on nowhere.
  assert.equal(total(first, "waiting") + total(second, "waiting"), 0);
  assert.equal(total(partOf(model, 0, 60), "waiting"), 60 - 31);
  assert.equal(total(second, "samples"), 2);
  assert.equal(total(first, "samples"), 0);
});

test("samples that nobody ran under count where the whole range does", () => {
  assert.equal(total(partOf(model, 0, 60), "samples"), 2);
  assert.equal(total(partOf(model, 0, 23), "samples"), 1);
  assert.equal(total(partOf(model, 0, 60, { task: order }), "samples"), 1);
});

test("who yields stopped at a stack of his own", () => {
  const rows = new Set([row("C")]);
  const where = (measure: "running" | "runnable"): string[] =>
    aggregate(model, partOf(model, 0, 60, { rows }), measure)
      .map(({ stack: at, entry, value }) => `${model.stacks[at]?.[0]?.func ?? model.strings[entry]} ${value}`)
      .toSorted();
  // The run before, and the one behind, which does not end.
  assert.deepEqual(where("running"), ["spin 55"]);
  assert.deepEqual(where("runnable"), ["C 1", "spin 2"]);
});

test("the longest occurrences are found", () => {
  const one = atOnce(new Occurrences(model, partOf(model, 0, 60), "running", () => true, 1));
  assert.deepEqual(
    one.map((span) => model.spans.start[span]),
    [24],
  );
});

test("in whatever steps it is done, it comes to the same", () => {
  const steps = <T>(of: () => InSteps<T>, most: readonly number[]): T => {
    const it = of();
    for (let i = 0; !it.step(most[i % most.length]!); i++) {
      assert.ok(it.progress >= 0 && it.progress <= 1);
      assert.ok(i < 10_000, "it ends");
    }
    return it.take();
  };
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...MEASURES),
      fc.constantFrom<PartOptions>({}, { proc: 1 }, { task: order }, { rows: new Set([1]) }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      (most, measure, options, from, to) => {
        const part = partOf(model, from, to, options);
        const made = [
          () => new Aggregation(model, part, measure),
          () => new Occurrences(model, part, measure, (at) => at % 2 === 0, 3),
          () => new WakePairs(model, part),
        ];
        for (const of of made) assert.deepEqual(steps<unknown>(of, most), atOnce<unknown>(of()));
      },
    ),
    { numRuns: 300 },
  );
});
