import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Fact } from "../base/facts.ts";
import { goTool, parsed } from "../testing/go.ts";
import { choices, play, randomFacts } from "./random-facts.test.util.ts";
import type { Choice } from "./random-facts.test.util.ts";
import { Resolver } from "./resolver.ts";
import { EventLog } from "./scenario.test.util.ts";

/** Runs a random program. The log's writer throws on an illegal event, the log on times that go backwards. */
function run(chosen: readonly Choice[], loops: number, schedule: readonly number[], without = 0): EventLog {
  const { facts: all, end } = randomFacts(chosen);
  const facts = all.filter(({ kind }) => kind !== without);
  const log = new EventLog();
  play(new Resolver(log.out), facts, end, loops, schedule);
  log.writer.end();
  return log;
}

const bytesOf = (log: EventLog): Uint8Array => Buffer.concat(log.chunks);

const anySchedule = fc.array(fc.integer({ min: 1_000_000, max: 300_000_000 }), {
  minLength: 1,
  maxLength: 6,
});

test("no facts make an illegal event, whatever they are", (t) => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(choices(3, 600), anySchedule, (chosen, schedule) => {
      const log = run(chosen, 3, schedule);
      for (const [, event, detail] of log.text.matchAll(/^\S+ \S+ ([\w-]+)(?: G\d+ ([a-z .A-Z]+))?/gm)) {
        const what = event === "block" ? `block ${detail!.trim()}` : event!;
        seen.set(what, (seen.get(what) ?? 0) + 1);
      }
    }),
    { numRuns: 300 },
  );
  t.diagnostic([...seen].map(([what, count]) => `${what} ${count}`).join(", "));
  const wanted = [
    "block preempted",
    "block sync",
    "block chan receive",
    "block sleep",
    "stop",
    "region-end",
    "assist",
    "gc",
    "gc-end",
  ];
  for (const what of wanted)
    assert.ok(seen.has(what), `no ${what} in any run: the property has become empty`);
});

test("the spans of an activation follow each other without gap or overlap", () => {
  const changes: Readonly<Record<string, readonly [from: string, to: string]>> = {
    create: ["", "runnable"],
    start: ["runnable", "running"],
    stop: ["running", "runnable"],
    block: ["running", "waiting"],
    unblock: ["waiting", "runnable"],
    destroy: ["running", "dead"],
  };
  fc.assert(
    fc.property(choices(2, 400), anySchedule, (chosen, schedule) => {
      const states = new Map<string, { status: string; since: number }>();
      for (const { thread, time, text } of run(chosen, 2, schedule).events) {
        const [, name, g] = /^(\w+) (G\d+)/.exec(text) ?? [];
        const change = changes[name ?? ""];
        if (change === undefined || g === undefined) continue;
        const before = states.get(g) ?? { status: "", since: 0 };
        assert.equal(before.status, change[0], `${text} at ${time} on thread ${thread}`);
        assert.ok(
          time >= before.since,
          `${text} at ${time} on thread ${thread}, but its last change is at ${before.since}`,
        );
        states.set(g, { status: change[1], since: time });
      }
    }),
    { numRuns: 150 },
  );
});

/** Found at random: a frame goes on that awaited one which has ended and is another by now, which ends with it. */
const REUSED: Choice[] = [
  [0, 0, 143130463, 0],
  [80, 0, 0, 0],
  [0, 0, 99732160, 0],
  [460, 0, 0, 1_000_000],
  [330, 0, 0, 0],
  [330, 0, 0, 0],
  [160, 0, 0, 100_000_000],
  [0, 0, 0, 19_000_000],
  [80, 0, 0, 0],
  [460, 1866749552, 0, 0],
  [330, 0, 196821246, 0],
  [0, 0, 0, 0],
].map(([what = 0, which = 0, other = 0, pause = 0]) => ({ what, which, other, pause, loop: 0 }));

/** Found at random: a frame ends with the promise of one that another frame has awaited, which it is the reuse of. */
const REUSED_AWAITER: Choice[] = [
  [0, 0, 964051809, 0],
  [80, 0, 0, 0],
  [160, 0, 0, 0],
  [560, 0, 0, 0],
  [80, 0, 0, 0],
  [160, 748810822, 0, 0],
  [80, 0, 0, 0],
  [160, 0, 0, 0],
  [330, 0, 190476873, 0],
  [460, 0, 160556392, 0],
  [80, 0, 0, 0],
  [460, 2058828334, 0, 19_000_000],
  [0, 0, 0, 1_200_000_000],
  [80, 0, 0, 0],
  [460, 1108487735, 0, 0],
  [330, 0, 1439445185, 0],
  [660, 0, 0, 0],
  [460, 0, 1, 0],
  [0, 0, 0, 0],
].map(([what = 0, which = 0, other = 0, pause = 0]) => ({ what, which, other, pause, loop: 0 }));

test("the same facts give the same bytes, whenever advance is called", () => {
  fc.assert(
    fc.property(choices(1, 500), anySchedule, anySchedule, (chosen, one, other) => {
      const never = run(chosen, 1, []);
      for (const schedule of [one, other]) {
        const log = run(chosen, 1, schedule);
        assert.equal(log.text, never.text);
        assert.deepEqual(bytesOf(log), bytesOf(never));
      }
    }),
    {
      numRuns: 200,
      examples: [
        [REUSED, [1_000_000], [1_000_000]],
        [REUSED_AWAITER, [1_000_000], [1_000_000]],
      ],
    },
  );
});

/**
 * The events of each thread with activations and tasks renamed by their order there; timers' are by activation. How many
 * loops run is told by whichever of them comes first at a time.
 */
function byThread(log: EventLog): Map<number, string[]> {
  const names = new Map<string, string>();
  const threads = new Map<number, string[]>();
  for (const { thread, time, text } of log.events.toSorted((a, b) => a.thread - b.thread)) {
    if (text.startsWith("loops ")) continue;
    const renamed = text.replaceAll(/\b[GT]\d+\b/g, (id) => {
      if (id === "T0") return id;
      if (!names.has(id)) names.set(id, `${id[0]}${names.size}`);
      return names.get(id)!;
    });
    const lines = threads.get(thread) ?? [];
    threads.set(thread, lines);
    lines.push(`${time} ${renamed}`);
  }
  // Timers wake in any order.
  threads.get(TIMER_THREAD)?.sort();
  return threads;
}

const TIMER_THREAD = 1_000_000;

test("with several loops it gives the same events but for the numbers", () => {
  fc.assert(
    fc.property(choices(3, 400), anySchedule, (chosen, schedule) => {
      // A Worker's loop begins after the fact that it is started, which is not so here.
      const [log, never] = [schedule, []].map((calls) => run(chosen, 3, calls, Fact.WorkerStart));
      assert.deepEqual(byThread(log!), byThread(never!));
    }),
    { numRuns: 150 },
  );
});

test("Go accepts what any facts become", (t) => {
  if (goTool() === null) return t.skip("no go");
  const folder = mkdtempSync(join(tmpdir(), "runtrace-resolve-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "trace.out");
  fc.assert(
    fc.property(choices(3, 2000), anySchedule, (chosen, schedule) => {
      writeFileSync(path, bytesOf(run(chosen, 3, schedule)));
      const go = parsed(path);
      assert.ok(go.ok && go.stderr === "", go.stderr.split("\n", 1)[0]);
    }),
    { numRuns: 25 },
  );
});
