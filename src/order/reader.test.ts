import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { TraceError } from "../base/error.ts";
import { bytesSource } from "../decode/source.ts";
import { parseWireText } from "../raw/parse.ts";
import { fixture } from "../testing/fixtures.ts";
import { goTool, parsed as parsedByGo } from "../testing/go.ts";
import { jsonLine } from "./json-text.ts";
import { ParsedText } from "./parsed-text.ts";
import { OrderedReader, readOrdered, type Summary } from "./reader.ts";

const ROOT = fixture("corpus");
const SCENARIO_FOLDER = fixture("reader/scenarios");
const SCENARIOS = readdirSync(SCENARIO_FOLDER);

interface Answer {
  readonly text: string;
  readonly events: number;
  readonly error: TraceError | null;
  readonly summary: Summary | null;
}

/** Reads a trace to its end or error; anything but a TraceError is thrown on. Bytes of texts are kept as latin1. */
function read(...pieces: readonly Uint8Array[]): Answer {
  const text = new ParsedText(() => 0);
  let events = 0;
  let last = 0;
  try {
    const summary = readOrdered(bytesSource(...pieces), (event) => {
      assert.ok(event.time > last || event.time > Number.MAX_SAFE_INTEGER);
      last = event.time;
      events++;
      text.append(event);
    });
    return { text: latin1(text.take()), events, error: null, summary };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    return { text: latin1(text.take()), events, error, summary: null };
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}

function scenario(name: string): { trace: Uint8Array; error: string; events: string } {
  const text = readFileSync(join(SCENARIO_FOLDER, name), "latin1");
  const [, trace, error, events] = text.split(/^-- (?:trace|error|events) --\n/mu);
  return { trace: parseWireText(trace!), error: error!.trim(), events: events! };
}

test("fixtures are there", () => assert.ok(SCENARIOS.length > 40));

for (const name of SCENARIOS) {
  test(`scenario ${name}`, () => {
    const { trace, error, events } = scenario(name);
    const answer = read(trace);
    assert.equal(firstLine(Buffer.from(answer.error?.message ?? "").toString()), error);
    assert.equal(answer.text, events);
    if (answer.error !== null) assert.ok(answer.error.offset! >= 0 && answer.error.offset! <= trace.length);
  });
}

test("scenarios say what Go says", (t) => {
  if (goTool() === null) return t.skip("no go");
  const folder = mkdtempSync(join(tmpdir(), "reader-"));
  try {
    for (const name of SCENARIOS) {
      const { trace, error } = scenario(name);
      const file = join(folder, "trace.out");
      writeFileSync(file, trace);
      const verdict = parsedByGo(file);
      assert.equal(firstLine(verdict.stderr), error, name);
      assert.equal(verdict.stdout, Buffer.from(read(trace).text, "latin1").toString(), name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const EVENTS_OF_ONE = "ProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=1 gstatus=2\n";
const ONE = `Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=?\nFrequency freq=1000000000\nEventBatch gen=1 m=1 time=1 size=?\n${EVENTS_OF_ONE}`;

const CUT_TABLE = parseWireText(`${ONE}EventBatch gen=1 m=1 time=1 size=2\nStrings\n`);

for (const [what, trace, damage] of [
  ["a string without an id", Uint8Array.of(...CUT_TABLE, 5), /^table cut/u],
  [
    "half the head of an experimental batch",
    Uint8Array.of(...parseWireText(ONE), 0x31),
    /experimental batch/u,
  ],
  [
    "a generation of tables without its mark",
    scenario("generation-of-tables-without-mark.txt").trace,
    /^incomplete generation/u,
  ],
] as const) {
  test(`damage that Go hides: ${what}`, () => {
    const { summary, error } = read(trace);
    assert.equal(error, null);
    assert.match(summary!.damage!.message, damage);
    assert.equal(summary!.damage!.offset, trace.length);
  });
}

test("pieces of any size give the same answer", () => {
  const traces = ["go126-flightboth-a", "go122-x-unended-manygens2-a"].map((name) => {
    const bytes = readFileSync(join(ROOT, name, "trace.out"));
    return { bytes, whole: read(bytes) };
  });
  const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...traces), sizes, fc.nat(), ({ bytes, whole }, cycle, cut) => {
      const isCut = cut % 2 === 0;
      const given = isCut ? bytes.subarray(0, cut % bytes.length) : bytes;
      const pieces: Uint8Array[] = [];
      for (let at = 0, i = 0; at < given.length; i++) {
        const size = cycle[i % cycle.length]! + (i % cycle.length === 0 ? 1 : 0);
        pieces.push(given.subarray(at, at + size));
        at += size;
      }
      const answer = read(...pieces);
      const want = isCut ? read(given) : whole;
      assert.equal(answer.text, want.text);
      assert.equal(answer.error?.message, want.error?.message);
      assert.equal(answer.error?.offset, want.error?.offset);
      assert.deepEqual(answer.summary, want.summary);
    }),
    { numRuns: 40 },
  );
});

test("steps of any size deliver the same events", () => {
  const bytes = readFileSync(join(ROOT, "go122-cg-a/trace.out"));
  for (const limit of [1, 7, 1000]) {
    const text = new ParsedText(() => 0);
    const reader = new OrderedReader(bytesSource(bytes), (event) => text.append(event));
    let steps = 1;
    while (reader.step(limit)) steps++;
    assert.equal(latin1(text.take()), read(bytes).text);
    assert.ok(steps >= reader.summary().events / (limit + 2));
  }
});

test("random bytes after a header are an error or a trace, never anything else", () => {
  const headers = [22, 23, 25, 26].map((version) => [
    ...new TextEncoder().encode(`go 1.${version} trace\0\0\0`),
  ]);
  const byte = fc.oneof(fc.nat(60), fc.nat(255), fc.constantFrom(1, 2, 4, 6, 8, 49, 50));
  fc.assert(
    fc.property(fc.constantFrom(...headers), fc.array(byte, { maxLength: 200 }), (header, rest) => {
      const { error } = read(Uint8Array.from([...header, ...rest]));
      if (error !== null) assert.ok(error.offset! <= header.length + rest.length);
    }),
    { numRuns: 2000 },
  );
});

test("mutated traces are an error or a trace, never anything else", () => {
  const small = SCENARIOS.map((name) => scenario(name).trace);
  const bases = [...small, readFileSync(join(ROOT, "go126-flightboth-a/trace.out"))];
  const change = fc.record({ at: fc.nat(), kind: fc.nat(3), byte: fc.oneof(fc.nat(255), fc.nat(60)) });
  fc.assert(
    fc.property(
      fc.constantFrom(...bases),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (base, changes) => {
        const bytes = [...base];
        for (const { at, kind, byte } of changes) {
          const place = 16 + (at % (bytes.length - 15));
          if (kind === 0) bytes[place] = byte;
          else if (kind === 1) bytes.splice(place, 1);
          else if (kind === 2) bytes.splice(place, 0, byte);
          else bytes.length = Math.max(17, place);
        }
        const { error } = read(Uint8Array.from(bytes));
        if (error !== null) assert.ok(error.offset! <= bytes.length && error.message !== "");
      },
    ),
    { numRuns: 1500 },
  );
});

test("a huge id costs nothing", () => {
  const ids = [1_000_000_000, "9007199254740991", "18446744073709551614"];
  const creates = ids.map((id) => `GoCreate dt=1 new_g=${id} new_stack=0 stack=0\n`).join("");
  const { error, text } = read(parseWireText(`${ONE}${creates}`));
  assert.equal(error, null);
  for (const id of ["1000000000", "9007199254740991", "-2"])
    assert.match(text, new RegExp(`GoID=${id} NotExist`, "u"));
});

test("an error thrown by the visitor goes through", () => {
  const mine = new Error("enough");
  assert.throws(
    () =>
      readOrdered(bytesSource(parseWireText(ONE)), () => {
        throw mine;
      }),
    mine,
  );
});

test("json lines carry the facts of the parsed text, exact", () => {
  const lines: Record<string, unknown>[] = [];
  const { trace } = scenario("wide-ids.txt");
  readOrdered(bytesSource(trace), (event) =>
    lines.push(JSON.parse(jsonLine(event)) as Record<string, unknown>),
  );
  assert.deepEqual(
    lines.slice(1, 4).map((line) => [line["kind"], line["thread"], line["id"], line["from"], line["to"]]),
    [
      ["StateTransition", "9007199254740993", "-9223372036854775807", "Undetermined", "Running"],
      ["StateTransition", "9007199254740993", -2, "Undetermined", "Running"],
      ["StateTransition", "9007199254740993", "9007199254740992", "NotExist", "Runnable"],
    ],
  );
  assert.deepEqual(
    lines
      .filter((line) => line["kind"] === "Metric" || line["kind"] === "TaskBegin")
      .map((line) => [line["value"], line["task"], line["parent"]]),
    [
      ["18446744073709551615", undefined, undefined],
      [undefined, "18446744073709551614", undefined],
    ],
  );
});
