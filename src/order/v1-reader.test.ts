import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { TraceError } from "../base/error.ts";
import { bytesSource } from "../decode/source.ts";
import { fixture } from "../testing/fixtures.ts";
import { V1, V1_SPECS } from "../wire/v1-events.ts";
import { ParsedText } from "./parsed-text.ts";
import { OrderedReader, readOrdered } from "./reader.ts";

const NUMBERS: Readonly<Record<string, number>> = V1;

function uvarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/**
 * A trace from lines `NAME NUMBERS…`, arguments as they are on the wire: time first, stack last. A UserLog and a String
 * end with a text. Of a record with more than three arguments the length goes before them.
 */
function trace(text: string, version = 21): Uint8Array {
  const bytes = [...new TextEncoder().encode(`go 1.${version} trace\0\0\0`)];
  for (const line of text.trim().split("\n")) {
    const [name = "", ...words] = line.trim().split(/\s+/);
    const type = NUMBERS[name]!;
    const message = name === "UserLog" || name === "String" ? words.pop()! : "";
    const args = words.map(Number).flatMap(uvarint);
    const isLong = (words.length > 3 || name === "Stack") && name !== "Batch";
    const shape = name === "String" ? 0 : isLong ? 3 : words.length - 1;
    bytes.push((shape << 6) | type, ...(isLong ? uvarint(args.length) : []), ...args);
    if (message !== "") bytes.push(...uvarint(message.length), ...new TextEncoder().encode(message));
  }
  return Uint8Array.from(bytes);
}

function read(bytes: Uint8Array): { text: string; error: TraceError | null } {
  const out = new ParsedText(() => 0);
  let error: TraceError | null = null;
  try {
    readOrdered(bytesSource(bytes), (event) => out.append(event));
  } catch (failure) {
    if (!(failure instanceof TraceError)) throw failure;
    error = failure;
  }
  return { text: new TextDecoder().decode(out.take()), error };
}

/** Lines of the records, without stacks. */
function heads(text: string): string[] {
  return text.split("\n").filter((line) => line.startsWith("M="));
}

const START = `Batch 0 1000
GoCreate 1 1 0 0
GoCreate 1 5 0 0
GoWaiting 1 5
GoCreate 1 6 0 0
ProcStart 1 77
GoStart 1 1 1
Gomaxprocs 1 2 0`;
const END = "Frequency 1000000000";

test("what was there when the trace began has a status", () => {
  const { text, error } = read(trace(`${START}\n${END}`));
  assert.equal(error, null);
  assert.deepEqual(heads(text), [
    "M=-1 P=-1 G=-1 Sync Time=-1 N=1",
    'M=-1 P=0 G=5 StateTransition Time=2 GoID=5 Undetermined->Waiting Reason=""',
    'M=77 P=0 G=-1 StateTransition Time=4 ProcID=0 Undetermined->Running Reason=""',
    'M=77 P=0 G=1 StateTransition Time=5 GoID=1 Undetermined->Running Reason=""',
    'M=-1 P=-1 G=-1 StateTransition Time=6 GoID=6 Undetermined->Runnable Reason=""',
    "M=-1 P=-1 G=-1 Sync Time=7 N=2",
  ]);
});

test("a system call that does not block lasts 1 ns, one that does until it returned, wherever that was written", () => {
  const { text, error } = read(
    trace(`${START}
GoSysCall 10 0
GoSysCall 10 0
GoSysBlock 5
ProcStop 1
Batch 1 1100
ProcStart 0 78
GoSysExit 0 1 2 1040
GoStart 0 1 3
${END}`),
  );
  assert.equal(error, null);
  assert.deepEqual(heads(text).slice(5), [
    'M=77 P=0 G=1 StateTransition Time=16 GoID=1 Running->Syscall Reason=""',
    'M=77 P=0 G=1 StateTransition Time=17 GoID=1 Syscall->Running Reason=""',
    'M=77 P=0 G=1 StateTransition Time=26 GoID=1 Running->Syscall Reason=""',
    'M=77 P=0 G=-1 StateTransition Time=32 ProcID=0 Running->Idle Reason=""',
    'M=-1 P=1000003 G=1 StateTransition Time=39 GoID=1 Syscall->Runnable Reason=""',
    'M=78 P=1 G=-1 StateTransition Time=99 ProcID=1 Undetermined->Running Reason=""',
    'M=78 P=1 G=1 StateTransition Time=100 GoID=1 Runnable->Running Reason=""',
    "M=-1 P=-1 G=-1 Sync Time=101 N=2",
  ]);
});

test("tasks, regions, logs, stops and stacks are told as those of v2", () => {
  const { text, error } = read(
    trace(`${START}
String 1 job
String 2 main.go
Stack 9 1 4096 1 2 12
UserTaskCreate 1 3 0 1 9
UserRegion 1 3 0 1 9
UserLog 1 3 1 9 hello
UserRegion 1 3 1 1 0
UserTaskEnd 1 3 0
STWStart 1 9
STWDone 1
${END}`),
  );
  assert.equal(error, null);
  const stack = "Stack=\n\tjob @ 0x1000\n\t\tmain.go:12\n\n";
  assert.ok(
    text.endsWith(`M=77 P=0 G=1 TaskBegin Time=7 ID=3 Parent=18446744073709551615 Type="job"
${stack}M=77 P=0 G=1 RegionBegin Time=8 Task=3 Type="job"
${stack}M=77 P=0 G=1 Log Time=9 Task=3 Category="job" Message="hello"
${stack}M=77 P=0 G=1 RegionEnd Time=10 Task=3 Type="job"
M=77 P=0 G=1 TaskEnd Time=11 ID=3 Parent=0 Type="job"
M=77 P=0 G=1 RangeBegin Time=12 Name="stop-the-world (GOMAXPROCS)" Scope=Goroutine(1)
M=77 P=0 G=1 RangeEnd Time=13 Name="stop-the-world (GOMAXPROCS)" Scope=Goroutine(1) Attributes=[]
M=-1 P=-1 G=-1 Sync Time=14 N=2
`),
    text,
  );
});

const ERRORS: readonly (readonly [what: string, text: string, message: string])[] = [
  ["no frequency", "Batch 0 1\nProcStart 1 1", "no EvFrequency event"],
  [
    "a proc that starts twice",
    `Batch 0 1\nProcStart 1 1\nProcStart 1 1\n${END}`,
    "p 0 is running before start (time 1)",
  ],
  [
    "a proc that does not run and stops",
    `Batch 0 1\nProcStop 1\n${END}`,
    "p 0 is not running before stop (time 0)",
  ],
  ["an end of no collection", `Batch 0 1\nGCDone 1\n${END}`, "bogus GC end (time 0)"],
  ["an end of no stop", `Batch 0 1\nSTWDone 1\n${END}`, "bogus STW end (time 0)"],
  [
    "a goroutine that nobody made",
    `Batch 0 1\nGoStart 1 4 1\n${END}`,
    "no consistent ordering of events possible",
  ],
  ["a futile wakeup", `${START}\nFutileWakeup 1\n${END}`, "unexpected event type 36"],
  [
    "regions that do not nest",
    `${START}\nUserRegion 1 0 0 1 0\nUserRegion 1 0 1 2 0\n${END}`,
    'misuse of region in goroutine 1: span end "8 UserRegion p=0 g=1 stk=0 taskid=0 mode=1 typeid=2" when the inner-most active span start event is "7 UserRegion p=0 g=1 stk=0 taskid=0 mode=0 typeid=1"',
  ],
  [
    "a task that begins twice",
    `${START}\nUserTaskCreate 1 3 0 1 0\nUserTaskCreate 1 3 0 1 0\n${END}`,
    'task id conflicts (id:3), "8 UserTaskCreate p=0 g=1 stk=0 taskid=3 pid=0 typeid=1" vs "7 UserTaskCreate p=0 g=1 stk=0 taskid=3 pid=0 typeid=1"',
  ],
  [
    "too few arguments",
    `Batch 0 1\nHeapAlloc 1\n${END}`,
    "HeapAlloc has wrong number of arguments: want 2, got 1",
  ],
  [
    "a string that is there already",
    `Batch 0 1\nString 1 a\nString 1 b\n${END}`,
    "string has duplicate id 1",
  ],
  [
    "an event before the first batch",
    "ProcStart 1 1",
    "read event 5 with current P of 0, but P has no batches yet",
  ],
];

for (const [what, text, message] of ERRORS) {
  test(`refuses ${what}`, () => {
    const bytes = trace(text);
    const { error } = read(bytes);
    assert.equal(error?.message, message);
    if (error.offset !== undefined) assert.ok(error.offset >= 16 && error.offset < bytes.length);
  });
}

test("every event has a spec", () => {
  assert.equal(V1_SPECS.length, 50);
  for (const [name, type] of Object.entries(NUMBERS)) assert.ok(V1_SPECS[type]!.name.endsWith(name), name);
});

test("a broken trace is an error or a trace, whatever is broken in it, and steps tell the same", () => {
  const bases = ["go111-stacks-a", "go112-annotate-a", "go120-cpuprof-a", "go121-exits-a"].map((name) =>
    readFileSync(join(fixture("corpus"), name, "trace.out")),
  );
  const change = fc.record({
    base: fc.nat(bases.length - 1),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    how: fc.constantFrom("cut", "flip", "drop", "grow"),
    value: fc.nat(255),
  });
  fc.assert(
    fc.property(change, fc.integer({ min: 1, max: 300 }), ({ base, at, how, value }, step) => {
      const whole = bases[base]!;
      const place = 16 + Math.floor(at * (whole.length - 16));
      const [head, tail] = [whole.subarray(0, place), whole.subarray(place)];
      const bytes = {
        cut: () => head,
        flip: () => Buffer.concat([head, Buffer.of(value), tail.subarray(1)]),
        drop: () => Buffer.concat([head, tail.subarray(1 + (value % 30))]),
        grow: () => Buffer.concat([head, Buffer.alloc(1 + (value % 11), 255), tail]),
      }[how]();
      const { text, error } = read(bytes);
      if (error?.offset !== undefined) assert.ok(error.offset <= bytes.length);
      const out = new ParsedText(() => 0);
      try {
        const reader = new OrderedReader(bytesSource(bytes), (event) => out.append(event));
        while (reader.step(step));
        assert.equal(error, null);
      } catch (failure) {
        assert.equal((failure as Error).message, error?.message);
      }
      assert.equal(new TextDecoder().decode(out.take()), text);
    }),
    { numRuns: 400 },
  );
});
