import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { WritableStream } from "node:stream/web";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TraceError } from "../base/error.ts";
import { tracesOf } from "../testing/suites.ts";
import { newTask, withTask } from "./api.ts";
import { FlightRecorder } from "./flight.ts";
import { PRELOAD, contents, runNode, scratch } from "./program.test.util.ts";
import type { Ending } from "./program.test.util.ts";
import { isEnabled, start, stop } from "./session.ts";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
const folder = scratch();
after(() => folder.remove());

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TraceError && error.code === code;

/** Names of the tasks that begin in a trace. */
function tasks(file: string): string[] {
  return [...contents(file).text.matchAll(/ TaskBegin .*Type="([^"]*)"/g)].map(([, name = ""]) => name);
}

test("what was last is written at any moment, again and again, to whatever takes bytes", async () => {
  const flight = new FlightRecorder({ cpu: "off" });
  assert.equal(flight.enabled(), false);
  await assert.rejects(flight.writeTo(folder.path("early.out")), hasCode("ERR_TRACE_NOT_ENABLED"));
  flight.start();
  assert.equal(flight.enabled(), true);
  assert.equal(isEnabled(), true);
  assert.throws(() => flight.start(), hasCode("ERR_TRACE_ALREADY_ENABLED"));
  await withTask("first", () => sleep(5));
  const one = folder.path("one.out");
  assert.equal(await flight.writeTo(one), statSync(one).size);
  assert.deepEqual(tasks(one), ["first"]);
  await withTask("second", () => sleep(5));
  const chunks: Buffer[] = [];
  const stream = new PassThrough().on("data", (chunk: Buffer) => chunks.push(chunk));
  const web: Uint8Array[] = [];
  const [bytes] = await Promise.all([
    flight.writeTo(stream),
    flight.writeTo(new WritableStream<Uint8Array>({ write: (chunk) => void web.push(chunk) })),
  ]);
  assert.equal(stream.writableEnded, false);
  for (const [index, got] of [Buffer.concat(chunks), Buffer.concat(web)].entries()) {
    const file = folder.path(`stream-${index}.out`);
    writeFileSync(file, got);
    assert.deepEqual(tasks(file), ["first", "second"]);
  }
  assert.equal(bytes, Buffer.concat(chunks).length);
  await assert.rejects(flight.writeTo(folder.path("no/such/folder.out")), hasCode("ERR_TRACE_SINK"));
  await assert.rejects(flight.writeTo(5 as unknown as string), hasCode("ERR_TRACE_SINK"));
  const broken = new PassThrough();
  broken.destroy();
  await assert.rejects(flight.writeTo(broken), hasCode("ERR_TRACE_SINK"));
  flight.stop();
  flight.stop();
  assert.equal(flight.enabled(), false);
  assert.equal(isEnabled(), false);
  await assert.rejects(flight.writeTo(one), hasCode("ERR_TRACE_NOT_ENABLED"));
});

test("a recording and flight recorders come and go beside each other, each with traces of its own", async () => {
  const outer = new FlightRecorder({ cpu: "off" });
  const inner = new FlightRecorder({ cpu: "off" });
  outer.start();
  await withTask("before", () => sleep(5));
  const recorded = folder.path("recorded.out");
  start(recorded);
  assert.throws(() => start(folder.path("other.out")), hasCode("ERR_TRACE_ALREADY_ENABLED"));
  await withTask("during", () => sleep(5));
  inner.start();
  await withTask("inner", () => sleep(5));
  const innermost = folder.path("inner.out");
  await inner.writeTo(innermost);
  inner.stop();
  await stop();
  assert.equal(isEnabled(), true);
  await withTask("after", () => sleep(5));
  const whole = folder.path("whole.out");
  await outer.writeTo(whole);
  outer.stop();
  assert.equal(isEnabled(), false);
  assert.deepEqual(tasks(whole), ["before", "during", "inner", "after"]);
  assert.deepEqual(tasks(recorded), ["during", "inner"]);
  assert.equal(tasks(innermost).at(-1), "inner");
  assert.ok(!tasks(innermost).includes("before"));
  // Each says whose trace it is.
  for (const file of [whole, recorded, innermost]) {
    const told = Object.assign({}, ...contents(file).notes.map(({ process: named }) => named)) as object;
    assert.ok("pid" in told && "loops" in told, file);
  }
  // And the other way round: the recording goes on when the flight recorder, which came later, goes.
  start(recorded);
  outer.start();
  outer.stop();
  await withTask("alone", () => sleep(5));
  await stop();
  assert.deepEqual(tasks(recorded), ["alone"]);
  // Begun and ended sooner than anything could be written.
  outer.start();
  await withTask("not", () => null);
  start(recorded);
  await withTask("short", () => null);
  const stopped = stop();
  outer.stop();
  await stopped;
  assert.deepEqual(tasks(recorded), ["short"]);
});

test("formats that differ are refused, and a failing sink takes the flight recorder with it no more than a good one", async () => {
  const flight = new FlightRecorder({ cpu: "off", version: "1.23" });
  flight.start();
  assert.throws(() => start(folder.path("v25.out")), hasCode("ERR_TRACE_OPTION"));
  const failing = new PassThrough();
  start(failing, { version: "1.23" });
  failing.destroy();
  await assert.rejects(stop(), hasCode("ERR_TRACE_SINK"));
  await withTask("still", () => sleep(5));
  const file = folder.path("v23.out");
  await flight.writeTo(file);
  assert.equal(readFileSync(file).subarray(0, 7).toString(), "go 1.23");
  assert.deepEqual(tasks(file), ["still"]);
  flight.stop();
});

test("only so much is kept", async () => {
  const flight = new FlightRecorder({ cpu: "off", maxBytes: 65_536 });
  flight.start();
  for (let i = 0; i < 3_000; i++) {
    await withTask(`task ${i}`, () => null);
    if (i % 100 === 0) await sleep(60);
  }
  const file = folder.path("bounded.out");
  const bytes = await flight.writeTo(file);
  flight.stop();
  const kept = tasks(file);
  assert.ok(bytes < 2 * 65_536, `${bytes} bytes`);
  assert.equal(kept.at(-1), "task 2999");
  assert.ok(kept.length < 3_000 && kept.length > 100, `${kept.length} tasks`);
});

test("tasks that were open when a file begins have their names in it", async () => {
  const flight = new FlightRecorder({ cpu: "off", maxBytes: 65_536 });
  flight.start();
  const outer = newTask("outer");
  const inner = outer.run(() => newTask("inner"));
  newTask("over").end();
  const file = folder.path("open.out");
  do {
    for (let i = 0; i < 1_000; i++) await withTask(`task ${i}`, () => null);
    await sleep(60);
    await flight.writeTo(file);
  } while (tasks(file).includes("over"));
  inner.end();
  await sleep(5);
  await flight.writeTo(file);
  flight.stop();
  outer.end();
  assert.ok(!tasks(file).includes("outer"));
  const { tasks: table, strings } = tracesOf(file)[0]!;
  const named = [...table.name].map((name) => strings[name]!);
  const [outerRow, innerRow] = [named.indexOf("outer"), named.indexOf("inner")];
  assert.ok(outerRow >= 0 && innerRow >= 0 && !named.includes("over"), named.join(", "));
  assert.equal(table.parent[innerRow], outerRow);
  assert.ok(Number.isNaN(table.start[outerRow]) && Number.isNaN(table.end[outerRow]));
  assert.ok(Number.isNaN(table.start[innerRow]) && table.end[innerRow]! > 0);
  // It has ended, so that Go's tools know of it, too; its name they do not.
  for (const [options, name] of [
    [[], "inner"],
    [["--compat"], ""],
  ] as const) {
    const { stdout } = await runNode([CLI, "summary", "--json", ...options, file]);
    const summary = JSON.parse(stdout) as { readonly tasks: readonly { id: number; name: string }[] };
    assert.equal(summary.tasks.find(({ id }) => id === table.id[innerRow])?.name, name);
  }
});

/** Runs a program with an armed flight recorder; answers its files, in the order in which they were written. */
async function fly(
  name: string,
  source: string,
  arms: string,
  options: Parameters<typeof runNode>[1] = {},
): Promise<{ readonly files: string[]; readonly ending: Ending }> {
  const program = folder.path(`${name}.cjs`);
  writeFileSync(program, source);
  const env = {
    RUNTRACE_FLIGHT: `${arms},out:${folder.path(`${name}-%n.flight`)}`,
    NODE_OPTIONS: `--require ${PRELOAD}`,
  };
  const out = folder.path(`${name}-%n.flight`);
  const ending = await runNode(["--expose-gc", program, out], { ...options, env });
  const files = readdirSync(folder.path("."))
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith(".flight"))
    .toSorted((a, b) => Number(/-(\d+)/.exec(a)![1]) - Number(/-(\d+)/.exec(b)![1]))
    .map((file) => folder.path(file));
  return { files, ending };
}

const INCIDENTS = `
  const { withTask } = require("runtrace");
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  function culprit(ms) { const until = Date.now() + ms; let x = 0; while (Date.now() < until) x += Math.sqrt(x + 1); return x; }
  const culpritTask = (ms) => withTask("culprit " + ms, () => sleep(ms));
  async function hoard() {
    const kept = [];
    for (let i = 0; i < 60; i++) {
      kept.push(Array.from({ length: 131072 }, (_, j) => i * j + 0.5));
      await sleep(2);
    }
    return kept;
  }
`.replace(
  'require("runtrace")',
  `require(${JSON.stringify(new URL("../index.js", import.meta.url).pathname)})`,
);

/** What a note of the recorder says of why a file was written. */
interface Note {
  readonly trigger: string;
  readonly name?: string;
  readonly ms?: number;
}

/** The last note of why a file was written. */
function reason(file: string): unknown {
  return contents(file).notes.findLast(({ flight }) => flight !== undefined)?.["flight"];
}

test("twenty incidents are twenty files, each with its culprit", async () => {
  const { files, ending } = await fly(
    "incidents",
    `${INCIDENTS}
    const { existsSync } = require("fs");
    let number = 0;
    const isThere = () => existsSync(process.argv[2].replace("%n", number + 1));
    // The next file or files, whatever the machine is busy with.
    const written = async () => {
      for (let tries = 0; !isThere() && tries < 100; tries++) await sleep(50);
      await sleep(50);
      while (isThere()) number++;
    };
    (async () => {
      await sleep(300);
      for (let i = 0; i < 9; i++) { culprit(700); await written(); }
      for (let i = 0; i < 9; i++) { await culpritTask(310 + i); await written(); }
      for (let i = 0; i < 2; i++) { let kept = await hoard(); await written(); kept = null; globalThis.gc(); await sleep(250); globalThis.gc(); await sleep(250); }
      console.log("done");
    })();`,
    "lag:600ms,task:290ms,heap:+45MB,every:0s,keep:50,age:5s",
  );
  assert.deepEqual([ending.code, ending.stdout, ending.stderr], [0, "done\n", ""]);
  // What comes at the same time is in the same seconds: each file has its own note, and perhaps those of others.
  const told = files.map((file) => {
    const { notes, text } = contents(file);
    return {
      file,
      text,
      notes: notes.flatMap(({ flight }) => (flight === undefined ? [] : [flight as Note])),
    };
  });
  const of = (trigger: string): Note[] => {
    const all = told.flatMap(({ notes }) => notes).filter((note) => note.trigger === trigger);
    return [...new Map(all.map((note) => [JSON.stringify(note), note])).values()];
  };
  // Two of the same length are one here, and a busy machine may let a heap go later than the next jump.
  assert.ok(files.length >= 17, JSON.stringify(told.map(({ notes }) => notes.at(-1))));
  assert.deepEqual(
    of("task").map(({ name }) => name),
    Array.from({ length: 9 }, (_, i) => `culprit ${310 + i}`),
  );
  assert.ok(of("heap").length >= 1 && of("lag").length >= 5, JSON.stringify([of("heap"), of("lag")]));
  let withSamples = 0;
  for (const { file, notes, text } of told) {
    const { trigger, name } = notes.at(-1)!;
    if (trigger === "task") assert.ok(tasks(file).includes(name!), file);
    else if (trigger === "heap") assert.match(text, /\bhoard @/, file);
    else if (/StackSample[^]*?\bculprit @/.test(text)) withSamples++;
  }
  assert.ok(withSamples >= 5, `${withSamples} lags with the culprit's samples`);
});

test("a heap that grows is seen, whether V8 collects meanwhile or not, also by a flight recorder that comes late", async () => {
  const growth = `
    (async () => {
      await sleep(500);
      const kept = [];
      for (let i = 0; i < 60; i++) {
        kept.push(Array.from({ length: 80_000 }, (_, j) => ({ j })));
        await sleep(3);
      }
      for (let i = 0; i < 200 && !existsSync(process.argv[2].replace("%n", 1)); i++) await sleep(50);
      console.log(kept.length);
    })();`;
  const grown = await fly(
    "grown",
    `${INCIDENTS} const { existsSync } = require("fs"); ${growth}`,
    "heap:+60MB",
  );
  assert.deepEqual([grown.ending.stdout, grown.files.length], ["60\n", 1]);
  assert.equal((reason(grown.files[0]!) as Note).trigger, "heap");
  const late = await fly(
    "late",
    `${INCIDENTS}
    const { FlightRecorder } = require(${JSON.stringify(new URL("../index.js", import.meta.url).pathname)});
    const { existsSync } = require("fs");
    // Kept to the end: what goes meanwhile is not growth.
    const before = (globalThis.before = new Array(8e6).fill(0.5));
    setTimeout(() => {
      new FlightRecorder({ triggers: { heapGrowth: 60e6, out: process.argv[2] } }).start();
      setTimeout(() => { console.log(existsSync(process.argv[2].replace("%n", 1)), before.length); ${growth} }, 600);
    }, 100);`,
    "lag:1h",
  );
  assert.deepEqual([late.ending.stdout, late.files.length], ["false 8000000\n60\n", 1]);
});

test("files that are due at once have each its own reason, and summary's head tells it", async () => {
  const { files, ending } = await fly(
    "at-once",
    `${INCIDENTS}
    const { newTask } = require(${JSON.stringify(new URL("../index.js", import.meta.url).pathname)});
    (async () => {
      const both = [newTask("one"), newTask("other")];
      await sleep(300);
      for (const task of both) task.end();
      const kept = await hoard();
      await sleep(1_000);
      console.log("done", kept.length);
    })();`,
    "task:200ms,every:0s",
  );
  assert.deepEqual([ending.code, ending.stdout, ending.stderr], [0, "done 60\n", ""]);
  assert.deepEqual(
    files.map((file) => (reason(file) as Note).name),
    ["one", "other"],
  );
  const { stdout } = await runNode([CLI, "summary", files[0]!]);
  assert.match(stdout.split("\n\n")[0]!, /\nwritten by the flight recorder: task "one" had lasted [^\n]+$/);
});

test("a loop that hangs until the process is killed has left a file, and a signal writes one without ending anything", async () => {
  const hung = await fly("hung", `${INCIDENTS} setTimeout(() => culprit(1e9), 1000);`, "lag:500ms", {
    killAfter: 9_000,
    signal: "SIGKILL",
  });
  assert.equal(hung.ending.signal, "SIGKILL");
  assert.equal(hung.files.length, 1);
  assert.deepEqual((reason(hung.files[0]!) as { trigger: string }).trigger, "lag");
  assert.match(contents(hung.files[0]!).text, /StackSample[^]*?\bculprit @/);
  const asked = await fly(
    "asked",
    `setTimeout(() => process.kill(process.pid, "SIGUSR2"), 100); setTimeout(() => console.log("alive"), 600);`,
    "signal:SIGUSR2",
  );
  assert.deepEqual([asked.ending.code, asked.ending.stdout, asked.files.length], [0, "alive\n", 1]);
  assert.deepEqual(reason(asked.files[0]!), { trigger: "signal", name: "SIGUSR2" });
});

test("files are not written more often than was asked for, and the oldest go", async () => {
  const body = `(async () => { for (let i = 0; i < 6; i++) await culpritTask(50); await sleep(300); })();`;
  const rare = await fly("rare", `${INCIDENTS} ${body}`, "task:20ms,every:1h");
  assert.equal(rare.files.length, 1);
  const spaced = body.replace("culpritTask(50)", "culpritTask(50), await sleep(250)");
  const few = await fly("few", `${INCIDENTS} ${spaced}`, "task:20ms,every:0s,keep:2");
  assert.equal(few.files.length, 2);
  assert.ok(Number(/-(\d+)/.exec(few.files[0]!.slice(folder.path("").length))![1]) > 2, few.files[0]);
});

test("files that cannot be written are told of once and harm nobody", async () => {
  const body = `(async () => { for (let i = 0; i < 3; i++) { await culpritTask(50); await sleep(250); } console.log("done"); })();`;
  writeFileSync(folder.path("unwritable.cjs"), `${INCIDENTS} ${body}`);
  const env = {
    RUNTRACE_FLIGHT: "task:20ms,every:0s,out:/no/such/folder/x.out",
    NODE_OPTIONS: `--require ${PRELOAD}`,
  };
  const failed = await runNode([folder.path("unwritable.cjs")], { env });
  assert.deepEqual([failed.code, failed.stdout], [0, "done\n"]);
  assert.match(failed.stderr, /^runtrace: cannot write a file of the flight recorder: ENOENT[^\n]*\n$/);
});
