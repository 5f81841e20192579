import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { goTool } from "../testing/go.ts";
import { askPort } from "./ask.test.util.ts";
import { pprofHandler } from "./handler.ts";

let server: Server;
let port = 0;
const folder = mkdtempSync(join(tmpdir(), "runtrace-endpoints-"));

async function serving(listener: RequestListener): Promise<Server> {
  const made = createServer(listener);
  made.listen(0, "127.0.0.1").unref();
  await once(made, "listening");
  return made;
}

before(async () => {
  server = await serving(pprofHandler());
  ({ port } = server.address() as AddressInfo);
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a profile sums up by function at the leaf, by its last sample type. */
function byLeaf(bytes: Buffer): { readonly types: string[]; readonly sums: Map<string, number> } {
  const profile = Profile.decode(gunzipSync(bytes));
  const text = (index: number | bigint): string => profile.stringTable.strings[Number(index)]!;
  const functions = new Map(profile.function.map((one) => [one.id, text(one.name)]));
  const locations = new Map(
    profile.location.map(({ id, line }) => [id, functions.get(line[0]!.functionId)!]),
  );
  const sums = new Map<string, number>();
  for (const { locationId, value } of profile.sample) {
    const name = locations.get(locationId[0]!)!;
    sums.set(name, (sums.get(name) ?? 0) + Number(value.at(-1)!));
  }
  return { types: profile.sampleType.map(({ type }) => text(type)), sums };
}

/** What `go tool pprof -top` says of a profile; "" where there is no go. */
function top(bytes: Buffer): string {
  const go = goTool();
  if (go === null) return "";
  const file = join(folder, "profile.pb.gz");
  writeFileSync(file, bytes);
  const run = spawnSync(go, ["tool", "pprof", "-top", file], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

const kept: unknown[] = [];

/** Allocates some 8 MB that stay and 24 MB that do not, in calls that are inlined nowhere. */
function allocate(): void {
  function keepHere(): void {
    for (let i = 0; i < 100_000; i++) kept.push({ number: i, text: `kept ${i}` });
  }
  function dropHere(): number {
    let sum = 0;
    for (let i = 0; i < 300_000; i++) sum += JSON.parse(`{"number":${i},"list":[1,2,3]}`).number as number;
    return sum;
  }
  setImmediate(keepHere);
  setImmediate(dropHere);
}

for (const [name, kind] of [
  ["heap", "inuse"],
  ["allocs", "alloc"],
] as const) {
  test(`${name}?seconds=N answers with a profile of the heap that pprof reads`, async () => {
    const answer = askPort(port, `/debug/pprof/${name}?seconds=0.6`);
    const busy = askPort(port, "/debug/pprof/heap?seconds=0.1");
    await sleep(150);
    allocate();
    const { status, body, headers } = await answer;
    assert.equal(status, 200);
    assert.equal(headers["content-disposition"], `attachment; filename="${name}"`);
    assert.match((await busy).body.toString(), /heap profiling already in use/);
    const { types, sums } = byLeaf(body);
    assert.deepEqual(types, [`${kind}_objects`, `${kind}_space`]);
    assert.ok((sums.get("keepHere") ?? 0) > 2e6, `keepHere kept ${sums.get("keepHere")} bytes`);
    const dropped = [...sums].filter(([where]) => /dropHere|parse/.test(where));
    const bytes = dropped.reduce((sum, [, value]) => sum + value, 0);
    if (kind === "alloc") assert.ok(bytes > 5e6, `dropHere allocated ${bytes} bytes`);
    assert.match(top(body), goTool() === null ? /^$/ : new RegExp(`Type: ${kind}_space[^]*keepHere`));
    kept.length = 0;
  });
}

test("with heapSampling, heap has what was allocated before it was asked for", async () => {
  const own = await serving(pprofHandler({ heapSampling: true }));
  const { port: at } = own.address() as AddressInfo;
  allocate();
  await sleep(200);
  for (let times = 0; times < 2; times++) {
    const begin = performance.now();
    const { status, body } = await askPort(at, "/heap");
    assert.equal(status, 200);
    assert.ok(performance.now() - begin < 4000, "it waits for nothing");
    assert.ok((byLeaf(body).sums.get("keepHere") ?? 0) > 2e6);
  }
  // What comes and goes is sampled anew, and the standing sampling goes on behind it.
  assert.equal((await askPort(at, "/allocs?seconds=0.1")).status, 200);
  assert.equal((await askPort(at, "/heap")).status, 200);
  kept.length = 0;
  own.closeAllConnections();
  own.close();
});

test("goroutine: activations with stacks while a trace is taken, else resources, and that is said", async () => {
  const idle = (await askPort(port, "/debug/pprof/goroutine?debug=1")).body.toString();
  assert.match(idle, /^active resources: total \d+\n# Nothing records, .*\n\d+ \w+/);
  assert.equal((await askPort(port, "/goroutine?debug=2")).body.toString().slice(0, 17), "active resources:");
  assert.deepEqual(byLeaf((await askPort(port, "/goroutine")).body).types, ["goroutine"]);

  const trace = askPort(port, "/debug/pprof/trace?seconds=1.5");
  await sleep(300);
  const sleepers = Array.from({ length: 3 }, () => sleeper());
  await sleep(500);
  const counted = (await askPort(port, "/debug/pprof/goroutine?debug=1")).body.toString();
  assert.match(counted, /^goroutine profile: total \d+\n/);
  assert.match(counted, /^\d+ @ \[[a-z ]+\]\n#\t/m);
  const each = (await askPort(port, "/debug/pprof/goroutine?debug=2")).body.toString();
  assert.match(each, /^goroutine \d+ \[[a-z ]+\]:\n.*\(\)\n\t/);
  const { body } = await askPort(port, "/debug/pprof/goroutine");
  assert.deepEqual(byLeaf(body).types, ["goroutine"]);
  assert.match(top(body), goTool() === null ? /^$/ : /Type: goroutine/);
  await Promise.all([trace, ...sleepers]);
});

async function sleeper(): Promise<void> {
  await sleep(900);
}

test("cmdline and symbol answer as Go's do where there are no addresses", async () => {
  assert.equal((await askPort(port, "/debug/pprof/cmdline")).body.toString(), process.argv.join("\0"));
  assert.equal((await askPort(port, "/debug/pprof/symbol")).body.toString(), "num_symbols: 0\n");
});

test("with a token, requests must have it", async () => {
  const own = await serving(pprofHandler({ token: "s3cret" }));
  const { port: at } = own.address() as AddressInfo;
  const statusOf = async (authorization?: string): Promise<number> =>
    (await askPort(at, "/", { headers: authorization === undefined ? {} : { authorization } })).status;
  assert.equal(await statusOf("Bearer s3cret"), 200);
  assert.equal(await statusOf("bearer s3cret"), 200);
  for (const wrong of [undefined, "", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cretx", "Basic s3cret"])
    assert.equal(await statusOf(wrong), 401, wrong);
  const { headers } = await askPort(at, "/trace?seconds=1");
  assert.equal(headers["www-authenticate"], "Bearer");
  own.closeAllConnections();
  own.close();
});
