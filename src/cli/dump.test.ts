import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { fixture } from "../testing/fixtures.ts";
import { goTool, goToolTrace } from "../testing/go.ts";
import { dump, type DumpFormat } from "./dump.ts";

const folder = mkdtempSync(join(tmpdir(), "dump-"));
after(() => rmSync(folder, { recursive: true }));

const TRACE = fixture("corpus/go126-annotate-a/trace.out");

/** A stream that keeps what it is given and takes its time over it. */
class Slow extends Writable {
  readonly chunks: Buffer[] = [];
  mostBuffered = 0;

  constructor() {
    super({ highWaterMark: 1024 });
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.mostBuffered = Math.max(this.mostBuffered, this.writableLength);
    this.chunks.push(chunk);
    setImmediate(done);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }
}

async function run(
  file: string,
  format: DumpFormat,
): Promise<{ code: number; stdout: Slow; errors: string }> {
  const stdout = new Slow();
  const stderr = new Slow();
  const code = await dump(file, { format }, { stdout, stderr });
  for (const stream of [stdout, stderr]) await new Promise((resolve) => stream.end(resolve as () => void));
  return { code, stdout, errors: stderr.text };
}

/** The wall clock is in local time. */
function withoutWall(text: string): string {
  return text.replaceAll(/ Wall=\S+/gu, "");
}

for (const format of ["parsed", "wire"] as const) {
  const want = (): string =>
    gunzipSync(readFileSync(fixture(`corpus/go126-annotate-a/${format}.txt.gz`))).toString("latin1");

  test(`dump: ${format} is Go's text, no faster than it is taken`, async () => {
    const { code, stdout, errors } = await run(TRACE, format);
    assert.equal(code, 0);
    assert.equal(errors, "");
    assert.ok(withoutWall(stdout.text) === withoutWall(want()));
    assert.ok(stdout.mostBuffered < 1 << 18);
  });

  test(`dump: ${format} reads gzip whatever the name`, async () => {
    const file = join(folder, `${format}.out`);
    writeFileSync(file, gzipSync(readFileSync(TRACE)));
    const { code, stdout } = await run(file, format);
    assert.equal(code, 0);
    assert.equal(stdout.text.length > 0, true);
    assert.equal(stdout.text, (await run(TRACE, format)).stdout.text);
  });
}

test("dump: footprint is Go's table, zeros in Go's order", async (t) => {
  if (goTool() === null) return t.skip("no go");
  for (const name of ["go126-annotate-a", "go122-cg-a", "go125-unicode-a"]) {
    const file = fixture(`corpus/${name}/trace.out`);
    const { code, stdout } = await run(file, "footprint");
    assert.equal(code, 0);
    assert.equal(stdout.text, goToolTrace(["-d=footprint", file]).stdout);
  }
});

test("dump: json is one object a line, as many as events", async () => {
  const { code, stdout } = await run(TRACE, "json");
  assert.equal(code, 0);
  const lines = stdout.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; time: number });
  const headers = (await run(TRACE, "parsed")).stdout.text
    .split("\n")
    .filter((line) => line.startsWith("M="));
  assert.deepEqual(
    lines.map((line) => `${line.kind} Time=${line.time}`),
    headers.map((line) => / (\w+ Time=\d+)/u.exec(line)![1]),
  );
});

test("dump: what came before an error is written, the error is one line, the code is 3", async () => {
  const file = fixture("corpus/damaged/022-flip.bin");
  for (const format of ["parsed", "json"] as const) {
    const { code, stdout, errors } = await run(file, format);
    assert.equal(code, 3);
    assert.match(errors, /^runtrace: [^\n]*offset \d+[^\n]*broken trace: failed to advance: frontier:\n$/u);
    assert.equal(stdout.text.split("\n").filter((line) => /^(?:M=|\{)/u.test(line)).length, 2170);
  }
});

test("dump: a file that is not there is code 1, one that is no trace code 3", async () => {
  const missing = await run(join(folder, "missing.out"), "parsed");
  assert.equal(missing.code, 1);
  assert.match(missing.errors, /^runtrace: [^\n]*no such file\n$/u);
  const file = join(folder, "text.out");
  writeFileSync(file, "hello");
  for (const format of ["parsed", "wire", "footprint", "json"] as const) {
    const { code, errors, stdout } = await run(file, format);
    assert.equal(code, 3);
    assert.equal(stdout.text, "");
    assert.match(errors, /^runtrace: [^\n]*bad file format: not a Go execution trace\?\n$/u);
  }
});

test("dump: a closed pipe ends it quietly", async () => {
  let writes = 0;
  const closed = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      writes++;
      done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    },
  });
  const stderr = new Slow();
  assert.equal(await dump(TRACE, { format: "parsed" }, { stdout: closed, stderr }), 0);
  assert.equal(stderr.text, "");
  assert.equal(writes, 1);
});
