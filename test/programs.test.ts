/** Programs with planted waits, runs and forks, recorded for real: their trace must say exactly that. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rangeSummaries } from "#dist/analysis/gc.js";
import { activationGroups } from "#dist/analysis/groups.js";
import { totalsOf } from "#dist/analysis/span-totals.js";
import type { TraceModel } from "#dist/model/types.js";
import { judged } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";
import { activationsNamed, spansOf, total, withPlanted } from "#dist/testing/record.js";
import type { Recording } from "#dist/testing/record.js";

const PROGRAMS = join(projectRoot(), "test", "fixtures", "programs");
const program = (name: string, ...args: string[]): string[] => ["node", join(PROGRAMS, name), ...args];

/** Records the program, which must end well and leave a trace that Go accepts, until `look` finds what was planted. */
const recorded = (
  command: readonly string[],
  look: (recording: Recording) => void,
  options: readonly string[] = [],
) =>
  withPlanted(
    command,
    (recording) => {
      assert.equal(recording.code, 0, recording.stderr);
      judged(recording.file);
    },
    look,
    options,
  );

/** Every activation's spans follow each other without gap from its creation to its end. */
function assertWhole(model: TraceModel): void {
  for (let row = 0; row < model.activations.count; row++) {
    const spans = spansOf(model, row);
    for (let i = 1; i < spans.length; i++) {
      const before = spans[i - 1]!;
      assert.ok(Math.abs(before.start + before.ms - spans[i]!.start) < 1e-3);
    }
  }
}

const text = (model: TraceModel, index: number): string => model.strings[index] ?? "";

test("a sleep is a wait for sleep, on one activation however deep it is awaited", async () => {
  await recorded(program("sleep.cjs"), (recording) => {
    const { model } = recording;
    assertWhole(model);
    const [main] = activationsNamed(model, "main");
    const waits = spansOf(model, main!).filter((span) => span.reason === "sleep" && span.ms > 1);
    const sleeps = JSON.parse(recording.stdout) as { asked: number; set: number; left: number }[];
    assert.equal(waits.length, 2);
    assert.equal(sleeps.length, 2);
    for (const [i, { start, ms }] of waits.entries()) {
      const { asked, set, left } = sleeps[i]!;
      // What the thread still does then is not the program's: the CPU profiler's start takes some milliseconds.
      const late = start - left / 1e6;
      assert.ok(late > -0.1 && late < 10, `waits from ${late} ms after the program had nothing left to do`);
      const due = start + ms;
      const [from, to] = [asked / 1e6 + 50, set / 1e6 + 50];
      assert.ok(due > from - 1 && due < to + 1, `waits until ${due}, want ${from} to ${to}`);
    }
    assert.deepEqual(
      waits.map((wait) => wait.frames),
      [
        ["outer", "main"],
        ["inner", "outer", "main"],
      ],
    );
    for (const name of ["inner", "outer", "sleep"]) assert.deepEqual(activationsNamed(model, name), []);
  });
});

test("a busy loop runs, is sampled, and makes a timer that falls due runnable for the rest of it", async () => {
  await recorded(program("busy.cjs"), (recording) => {
    const { model } = recording;
    const [burner] = activationsNamed(model, "burner");
    const [waiter] = activationsNamed(model, "waiter");
    assert.ok(burner !== undefined && waiter !== undefined);
    const ran = total(spansOf(model, burner), "running");
    const burnt = Number(recording.stdout);
    assert.ok(ran >= burnt && ran < burnt + 30, `ran ${ran} ms, burnt ${burnt}`);
    const queued = total(spansOf(model, waiter), "runnable");
    // Due 20 ms after its start, the burner blocks from 5 ms on.
    assert.ok(queued > burnt - 20 && queued < burnt + 10, `runnable ${queued} ms, want ${burnt - 15}`);
    let samples = 0;
    for (let i = 0; i < model.samples.count; i++) {
      const onBurner = model.samples.activation[i] === burner;
      if (onBurner && (model.stacks[model.samples.stack[i]!] ?? []).some((frame) => frame.func === "burn"))
        samples++;
    }
    assert.ok(samples >= 4, `${samples} CPU samples on the burner, want about 8`);
  });
});

test("a sleep that comes due while the loop is busy makes what waits for it runnable from then on", async () => {
  await recorded(program("sleeps.mjs"), (recording) => {
    const { model } = recording;
    const burnt = Number(recording.stdout);
    const groups = activationGroups(model, totalsOf(model));
    const dueAfter = {
      plain: 20,
      nested: 20,
      wrapped: 20,
      scheduled: 20,
      unreferenced: 20,
      nothing: 1,
      tooLong: 1,
    };
    for (const [name, due] of Object.entries({ ...dueAfter, yields: 0 })) {
      const [row] = activationsNamed(model, name);
      assert.ok(row !== undefined, `no activation named ${name}`);
      const spans = spansOf(model, row);
      const slept = total(spans, "waiting");
      assert.ok(slept > due - 1 && slept < due + 1, `${name} waits ${slept} ms, want ${due}`);
      const queued = total(spans, "runnable");
      assert.ok(queued > burnt - due - 5, `${name} is runnable ${queued} ms of ${burnt}`);
      const group = groups.find((one) => one.name === name)!;
      assert.ok(Math.abs(group.schedWait / 1e6 - queued) < 1e-3);
      assert.ok(Math.abs((group.blockByReason.get("sleep") ?? 0) / 1e6 - slept) < 1e-3);
    }
    // The sleep is over long before it is waited for.
    const [late] = activationsNamed(model, "late");
    assert.ok(late !== undefined);
    const waits = spansOf(model, late).filter((span) => span.reason === "sleep");
    assert.ok(waits.length === 2 && waits[1]!.ms < 1, JSON.stringify(waits));
  });
});

test("CPU samples lie at their times, also where a generation ends between them", async () => {
  await recorded(program("generations.mjs"), ({ model }) => {
    const times = model.samples.time.toSorted();
    assert.ok(times.length > 100, `${times.length} samples, want about 260`);
    // What comes too late for its generation is given the time of the next one's begin.
    const together = times.filter((time, i) => i > 0 && time - times[i - 1]! < 1000).length;
    assert.ok(together <= times.length / 50, `${together} of ${times.length} samples at the time of another`);
  });
});

test("a handler runs until it returns and a listener until it awaits, also where nothing is told meanwhile", async () => {
  await recorded(program("handlers.cjs"), (recording) => {
    const { model } = recording;
    const burnt = JSON.parse(recording.stdout) as { handler: number; listener: number };
    const ran = (name: string): number => {
      const [row] = activationsNamed(model, name);
      assert.ok(row !== undefined, `no activation named ${name}`);
      return total(spansOf(model, row), "running");
    };
    const [request, listener] = [ran("request GET"), ran("listener")];
    assert.ok(request >= burnt.handler && request < burnt.handler + 30, `${request} ms of ${burnt.handler}`);
    assert.ok(
      listener >= burnt.listener && listener < burnt.listener + 30,
      `${listener} ms of ${burnt.listener}`,
    );
  });
});

test("a timer that is refreshed makes its waiter runnable when it is due anew", async () => {
  await recorded(program("refresh.cjs"), (recording) => {
    const { model } = recording;
    const [watched] = activationsNamed(model, "watched");
    const refreshed = Number(recording.stdout);
    const [queued] = spansOf(model, watched!).filter(({ state, ms }) => state === "runnable" && ms > 1);
    assert.ok(queued !== undefined);
    // Without the refresh it would be 10 ms earlier.
    const due = queued.start - refreshed;
    assert.ok(due > 15 && due < 22, `due ${due} ms after the refresh, want 20`);
  });
});

test("a task takes as long as the program says, and what it logs after an await is still in it", async () => {
  await recorded(program("tasks.mjs"), (recording) => {
    const { model } = recording;
    const measured = JSON.parse(recording.stdout) as { inside: number; outside: number }[];
    assert.equal(model.tasks.count, measured.length);
    for (const [row, { inside, outside }] of measured.entries()) {
      const took = (model.tasks.end[row]! - model.tasks.start[row]!) / 1e6;
      assert.ok(took >= inside && took <= outside, `task took ${took} ms, want ${inside} to ${outside}`);
    }
    const logs = Array.from({ length: model.logs.count }, (_, i) => [
      model.logs.task[i],
      text(model, model.logs.category[i]!),
      text(model, model.logs.message[i]!),
    ]);
    const expected = ["4", "12", "30"].flatMap((ms, task) => [
      [task, "ms", ms],
      [task, "late", ms],
    ]);
    assert.deepEqual(logs, expected);
  });
});

test("concurrent regions lie on activations of their own, nested and sequential awaits make none", async () => {
  await recorded(program("regions.cjs"), (recording) => {
    const { model } = recording;
    const names = Array.from({ length: model.activations.count }, (_, row) =>
      text(model, model.activations.name[row]!),
    );
    assert.deepEqual(
      names.filter((name) => !name.startsWith("runtime.")),
      ["main", "sequential", "concurrent", "a", "b", "c"],
    );
    assert.equal(model.regions.count, 3);
    const owners = new Set(Array.from(model.regions.activation));
    assert.equal(owners.size, 3);
    for (let row = 0; row < 3; row++) {
      const owner = model.regions.activation[row]!;
      assert.equal(text(model, model.regions.name[row]!), names[owner]);
      assert.equal(names[model.activations.creator[owner]!], "concurrent");
    }
    const [joiner] = activationsNamed(model, "concurrent");
    assert.ok(total(spansOf(model, joiner!), "waiting", "sync") > 4);
  });
});

test("calls that nobody awaits directly are forks, others are not", async () => {
  await recorded(program("forks.mjs"), (recording) => {
    const { model } = recording;
    assertWhole(model);
    const forks = ["joined1", "joined2", "kept", "forgotten", "winner", "loser"];
    for (const name of forks) assert.equal(activationsNamed(model, name).length, 1, name);
    for (const name of ["direct", "settled", "parent", "sleep"]) {
      assert.equal(activationsNamed(model, name).length, 0, name);
    }
    // A wait for others ends where the last, or first, of them does.
    const ends = JSON.parse(recording.stdout) as Readonly<Record<string, number>>;
    const [main] = activationsNamed(model, "main");
    for (const [reason, child] of [
      ["sync", "joined2"],
      ["chan receive", "kept"],
      ["select", "winner"],
    ] as const) {
      const wait = spansOf(model, main!).find((span) => span.reason === reason && span.ms > 1);
      assert.ok(wait !== undefined, `main waits with ${reason}`);
      const late = wait.start + wait.ms - ends[child]! / 1e6;
      assert.ok(Math.abs(late) < 2, `main waits with ${reason} until ${late} ms after the end of ${child}`);
    }
    for (const name of forks) {
      const [row] = activationsNamed(model, name);
      assert.ok(
        spansOf(model, row!).some(({ reason }) => reason === "sleep"),
        `${name} sleeps`,
      );
    }
  });
});

test("a request is one activation from its first byte to its answer", async () => {
  await recorded(program("server.mjs"), (recording) => {
    const { model } = recording;
    const requests = activationsNamed(model, "request GET");
    assert.equal(requests.length, 4);
    for (const row of requests) {
      const spans = spansOf(model, row);
      const sleep = spans.find(({ reason }) => reason === "sleep");
      assert.ok(sleep !== undefined && sleep.ms < 12, `slept ${sleep?.ms} ms, want at most 10`);
      // The timer is made before the wait begins, which a busy machine may delay.
      const woken = sleep.start + sleep.ms - spans[0]!.start;
      assert.ok(woken > 8.5, `woken after ${woken} ms, want 10`);
      assert.ok(total(spans, "waiting", "sync fs") > 0);
      const lived = (model.activations.ended[row]! - model.activations.created[row]!) / 1e6;
      // Not as long as its connection is kept alive.
      assert.ok(lived < 2_000, `lived ${lived} ms`);
    }
    const urls: string[] = [];
    for (let i = 0; i < model.logs.count; i++) {
      const [category, message] = [model.logs.category[i]!, model.logs.message[i]!].map((id) =>
        text(model, id),
      );
      if (category === "http" && message!.startsWith("GET ")) urls.push(message!.slice("GET ".length));
    }
    assert.deepEqual(urls, ["/item/0", "/item/1", "/item/2", "/item/3"]);
    assert.ok(activationsNamed(model, "connection").length >= 4);
    assert.deepEqual(activationsNamed(model, "callback"), [], "nothing but they calls their handlers");
  });
});

test("a Worker is a further event loop, started by its maker", async () => {
  await recorded(program("worker.mjs"), (recording) => {
    assert.equal(recording.stdout, "answer 2\nanswer 4\n");
    const { model } = recording;
    assert.equal(model.procs.count, 2);
    const messages = activationsNamed(model, "message callback").filter((row) => {
      const running = spansOf(model, row).filter((span) => span.state === "running");
      return running.reduce((sum, span) => sum + span.ms, 0) > 29;
    });
    assert.equal(messages.length, 2, "the Worker handles each message in an activation of its own");
    const [worker] = activationsNamed(model, "worker main");
    assert.ok(worker !== undefined);
    assert.equal(text(model, model.activations.name[model.activations.creator[worker]!]!), "main");
  });
});

test("a major collection is a range from the first step of marking to the end of its pause", async () => {
  await recorded(["node", "--expose-gc", join(PROGRAMS, "collections.cjs")], (recording) => {
    const { ranges, strings } = recording.model;
    const named = (name: string): { start: number; end: number }[] =>
      Array.from({ length: ranges.count }, (_, row) => row)
        .filter((row) => strings[ranges.name[row]!] === name)
        .map((row) => ({ start: ranges.start[row]!, end: ranges.end[row]! }));
    const cycles = named("GC concurrent mark phase");
    const pauses = named("stop-the-world (GC mark-sweep-compact)");
    const steps = named("stop-the-world (GC incremental marking)");
    const asked = JSON.parse(recording.stdout) as number[];
    for (const [i, milliseconds] of asked.entries()) {
      const took = (cycles[i]!.end - cycles[i]!.start) / 1e6;
      assert.ok(took > 0 && took < milliseconds, `the cycle took ${took} ms, gc() ${milliseconds}`);
    }
    assert.ok(pauses.length > asked.length && steps.length > 0);
    for (const pause of pauses) {
      const cycle = cycles.find(({ end }) => Math.abs(end - pause.end) < 1000);
      assert.ok(
        cycle !== undefined && cycle.start <= pause.start + 1000,
        "a cycle ends with each major pause",
      );
    }
    const [first] = steps;
    assert.ok(cycles.some(({ start, end }) => Math.abs(start - first!.start) < 1000 && end > first!.end));
    const summary = rangeSummaries(recording.model).find(({ name }) => name === "GC concurrent mark phase");
    assert.equal(summary?.count, cycles.length);
  });
});

test("a program that profiles itself keeps the profiler for itself, and the trace says so", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = ["node", "--cpu-prof", `--cpu-prof-dir=${folder}`, join(PROGRAMS, "sleep.cjs")];
  await recorded(command, (recording) => {
    assert.equal(recording.stderr, "");
    assert.equal(readdirSync(folder).length, 1);
    assert.equal(recording.model.samples.count, 0);
    const off = recording.model.notes.find(({ message }) => "cpu" in message);
    assert.deepEqual(off?.message, { cpu: { off: "the program is run with --cpu-prof" } });
  });
});

test("a wait for what Node has made a promise of tells what it is for", async () => {
  await recorded(program("promises.cjs"), (recording) => {
    const { model } = recording;
    assert.equal(recording.stdout, "hello number\n");
    const [main] = activationsNamed(model, "main");
    const reasons = new Map<string, string[]>();
    for (const { state, reason, frames } of spansOf(model, main!)) {
      if (state !== "waiting") continue;
      const of = frames[0] ?? "";
      reasons.set(of, [...(reasons.get(of) ?? []), reason]);
    }
    const want = {
      timer: "sleep",
      file: "sync fs",
      zip: "sync zlib",
      key: "sync crypto",
      digest: "sync crypto",
      socket: "network",
      closed: "child process",
      child: "child process",
    };
    for (const [of, reason] of Object.entries(want)) {
      assert.deepEqual(new Set(reasons.get(of)), new Set([reason]), of);
    }
  });
});

test("a wait for a connection is one for the network, not for the lookup of its name", async () => {
  await recorded(program("connect.cjs"), (recording) => {
    const { model } = recording;
    const waits = Array.from({ length: model.activations.count }, (_, row) => spansOf(model, row))
      .flat()
      .filter(({ state, ms }) => state === "waiting" && ms > 1);
    for (const of of ["answered", "connected"]) {
      const reasons = waits.filter(({ frames }) => frames[0] === of).map(({ reason }) => reason);
      assert.deepEqual(new Set(reasons), new Set(["network"]), of);
    }
    const lookups = waits.filter(({ reason }) => reason === "sync dns");
    assert.deepEqual(lookups, []);
  });
});

test("Node's test runner, which has no inspector, is recorded without CPU samples", async () => {
  // The runner would refuse to run inside the one that runs this.
  const command = ["env", "-u", "NODE_TEST_CONTEXT", "node", "--test", join(PROGRAMS, "suite.mjs")];
  await recorded(command, (recording) => {
    assert.equal(recording.stderr, "");
    assert.match(recording.stdout, /^. pass 1$/m);
    const off = recording.model.notes.find(({ message }) => "cpu" in message);
    assert.deepEqual(off?.message, { cpu: { off: "the program is run with --test" } });
  });
});

test("the trace tells how long the transform took, of what Workers load, too", async () => {
  await recorded(program("worker.mjs"), ({ model }) => {
    const note = model.notes.findLast(({ message }) => "cost" in message)!;
    const cost = note.message["cost"] as Readonly<Record<string, number>>;
    // The program in the main thread, and again in its Worker.
    assert.equal(cost["transformed"], 2);
    assert.ok(cost["transformNs"]! > 0, JSON.stringify(cost));
  });
});

for (const version of ["1.25", "1.23"]) {
  test(`no use of the annotation API makes an illegal trace (version ${version})`, async () => {
    const seeds = version === "1.25" ? [1, 2, 3, 4] : [5, 6];
    for (const seed of seeds) {
      await recorded(
        program("misuse.mjs", String(seed)),
        (recording) => {
          assert.equal(recording.stdout, "done\n");
          const cost = recording.model.notes.find(({ message }) => "cost" in message);
          assert.ok(cost !== undefined, "the recorder tells its cost");
        },
        ["--trace-version", version],
      );
    }
  });
}
