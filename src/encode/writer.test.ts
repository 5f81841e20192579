import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TraceError } from "../base/error.ts";
import { goTool, wire } from "../testing/go.ts";
import { decodeText, eventLines } from "./decoder.test.util.ts";
import type { WriterOptions } from "./writer.ts";
import { TraceWriter } from "./writer.ts";

/** A writer into memory, and the file it has written so far. */
function recording(options: Partial<WriterOptions> = {}): {
  writer: TraceWriter;
  file: () => Uint8Array;
  writes: () => number;
} {
  const chunks: Uint8Array[] = [];
  let mono = 1000;
  const writer = new TraceWriter({
    version: 25,
    write: (bytes) => chunks.push(bytes.slice()),
    snapshot: () => ({ mono: (mono += 1000), wallSec: 1_700_000_000, wallNsec: 5 }),
    strict: true,
    ...options,
  });
  return { writer, file: () => Buffer.concat(chunks), writes: () => chunks.length };
}

/** Thread 1 runs goroutine 1 on proc 0 from time 1003 on. */
function started(options: Partial<WriterOptions> = {}): ReturnType<typeof recording> {
  const made = recording(options);
  made.writer.procStart(1, 1001, 0);
  made.writer.goCreate(1, 1002, 1, 0, 0);
  made.writer.goStart(1, 1003, 1);
  return made;
}

test("an empty trace is a header and the clock", () => {
  for (const version of [23, 25] as const) {
    const { writer, file } = recording({ version });
    writer.end();
    const { header, batches } = decodeText(file());
    assert.equal(header, `go 1.${version} trace\0\0\0`);
    const clock = "ClockSnapshot dt=0 mono=2000 sec=1700000000 nsec=5";
    const lines =
      version === 25 ? ["Sync", "Frequency freq=1000000000", clock] : ["Frequency freq=1000000000"];
    assert.deepEqual(
      batches.map(({ gen, m, time, lines: got }) => ({ gen, m, time, got })),
      [{ gen: 1, m: "18446744073709551615", time: 2000, got: lines }],
    );
  }
});

test("every event has its arguments in their order", () => {
  const { writer, file } = recording();
  const entry = writer.stack([{ func: "entry", file: "/e.ts", line: 1 }]);
  const here = writer.stack([{ func: "here", file: "/h.ts", line: 2 }]);
  writer.procStart(1, 10, 3);
  writer.goCreate(1, 20, 7, entry, 0);
  writer.goStart(1, 30, 7);
  writer.procsChange(1, 40, 2, here);
  writer.goCreate(1, 50, 8, entry, here);
  writer.taskBegin(1, 60, 5, 0, "task", here);
  writer.regionBegin(1, 70, 5, "region", here);
  writer.log(1, 80, 5, "category", "message", here);
  writer.regionEnd(1, 90, 5, "region", here);
  writer.taskEnd(1, 100, 5, here);
  writer.label(1, 110, "label");
  writer.heapAlloc(1, 120, 2 ** 40);
  writer.heapGoal(1, 130, 2 ** 41);
  writer.syscallBegin(1, 140, here);
  writer.syscallEnd(1, 150);
  writer.stwBegin(1, 160, "kind", here);
  writer.stwEnd(1, 170);
  writer.gcBegin(1, 180, here);
  writer.markAssistBegin(1, 190, here);
  writer.markAssistEnd(1, 200);
  writer.gcEnd(1, 210);
  writer.goBlock(1, 220, "sleep", here);
  writer.goUnblock(2, 230, 7, here);
  writer.goStart(1, 240, 7);
  writer.goStop(1, 250, "runtime.Gosched", here);
  writer.goStart(1, 260, 7);
  writer.goDestroy(1, 270);
  writer.procStop(1, 280);
  writer.cpuSample(255, 1, -1, 0, here);
  writer.end();
  assert.deepEqual(eventLines(file()), [
    "1 10 ProcStatus p=3 pstatus=2",
    "1 10 ProcStart p=3 p_seq=1",
    "1 20 GoCreate new_g=7 new_stack=1 stack=0",
    "1 30 GoStart g=7 g_seq=1",
    "1 40 ProcsChange procs_value=2 stack=2",
    "1 50 GoCreate new_g=8 new_stack=1 stack=2",
    "1 60 UserTaskBegin task=5 parent_task=0 name_string=5 stack=2",
    "1 70 UserRegionBegin task=5 name_string=6 stack=2",
    "1 80 UserLog task=5 key_string=7 value_string=8 stack=2",
    "1 90 UserRegionEnd task=5 name_string=6 stack=2",
    "1 100 UserTaskEnd task=5 stack=2",
    "1 110 GoLabel label_string=9",
    `1 120 HeapAlloc heapalloc_value=${2 ** 40}`,
    `1 130 HeapGoal heapgoal_value=${2 ** 41}`,
    "1 140 GoSyscallBegin p_seq=2 stack=2",
    "1 150 GoSyscallEnd",
    "1 160 STWBegin kind_string=10 stack=2",
    "1 170 STWEnd",
    "1 180 GCBegin gc_seq=1 stack=2",
    "1 190 GCMarkAssistBegin stack=2",
    "1 200 GCMarkAssistEnd",
    "1 210 GCEnd gc_seq=2",
    "1 220 GoBlock reason_string=11 stack=2",
    "1 240 GoStart g=7 g_seq=3",
    "1 250 GoStop reason_string=12 stack=2",
    "1 260 GoStart g=7 g_seq=4",
    "1 270 GoDestroy",
    "1 280 ProcStop",
    "2 230 GoUnblock g=7 g_seq=2 stack=2",
  ]);
  const lines = decodeText(file()).batches.flatMap((batch) => batch.lines);
  assert.ok(lines.includes("CPUSample time=255 m=1 p=18446744073709551615 g=0 stack=2"));
  const data = lines
    .filter((line) => line.startsWith("\tdata="))
    .map((line) => JSON.parse(line.slice(6)) as string);
  const want = "entry /e.ts here /h.ts task region category message label kind sleep runtime.Gosched";
  assert.deepEqual(data, want.split(" "));
  assert.deepEqual(writer.stats, {
    bytes: file().length,
    events: 30,
    refused: 0,
    generations: 1,
    shortenedStacks: 0,
  });
});

test("a file is what Go's own decoder of records reads", (t) => {
  if (goTool() === null) return t.skip("no go");
  const { writer, file } = started();
  writer.log(1, 2000, 0, "a", "b", writer.stack([{ func: "f", file: "/f.ts", line: 1 }]));
  writer.goBlock(1, 2100, "sleep", 0);
  writer.rotate(3000);
  writer.goUnblock(2, 3500, 1, 0);
  writer.cpuSample(3600, 1, 0, 1, 0);
  writer.end();
  const path = join(tmpdir(), `runtrace-writer-${process.pid}.trace`);
  t.after(() => rmSync(path));
  writeFileSync(path, file());
  const want = decodeText(file()).batches.flatMap(({ gen, m, time, size, lines }) => [
    `EventBatch gen=${gen} m=${m} time=${time} size=${size}`,
    ...lines,
  ]);
  const go = wire(path);
  assert.equal(go.stderr, "");
  assert.deepEqual(go.stdout.trimEnd().split("\n"), want);
});

test("a new generation states what every proc and goroutine is doing, and repeats what holds for the program", () => {
  const { writer, file } = started();
  const entry = writer.stack([{ func: "entry", file: "/e.ts", line: 1 }]);
  const waits = writer.stack([
    { func: "leaf", file: "/e.ts", line: 3 },
    { func: "entry", file: "/e.ts", line: 1 },
  ]);
  const other = writer.stack([{ func: "other", file: "/e.ts", line: 1 }]);
  writer.procsChange(1, 1010, 2, 0);
  for (const g of [2, 3, 4, 5]) writer.goCreate(1, 1020, g, entry, 0);
  writer.goStop(1, 1030, "runtime.Gosched", 0);
  writer.goStart(1, 1031, 2);
  writer.markAssistBegin(1, 1032, 0);
  writer.goBlock(1, 1033, "chan receive", waits);
  writer.goStart(1, 1040, 3);
  writer.goDestroy(1, 1041);
  writer.goStart(1, 1050, 4);
  writer.goStop(1, 1051, "runtime.Gosched", other);
  writer.procStart(2, 1060, 1);
  writer.procStart(3, 1061, 2);
  writer.procStop(3, 1062);
  writer.goStart(2, 1063, 5);
  writer.gcBegin(2, 1064, 0);
  writer.stwBegin(2, 1065, "kind", 0);
  writer.syscallBegin(2, 1066, waits);
  writer.rotate(2000);
  const first = file().length;
  writer.syscallEnd(2, 2100);
  writer.stwEnd(2, 2200);
  writer.goUnblock(2, 2250, 2, 0);
  writer.goStart(1, 2300, 2);
  writer.gcEnd(1, 2400);
  writer.end();
  const second = Buffer.concat([file().subarray(0, 16), file().subarray(first)]);
  assert.deepEqual(eventLines(second), [
    "- 2000 ProcStatus p=2 pstatus=2",
    "- 2000 GoStatusStack g=1 m=18446744073709551615 gstatus=1 stack=0",
    "- 2000 GoStatusStack g=2 m=18446744073709551615 gstatus=4 stack=2",
    "- 2000 GCMarkAssistActive g=2",
    "- 2000 GoStatusStack g=4 m=18446744073709551615 gstatus=1 stack=1",
    "1 2000 ProcStatus p=0 pstatus=1",
    "1 2300 GoStart g=2 g_seq=2",
    "1 2400 GCEnd gc_seq=3",
    "2 2000 ProcStatus p=1 pstatus=3",
    "2 2000 GoStatusStack g=5 m=2 gstatus=3 stack=2",
    "2 2000 STWBegin kind_string=4 stack=0",
    "2 2000 ProcsChange procs_value=2 stack=0",
    "2 2000 GCActive gc_seq=2",
    "2 2100 GoSyscallEnd",
    "2 2200 STWEnd",
    "2 2250 GoUnblock g=2 g_seq=1 stack=0",
  ]);
  assert.equal(
    decodeText(second).batches.every(({ gen }) => gen === 2),
    true,
  );
  assert.ok(
    eventLines(file().subarray(0, first)).includes("2 2000 STWEnd"),
    "the world is started at the cut",
  );
});

test("an open GC cycle is told in every generation, even where nothing runs", () => {
  const { writer, file } = started();
  writer.gcBegin(1, 1500, 0);
  writer.goBlock(1, 1600, "sleep", 0);
  writer.procStop(1, 1700);
  writer.rotate(2000);
  writer.goUnblock(9, 2500, 1, 0);
  writer.rotate(3000);
  writer.procStart(1, 3100, 0);
  writer.goStart(1, 3200, 1);
  writer.gcEnd(1, 3300);
  writer.end();
  const own = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(
    eventLines(file()).filter((line) => Number(line.split(" ")[1]) >= 2000),
    [
      "- 2000 ProcStatus p=0 pstatus=2",
      "- 2000 GoStatusStack g=1 m=18446744073709551615 gstatus=4 stack=0",
      "9 2500 GoUnblock g=1 g_seq=1 stack=0",
      "1 3000 ProcStart p=0 p_seq=1",
      `1 3000 GoCreate new_g=${own} new_stack=1 stack=0`,
      `1 3000 GoStart g=${own} g_seq=1`,
      "1 3000 GCActive gc_seq=2",
      "1 3000 GoDestroy",
      "1 3000 ProcStop",
      "- 3000 ProcStatus p=0 pstatus=2",
      "- 3000 GoStatusStack g=1 m=18446744073709551615 gstatus=1 stack=0",
      "1 3100 ProcStart p=0 p_seq=1",
      "1 3200 GoStart g=1 g_seq=1",
      "1 3200 GCActive gc_seq=3",
      "1 3300 GCEnd gc_seq=4",
    ],
  );
  assert.throws(() => started().writer.goCreate(1, 2000, own, 0, 0), { code: "ERR_TRACE_SEQUENCE" });
});

test("a thread without a proc may unblock in any order of time; others are raised to their last time", () => {
  const { writer, file } = recording();
  writer.procStart(1, 100, 0);
  for (const g of [1, 2, 3]) {
    writer.goCreate(1, 100, g, 0, 0);
    writer.goStart(1, 110 * g, g);
    writer.goBlock(1, 110 * g + 10, "sleep", 0);
  }
  writer.goUnblock(9, 900, 1, 0);
  writer.goUnblock(9, 700, 2, 0);
  writer.goUnblock(9, 50, 3, 0);
  writer.goStart(1, 500, 2);
  writer.flush();
  writer.goBlock(1, 650, "sleep", 0);
  writer.goUnblock(9, 100, 2, 0);
  writer.end();
  assert.deepEqual(
    eventLines(file()).filter((line) => /^9|GoStart g=2|GoBlock/.test(line)),
    [
      "1 120 GoBlock reason_string=1 stack=0",
      "1 220 GoStart g=2 g_seq=1",
      "1 230 GoBlock reason_string=1 stack=0",
      "1 340 GoBlock reason_string=1 stack=0",
      "1 700 GoStart g=2 g_seq=3",
      "9 340 GoUnblock g=3 g_seq=2 stack=0",
      "9 700 GoUnblock g=2 g_seq=2 stack=0",
      "9 900 GoUnblock g=1 g_seq=2 stack=0",
      "1 700 GoBlock reason_string=1 stack=0",
      "9 900 GoUnblock g=2 g_seq=4 stack=0",
    ],
  );
});

test("what a goroutine has open ends with it, innermost first", () => {
  const { writer, file } = started();
  writer.regionBegin(1, 1010, 0, "outer", 0);
  writer.regionBegin(1, 1020, 4, "inner", 0);
  writer.markAssistBegin(1, 1030, 0);
  writer.stwBegin(1, 1040, "kind", 0);
  writer.syscallBegin(1, 1050, 0);
  writer.goDestroy(1, 1100);
  writer.end();
  assert.deepEqual(eventLines(file()).slice(-6), [
    "1 1100 GoSyscallEnd",
    "1 1100 UserRegionEnd task=4 name_string=2 stack=0",
    "1 1100 UserRegionEnd task=0 name_string=1 stack=0",
    "1 1100 GCMarkAssistEnd",
    "1 1100 STWEnd",
    "1 1100 GoDestroy",
  ]);
});

test("a goroutine that halts leaves its syscall and starts the world first", () => {
  for (const halt of ["goBlock", "goStop"] as const) {
    const { writer, file } = started();
    writer.stwBegin(1, 1040, "kind", 0);
    writer.syscallBegin(1, 1050, 0);
    writer[halt](1, 1100, "sleep", 0);
    writer.end();
    assert.deepEqual(
      eventLines(file())
        .slice(-3)
        .map((line) => line.split(" ")[2]),
      ["GoSyscallEnd", "STWEnd", halt === "goBlock" ? "GoBlock" : "GoStop"],
    );
  }
});

test("what has no sequence number across threads is later by time", () => {
  const { writer, file } = started();
  writer.procStart(2, 1000, 1);
  writer.goCreate(2, 1000, 2, 0, 0);
  writer.goStart(2, 1000, 2);
  writer.gcBegin(1, 1500, 0);
  writer.gcEnd(2, 1400);
  writer.taskBegin(1, 1600, 1, 0, "", 0);
  writer.taskEnd(2, 1600, 1, 0);
  writer.taskBegin(1, 1600, 1, 0, "", 0);
  writer.goDestroy(1, 1700);
  writer.goCreate(2, 1700, 1, 0, 0);
  writer.end();
  const times = eventLines(file()).filter((line) => /GC|Task|Destroy|new_g=1/.test(line));
  assert.deepEqual(
    times.map((line) => line.split(" ").slice(0, 3).join(" ")),
    [
      "1 1002 GoCreate",
      "1 1500 GCBegin",
      "1 1600 UserTaskBegin",
      "1 1602 UserTaskBegin",
      "1 1700 GoDestroy",
      "2 1501 GCEnd",
      "2 1601 UserTaskEnd",
      "2 1701 GoCreate",
    ],
  );
});

test("a mark assist that goes on ends after the moment at which the new generation says so", () => {
  const { writer, file } = started();
  writer.markAssistBegin(1, 1500, 0);
  writer.goStop(1, 1600, "preempted", 0);
  writer.rotate(2000);
  writer.goStart(1, 2000, 1);
  writer.markAssistEnd(1, 2000);
  writer.end();
  assert.deepEqual(
    eventLines(file()).filter((line) => / 200\d .*(GoStart|Assist)/.test(line)),
    ["- 2000 GCMarkAssistActive g=1", "1 2001 GoStart g=1 g_seq=1", "1 2001 GCMarkAssistEnd"],
  );
});

type Call = (writer: TraceWriter) => void;

/** Each call is illegal where thread 1 runs goroutine 1 on proc 0; some only after another call. */
const ILLEGAL: readonly (readonly [name: string, call: Call, before?: Call])[] = [
  ["a thread that has a proc", (w) => w.procStart(1, 2000, 1)],
  ["a proc that runs elsewhere", (w) => w.procStart(2, 2000, 0)],
  ["a proc that is no id", (w) => w.procStart(2, 2000, -1)],
  ["a thread that is no id", (w) => w.procStart(0, 2000, 1)],
  ["a proc stopped under its goroutine", (w) => w.procStop(1, 2000)],
  ["a stop without a proc", (w) => w.procStop(2, 2000)],
  ["a goroutine that is alive", (w) => w.goCreate(1, 2000, 1, 0, 0)],
  ["goroutine 0", (w) => w.goCreate(1, 2000, 0, 0, 0)],
  ["a start of what runs", (w) => w.goStart(1, 2000, 1)],
  ["an unblock of what runs", (w) => w.goUnblock(1, 2000, 1, 0)],
  ["an unblock of the unknown", (w) => w.goUnblock(1, 2000, 77, 0)],
  ["a block without a goroutine", (w) => w.goBlock(2, 2000, "sleep", 0)],
  ["an end without a goroutine", (w) => w.goDestroy(2, 2000)],
  ["an end of no syscall", (w) => w.syscallEnd(1, 2000)],
  ["an end of no GC", (w) => w.gcEnd(1, 2000)],
  ["an end of no assist", (w) => w.markAssistEnd(1, 2000)],
  ["an end of no stopped world", (w) => w.stwEnd(1, 2000)],
  ["an empty label", (w) => w.label(1, 2000, "")],
  ["task 0", (w) => w.taskBegin(1, 2000, 0, 0, "", 0)],
  ["a negative region task", (w) => w.regionBegin(1, 2000, -1, "", 0)],
  ["a log without a goroutine", (w) => w.log(2, 2000, 0, "", "", 0)],
  ["a heap metric without a proc", (w) => w.heapAlloc(2, 2000, 1)],
  ["a heap size that is no number", (w) => w.heapGoal(1, 2000, Number.NaN)],
  ["half an event loop", (w) => w.procsChange(1, 2000, 0.5, 0)],
  ["a sample of goroutine -1", (w) => w.cpuSample(2000, 1, 0, -1, 0)],
  ["a second GC", (w) => w.gcBegin(1, 2001, 0), (w) => w.gcBegin(1, 2000, 0)],
  ["a second assist", (w) => w.markAssistBegin(1, 2001, 0), (w) => w.markAssistBegin(1, 2000, 0)],
  ["a second stop of the world", (w) => w.stwBegin(1, 2001, "b", 0), (w) => w.stwBegin(1, 2000, "a", 0)],
  ["a syscall in a syscall", (w) => w.syscallBegin(1, 2001, 0), (w) => w.syscallBegin(1, 2000, 0)],
  ["an active task", (w) => w.taskBegin(1, 2001, 1, 0, "", 0), (w) => w.taskBegin(1, 2000, 1, 0, "", 0)],
  ["another region's name", (w) => w.regionEnd(1, 2001, 1, "b", 0), (w) => w.regionBegin(1, 2000, 1, "a", 0)],
  ["another region's task", (w) => w.regionEnd(1, 2001, 2, "a", 0), (w) => w.regionBegin(1, 2000, 1, "a", 0)],
];

test("an illegal call throws in strict mode; otherwise it is counted and changes nothing", () => {
  for (const [name, call, before] of ILLEGAL) {
    const strict = started();
    before?.(strict.writer);
    assert.throws(
      () => call(strict.writer),
      (error) => error instanceof TraceError && error.code === "ERR_TRACE_SEQUENCE",
      name,
    );
    const lax = started({ strict: false });
    before?.(lax.writer);
    call(lax.writer);
    assert.equal(lax.writer.stats.refused, 1, name);
    strict.writer.end();
    lax.writer.end();
    assert.deepEqual(eventLines(lax.file()), eventLines(strict.file()), name);
  }
});

test("an unknown stack costs only the stack", () => {
  const { writer, file } = started({ strict: false });
  writer.goBlock(1, 2000, "sleep", 99);
  writer.end();
  assert.equal(eventLines(file()).at(-1), "1 2000 GoBlock reason_string=1 stack=0");
  assert.equal(writer.stats.refused, 1);
});

test("the end of a task that is not active is passed over, even in strict mode", () => {
  const { writer, file } = started();
  writer.taskBegin(1, 2000, 1, 0, "task", 0);
  writer.taskEnd(1, 2001, 1, 0);
  writer.taskEnd(1, 2002, 1, 0);
  writer.taskEnd(1, 2003, 7, 0);
  writer.end();
  assert.equal(eventLines(file()).filter((line) => line.includes("UserTaskEnd")).length, 1);
  assert.equal(writer.stats.refused, 0);
});

test("a region that began before the trace may end", () => {
  const { writer, file } = started();
  writer.regionEnd(1, 2000, 0, "before", 0);
  writer.end();
  assert.equal(eventLines(file()).at(-1), "1 2000 UserRegionEnd task=0 name_string=1 stack=0");
});

test("times: no number, zero and the past are raised, fractions cut, days of uptime kept", () => {
  const { writer, file } = recording();
  writer.procStart(1, Number.NaN, 0);
  writer.heapAlloc(1, 1234.9, 1);
  writer.heapAlloc(1, 5, 2);
  writer.heapAlloc(1, Infinity, 3);
  writer.heapAlloc(1, 2 ** 55, 4);
  writer.end();
  assert.deepEqual(
    eventLines(file()).map((line) => line.split(" ")[1]),
    ["1", "1", "1234", "1234", "1234", String(2 ** 55)],
  );
});

test("events beyond the size of a batch go on in the next one", () => {
  const { writer, file } = started();
  for (let i = 0; i < 40_000; i++) writer.heapAlloc(1, 2000 + i * 1000, i * 1000);
  writer.end();
  const { batches } = decodeText(file());
  assert.ok(batches.length > 4);
  for (const { size } of batches) assert.ok(size <= 65_536);
  const lines = eventLines(file());
  assert.equal(lines.at(-1), `1 ${2000 + 39_999_000} HeapAlloc heapalloc_value=39999000`);
  assert.equal(lines.length, 40_004);
});

test("flush writes once, nothing where nothing is new, and everything ends with end", () => {
  const { writer, file, writes } = started();
  writer.flush();
  assert.equal(writes(), 1);
  writer.flush();
  assert.equal(writes(), 1);
  writer.rotate(2000);
  writer.rotate(3000);
  writer.flush();
  assert.equal(writes(), 1);
  writer.end();
  const size = file().length;
  writer.goBlock(1, 4000, "sleep", 0);
  writer.goBlock(1, 4000, "sleep", 0);
  writer.cpuSample(1, 1, 1, 1, 1);
  writer.rotate(5000);
  writer.flush();
  writer.end();
  assert.equal(file().length, size);
  assert.equal(writer.stats.bytes, size);
  assert.equal(writer.stats.generations, 1);
});

test("stack ids hold for the life of the writer, string ids for a generation", () => {
  const { writer, file } = started();
  const stack = writer.stack([{ func: "f", file: "/f.ts", line: 9 }]);
  writer.log(1, 2000, 0, "first", "f", stack);
  writer.rotate(3000);
  writer.log(1, 3000, 0, "second", "f", stack);
  writer.end();
  const tables = (gen: number): string[] =>
    decodeText(file())
      .batches.filter((batch) => batch.gen === gen)
      .flatMap(({ lines }) => lines.filter((line) => /^(String|Stack) |^\t/.test(line)));
  assert.deepEqual(tables(1).slice(-2), ["Stack id=1 nframes=1", "\tpc=1 func=2 file=3 line=9"]);
  assert.deepEqual(
    tables(2).filter((line) => line.startsWith("\tdata")),
    ['\tdata="second"', '\tdata="f"', '\tdata="/f.ts"'],
  );
});
