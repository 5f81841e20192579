import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { parseWireText } from "../raw/parse.ts";
import { fixture } from "../testing/fixtures.ts";
import { goTool, goToolTrace } from "../testing/go.ts";
import { parseDuration } from "./duration.ts";
import { main } from "./main.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-pprof-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: Uint8Array;
  readonly err: string;
}

async function run(...args: readonly string[]): Promise<Ran> {
  const pieces: Uint8Array[] = [];
  let err = "";
  const code = await main(args, {
    stdout: { write: (piece) => pieces.push(Buffer.from(piece)) },
    stderr: { write: (text) => (err += String(text)) },
  });
  return { code, out: Buffer.concat(pieces), err };
}

function put(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, parseWireText(text));
  return file;
}

/** "count delay leaf;…;root", sorted. */
function samples(bytes: Uint8Array): string[] {
  const { sample, location, function: functions, stringTable } = Profile.decode(gunzipSync(bytes));
  const names = new Map(functions.map(({ id, name }) => [Number(id), stringTable.strings[Number(name)]!]));
  const places = new Map(
    location.map(({ id, line }) => [Number(id), names.get(Number(line[0]!.functionId))!]),
  );
  return sample
    .map(({ value, locationId }) =>
      [...value, locationId.map((id) => places.get(Number(id))).join(";")].join(" "),
    )
    .toSorted();
}

const NET = fixture("corpus/go126-net-a/trace.out");
const BROKEN = fixture("corpus/damaged/022-flip.bin");
const NOTHING = fixture("corpus/damaged/050-headeronly.bin");

test("the profile goes to stdout or into a file, the same each time", async () => {
  const first = await run("pprof", "sync", NET);
  assert.deepEqual([first.code, first.err], [0, ""]);
  const file = join(folder, "sync.pb.gz");
  const second = await run("pprof", "sync", "-o", file, NET);
  assert.deepEqual([second.code, second.out.length], [0, 0]);
  assert.ok(readFileSync(file).equals(first.out));
});

test("Go's spelling, and a gzipped trace", async () => {
  const zipped = join(folder, "zipped");
  writeFileSync(zipped, gzipSync(readFileSync(NET)));
  const want = samples((await run("pprof", "net", NET)).out);
  assert.ok(want.length > 0);
  assert.deepEqual(samples((await run("-pprof=net", zipped)).out), want);
});

test("a file that cannot be written is an error before the trace is read", async () => {
  const { code, err } = await run("pprof", "net", "-o", join(folder, "none", "x"), "/no/such/trace");
  assert.equal(code, 1);
  assert.match(err, /^runtrace: cannot write \S+x: ENOENT.*\n$/);
});

test("a profile does not overwrite its trace", async () => {
  const file = join(folder, "kept");
  writeFileSync(file, readFileSync(NET));
  const { code, err } = await run("pprof", "net", "-o", file, file);
  assert.deepEqual([code, err], [1, `runtrace: cannot write ${file}: it is the trace\n`]);
  assert.ok(readFileSync(file).equals(readFileSync(NET)));
});

const FAILURES: readonly (readonly [args: string, code: number, err: RegExp])[] = [
  ["pprof", 2, /missing required argument 'type'/],
  ["pprof heap FILE", 2, /'heap' is invalid for argument 'type'.*net, sync, syscall, sched, cpu/],
  ["-pprof=heap FILE", 2, /'heap' is invalid for argument 'type'/],
  ["pprof net --from soon FILE", 2, /got "soon", want a duration/],
  ["pprof net /no/such/trace", 1, /no such file/],
  ["pprof net --goroutine nobody FILE", 1, /no goroutine has the name or id "nobody"$/m],
  ["pprof net --compat --goroutine nobody FILE", 1, /failed to find matching goroutines for name: nobody$/m],
  ["pprof net --region nowhere FILE", 1, /no region of type "nowhere"$/m],
  ["pprof net --task nothing --region r FILE", 1, /no region of type "r" in a task .* "nothing"$/m],
];

for (const [args, code, err] of FAILURES) {
  test(`${args}: code ${code}`, async () => {
    const got = await run(...args.split(" ").map((arg) => (arg === "FILE" ? NET : arg)));
    assert.equal(got.code, code);
    assert.match(got.err, err);
    assert.equal(got.err.trimEnd().split("\n").length, 1, got.err);
    assert.equal(got.out.length, 0);
  });
}

test("a broken trace gives what was read before, and code 3", async () => {
  const { code, out, err } = await run("pprof", "sched", BROKEN);
  assert.equal(code, 3);
  assert.match(err, /^runtrace: \S+: error at offset \d+: broken trace: failed to advance: frontier:\n$/);
  assert.ok(samples(out).length > 0);
});

test("a trace without goroutines: an empty profile, with --compat Go's failure", async () => {
  const right = await run("pprof", "sched", NOTHING);
  assert.deepEqual([right.code, samples(right.out)], [0, []]);
  const compat = await run("pprof", "sched", "--compat", NOTHING);
  assert.equal(compat.code, 1);
  assert.match(compat.err, /failed to find matching goroutines for name: \n$/);
});

/** A goroutine of C's that calls into Go twice, one that never runs, stacks that differ by a counter of 0. */
const CALLS = `Trace Go1.23
EventBatch gen=1 m=1 time=1 size=?
Frequency freq=1000000000
EventBatch gen=1 m=1 time=1 size=?
ProcStatus dt=1 p=0 pstatus=1
GoCreateSyscall dt=10 new_g=7
GoSyscallEndBlocked dt=5
GoStart dt=5 g=7 g_seq=1
GoSyscallBegin dt=20 p_seq=1 stack=1
GoSyscallEnd dt=30
GoSyscallBegin dt=20 p_seq=2 stack=2
GoDestroySyscall dt=5
EventBatch gen=1 m=2 time=1 size=?
ProcStatus dt=2 p=1 pstatus=1
GoStatus dt=1 g=8 m=18446744073709551615 gstatus=1
GoStatus dt=1 g=9 m=2 gstatus=2
GoCreate dt=20 new_g=10 new_stack=1 stack=2
GoBlock dt=30 reason_string=1 stack=1
GoUnblock dt=5 g=9 g_seq=1 stack=0
EventBatch gen=1 m=1 time=1 size=?
Stacks
Stack id=1 nframes=2
	pc=16 func=2 file=3 line=1
	pc=32 func=4 file=3 line=2
Stack id=2 nframes=3
	pc=16 func=2 file=3 line=1
	pc=32 func=4 file=3 line=2
	pc=0 func=4 file=3 line=2
EventBatch gen=1 m=1 time=1 size=?
Strings
String id=1
	data="chan receive"
String id=2
	data="leaf"
String id=3
	data="main.go"
String id=4
	data="root"
`;

const JUDGED = [
  ["calls", CALLS],
  ...["go126-annotate-a", "go123-unicode-a", "go122-cg-a", "go124-iterpull-a"].map(
    (name) => [name, fixture(`corpus/${name}/trace.out`)] as const,
  ),
] as const;

for (const [name, given] of JUDGED) {
  test(`${name}: what go tool trace says`, { skip: goTool() === null }, async () => {
    const file = name === "calls" ? put(name, given) : given;
    for (const type of ["net", "sync", "syscall", "sched"]) {
      const theirs = join(folder, "theirs.pb.gz");
      const go = goToolTrace([`-pprof=${type}`, file], theirs);
      assert.ok(go.ok, go.stderr);
      const { out } = await run("pprof", type, "--compat", file);
      assert.deepEqual(samples(out), samples(readFileSync(theirs)), type);
    }
  });
}

test("go tool pprof opens it, labels and all", { skip: goTool() === null }, async () => {
  const file = join(folder, "opened.pb.gz");
  await run("pprof", "sync", "-o", file, fixture("corpus/go126-unended-a/trace.out"));
  const pprof = (...args: string[]): string =>
    execFileSync(goTool()!, ["tool", "pprof", ...args, file], { encoding: "utf8", stdio: "pipe" });
  assert.match(pprof("-top"), /Type: delay\n[^]*flat%[^]*runtime\./);
  assert.match(pprof("-raw"), /goroutine:\[main\./);
  assert.match(pprof("-tags"), /cut: Total[^]*end[^]*reason: Total/);
});

const DURATIONS: readonly (readonly [string, number | null])[] = [
  ["0", 0],
  ["1.5s", 1.5e9],
  ["20ms", 20e6],
  ["1m30s", 90e9],
  ["3us", 3_000],
  ["3µs", 3_000],
  ["2h", 7.2e12],
  [".5ns", 1],
  ["5", null],
  ["s", null],
  ["-1s", null],
  ["1 s", null],
];

for (const [text, want] of DURATIONS) {
  test(`the duration "${text}" is ${want === null ? "none" : `${want} ns`}`, () => {
    if (want === null) assert.throws(() => parseDuration(text), /want a duration/);
    else assert.equal(parseDuration(text), want);
  });
}
