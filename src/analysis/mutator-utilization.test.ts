import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderedEvent } from "../order/types.ts";
import { event, go, sync } from "../testing/ordered-events.ts";
import { mutatorUtilization } from "./mutator-utilization.ts";
import type { UtilizationFlags } from "./mutator-utilization.ts";
import { UtilizationRecorder } from "./utilization-log.ts";

const NOTHING = { perProc: false, stw: false, background: false, assist: false, sweep: false };
const ALL = { perProc: false, stw: true, background: true, assist: true, sweep: true };
const PER_PROC = { ...ALL, perProc: true };

type Point = readonly [time: number, value: number];

function utilization(events: readonly OrderedEvent[], flags: UtilizationFlags, compat: boolean): Point[][] {
  const recorder = new UtilizationRecorder({ compat });
  for (const e of events) recorder.event(e);
  return mutatorUtilization(recorder.finish(), flags).map(({ time, value }) =>
    Array.from(time, (at, i) => [at, value[i]!] as const),
  );
}

const generation = (time: number, n: number): OrderedEvent => ({ ...sync(time), value: n });
const procs = (time: number, value: number): OrderedEvent =>
  event({ kind: "Metric", time, name: "/sched/gomaxprocs:threads", value, proc: 0, goroutine: 1 });
const label = (time: number, goroutine: number, proc: number, name: string): OrderedEvent =>
  event({ kind: "Label", time, goroutine, proc, name });

type RangeKind = "RangeBegin" | "RangeEnd" | "RangeActive";
const assist = (kind: RangeKind, time: number, goroutine: number, proc: number): OrderedEvent =>
  event({ kind, time, name: "GC mark assist", scope: "goroutine", scopeId: goroutine, goroutine, proc });
const sweep = (kind: RangeKind, time: number, proc: number): OrderedEvent =>
  event({ kind, time, name: "GC incremental sweep", scope: "proc", scopeId: proc, goroutine: 1, proc });
const stop = (kind: RangeKind, time: number, why: string): OrderedEvent =>
  event({
    kind,
    time,
    name: `stop-the-world (${why})`,
    scope: "goroutine",
    scopeId: 1,
    goroutine: 1,
    proc: 0,
  });

interface Case {
  readonly title: string;
  readonly events: readonly OrderedEvent[];
  readonly flags: UtilizationFlags;
  readonly right: readonly (readonly Point[])[];
  /** Where Go's differs. */
  readonly compat?: readonly (readonly Point[])[];
}

/** A background worker runs twice, at 10 to 20 and at 40 to 60, each time told by a label. */
const WORKER = [
  generation(0, 1),
  procs(0, 2),
  go(10, 7, "Runnable->Running", { proc: 1 }),
  label(10, 7, 1, "GC (dedicated)"),
  go(20, 7, "Running->Waiting", { proc: 1 }),
  go(40, 7, "Runnable->Running", { proc: 1 }),
  label(40, 7, 1, "GC (fractional)"),
  go(60, 7, "Running->Runnable", { proc: 1 }),
  sync(100),
];

const CASES: readonly Case[] = [
  {
    title: "without the number of procs there is nothing",
    events: [sync(0), stop("RangeBegin", 10, "GC sweep termination"), sync(20)],
    flags: ALL,
    right: [],
  },
  {
    title: "nothing is taken",
    events: [sync(0), procs(5, 2), sync(20)],
    flags: ALL,
    right: [
      [
        [5, 1],
        [20, 0],
      ],
    ],
  },
  {
    title: "the stop of a worker's second run: free again, leaked and cut off with compat",
    events: WORKER,
    flags: ALL,
    right: [
      [
        [0, 1],
        [10, 0.5],
        [20, 1],
        [40, 0.5],
        [60, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [10, 0.5],
        [20, 1],
        [40, 0.5],
        [100, 0],
      ],
    ],
  },
  {
    title: "a series that ends at 0: closed at the trace's end, at its last change with compat",
    events: [sync(0), procs(0, 1), stop("RangeBegin", 50, "GC mark termination"), sync(100)],
    flags: ALL,
    right: [
      [
        [0, 1],
        [50, 0],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [50, 0],
      ],
    ],
  },
  {
    title: "by proc, dedicated workers do not count and fractional ones do",
    events: WORKER,
    flags: PER_PROC,
    right: [
      [
        [0, 1],
        [100, 0],
      ],
      [
        [0, 1],
        [40, 0],
        [60, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "work in idle time does not count",
    events: WORKER.map((e) => (e.kind === "Label" ? { ...e, name: "GC (idle)" } : e)),
    flags: ALL,
    right: [
      [
        [0, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "a stop-the-world that is not for collection: counted, not with compat",
    events: [
      sync(0),
      procs(0, 4),
      stop("RangeBegin", 10, "read mem stats"),
      stop("RangeEnd", 20, "read mem stats"),
      sync(100),
    ],
    flags: ALL,
    right: [
      [
        [0, 1],
        [10, 0],
        [20, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [100, 0],
      ],
    ],
  },
  {
    title:
      "a stop-the-world in which the number of procs is told first: counted; later ones missed with compat",
    events: [
      sync(0),
      stop("RangeBegin", 5, "GC mark termination"),
      procs(10, 2),
      stop("RangeEnd", 20, "GC mark termination"),
      stop("RangeBegin", 50, "GC mark termination"),
      stop("RangeEnd", 60, "GC mark termination"),
      sync(100),
    ],
    flags: ALL,
    right: [
      [
        [10, 0],
        [20, 1],
        [50, 0],
        [60, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [10, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "an assist counts where its goroutine runs, and while it does",
    events: [
      sync(0),
      procs(0, 2),
      assist("RangeBegin", 10, 5, 0),
      go(20, 5, "Running->Runnable", { proc: 0 }),
      go(30, 5, "Runnable->Running", { proc: 1 }),
      assist("RangeEnd", 40, 5, 1),
      go(50, 5, "Running->Waiting", { proc: 1 }),
      sync(100),
    ],
    flags: PER_PROC,
    right: [
      [
        [0, 1],
        [10, 0],
        [20, 1],
        [100, 0],
      ],
      [
        [0, 1],
        [30, 0],
        [40, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "what takes no time: nothing, held to the next event of any kind with compat",
    events: [
      sync(0),
      procs(0, 2),
      sweep("RangeBegin", 10, 0),
      sweep("RangeEnd", 10, 0),
      event({ kind: "Log", time: 25 }),
      sync(100),
    ],
    flags: ALL,
    right: [
      [
        [0, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [10, 0.5],
        [25, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "what is found open in the first generation was so from the start",
    events: [
      generation(0, 1),
      procs(0, 4),
      sweep("RangeBegin", 10, 1),
      sweep("RangeEnd", 20, 1),
      go(30, 5, "Undetermined->Running", { proc: 2 }),
      assist("RangeActive", 30, 5, 2),
      assist("RangeEnd", 40, 5, 2),
      generation(50, 2),
      assist("RangeActive", 60, 5, 2),
      sync(100),
    ],
    flags: ALL,
    right: [
      [
        [0, 0.75],
        [10, 0.5],
        [20, 0.75],
        [40, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "that holds by proc, too; with compat it does not",
    events: [generation(0, 1), procs(0, 1), sweep("RangeActive", 30, 0), sweep("RangeEnd", 40, 0), sync(100)],
    flags: PER_PROC,
    right: [
      [
        [0, 0],
        [40, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [30, 0],
        [40, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "an open assist of a goroutine that does not run: not counted, counted with compat",
    events: [
      generation(0, 1),
      procs(0, 2),
      go(10, 5, "Undetermined->Runnable", { proc: 1 }),
      assist("RangeActive", 10, 5, 1),
      go(30, 5, "Runnable->Running", { proc: 0 }),
      assist("RangeEnd", 40, 5, 0),
      sync(100),
    ],
    flags: PER_PROC,
    right: [
      [
        [0, 1],
        [30, 0],
        [40, 1],
        [100, 0],
      ],
      [
        [0, 1],
        [100, 0],
      ],
    ],
    compat: [
      [
        [0, 1],
        [30, 0],
        [40, 1],
        [100, 0],
      ],
      [
        [0, 1],
        [10, 0],
      ],
    ],
  },
  {
    title: "a proc that is given up ends its series, one that comes begins one",
    events: [sync(0), procs(0, 2), procs(30, 1), procs(60, 2), sync(100)],
    flags: PER_PROC,
    right: [
      [
        [0, 1],
        [100, 0],
      ],
      [
        [0, 1],
        [30, 0],
      ],
      [
        [60, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "the share is of the procs that there are",
    events: [
      sync(0),
      procs(0, 4),
      sweep("RangeBegin", 10, 0),
      procs(20, 2),
      sweep("RangeEnd", 30, 0),
      sync(100),
    ],
    flags: ALL,
    right: [
      [
        [0, 1],
        [10, 0.75],
        [20, 0.5],
        [30, 1],
        [100, 0],
      ],
    ],
  },
  {
    title: "without flags nothing counts",
    events: WORKER,
    flags: NOTHING,
    right: [
      [
        [0, 1],
        [100, 0],
      ],
    ],
  },
];

for (const { title, events, flags, right, compat } of CASES) {
  test(title, () => {
    assert.deepEqual(utilization(events, flags, false), right);
    assert.deepEqual(utilization(events, flags, true), compat ?? right);
  });
}

test("a number of procs that no machine has is damage", () => {
  for (const compat of [false, true])
    assert.deepEqual(utilization([sync(0), procs(0, 2 ** 40), sync(9)], PER_PROC, compat), []);
});
