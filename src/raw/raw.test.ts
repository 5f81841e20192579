import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { TraceError } from "../base/error.ts";
import { EVENTS } from "../wire/events.ts";
import { fixture } from "../testing/fixtures.ts";
import { footprint, footprintText } from "./footprint.ts";
import { parseWireText } from "./parse.ts";
import type { WireSource } from "./wire-input.ts";
import { WireReader } from "./wire-records.ts";
import { wireText } from "./wire-text.ts";

const ROOT = fixture("corpus");
const CASES = readdirSync(ROOT).filter(
  (name) =>
    existsSync(join(ROOT, name, "wire.txt.gz")) &&
    existsSync(join(ROOT, name, "trace.out")) &&
    name.startsWith("go12"),
);

function source(...pieces: readonly Uint8Array[]): WireSource {
  let next = 0;
  return { read: () => pieces[next++] ?? null };
}

/** Escapes every byte that is not a plain letter: another spelling than Go's, with the same meaning. */
function quote(bytes: Uint8Array): string {
  return `"${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

function textOf(bytes: Uint8Array): { text: string; records: number; error: string | null } {
  let text = "";
  let error: string | null = null;
  try {
    for (const piece of wireText(source(bytes), quote)) text += piece;
  } catch (failure) {
    if (!(failure instanceof TraceError)) throw failure;
    error = failure.message;
  }
  return {
    text,
    records: text
      .split("\n")
      .slice(0, -1)
      .filter((line) => !line.startsWith("\t")).length,
    error,
  };
}

function withoutData(text: string): string {
  return text.replaceAll(/^\tdata=.*$/gmu, "\tdata");
}

for (const name of CASES) {
  test(`${name}: Go's wire text, ours, and the bytes between them agree`, () => {
    const trace = readFileSync(join(ROOT, name, "trace.out"));
    const goText = gunzipSync(readFileSync(join(ROOT, name, "wire.txt.gz"))).toString();
    const version = String.fromCharCode(...trace.subarray(5, 7));
    const ours = textOf(trace);
    // Only go 1.26 knows the events of experiments, although older versions write them.
    const isGated = version !== "26" && name.includes("allocfree");
    assert.match(ours.error ?? "", isGated ? /^invalid event type: 1[23]\d$/u : /^$/u);
    assert.ok(withoutData(ours.text) === withoutData(goText), "text differs");
    // Go's text and ours, read back, are the same trace: the data agree too.
    const bytes = parseWireText(`Trace Go1.${version}\n${goText}`);
    assert.deepEqual(parseWireText(`Trace Go1.${version}\n${ours.text}`), bytes);
    assert.equal(textOf(bytes).text, ours.text);
  });
}

const uint64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 200n));
const record = fc.constantFrom(...EVENTS).chain((spec) => {
  const names = spec.timed ? ["dt", ...spec.args] : spec.args;
  const args = fc.array(uint64, { minLength: names.length, maxLength: names.length });
  return fc
    .tuple(
      args,
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.tuple(uint64, uint64, uint64, uint64), { maxLength: 3 }),
    )
    .map(([values, data, frames]) => {
      const shown = values
        .map((value, i) => ` ${names[i]}=${names[i] === "nframes" ? frames.length : value}`)
        .join("");
      if (spec.name === "Stack") {
        const lines = frames.map(
          ([pc, func, file, line]) => `\tpc=${pc} func=${func} file=${file} line=${line}\n`,
        );
        return `${spec.name}${shown}\n${lines.join("")}`;
      }
      const hasData = (spec.name === "String" || spec.name === "ExperimentalBatch") && data.length > 0;
      return `${spec.name}${shown}\n${hasData ? `\tdata=${quote(data)}\n` : ""}`;
    });
});

test("any records survive text to bytes to text, in pieces of one byte too", () => {
  fc.assert(
    fc.property(fc.array(record), (records) => {
      const text = records.join("");
      const bytes = parseWireText(`Trace Go1.26\n${text}`);
      assert.equal(textOf(bytes).text, text);
      let again = "";
      for (const piece of wireText(source(...Array.from(bytes, (byte) => Uint8Array.of(byte))), quote))
        again += piece;
      assert.equal(again, text);
    }),
  );
});

test("text: comments, blank lines, all escapes, and a measured batch", () => {
  const text = `
    # a trace
    Trace Go1.22   # its version
    EventBatch gen=1 m=2 time=3 size=?   # measured
      Strings
      String id=1
        data="# \\a\\b\\f\\n\\r\\t\\v\\\\\\"\\x00\\377\\u00e9\\U0001f600é"
    EventBatch gen=1 m=2 time=3 size=9
  `;
  const data = [
    35, 32, 7, 8, 12, 10, 13, 9, 11, 92, 34, 0, 255, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xa9,
  ];
  const payload = [4, 5, 1, data.length, ...data];
  const want = [
    ...new TextEncoder().encode("go 1.22 trace\0\0\0"),
    1,
    1,
    2,
    3,
    payload.length,
    ...payload,
    1,
    1,
    2,
    3,
    9,
  ];
  assert.deepEqual([...parseWireText(text)], want);
});

for (const [text, message] of [
  ["", "line 1: got nothing, want Trace Go1.NN"],
  ["Trace 1.22", "line 1: got Trace 1.22, want Trace Go1.NN"],
  ["Trace Go1.22\nNonsense", "line 2: got Nonsense, want the name of an event"],
  ["Trace Go1.22\nProcStop", "line 2: got 0 arguments, want 1"],
  ["Trace Go1.22\nProcStop p=1", "line 2: got p=1, want dt=NUMBER"],
  ["Trace Go1.22\nProcStop dt=18446744073709551616", "line 2: got 18446744073709551616, want less than 2^64"],
  ["Trace Go1.22\nStack id=1 nframes=1", "line 2: got 0 frames, want 1"],
  ['Trace Go1.22\nString id=1\ndata="\\q"', 'line 3: got "\\q", want a Go-quoted string'],
] as const) {
  test(`text: ${message}`, () => {
    assert.throws(() => parseWireText(text), { name: "TraceError", code: "ERR_TRACE_TEXT", message });
  });
}

for (const [version, type, isKnown] of [
  [22, 44, true],
  [22, 45, false],
  [23, 49, true],
  [23, 128, false],
  [25, 51, true],
  [25, 52, false],
  [26, 52, true],
  [26, 100, true],
  [26, 136, true],
  [26, 137, false],
  [26, 0, false],
  [21, 65, false],
] as const) {
  test(`go 1.${version} ${isKnown ? "has" : "has no"} event ${type}`, () => {
    const zeros = [0, 0, 0, 0, 0, 0];
    const bytes = Uint8Array.from([
      ...new TextEncoder().encode(`go 1.${version} trace\0\0\0`),
      type,
      ...zeros,
    ]);
    const reader = new WireReader(source(bytes));
    assert.equal(reader.version, version);
    if (isKnown) assert.equal(reader.next()?.type, type);
    else
      assert.throws(() => reader.next(), {
        code: "ERR_TRACE_WIRE",
        message: `invalid event type: ${type}`,
        offset: 16,
      });
  });
}

test("footprint: counts every record in its shortest form, shares are of the file", () => {
  const bytes = parseWireText(
    "Trace Go1.22\nEventBatch gen=1 m=300 time=1 size=2\nProcStop dt=5\nProcStop dt=128\n",
  );
  const print = footprint(source(bytes));
  assert.equal(print.bytes, bytes.length);
  const used = print.rows.filter((row) => row.count > 0);
  assert.deepEqual(used, [
    { name: "EventBatch", bytes: 6, count: 1 },
    { name: "ProcStop", bytes: 5, count: 2 },
  ]);
  assert.equal(
    footprintText({ rows: used, bytes: bytes.length }),
    "Event       Bytes  %       Count  %\n" +
      "-           -      -       -      -\n" +
      "EventBatch  6      22.22%  1      33.33%\n" +
      "ProcStop    5      18.52%  2      66.67%\n",
  );
});
