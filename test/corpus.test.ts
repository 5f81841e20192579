/**
 * The corpus: traces of every Go that wrote one, and what Go's own tools say of them. RUNTRACE_CORPUS names another folder
 * of the same shape (`npm run test:corpus -- DIR`).
 *
 * v2 must be equal byte for byte. In what order Go tells the events of one time in a v1 trace is chance: there the records
 * must be the same with their stacks, times within 1 us, and the sequence of each goroutine and proc the same.
 *
 * summary.json: what Go computes, of which `summary --json --compat` must be a superset: integers the same (v1: within
 * 1 us), other numbers to 1e-9 of their size.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { dump } from "#dist/cli/dump.js";
import { summary } from "#dist/cli/summary.js";
import { fixture } from "#dist/testing/fixtures.js";

process.env.TZ = "UTC";

const ROOT = process.env.RUNTRACE_CORPUS ?? fixture("corpus");
const TIME_NS = 1_000;

interface Meta {
  readonly format: "v1" | "v2";
  readonly expect: "ok" | "error";
  readonly exit: number;
  readonly errorText: string;
  readonly wire?: { readonly exit: number; readonly errorText: string };
}

class Kept extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  /** One character a byte. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }
}

async function dumped(
  file: string,
  format: "parsed" | "wire",
): Promise<{ code: number; text: string; error: string }> {
  const stdout = new Kept();
  const stderr = new Kept();
  const code = await dump(file, { format }, { stdout, stderr });
  for (const stream of [stdout, stderr]) await new Promise<void>((resolve) => stream.end(resolve));
  return { code, text: stdout.text, error: stderr.text.split("\n", 1)[0]! };
}

interface Row {
  readonly head: string;
  readonly time: number;
  readonly stacks: string;
}

/** Records of the text, by all but their times. */
function rowsOf(text: string): Row[] {
  return text.split(/^(?=M=)/m).flatMap((record) => {
    const [, before, time, after, stacks] = /^(M=.*?) Time=(-?\d+)(.*)\n([^]*)$/.exec(record) ?? [];
    return before === undefined ? [] : [{ head: before + after!, time: Number(time), stacks: stacks! }];
  });
}

function assertSameButForOrder(got: string, want: string): void {
  const [ours, theirs] = [rowsOf(got), rowsOf(want)];
  assert.equal(ours.length, theirs.length);
  const order = (a: Row, b: Row): number => {
    if (a.head !== b.head) return a.head < b.head ? -1 : 1;
    return a.stacks === b.stacks ? a.time - b.time : a.stacks < b.stacks ? -1 : 1;
  };
  const [sorted, wanted] = [ours.toSorted(order), theirs.toSorted(order)];
  for (const [i, row] of sorted.entries()) {
    assert.equal(row.head, wanted[i]!.head);
    assert.equal(row.stacks, wanted[i]!.stacks);
    assert.ok(
      Math.abs(row.time - wanted[i]!.time) <= TIME_NS,
      `${row.head} at ${row.time}, want ${wanted[i]!.time}`,
    );
  }
  assert.deepEqual(sequences(ours), sequences(theirs));
}

/** What happens to each goroutine and proc, in order. */
function sequences(rows: readonly Row[]): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { head } of rows) {
    const id = / (?:GoID|ProcID)=-?\d+ /.exec(head)?.[0];
    if (id === undefined) continue;
    const sequence = all.get(id) ?? [];
    all.set(id, sequence);
    sequence.push(head);
  }
  return all;
}

const cases = readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, "meta.json")));

test("there is a corpus", () => assert.ok(cases.length > 0, ROOT));

for (const name of cases) {
  const of = (file: string): string => join(ROOT, name, file);
  const meta = JSON.parse(readFileSync(of("meta.json"), "utf8")) as Meta;
  const trace = existsSync(of("trace.out")) ? of("trace.out") : of("trace.out.gz");
  for (const format of ["parsed", "wire"] as const) {
    if (!existsSync(of(`${format}.txt.gz`))) continue;
    test(`${name}: ${format} is Go's`, async () => {
      const want = gunzipSync(readFileSync(of(`${format}.txt.gz`))).toString("latin1");
      const { code, text, error } = await dumped(trace, format);
      const { exit, errorText } = format === "parsed" ? meta : (meta.wire ?? meta);
      assert.equal(code, exit === 0 ? 0 : 3, error);
      if (exit !== 0) assert.ok(error.endsWith(firstLine(errorText)), `${error}, want ${errorText}`);
      if (text !== want && meta.format === "v1") assertSameButForOrder(text, want);
      else assert.ok(text === want, "the text differs");
    });
  }
}

/** Where `got` is not what Go has: a path of keys, or null. */
function difference(got: unknown, want: unknown, slack: number, path = ""): string | null {
  if (typeof want === "number" && typeof got === "number") {
    const tolerance = Number.isInteger(want) ? slack : 1e-9 * Math.abs(want);
    return Math.abs(got - want) <= tolerance ? null : `${path}: ${got}, want ${want}`;
  }
  if (typeof want !== "object" || want === null || typeof got !== "object" || got === null)
    return got === want ? null : `${path}: ${String(got)}, want ${String(want)}`;
  if (Array.isArray(want) && (!Array.isArray(got) || got.length !== want.length))
    return `${path}: another number of entries`;
  for (const [key, value] of Object.entries(want)) {
    const found = difference((got as Record<string, unknown>)[key], value, slack, `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

const summarized = cases.filter((name) => existsSync(join(ROOT, name, "summary.json")));

test("there are summaries", () => assert.ok(summarized.length > 0, ROOT));

for (const name of summarized) {
  const of = (file: string): string => join(ROOT, name, file);
  const meta = JSON.parse(readFileSync(of("meta.json"), "utf8")) as Meta;
  if (meta.expect !== "ok") continue;
  const trace = existsSync(of("trace.out")) ? of("trace.out") : of("trace.out.gz");
  test(`${name}: the summary is Go's`, async () => {
    const stdout = new Kept();
    const stderr = new Kept();
    assert.equal(await summary([trace], { json: true, compat: true, verbose: false }, { stdout, stderr }), 0);
    const want: unknown = JSON.parse(readFileSync(of("summary.json"), "utf8"));
    const got: unknown = JSON.parse(Buffer.from(stdout.text, "latin1").toString());
    assert.equal(difference(got, want, meta.format === "v1" ? TIME_NS : 0), null);
  });
}

interface Damaged {
  readonly file: string;
  readonly kind: string;
  readonly how: string;
  readonly ok: boolean;
  readonly errorFirstLine: string;
  readonly eventsBeforeError: number;
  readonly panic: boolean;
  readonly wireOk?: boolean;
  readonly wireError?: string;
  readonly wireEvents?: number;
}

const damagedFile = join(ROOT, "damaged", "index.json");
const damaged = existsSync(damagedFile) ? (JSON.parse(readFileSync(damagedFile, "utf8")) as Damaged[]) : [];

for (const it of damaged) {
  // Go does not know gzip, and where it panics there is no verdict to follow.
  if (it.kind === "gzip") continue;
  const file = join(ROOT, "damaged", it.file);
  test(`damaged ${it.file} (${it.how}): Go's verdict`, async () => {
    const { code, text, error } = await dumped(file, "parsed");
    assert.equal(code, it.ok ? 0 : 3, error);
    if (it.panic) return;
    assert.equal(rowsOf(text).length, it.eventsBeforeError);
    if (!it.ok)
      assert.ok(error.endsWith(firstLine(it.errorFirstLine)), `${error}, want ${it.errorFirstLine}`);
  });
  if (it.wireOk === undefined) continue;
  test(`damaged ${it.file} (${it.how}): Go's verdict on the wire`, async () => {
    const { code, text, error } = await dumped(file, "wire");
    assert.equal(code, it.wireOk ? 0 : 3, error);
    const records = text
      .split("\n")
      .slice(0, -1)
      .filter((line) => !line.startsWith("\t"));
    assert.equal(records.length, it.wireEvents);
    if (!it.wireOk) assert.ok(error.endsWith(firstLine(it.wireError!)), `${error}, want ${it.wireError}`);
  });
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
