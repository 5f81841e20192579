import assert from "node:assert/strict";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { TraceError } from "../base/error.ts";
import { bytesSource } from "../decode/source.ts";
import { jsonLine } from "../order/json-text.ts";
import type { TraceEvent } from "../order/plain-event.ts";
import { readOrdered } from "../order/reader.ts";
import { fixture } from "../testing/fixtures.ts";
import type { TraceSource } from "./open.ts";
import { readTrace } from "./read-trace.ts";
import type { ReadOptions } from "./read-trace.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-reader-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const FILE = fixture("corpus/go126-annotate-a/trace.out");
const BYTES = readFileSync(FILE);
const ZIPPED = join(folder, "zipped");
writeFileSync(ZIPPED, gzipSync(BYTES));

async function all(
  source: TraceSource,
  options?: ReadOptions,
): Promise<{ events: TraceEvent[]; error: unknown }> {
  const events: TraceEvent[] = [];
  try {
    for await (const event of readTrace(source, options)) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

function lines(bytes: Uint8Array): string[] {
  const found: string[] = [];
  readOrdered(bytesSource(bytes), (event) => found.push(jsonLine(event)));
  return found;
}

const SOURCES: readonly (readonly [string, () => TraceSource])[] = [
  ["a path", () => FILE],
  ["a file URL", () => pathToFileURL(FILE)],
  ["bytes", () => new Uint8Array(BYTES)],
  ["an ArrayBuffer", () => new Uint8Array(BYTES).buffer],
  ["a Node stream", () => createReadStream(FILE, { highWaterMark: 1_000 })],
  ["a web stream", () => Readable.toWeb(createReadStream(FILE)) as ReadableStream<Uint8Array>],
  ["a gzipped file", () => ZIPPED],
  ["gzipped bytes", () => readFileSync(ZIPPED)],
  [
    "a gzipped stream of single bytes",
    () => Readable.from(Array.from(readFileSync(ZIPPED), (b) => Uint8Array.of(b))),
  ],
];

for (const [name, source] of SOURCES) {
  test(`reads ${name}`, async () => {
    const { events, error } = await all(source());
    assert.equal(error, undefined);
    assert.deepEqual(
      events.map((event) => JSON.stringify(event)),
      lines(BYTES),
    );
  });
}

test("a trace of any Go has the same events", async () => {
  const { events, error } = await all(fixture("corpus/go111-stacks-a/trace.out"));
  assert.equal(error, undefined);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "Sync").map(({ time }) => time),
    [-1, events.at(-1)!.time],
  );
  assert.ok(
    events.some(
      (event) => event.kind === "StateTransition" && event.resource === "goroutine" && event.to === "Running",
    ),
  );
});

test("events are objects of their own, told apart by their kind", async () => {
  const { events } = await all(FILE);
  const logs = events.flatMap((event) => (event.kind === "Log" ? [event] : []));
  assert.ok(logs.length > 1 && logs[0] !== logs[1]);
  assert.deepEqual(Object.keys(logs[0]!), [
    "kind",
    "time",
    "thread",
    "proc",
    "goroutine",
    "task",
    "category",
    "message",
    "stack",
  ]);
  const { events: only } = await all(FILE, { kinds: ["Log"] });
  assert.deepEqual(only, logs);
});

test("what came before an error comes, then the error with its offset", async () => {
  const { events, error } = await all(fixture("corpus/damaged/022-flip.bin"));
  assert.equal(events.length, 2170);
  assert.ok(error instanceof TraceError && error.offset! > 0);
  assert.match(error.message, /^broken trace: failed to advance/);
});

test("a broken gzip stream gives what came out of it, then its error", async () => {
  const whole = readFileSync(ZIPPED);
  const { error } = await all(whole.subarray(0, whole.length - 10));
  assert.ok(error instanceof TraceError, String(error));
  assert.match(error.message, /gzip|EOF|batch|truncated/);
});

test("what cannot be read rejects, and a loop that ends early lets go of the file", async () => {
  const { error } = await all(join(folder, "none"));
  assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
  assert.match(
    String((await all(7 as unknown as string)).error),
    /got number, want a path, bytes or a stream/,
  );
  assert.match(String((await all(Readable.from(["text"]))).error), /got a stream of string/);
  for await (const event of readTrace(FILE)) {
    assert.equal(event.kind, "Sync");
    break;
  }
});
