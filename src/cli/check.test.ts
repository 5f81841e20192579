import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { TraceWriter } from "../encode/writer.ts";
import { parseWireText } from "../raw/parse.ts";
import { fixture } from "../testing/fixtures.ts";
import { Ev } from "../wire/events.ts";
import { check } from "./check.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-check-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function run(...files: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const io = {
    stdout: { write: (text: string) => (out += text) !== "" },
    stderr: { write: (text: string) => (err += text) !== "" },
  };
  const code = await check(files, { verbose: false }, io);
  return { code, out, err };
}

const WHOLE = fixture("corpus/go126-annotate-a/trace.out");
const OLD = fixture("corpus/go112-annotate-a/trace.out");
const BROKEN = fixture("corpus/damaged/022-flip.bin");

function put(name: string, bytes: Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

test("check counts the events of whole traces, old, new and gzipped ones", async () => {
  const events = JSON.parse(readFileSync(fixture("corpus/go126-annotate-a/meta.json"), "utf8")) as {
    events: number;
  };
  const zipped = put("zipped", gzipSync(readFileSync(WHOLE)));
  const { code, out, err } = await run(WHOLE, zipped, OLD);
  assert.deepEqual([code, err], [0, ""]);
  const lines = out.split("\n");
  assert.equal(lines[0], `${WHOLE}: ok, ${events.events} events`);
  assert.equal(lines[1], `${zipped}: ok, ${events.events} events`);
  assert.match(lines[2]!, /: ok, \d{2,} events$/);
});

test("check gives Go's error and where it is, and goes on with the next file", async () => {
  const { code, out } = await run(BROKEN, WHOLE);
  assert.equal(code, 3);
  assert.match(
    out,
    /^\S+: error at offset \d+: broken trace: failed to advance: frontier:\n\S+: ok, \d+ events\n$/,
  );
});

test("check tells what Go passes over: a table that is cut between two fields", async () => {
  const whole = parseWireText(`Trace Go1.22
EventBatch gen=1 m=1 time=1 size=?
Frequency freq=1000000000
EventBatch gen=1 m=1 time=1 size=?
ProcStatus dt=1 p=0 pstatus=1
EventBatch gen=1 m=1 time=1 size=2
Strings
`);
  const { code, out } = await run(put("cut", Uint8Array.of(...whole, Ev.String)));
  assert.equal(code, 3);
  assert.match(out, /: damaged at offset \d+: table cut between two fields/);
});

test("check calls a trace damaged whose recorder has dropped facts", async () => {
  const chunks: Uint8Array[] = [];
  const writer = new TraceWriter({
    version: 25,
    strict: true,
    write: (bytes) => chunks.push(bytes.slice()),
    snapshot: () => ({ mono: 1, wallSec: 1, wallNsec: 0 }),
  });
  writer.procStart(1, 1, 0);
  const g = 7;
  writer.goCreate(1, 2, g, writer.stack([{ func: "main", file: "a.js", line: 1 }]), 0);
  writer.goStart(1, 3, g);
  writer.log(1, 4, 0, "runtrace", '{"drops":{"loop":0,"facts":17}}', 0);
  writer.end();
  const { code, out } = await run(put("drops", Buffer.concat(chunks)));
  assert.equal(code, 3);
  assert.match(out, /: damaged at offset \d+: 17 facts were dropped while recording\n$/);
});

test("check of a file that is not there is one line on stderr, and code 1", async () => {
  const { code, out, err } = await run(join(folder, "none"));
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^runtrace: \S+none: no such file\n$/);
});
