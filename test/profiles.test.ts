/**
 * The blocking profiles of the corpus: with `compat` those of `go tool trace -pprof`, by default the sums of the summary.
 * RUNTRACE_CORPUS names another folder of the same shape, with Go's profiles in CASE/TYPE.pprof.txt.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { SummaryBuilder } from "#dist/analysis/summary.js";
import { TraceError } from "#dist/base/error.js";
import { bytesSource } from "#dist/decode/source.js";
import { readOrdered } from "#dist/order/reader.js";
import type { OrderedEvent } from "#dist/order/types.js";
import { ProfileBuilder } from "#dist/profile/build.js";
import { encodePprof } from "#dist/profile/pprof.js";
import { fixture } from "#dist/testing/fixtures.js";

const ROOT = process.env.RUNTRACE_CORPUS ?? fixture("corpus");
const TYPES = ["net", "sync", "syscall", "sched"] as const;
/** Go's order of a v1 trace is chance, so times vary. */
const V1_NS = 100;

interface Row {
  readonly count: number;
  readonly delay: number;
  readonly pcs: string;
}

/** Go's profiles, by "CASE/TYPE"; null where it failed. */
function answers(): Map<string, readonly Row[] | null> {
  const found = new Map<string, readonly Row[] | null>();
  const bundle = join(ROOT, "profiles.txt.gz");
  const sections = existsSync(bundle)
    ? gunzipSync(readFileSync(bundle)).toString("latin1").split(/^== /m).slice(1)
    : [];
  for (const section of sections) {
    const end = section.indexOf("\n");
    found.set(section.slice(0, end), rowsOf(section.slice(end + 1)));
  }
  for (const name of readdirSync(ROOT)) {
    for (const type of TYPES) {
      const file = join(ROOT, name, `${type}.pprof.txt`);
      if (existsSync(file)) found.set(`${name}/${type}`, rowsOf(readFileSync(file, "latin1")));
    }
  }
  return found;
}

function rowsOf(text: string): readonly Row[] | null {
  if (text.startsWith("# error")) return null;
  const rows: Row[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [count, delay, stack = ""] = line.split("\t");
    const pcs = stack
      .split(" | ")
      .map((frame) => frame.split(" ", 1)[0]!)
      .filter((pc) => pc !== "");
    rows.push({ count: Number(count), delay: Number(delay), pcs: pcs.join(" ") });
  }
  return rows.toSorted(byStack);
}

function byStack(a: Row, b: Row): number {
  if (a.pcs !== b.pcs) return a.pcs < b.pcs ? -1 : 1;
  return a.count - b.count || a.delay - b.delay;
}

/** What a profile's bytes say. */
function decoded(bytes: Uint8Array): Row[] {
  const profile = Profile.decode(bytes);
  const pcs = new Map(profile.location.map(({ id, address }) => [Number(id), `0x${address.toString(16)}`]));
  return profile.sample
    .map(({ value, locationId }) => ({
      count: Number(value[0]),
      delay: Number(value[1]),
      pcs: locationId.map((id) => pcs.get(Number(id))!).join(" "),
    }))
    .toSorted(byStack);
}

function bytesOf(name: string): Uint8Array {
  const file = join(ROOT, name, "trace.out");
  return existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${file}.gz`));
}

/** Reads a trace to its end, or to what is broken; true where something is. */
function isBroken(bytes: Uint8Array, visit: (event: OrderedEvent) => void): boolean {
  try {
    readOrdered(bytesSource(bytes), visit);
    return false;
  } catch (error) {
    assert.ok(error instanceof TraceError, String(error));
    return true;
  }
}

const all = answers();

test("there are profiles of Go's", () => assert.ok(all.size > 0, ROOT));

for (const [name, want] of all) {
  if (want === null) continue;
  const [folder, type] = name.split("/") as [string, (typeof TYPES)[number]];
  test(`${name}: the profile is Go's`, () => {
    const { format } = JSON.parse(readFileSync(join(ROOT, folder, "meta.json"), "utf8")) as {
      format: string;
    };
    const builder = new ProfileBuilder(type, { compat: true, filter: {} });
    const broken = isBroken(bytesOf(folder), (event) => builder.event(event));
    const got = decoded(encodePprof(builder.finish(broken)));
    if (format === "v2") {
      assert.deepEqual(got, want);
      return;
    }
    assert.deepEqual(
      got.map(({ count, pcs }) => ({ count, pcs })),
      want.map(({ count, pcs }) => ({ count, pcs })),
    );
    for (const [i, { count, delay, pcs }] of got.entries()) {
      const other = want[i]!.delay;
      assert.ok(Math.abs(delay - other) <= V1_NS * count, `${pcs}: got ${delay}, want ${other}`);
    }
  });
}

for (const name of new Set([...all].filter(([, want]) => want !== null).map(([key]) => key.split("/")[0]!))) {
  test(`${name}: all waits are in the default's profiles, as in the summary`, () => {
    const summary = new SummaryBuilder({ compat: false });
    const builders = TYPES.map((type) => new ProfileBuilder(type, { compat: false, filter: {} }));
    const known = new Set<number>();
    let isUsedAgain = false;
    isBroken(bytesOf(name), (event) => {
      if (event.resource === "goroutine" && event.from === "NotExist") {
        isUsedAgain ||= known.has(event.resourceId);
        known.add(event.resourceId);
      }
      summary.event(event);
      for (const builder of builders) builder.event(event);
    });
    const [net, sync, syscall, sched] = builders.map((builder) =>
      builder.finish(false).samples.reduce((total, { values }) => total + values[1]!, 0),
    );
    const want = { net: 0, sync: 0, syscall: 0, sched: 0 };
    for (const goroutine of summary.finish(null).goroutines) {
      want.sched += goroutine.schedWait;
      want.syscall += goroutine.syscall + goroutine.syscallBlock;
      for (const [reason, time] of Object.entries(goroutine.blockByReason)) {
        if (reason === "network") want.net += time;
        else if (/chan|sync|select/.test(reason)) want.sync += time;
      }
    }
    // Of an id that is used again the summary keeps the last goroutine.
    if (isUsedAgain) assert.ok(syscall! >= want.syscall && sched! >= want.sched);
    else assert.deepEqual({ net, sync, syscall, sched }, want);
  });
}
