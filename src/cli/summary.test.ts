import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { activationGroups } from "../analysis/groups.ts";
import { healthOf } from "../analysis/health.ts";
import { blockingSites, loopUse, schedulerLatency } from "../analysis/scheduling.ts";
import { emptyTotals, totalsOf } from "../analysis/span-totals.ts";
import type { Totals } from "../analysis/span-totals.ts";
import type { TraceSummary } from "../analysis/summary.ts";
import { ModelBuilder, buildModel } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import { fixture } from "../testing/fixtures.ts";
import { event, go, proc, stack, sync } from "../testing/ordered-events.ts";
import { openTrace } from "./open.ts";
import { summary } from "./summary.ts";
import { summaryText } from "./summary-text.ts";

const FOLDER = fixture("model");
const TRACES = readdirSync(FOLDER).filter((name) => /\.out(\.gz)?$/.test(name));

async function summaryOf(file: string, options: { json: boolean; compat: boolean }): Promise<string> {
  let out = "";
  let errors = "";
  const io = {
    stdout: { write: (text: string | Uint8Array): void => void (out += String(text)) },
    stderr: { write: (text: string | Uint8Array): void => void (errors += String(text)) },
  };
  assert.equal(await summary([file], { ...options, verbose: false }, io), 0, errors);
  assert.equal(errors, "");
  return out;
}

test("there are golden traces", () => assert.ok(TRACES.length >= 10));

for (const name of TRACES) {
  const file = `${FOLDER}/${name}`;

  test(`${name}: --json --compat is what Go's tools compute`, async () => {
    const want: unknown = JSON.parse(
      readFileSync(`${FOLDER}/${name.replace(/\.out(\.gz)?$/, ".json")}`, "utf8"),
    );
    assert.deepEqual(JSON.parse(await summaryOf(file, { json: true, compat: true })), want);
  });

  test(`${name}: the text fits in 80 columns`, async () => {
    const text = await summaryOf(file, { json: false, compat: false });
    const [, ...lines] = text.split("\n");
    assert.deepEqual(
      lines.filter((line) => [...line].length > 80 && !/^(warning: |\S+ \(pid )/.test(line)),
      [],
    );
  });

  test(`${name}: groups of the model add up to the goroutines of the summary`, async () => {
    const right = JSON.parse(await summaryOf(file, { json: true, compat: false })) as TraceSummary;
    const want = new Map<string, number[]>();
    for (const goroutine of right.goroutines) {
      const { exec, schedWait, syscall, syscallBlock, blockByReason } = goroutine;
      const block = Object.values(blockByReason).reduce((sum, time) => sum + time, 0);
      const sums = want.get(goroutine.name) ?? [0, 0, 0, 0, 0, 0];
      want.set(
        goroutine.name,
        [1, exec, schedWait, syscall, syscallBlock, block].map((value, i) => value + sums[i]!),
      );
    }
    const source = await openTrace(file);
    const model = buildModel(source);
    source.close();
    // A goroutine id that is used again replaces the one before it in Go's summary; the model keeps both.
    if (new Set(model.activations.id).size < model.activations.count) return;
    const got = new Map(
      activationGroups(model, totalsOf(model)).map((g) => [
        g.name,
        [g.count, g.execution, g.schedWait, g.syscall, g.syscallBlock, g.block],
      ]),
    );
    assert.deepEqual(got, want);
    assert.equal(model.events, right.events);
  });

  test(`${name}: sums of spans as they come are those of the spans of the model`, async () => {
    const again = async (sinks?: Totals): Promise<TraceModel> => {
      const source = await openTrace(file);
      try {
        return buildModel(source, sinks);
      } finally {
        source.close();
      }
    };
    const whole = await again();
    const totals = emptyTotals();
    const lean = await again(totals);
    assert.equal(lean.spans.count, 0);
    const kept = totalsOf(whole);
    assert.deepEqual(activationGroups(lean, totals), activationGroups(whole, kept));
    assert.deepEqual(loopUse(lean, totals), loopUse(whole, kept));
    assert.deepEqual(blockingSites(lean, totals), blockingSites(whole, kept));
    assert.deepEqual(schedulerLatency(totals), schedulerLatency(kept));
    assert.deepEqual(healthOf(lean, totals, 48), healthOf(whole, kept, 48));
    assert.deepEqual({ ...lean.activations, firstSpan: 0 }, { ...whole.activations, firstSpan: 0 });
  });
}

test("text for people: Go's words for a Go trace", async () => {
  const text = await summaryOf(`${FOLDER}/go126-http.out`, { json: false, compat: false });
  for (const title of [
    "Procs ",
    "Goroutines ",
    "Tasks ",
    "Regions ",
    "Waits by reason ",
    "Scheduler latency ",
  ]) {
    assert.ok(text.includes(`\n${title}`), title);
  }
  assert.match(text, /^.*go126-http\.out: [\d.]+ ms, 2,\d{3} events, go 1\.26 trace\n/);
  assert.match(text, /\n {2}serve-slow +12 +0 /);
  assert.doesNotMatch(text, / \n|undefined|NaN/);
});

const noteEvent = (time: number, message: object) =>
  event({ kind: "Log", time, name: "runtrace", message: JSON.stringify(message) });

test("text for people: Node's words, names, drops and misuse for our own trace", () => {
  const builder = new ModelBuilder();
  const process = {
    runtrace: "0.1.0",
    node: "v20.1.0",
    pid: 7,
    argv1: "app.js",
    loops: [{ proc: 0, name: "main" }],
  };
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: stack("GET /cappuccino") }),
    go(1e6, 1, "Runnable->Running", { proc: 0 }),
    noteEvent(1e6, { process }),
    noteEvent(1e6, { drops: { loop: 0, facts: 1234 } }),
    noteEvent(1e6, { misuse: { regions: 2 } }),
    noteEvent(1e6, { pauses: { lost: 3, ns: 4e6 } }),
    event({ kind: "StackSample", time: 2e6, goroutine: 1, proc: 0, stack: stack("brew", "GET /cappuccino") }),
    go(3e6, 1, "Running->Waiting", { by: 1, reason: "sleep", stack: stack("node:timers", "brew") }),
    sync(4e6),
  ]) {
    builder.event(e);
  }
  assert.equal(
    textOf(builder.finish(null, 25)),
    `trace.out: 4.00 ms, 11 events, go 1.25 trace
app.js (pid 7, node v20.1.0, runtrace 0.1.0)

warning: 1,234 facts of event loop 0 were lost to a full buffer; the trace has gaps
warning: 2 wrong uses of the annotation API (regions)
note: 3 pauses of garbage collection (4.00 ms) fell in long turns, not shown

Event loops  utilization  running  overhead  idle
  main             100 %  2.00 ms   2.00 ms     0

Activations        count  running  runnable  waiting
  GET /cappuccino      1  2.00 ms   1.00 ms  1.00 ms

Waits by reason  count    total  longest
  sleep              1  1.00 ms  1.00 ms

Waits by place  count    total  longest  where
  sleep             1  1.00 ms  1.00 ms  brew brew.js:1

Scheduler latency      count      p50      p90      p99      max     mean
  runnable to running      1  1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms

Over time     83.3 µs a column                                  mean  peak
  run queue   ███████████▇▂                                     0.25  1.00
  busy loops  ████████████████████████████████████████████████  1.00  1.00

Longest turns       at  activation         samples  mostly in
  2.00 ms      1.00 ms  GET /cappuccino 1      1/1  brew brew.js:1

Longest waits       at  for    activation         woken by  where
  1.00 ms      3.00 ms  sleep  GET /cappuccino 1            brew brew.js:1

CPU samples  self  share  total  where
  brew          1  100 %      1  brew.js:1`,
  );
});

function textOf(model: TraceModel): string {
  return summaryText("trace.out", model, totalsOf(model));
}

test("an activation that begins in Node itself has a name and no place", () => {
  const builder = new ModelBuilder();
  const frames = [{ func: "connection", file: "node", line: 1, pc: 1n }];
  for (const e of [
    sync(0),
    proc(0, 0, "Undetermined->Running"),
    go(0, 1, "NotExist->Runnable", { transitionStack: { ...stack("connection"), frames } }),
    go(1e6, 1, "Runnable->Running", { proc: 0 }),
    go(2e6, 1, "Running->Waiting", { by: 1, reason: "network", stack: { ...stack("connection"), frames } }),
    sync(4e6),
  ]) {
    builder.event(e);
  }
  assert.match(textOf(builder.finish(null, 25)), /^ {2}network .* connection$/m);
});
