import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { GoroutineSummary, RegionSummary, TaskSummary } from "../analysis/summary.ts";
import { TablesBuilder, taskTree } from "../analysis/trace-tables.ts";
import type { LogRow, TraceTables } from "../analysis/trace-tables.ts";
import { fixture } from "../testing/fixtures.ts";
import { event, go, stack, sync } from "../testing/ordered-events.ts";
import { main } from "./main.ts";
import { goroutinesText, logsText, tasksText } from "./tables-text.ts";

const FILE = join(fixture("model"), "go125-annotate.out");

async function runtrace(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    stdout: { write: (text: string | Uint8Array): void => void (out += String(text)) },
    stderr: { write: (text: string | Uint8Array): void => void (err += String(text)) },
  };
  return { code: await main(args, io), out, err };
}

async function rows<T>(kind: string, ...filters: string[]): Promise<T[]> {
  const { code, out, err } = await runtrace(kind, "--json", ...filters, FILE);
  assert.equal(err, "");
  assert.equal(code, 0);
  const parsed = JSON.parse(out) as Record<string, T[]>;
  assert.deepEqual(Object.keys(parsed), [kind === "activations" ? "goroutines" : kind]);
  return Object.values(parsed)[0]!;
}

test("without a filter the rows are those of summary --json", async () => {
  const summary = JSON.parse((await runtrace("summary", "--json", FILE)).out) as Record<string, unknown>;
  for (const kind of ["goroutines", "tasks", "regions"])
    assert.deepEqual(await rows(kind), summary[kind], kind);
  assert.deepEqual(await rows("activations"), summary["goroutines"]);
});

test("filters narrow every table by what belongs together", async () => {
  const tasks = await rows<TaskSummary>("tasks", "--task", "sub");
  assert.ok(tasks.length > 1 && tasks.every((task) => task.name === "sub"));
  const [first] = tasks;
  assert.deepEqual(await rows("tasks", "--task", String(first!.id)), [first]);

  const regions = await rows<RegionSummary>("regions", "--task", "sub", "--region", "leaf");
  const ids = new Set(tasks.map((task) => task.id));
  assert.ok(regions.length > 0);
  for (const region of regions) assert.ok(region.type === "leaf" && ids.has(region.task));

  const members = await rows<GoroutineSummary>("goroutines", "--task", String(first!.id));
  assert.deepEqual(
    members.map((goroutine) => goroutine.id),
    first!.goroutines,
  );

  const all = await rows<LogRow>("logs");
  const starts = await rows<LogRow>("logs", "--log", "start");
  assert.ok(starts.length > 1 && starts.length < all.length);
  assert.ok(starts.every((log) => log.category === "start"));
  const one = await rows<LogRow>("logs", "--log", `start=${starts[0]!.message}`);
  assert.ok(one.length >= 1 && one.every((log) => log.message.includes(starts[0]!.message)));
  const loggers = await rows<GoroutineSummary>("goroutines", "--log", "start");
  assert.deepEqual(new Set(loggers.map(({ id }) => id)), new Set(starts.map((log) => log.goroutine)));
  const started = await rows<TaskSummary>("tasks", "--log", "start");
  assert.deepEqual(new Set(started.map(({ id }) => id)), new Set(starts.map((log) => log.task)));
});

test("goroutines and tasks are grouped by the logs that were written in them", async () => {
  const logs = await rows<LogRow>("logs");
  for (const [kind, of] of [
    ["goroutines", "goroutine"],
    ["tasks", "task"],
  ] as const) {
    const members = await rows<{ id: number }>(kind);
    for (const by of ["category", "message"] as const) {
      const { out } = await runtrace(kind, "--by", by, "--json", FILE);
      const { groups } = JSON.parse(out) as {
        groups: { category: string | null; message: string | null; ids: number[] }[];
      };
      const grouped = new Set<number>();
      for (const { category, message, ids } of groups) {
        if (category === null) {
          assert.deepEqual(
            ids.filter((id) => grouped.has(id)),
            [],
            "what has no logs is in no other group",
          );
        } else {
          const wrote = logs.filter(
            (log) => log.category === category && (by === "category" || log.message === message),
          );
          const known = members.map(({ id }) => id);
          const want = new Set(wrote.map((log) => log[of] as number).filter((id) => known.includes(id)));
          assert.deepEqual(new Set(ids), want, `${kind} by ${by}: ${category} ${message}`);
        }
        for (const id of ids) grouped.add(id);
      }
      assert.equal(grouped.size, members.length, "all are in a group");
    }
  }
  const text = (await runtrace("tasks", "--by", "category", FILE)).out;
  assert.match(text, /^Tasks +count +open .*\n(?: .*\n)* {2}start +\d+ /);
  assert.match((await runtrace("activations", "--by", "category", FILE)).out, /\n {2}\(no logs\) +\d/);
});

test("a range of time lets through what overlaps it", async () => {
  const all = await rows<LogRow>("logs");
  const { startTime } = JSON.parse((await runtrace("summary", "--json", FILE)).out) as { startTime: number };
  const from = all[3]!.time - startTime;
  const to = all[7]!.time - startTime;
  assert.deepEqual(await rows("logs", "--from", `${from}ns`, "--to", `${to}ns`), all.slice(3, 8));
  assert.deepEqual(await rows("tasks", "--from", "1h"), []);
  const tasks = await rows<TaskSummary>("tasks", "--from", `${from}ns`, "--to", `${from}ns`);
  assert.ok(tasks.length > 0);
  for (const task of tasks)
    assert.ok((task.start ?? 0) <= all[3]!.time && (task.end ?? Infinity) >= all[3]!.time);
});

test("text within 80 columns, of every table", async () => {
  for (const args of [
    ["goroutines"],
    ["goroutines", "--task", "sub"],
    ["goroutines", "--goroutine", "main.annotate.func1"],
    ["tasks"],
    ["tasks", "--task", "root"],
    ["regions"],
    ["regions", "--region", "outer"],
    ["logs"],
    ["logs", "--by", "category"],
    ["logs", "--by", "message", "--limit", "3"],
  ]) {
    const { code, out, err } = await runtrace(...args, FILE);
    assert.equal(code, 0, err);
    for (const line of out.split("\n")) assert.ok([...line].length <= 80, `${args.join(" ")}: ${line}`);
    assert.ok(out.split("\n").length > 3, args.join(" "));
  }
});

test("wrong usage is told in one line", async () => {
  for (const [args, message] of [
    [["tasks", "--limit", "x", FILE], /^runtrace: .*got "x", want a number\.\n$/],
    [["logs", "--from", "soon", FILE], /^runtrace: .*want a duration such as 1\.5s or 20ms\.\n$/],
    [["logs", "--by", "colour", FILE], /^runtrace: .*category, message/],
  ] as const) {
    const { code, out, err } = await runtrace(...args);
    assert.equal(code, 2, err);
    assert.equal(out, "");
    assert.match(err, message);
  }
});

test("of a broken trace everything before the break is shown, and the loss told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-tables-"));
  try {
    const file = join(folder, "cut.out");
    const bytes = readFileSync(join(fixture("model"), "go126-multigen.out"));
    writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    const { code, out, err } = await runtrace("goroutines", file);
    assert.equal(code, 3);
    assert.match(err, /^runtrace: .*cut\.out: error at offset \d+: .+\n$/);
    assert.match(out, /^Goroutines .*\n {2}main\./);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function tablesOf(...events: Parameters<TablesBuilder["event"]>[0][]): TraceTables {
  const builder = new TablesBuilder({ compat: false });
  for (const e of events) builder.event(e);
  return builder.finish(null);
}

test("words are Node's for a recorded trace, text is safe for a terminal, the recorder's notes are no logs", () => {
  const made = tablesOf(
    sync(0),
    event({ kind: "Log", time: 1, goroutine: 1, task: 0n, name: "runtrace", message: '{"process":{}}' }),
    go(10, 1, "NotExist->Runnable", { transitionStack: stack("GET /\u001B[31m") }),
    go(20, 1, "Runnable->Running", { proc: 0 }),
    event({ kind: "Log", time: 25, goroutine: 1, task: 0n, name: "milk", message: "\u001B[2J" }),
    sync(1e6),
  );
  assert.equal(made.logs.length, 1);
  assert.equal(
    goroutinesText(made, 10, false, null),
    `Activations      count  running  runnable  waiting  syscall
  GET /\\x1b[31m      1  1.00 ms     10 ns        0        0

No waits.`,
  );
  assert.equal(
    logsText(made, 10, null),
    `Logs     activation  task  text
  25 ns           1     0  [milk] \\x1b[2J`,
  );
  assert.equal(tasksText(made, made, 10, false, null), "No tasks.");
});

test("tasks are trees, and a loop of parents is cut", () => {
  const task = (id: number, parent: number | null, ...children: number[]): TaskSummary => ({
    id,
    name: `t${id}`,
    parent,
    children,
    start: 0,
    end: 1,
    complete: true,
    duration: 1,
    logs: 0,
    regions: 0,
    goroutines: [],
  });
  const shape = (tasks: TaskSummary[]): string[] =>
    taskTree(tasks).map(({ task: { id }, depth }) => `${"-".repeat(depth)}${id}`);
  assert.deepEqual(shape([task(1, null, 2, 4), task(2, 1, 3), task(3, 2), task(4, 1), task(9, 8)]), [
    "1",
    "-2",
    "--3",
    "-4",
    "9",
  ]);
  assert.deepEqual(shape([task(1, 2, 2), task(2, 1, 1)]), ["1", "-2"]);
});
