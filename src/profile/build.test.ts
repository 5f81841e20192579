import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderedEvent, Stack } from "../order/types.ts";
import { event, go, sync } from "../testing/ordered-events.ts";
import { ProfileBuilder } from "./build.ts";
import type { ProfileType } from "./build.ts";
import type { ProfileFilter } from "./filter.ts";
import type { Profile } from "./profile.ts";

interface Given {
  readonly compat?: boolean;
  readonly filter?: ProfileFilter;
  readonly isBroken?: boolean;
}

function build(type: ProfileType, events: readonly OrderedEvent[], given: Given = {}): Profile {
  const builder = new ProfileBuilder(type, { compat: given.compat ?? false, filter: given.filter ?? {} });
  for (const e of events) builder.event(e);
  return builder.finish(given.isBroken ?? false);
}

/** Samples as "count delay leaf;…;root key=value …". */
function texts(type: ProfileType, events: readonly OrderedEvent[], given: Given = {}): string[] {
  return build(type, events, given).samples.map(({ frames, values, labels }) =>
    [...values, frames.map(({ func }) => func).join(";"), ...labels.map((label) => label.join("="))].join(
      " ",
    ),
  );
}

const pcs = new Map<string, bigint>();
let stacks = 0;

/** A stack of functions, leaf first, each with a program counter of its own. */
function stack(...functions: readonly string[]): Stack {
  const frames = functions.map((func) => {
    const pc = pcs.get(func) ?? BigInt(pcs.size + 1);
    pcs.set(func, pc);
    return { pc, func, file: "main.go", line: 1 };
  });
  return { id: ++stacks, frames };
}

const READ = stack("read", "main");
const MAKER = stack("maker");
const WAKER = stack("waker");

/** Made at 10, runs from 20, waits for the network from 30 to 50, runs again at 60, ends at 90. */
const LIFE = [
  sync(0),
  go(10, 1, "NotExist->Runnable", { stack: MAKER, transitionStack: stack("main") }),
  go(20, 1, "Runnable->Running"),
  go(30, 1, "Running->Waiting", { reason: "network", stack: READ, transitionStack: READ }),
  go(50, 1, "Waiting->Runnable", { stack: WAKER }),
  go(60, 1, "Runnable->Running"),
  go(70, 1, "Running->Syscall", { stack: READ, transitionStack: READ }),
  go(75, 1, "Syscall->Running"),
  go(90, 1, "Running->NotExist"),
  sync(100),
];

const open = (to: string, reason = ""): OrderedEvent[] => [
  sync(0),
  go(10, 1, "NotExist->Runnable", { stack: MAKER, transitionStack: stack("main") }),
  go(20, 1, "Runnable->Running"),
  go(30, 1, `Running->${to}`, { reason, stack: READ, transitionStack: READ }),
  sync(100),
];

const foundIn = (state: string): OrderedEvent[] => [
  sync(5),
  go(20, 1, `Undetermined->${state}`, { stack: READ, transitionStack: READ }),
  go(50, 1, `${state}->Running`),
  sync(100),
];

/** An id that is used again, as by a C thread that calls into Go twice. */
const AGAIN = [
  sync(0),
  go(10, 1, "NotExist->Syscall", { stack: MAKER }),
  go(12, 1, "Syscall->Running"),
  go(15, 1, "Running->Syscall", { stack: READ, transitionStack: READ }),
  go(20, 1, "Syscall->NotExist"),
  go(30, 1, "NotExist->Syscall", { stack: MAKER }),
  go(33, 1, "Syscall->Running"),
  go(40, 1, "Running->Syscall", { stack: READ, transitionStack: READ }),
  go(47, 1, "Syscall->NotExist"),
  sync(100),
];

const CASES: readonly {
  readonly name: string;
  readonly type: ProfileType;
  readonly events: readonly OrderedEvent[];
  readonly right: readonly string[];
  readonly compat: readonly string[];
}[] = [
  {
    name: "a wait counts for the stack that begins it",
    type: "net",
    events: LIFE,
    right: ["1 20 read;main goroutine=main reason=network"],
    compat: ["1 20 read;main"],
  },
  {
    name: "the wait from creation to the first run is hidden by Go",
    type: "sched",
    events: LIFE,
    right: ["1 10 maker goroutine=main", "1 10 waker goroutine=main"],
    compat: ["1 10 waker"],
  },
  { name: "other reasons are in other profiles", type: "sync", events: LIFE, right: [], compat: [] },
  {
    name: "a system call",
    type: "syscall",
    events: LIFE,
    right: ["1 5 read;main goroutine=main"],
    compat: ["1 5 read;main"],
  },
  ...["chan receive", "sync.(*Cond).Wait", "select", "synctest"].map((reason) => ({
    name: `sync: ${reason}`,
    type: "sync" as const,
    events: [...open("Waiting", reason).slice(0, -1), go(40, 1, "Waiting->Runnable"), sync(100)],
    right: [`1 10 read;main goroutine=main reason=${reason}`],
    compat: ["1 10 read;main"],
  })),
  {
    name: "a wait that is open at the end is dropped by Go",
    type: "sync",
    events: open("Waiting", "chan send"),
    right: ["1 70 read;main goroutine=main reason=chan send cut=end"],
    compat: [],
  },
  {
    name: "a system call that is open at the end is dropped by Go",
    type: "syscall",
    events: open("Syscall"),
    right: ["1 70 read;main goroutine=main cut=end"],
    compat: [],
  },
  {
    name: "a goroutine found in a system call counts from the Sync; Go counts nothing before the first run",
    type: "syscall",
    events: foundIn("Syscall"),
    right: ["1 45 read;main goroutine=main cut=start"],
    compat: [],
  },
  {
    name: "a goroutine that never runs: Go counts all of its waits",
    type: "syscall",
    events: [
      sync(5),
      go(20, 1, "Undetermined->Syscall", { stack: READ, transitionStack: READ }),
      go(50, 1, "Syscall->Runnable"),
      sync(100),
    ],
    right: ["1 45 read;main goroutine=main cut=start"],
    compat: ["1 30 read;main"],
  },
  {
    name: "what a goroutine found waiting waits for is not told",
    type: "sync",
    events: foundIn("Waiting"),
    right: [],
    compat: [],
  },
  {
    name: "an id that is used again: Go counts the last goroutine's waits",
    type: "syscall",
    events: AGAIN,
    right: ["2 12 read;main goroutine=main", "2 5 maker goroutine=main"],
    compat: ["1 7 read;main"],
  },
  {
    name: "a wait without a stack is there to be seen",
    type: "sched",
    events: [
      ...open("Waiting", "network").slice(0, -1),
      go(40, 1, "Waiting->Runnable"),
      go(55, 1, "Runnable->Running"),
      sync(100),
    ],
    right: ["1 15 (no stack) goroutine=main", "1 10 maker goroutine=main"],
    compat: ["1 15 "],
  },
];

for (const { name, type, events, right, compat } of CASES) {
  test(`${type}: ${name}`, () => {
    assert.deepEqual(texts(type, events), right);
    assert.deepEqual(texts(type, events, { compat: true }), compat);
  });
}

test("a status that says what is known changes nothing", () => {
  const events = LIFE.toSpliced(4, 0, go(40, 1, "Waiting->Waiting", { stack: WAKER }));
  assert.deepEqual(texts("net", events), texts("net", LIFE));
});

test("a broken trace: by default all that was read counts, with compat what came before the last Sync", () => {
  const events = [...LIFE.slice(0, 5), sync(55), ...LIFE.slice(5, -1)];
  assert.deepEqual(texts("syscall", events, { isBroken: true }).length, 1);
  assert.deepEqual(texts("syscall", events, { isBroken: true, compat: true }), []);
  assert.deepEqual(texts("net", events, { isBroken: true, compat: true }), ["1 20 read;main"]);
});

test("a broken trace: what Go has forgotten already is not taken back once more", () => {
  const events = [
    sync(0),
    go(10, 1, "Undetermined->Syscall", { stack: READ, transitionStack: READ }),
    go(20, 1, "Syscall->Runnable"),
    go(30, 1, "Runnable->Running"),
    go(40, 1, "Running->Syscall", { stack: READ }),
    go(50, 1, "Syscall->Running"),
  ];
  assert.deepEqual(texts("syscall", events, { compat: true }), ["1 10 read;main"]);
  assert.deepEqual(texts("syscall", events, { compat: true, isBroken: true }), []);
});

test("with compat an id that is used again has its last goroutine's name", () => {
  const again = AGAIN.map((e) => (e.time === 40 ? { ...e, transitionStack: stack("read", "other") } : e));
  const named = (goroutine: string): number =>
    texts("syscall", again, { compat: true, filter: { goroutine } }).length;
  assert.deepEqual([named("main"), named("other")], [0, 1]);
});

test("equal stacks of other generations are one; Go tells them apart by program counter alone", () => {
  const again = (func: string): Stack => ({ id: 1, frames: [{ pc: 7n, func, file: "a.go", line: 1 }] });
  const wait = (time: number, at: Stack): OrderedEvent[] => [
    sync(time),
    go(time + 1, 1, "Running->Syscall", { stack: at }),
    go(time + 3, 1, "Syscall->Running"),
  ];
  const events = [
    sync(0),
    go(1, 1, "Undetermined->Running"),
    ...wait(10, again("a")),
    ...wait(20, again("a")),
    ...wait(30, again("b")),
    sync(40),
  ];
  assert.deepEqual(texts("syscall", events), ["2 4 a", "1 2 b"]);
  assert.deepEqual(texts("syscall", events, { compat: true }), ["3 6 a"]);
});

test("the profile says what it covers", () => {
  const first = {
    ...sync(1_000),
    snapshot: { trace: 900, mono: 0n, wallSec: 5n, wallNsec: 7 },
  };
  const events = [first, ...LIFE.slice(1).map((e) => ({ ...e, time: e.time + 1_000 }))];
  const { wallStart, duration, period, periodKind } = build("net", events);
  assert.deepEqual([wallStart, duration, period], [5_000_000_107n, 100, 1]);
  assert.deepEqual(periodKind, { type: "trace", unit: "count" });
  const cut = build("net", events, { filter: { from: 40, to: 60 } });
  assert.deepEqual([cut.wallStart, cut.duration], [5_000_000_147n, 20]);
  const compat = build("net", events, { compat: true });
  assert.deepEqual([compat.wallStart, compat.duration], [null, null]);
});

const annotation = (
  time: number,
  kind: OrderedEvent["kind"],
  name: string,
  task = 0n,
  goroutine = 1,
): OrderedEvent => event({ kind, time, name, task, goroutine });

/** A goroutine that waits 10 ns from each of the times on. */
function waits(id: number, ...times: readonly number[]): OrderedEvent[] {
  return times.flatMap((time) => [
    go(time, id, "Running->Waiting", { reason: "sync", stack: READ, transitionStack: READ }),
    go(time + 10, id, "Waiting->Runnable"),
    go(time + 11, id, "Runnable->Running"),
  ]);
}

const inOrderOfTime = (...events: readonly (OrderedEvent | readonly OrderedEvent[])[]): OrderedEvent[] =>
  events.flat().toSorted((a, b) => a.time - b.time);

const ALIVE = [sync(0), go(1, 1, "Undetermined->Running")];

/** "count delay" of all samples, summed up. */
function total(events: readonly OrderedEvent[], filter: ProfileFilter, compat = false): string {
  const { samples } = build("sync", events, { filter, compat });
  const sum = (at: number): number => samples.reduce((all, { values }) => all + values[at]!, 0);
  return `${sum(0)} ${sum(1)}`;
}

const NESTED = inOrderOfTime(
  ...ALIVE,
  annotation(20, "RegionBegin", "a"),
  annotation(30, "RegionBegin", "b"),
  annotation(31, "RegionBegin", "a"),
  annotation(60, "RegionEnd", "a"),
  annotation(61, "RegionEnd", "b"),
  annotation(70, "RegionEnd", "a"),
  waits(1, 5, 40, 80),
  sync(100),
);

/** Goroutine 1 begins task 7 and makes 2; region "r" of the task is on 3. */
const TASK = inOrderOfTime(
  ...ALIVE,
  go(2, 3, "Undetermined->Running"),
  annotation(20, "TaskBegin", "job", 7n),
  go(21, 2, "NotExist->Runnable", { by: 1, transitionStack: stack("child") }),
  go(22, 2, "Runnable->Running"),
  annotation(30, "RegionBegin", "r", 7n, 3),
  annotation(55, "RegionEnd", "r", 7n, 3),
  annotation(65, "TaskEnd", "job", 7n),
  waits(1, 5, 60),
  waits(2, 40, 80),
  waits(3, 6, 41, 81),
  sync(100),
);

const FILTERS: readonly (readonly [
  name: string,
  events: readonly OrderedEvent[],
  filter: ProfileFilter,
  want: string,
])[] = [
  ["nothing asked for: everything", NESTED, {}, "3 30"],
  ["overlapping regions count a wait once", NESTED, { region: "a" }, "1 10"],
  ["the inner region", NESTED, { region: "b" }, "1 10"],
  ["no such region", NESTED, { region: "c" }, "0 0"],
  ["a range that begins in a wait", NESTED, { from: 10, to: 90 }, "3 25"],
  ["a range that ends in a wait", NESTED, { to: 43 }, "2 13"],
  ["a range between two waits", NESTED, { from: 20, to: 30 }, "0 0"],
  ["a region and a range", NESTED, { region: "a", from: 45 }, "1 5"],
  ["a goroutine by name", TASK, { goroutine: "child" }, "2 20"],
  ["a goroutine by id", TASK, { goroutine: "3" }, "3 30"],
  ["a task by name: its maker up to its end, who that makes, its regions", TASK, { task: "job" }, "3 25"],
  ["a task by id", TASK, { task: "7" }, "3 25"],
  ["another task", TASK, { task: "8" }, "0 0"],
  ["the regions of a task", TASK, { task: "job", region: "r" }, "1 10"],
  ["a task's goroutine", TASK, { task: "job", goroutine: "child" }, "1 10"],
];

for (const [name, events, filter, want] of FILTERS) {
  test(`filter: ${name}`, () => assert.equal(total(events, filter), want));
}

test("a region that began before the trace lets in all that was before its end", () => {
  const events = inOrderOfTime(
    ...ALIVE,
    annotation(30, "RegionEnd", "a"),
    annotation(70, "RegionEnd", "a"),
    waits(1, 5, 50, 80),
    sync(100),
  );
  assert.equal(total(events, { region: "a" }), "2 20");
  assert.equal(total(events, { region: "a" }, true), "1 10");
});

test("a region that is open when its goroutine or the trace ends", () => {
  const ends = (last: OrderedEvent): OrderedEvent[] =>
    inOrderOfTime(...ALIVE, annotation(20, "RegionBegin", "a"), waits(1, 30), last, sync(100));
  assert.equal(total(ends(go(60, 1, "Running->NotExist")), { region: "a" }), "1 10");
  assert.equal(total(ends(sync(60)), { region: "a" }), "1 10");
});

test("cpu: samples by stack, each for the estimated period, goroutines by name", () => {
  const sample = (time: number, goroutine: number): OrderedEvent =>
    event({ kind: "StackSample", time, goroutine, stack: READ, thread: 1 });
  const events = inOrderOfTime(
    sync(0),
    go(1, 1, "Undetermined->Running", { transitionStack: stack("main") }),
    annotation(16e6, "RegionBegin", "a"),
    Array.from({ length: 40 }, (_, i) => sample((i + 1) * 5e6, i < 30 ? 1 : -1)),
    annotation(46e6, "RegionEnd", "a"),
    sync(300e6),
  );
  const { period, kinds } = build("cpu", events);
  assert.equal(period, 5e6);
  assert.deepEqual(
    kinds.map(({ type }) => type),
    ["samples", "cpu"],
  );
  assert.deepEqual(texts("cpu", events), [`30 ${150e6} read;main goroutine=main`, `10 ${50e6} read;main`]);
  const inRegion = texts("cpu", events, { filter: { region: "a" } });
  assert.deepEqual(inRegion, [`6 ${30e6} read;main goroutine=main`]);
  assert.deepEqual(texts("cpu", events, { filter: { from: 10e6, to: 20e6 } }), [
    `2 ${10e6} read;main goroutine=main`,
  ]);
});
