import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { fixture } from "../testing/fixtures.ts";

const BIN = fileURLToPath(new URL("./bin.js", import.meta.url));
const FOLDER = mkdtempSync(path.join(tmpdir(), "runtrace-cli-"));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

const WHOLE = fixture("model/go126-multigen.out");
const bytes = readFileSync(WHOLE);

function temporary(name: string, content: Uint8Array | string): string {
  const file = path.join(FOLDER, name);
  writeFileSync(file, content);
  return file;
}

const BROKEN = temporary("broken.out", bytes.subarray(0, 40_000));
const GZIP = temporary("whole.bin", gzipSync(bytes));
const CUT_GZIP = temporary("cut.gz", gzipSync(bytes).subarray(0, 20_000));
const TEXT = temporary("text.txt", "this is no trace at all\n");
const MISSING = path.join(FOLDER, "missing.out");

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function runtrace(args: readonly string[], input?: Uint8Array): Ran {
  const ran = spawnSync(process.execPath, [BIN, ...args], { input, encoding: "utf8" });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

const WRONG_USAGE: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [["sumary", "x"], /unknown command 'sumary' \(Did you mean summary\?\)/],
  [["summary"], /missing required argument 'file'/],
  [["summary", "--frob", WHOLE], /unknown option '--frob'/],
  [["dump", "--format", "xml", WHOLE], /Allowed choices are parsed, wire, footprint, json/],
  [["dump", WHOLE, WHOLE], /too many arguments/],
  [["-d=xml", WHOLE], /Allowed choices are parsed, wire, footprint, json/],
  [["-d=parsed"], /missing required argument 'file'/],
  [["run"], /missing required argument 'program'/],
  [["run", "--cpu", "fast", "app.js"], /want a number of Hz up to 10000, or off/],
  [["run", "--cpu", "0", "app.js"], /want a number of Hz/],
  [["run", "--buffer", "lots", "app.js"], /want a number of bytes/],
  [["run", "--buffer", "1KiB", "app.js"], /want 64KiB to 1GiB/],
  [["run", "--trace-version", "1.22", "app.js"], /Allowed choices are 1\.25, 1\.23/],
  [[MISSING], /unknown command/],
];

for (const [args, message] of WRONG_USAGE) {
  test(`wrong usage: ${args.map((arg) => path.basename(arg)).join(" ")}`, () => {
    const { code, out, err } = runtrace(args);
    assert.match(err, /^runtrace: [^\n]+\n$/);
    assert.match(err, message);
    assert.equal(out, "");
    assert.equal(code, 2);
  });
}

test("no arguments: help on stderr, wrong usage", () => {
  const { code, out, err } = runtrace([]);
  assert.match(err, /^Usage: runtrace /);
  assert.equal(out, "");
  assert.equal(code, 2);
});

test("--version prints the package's version", () => {
  const { version } = JSON.parse(readFileSync(fixture("../../package.json"), "utf8")) as { version: string };
  assert.deepEqual(runtrace(["--version"]), { code: 0, out: `${version}\n`, err: "" });
});

test("--help lists the commands and the exit codes, and every command has help with examples", () => {
  const { code, out, err } = runtrace(["--help"]);
  assert.equal(err, "");
  assert.equal(code, 0);
  const commands = [...out.matchAll(/^ {2}(\w+)(?:\|\w+)? .*(?:<|\[options\])/gm)].map((match) => match[1]!);
  assert.deepEqual(commands, [
    "run",
    "test",
    "attach",
    "view",
    "summary",
    "check",
    "dump",
    "mmu",
    "pprof",
    "goroutines",
    "tasks",
    "regions",
    "logs",
    "completion",
  ]);
  assert.match(out, /Exit codes: 0 done, 1 failed, 2 wrong usage, 3 broken/);
  for (const command of commands) {
    const help = runtrace([command, "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.out, new RegExp(`^Usage: runtrace ${command}(\\|\\w+)? `));
    assert.match(help.out, /\nExamples:\n {2}runtrace /);
  }
});

test("summary of a file, of gzip under any name, and of stdin", () => {
  const plain = runtrace(["summary", "--json", WHOLE]);
  assert.equal(plain.code, 0);
  assert.equal((JSON.parse(plain.out) as { events: number }).events, 11_660);
  assert.deepEqual(runtrace(["summary", "--json", GZIP]), plain);
  assert.deepEqual(runtrace(["summary", "--json", "-"], bytes), plain);
  assert.deepEqual(runtrace(["summary", "--json", "-"], gzipSync(bytes)), plain);
});

test("several files: reports one after the other, JSON as one array, the worst exit code", () => {
  const text = runtrace(["summary", WHOLE, GZIP]);
  assert.equal(text.code, 0);
  assert.equal(text.out.match(/ events, go 1\.26 trace$/gm)?.length, 2);
  const json = runtrace(["summary", "--json", WHOLE, MISSING, BROKEN]);
  const oks = (JSON.parse(json.out) as { ok: boolean }[]).map((file) => file.ok);
  assert.deepEqual(oks, [true, false]);
  assert.equal(json.err.trim().split("\n").length, 2);
  assert.equal(json.code, 3);
  assert.equal(runtrace(["summary", "--json", MISSING, MISSING]).out.replaceAll(/\s/g, ""), "[]");
});

test("a file that cannot be opened: one line, exit 1", () => {
  assert.deepEqual(runtrace(["summary", MISSING]), {
    code: 1,
    out: "",
    err: `runtrace: ${MISSING}: no such file\n`,
  });
  const folder = runtrace(["summary", FOLDER]);
  assert.deepEqual(
    [folder.code, folder.err],
    [1, `runtrace: ${FOLDER}: is a directory, want a trace file\n`],
  );
});

test("a file that is no trace: one line with the offset, exit 3", () => {
  const { code, out, err } = runtrace(["summary", TEXT]);
  assert.equal(err, `runtrace: ${TEXT}: error at offset 0: bad file format: not a Go execution trace?\n`);
  assert.equal(out, "");
  assert.equal(code, 3);
});

for (const [what, file] of [
  ["trace", BROKEN],
  ["gzip", CUT_GZIP],
] as const) {
  test(`a broken ${what}: what came before is summarized, exit 3`, () => {
    const text = runtrace(["summary", file]);
    assert.match(text.out, /\nGoroutines /);
    assert.match(text.err, /^runtrace: [^\n]+\n$/);
    assert.equal(text.code, 3);
    const json = runtrace(["summary", "--json", file]);
    const told = JSON.parse(json.out) as { ok: boolean; error: string; events: number };
    assert.equal(told.ok, false);
    assert.ok(told.error.length > 0 && told.events > 100);
    assert.equal(json.code, 3);
  });
}

test("--verbose shows the stack of an error, before and after the command's name", () => {
  for (const args of [
    ["--verbose", "summary", MISSING],
    ["summary", "--verbose", MISSING],
  ]) {
    const { code, err } = runtrace(args);
    assert.match(err, /\n {4}at /);
    assert.equal(code, 1);
  }
});

test("run: options after PROGRAM belong to the program, and so does the exit code", () => {
  const program = temporary(
    "program.mjs",
    "console.log(process.argv.slice(2).join()); process.exitCode = 7;",
  );
  const trace = path.join(FOLDER, "run.out");
  const args = ["--cpu", "5", "-o", "other.out", "--verbose", "--", "--help"];
  const ran = runtrace(["run", "--cpu", "off", "--buffer", "1MiB", "-o", trace, program, ...args]);
  assert.deepEqual([ran.out, ran.code], [`${args.join()}\n`, 7]);
  const dashed = runtrace(["run", "-o", trace, "--", process.execPath, program, "--version"]);
  assert.deepEqual([dashed.out, dashed.code], ["--version\n", 7]);
  assert.equal(runtrace(["summary", trace]).code, 0);
});

test("a reader that leaves early is no failure", () => {
  const script = `"$0" "$1" summary --json "$2" | head -c 10 >&2; echo "\${PIPESTATUS[0]}"`;
  const big = Array.from({ length: 40 }, () => WHOLE);
  const ran = spawnSync("bash", ["-c", script.replace('"$2"', '"${@:2}"'), process.execPath, BIN, ...big], {
    encoding: "utf8",
  });
  assert.equal(ran.stdout, "0\n");
  assert.equal(ran.stderr, '[\n{"ok":tr');
});
