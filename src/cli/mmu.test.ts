import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MmuReport } from "../analysis/mmu-report.ts";
import { bytesSource } from "../decode/source.ts";
import { readOrdered } from "../order/reader.ts";
import { fixture } from "../testing/fixtures.ts";
import { withRecording } from "../testing/record.ts";
import { main } from "./main.ts";

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (out += text) !== "" },
    stderr: { write: (text: string) => (err += text) !== "" },
  };
  const code = await main(["mmu", ...args], io);
  return { code, out, err };
}

async function json(...args: readonly string[]): Promise<MmuReport & { readonly error?: string }> {
  const { code, out, err } = await run("--json", ...args);
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out) as MmuReport;
}

const HTTP = fixture("model/go126-http.out");
const SILENT = fixture("corpus/go111-fileio-a/trace.out");

interface Page {
  readonly file: string;
  readonly flags: readonly string[];
  readonly window: number;
  readonly plot: Pick<MmuReport, "xMin" | "xMax" | "quantiles" | "curve">;
  readonly details: MmuReport["worst"];
}

function assertNear(got: readonly number[], want: readonly number[]): void {
  assert.equal(got.length, want.length);
  for (const [i, value] of want.entries())
    assert.ok(Math.abs(got[i]! - value) <= 1e-9 * Math.abs(value), `${got.join()}, want ${want.join()}`);
}

const PAGES = JSON.parse(readFileSync(fixture("mmu/go-pages.json"), "utf8")) as readonly Page[];

for (const { file, flags, window, plot, details } of PAGES) {
  test(`${file} ${flags.join()}: --compat is Go's page`, async () => {
    const list = flags.join("|");
    const got = await json("--compat", "--flags", list, "--window", `${window}ns`, fixture(file));
    assert.deepEqual([got.xMin, got.xMax], [plot.xMin, plot.xMax]);
    if (plot.quantiles === null) assert.equal(got.quantiles, null);
    else assertNear(got.quantiles!, plot.quantiles);
    assert.equal(got.curve.length, 100);
    for (const [i, row] of plot.curve.entries()) assertNear(got.curve[9 * i]!, row);
    assert.deepEqual(
      got.worst.map(({ time }) => time),
      details.map(({ time }) => time),
    );
    assertNear(
      got.worst.map(({ utilization }) => utilization),
      details.map(({ utilization }) => utilization),
    );
  });
}

test("text: Go's words, 80 columns, times from the trace's begin", async () => {
  const { code, out, err } = await run("--flags", "system,stw,background,assist,sweep,mut", HTTP);
  assert.deepEqual([code, err], [0, ""]);
  const lines = out.split("\n");
  for (const line of lines.filter((text) => !text.includes(HTTP))) assert.ok([...line].length <= 80, line);
  assert.match(out, /, all procs, at most \d+\n/);
  assert.match(out, /^Counted: stop-the-world, background workers, mark assist, sweep$/m);
  assert.match(out, /^Any window of +minimum +p99\.9 +p99 +p95$/m);
  assert.match(out, /^ {2}1\.00 ms +0\.0 % /m);
  const { worst, window } = await json("--flags", "stw,background,assist,sweep,mut", HTTP);
  const { startTime } = JSON.parse((await run("--json", HTTP)).out) as { startTime: number };
  const place = (time: number): string => `${((time - startTime) / 1e6).toFixed(3)} ms`;
  assert.ok(out.includes(`\n  ${place(worst[0]!.time)}`), out);
  assert.ok(out.includes(place(worst[0]!.time + window)), out);
});

test("where nothing is taken there is no table", async () => {
  const { out } = await run("--flags", "sweep", fixture("model/go126-cpuprof.out"));
  assert.match(out, /: 100 %\nCounted: sweep\nNo garbage collection took any time\.\n$/);
});

test("a trace without utilization data says what is missing", async () => {
  const { code, out } = await run(SILENT);
  assert.equal(code, 0);
  assert.match(out, /: no utilization data\nThe trace never says how many procs there were/);
  const { error, points, curve } = await json(SILENT);
  assert.deepEqual([error, points, curve], ["no utilization data (GOMAXPROCS never seen)", 0, []]);
});

test("wrong flags and windows are wrong usage", async () => {
  for (const args of [
    ["--flags", "stw,gc", HTTP],
    ["--flags", "", HTTP],
    ["--window", "0", HTTP],
    ["--window", "5 minutes", HTTP],
    [],
  ]) {
    const { code, out, err } = await run(...args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^runtrace: [^\n]+\n$/);
  }
});

test("what could be read of a broken trace is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-mmu-"));
  try {
    const file = join(folder, "broken");
    const bytes = readFileSync(fixture("model/go126-multigen.out"));
    bytes.fill(0xff, bytes.length - 9_000);
    writeFileSync(file, bytes);
    const { code, out, err } = await run(file);
    assert.equal(code, 3);
    assert.match(err, /^runtrace: .*error at offset \d+: [^\n]+\n$/);
    assert.match(out, /^Any window of/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const WORKERS = `
const { Worker, isMainThread } = require("node:worker_threads");
const kept = [];
const allocate = () => { for (let i = 0; i < 50000; i++) kept[i] = { i, list: [i, String(i)] }; };
if (isMainThread) {
  let left = 4;
  const next = () => { if (left-- > 0) new Worker(__filename).on("exit", next); };
  next();
  next();
  const timer = setInterval(() => { allocate(); if (left < 0) clearInterval(timer); }, 5);
} else {
  let turns = 10;
  (function turn() { allocate(); if (turns-- > 0) setTimeout(turn, 5); })();
}
`;

test("a Node trace with Workers that come and go: event loops, and a page that Go can show", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-mmu-"));
  try {
    const program = join(folder, "workers.cjs");
    writeFileSync(program, WORKERS);
    await withRecording([program], async ({ file }) => {
      let [procs, most, collections] = [0, 0, 0];
      readOrdered(bytesSource(readFileSync(file)), (e) => {
        if (e.kind === "Metric" && e.name === "/sched/gomaxprocs:threads") procs = e.value;
        if (e.kind !== "RangeBegin" || !e.name.includes("GC") || e.scope === "none") return;
        collections++;
        most = Math.max(most, e.proc);
        assert.ok(e.proc < procs, `a collection on proc ${e.proc} of ${procs}`);
      });
      assert.ok(collections > 5 && most >= 3, `${collections} collections up to proc ${most}`);
      const { code, out } = await run(file);
      assert.equal(code, 0);
      assert.match(out, /all event loops, at most \d\n/);
      assert.match(out, /^Counted: pauses of all, pauses of one$/m);
      assert.doesNotMatch(out, /proc|goroutine|stop-the-world/);
      // The same numbers as Go's: nothing that the recorder writes meets one of its mistakes.
      const flags = ["--flags", "perProc,stw,assist", "--window", "20ms"];
      const [right, compat] = [await json(...flags, file), await json(...flags, "--compat", file)];
      assert.equal(right.series, compat.series);
      assert.ok(right.mean < 1 && Math.abs(right.mean - compat.mean) < 1e-3, `${right.mean}, ${compat.mean}`);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
