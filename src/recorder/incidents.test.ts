import assert from "node:assert/strict";
import { test } from "node:test";
import { Incidents } from "./incidents.ts";
import type { Incident, Triggers } from "./incidents.ts";

const MS = 1e6;

/** One thing that the tracer sees, at so many ms, or a look for what is due. */
type Seen =
  | readonly ["begin" | "end", number, number]
  | readonly ["heap", number, number]
  | readonly ["lag", number, boolean]
  | readonly ["signal", string]
  | readonly ["look", number];

const TABLE: readonly (readonly [string, Triggers, readonly Seen[], readonly Incident[]])[] = [
  [
    "nothing is watched",
    {},
    [
      ["begin", 1, 0],
      ["end", 1, 9_000],
      ["heap", 1e9, 1],
      ["lag", 9_000, true],
      ["look", 9_001],
    ],
    [],
  ],
  [
    "a lag that is over",
    { lagNs: 200 * MS },
    [
      ["lag", 199, true],
      ["look", 1],
      ["lag", 200, true],
      ["look", 2],
    ],
    [{ trigger: "lag", ms: 200 }],
  ],
  [
    "a lag is told once it is over, with all of it",
    { lagNs: 200 * MS },
    [
      ["lag", 250, false],
      ["look", 1],
      ["lag", 700, false],
      ["look", 2],
      ["lag", 720, true],
      ["look", 3],
      ["lag", 0, true],
      ["look", 4],
    ],
    [{ trigger: "lag", ms: 720 }],
  ],
  [
    "a lag that does not end is told after a second, once",
    { lagNs: 200 * MS },
    [
      ["lag", 1_199, false],
      ["look", 1],
      ["lag", 1_200, false],
      ["look", 2],
      ["lag", 9_000, false],
      ["look", 3],
      ["lag", 9_100, true],
      ["look", 4],
    ],
    [{ trigger: "lag", ms: 1_200 }],
  ],
  [
    "the next lag is another",
    { lagNs: 200 * MS },
    [
      ["lag", 300, true],
      ["look", 1],
      ["lag", 1, true],
      ["lag", 400, true],
      ["look", 2],
    ],
    [
      { trigger: "lag", ms: 300 },
      { trigger: "lag", ms: 400 },
    ],
  ],
  [
    "a slow task at its end, a quick one never",
    { taskNs: 100 * MS },
    [
      ["begin", 1, 0],
      ["begin", 2, 10],
      ["end", 2, 109],
      ["look", 110],
      ["end", 1, 150],
      ["look", 151],
      ["end", 1, 900],
      ["look", 901],
    ],
    [{ trigger: "task", name: "task 1", ms: 150 }],
  ],
  [
    "a task that does not end, after a second more, once",
    { taskNs: 100 * MS },
    [
      ["begin", 1, 0],
      ["look", 1_099],
      ["look", 1_100],
      ["look", 5_000],
      ["end", 1, 6_000],
      ["look", 6_001],
    ],
    [{ trigger: "task", name: "task 1", ms: 1_100 }],
  ],
  [
    "a heap beyond its limit, once until it has come down",
    { heapBytes: 100 },
    [
      ["heap", 99, 1],
      ["look", 1],
      ["heap", 100, 2],
      ["look", 2],
      ["heap", 130, 3],
      ["heap", 90, 4],
      ["heap", 101, 5],
      ["look", 5],
      ["heap", 70, 6],
      ["heap", 120, 7],
      ["look", 7],
    ],
    [
      { trigger: "heap", bytes: 100 },
      { trigger: "heap", bytes: 120 },
    ],
  ],
  [
    "a heap that grows within the window",
    { heapGrowth: 50 },
    [
      ["heap", 100, 0],
      ["heap", 60, 100],
      ["heap", 109, 200],
      ["look", 200],
      ["heap", 110, 300],
      ["look", 300],
    ],
    [{ trigger: "heap", bytes: 110 }],
  ],
  [
    "a heap that grows slowly",
    { heapGrowth: 50 },
    [
      ["heap", 100, 0],
      ["heap", 120, 500],
      ["heap", 140, 1_000],
      ["heap", 160, 1_500],
      ["look", 1_500],
      ["heap", 180, 2_000],
      ["look", 2_000],
    ],
    [],
  ],
  [
    "a heap that jumps after a long calm: the size that was seen last has held until then",
    { heapGrowth: 50 },
    [
      ["heap", 100, 0],
      ["heap", 90, 100],
      ["heap", 139, 5_000],
      ["look", 5_000],
      ["heap", 140, 5_100],
      ["look", 5_100],
    ],
    [{ trigger: "heap", bytes: 140 }],
  ],
  [
    "two at once",
    { lagNs: 200 * MS, taskNs: 100 * MS },
    [
      ["begin", 1, 0],
      ["end", 1, 300],
      ["lag", 250, true],
      ["look", 301],
    ],
    [
      { trigger: "task", name: "task 1", ms: 300 },
      { trigger: "lag", ms: 250 },
    ],
  ],
  [
    "a signal",
    {},
    [
      ["signal", "SIGUSR2"],
      ["look", 1],
      ["look", 2],
    ],
    [{ trigger: "signal", name: "SIGUSR2" }],
  ],
];

for (const [title, triggers, seen, want] of TABLE) {
  test(`incidents: ${title}`, () => {
    const incidents = new Incidents(triggers, 1_000 * MS);
    const got: Incident[] = [];
    for (const step of seen) {
      if (step[0] === "begin") incidents.taskBegan(step[1], `task ${step[1]}`, step[2] * MS);
      else if (step[0] === "end") incidents.taskEnded(step[1], step[2] * MS);
      else if (step[0] === "heap") incidents.heap(1, step[1], step[2] * MS);
      else if (step[0] === "lag") incidents.lag(step[1] * MS, step[2]);
      else if (step[0] === "signal") incidents.signal(step[1]);
      else {
        got.push(...incidents.take(step[1] * MS));
      }
    }
    assert.deepEqual(got, want);
  });
}

test("incidents: heaps of several isolates are not compared", () => {
  const incidents = new Incidents({ heapGrowth: 50 }, 1_000 * MS);
  incidents.heap(1, 100, 0);
  incidents.heap(2, 10, 10 * MS);
  incidents.heap(1, 110, 20 * MS);
  assert.deepEqual(incidents.take(30 * MS), []);
  incidents.heap(2, 60, 40 * MS);
  assert.deepEqual(incidents.take(50 * MS), [{ trigger: "heap", bytes: 60 }]);
});
