import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { IncomingMessage, ServerResponse, createServer } from "node:http";
import type { Server } from "node:http";
import { Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import { isEnabled, start, stop } from "../recorder/session.ts";
import { goTool, judged } from "../testing/go.ts";
import { askPort } from "./ask.test.util.ts";
import type { Answer } from "./ask.test.util.ts";
import { pprofHandler } from "./handler.ts";
import type { PprofOptions } from "./handler.ts";

let server: Server;
let port = 0;
const folder = mkdtempSync(join(tmpdir(), "runtrace-pprof-"));

before(async () => {
  server = createServer(pprofHandler());
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (
  path: string,
  { port: other, ...options }: Parameters<typeof askPort>[2] & { readonly port?: number } = {},
): Promise<Answer> => askPort(other ?? port, path, options);

const REFUSED: readonly (readonly [path: string, options: Parameters<typeof ask>[1], number, RegExp])[] = [
  ["/debug/pprof/trace?seconds=-1", {}, 400, /^seconds: got -1, want a positive number up to 3600\n$/],
  ["/debug/pprof/trace?seconds=soon", {}, 400, /got soon/],
  ["/debug/pprof/trace?seconds=0", {}, 400, /got 0,/],
  ["/debug/pprof/trace?seconds=1e9", {}, 400, /got 1e9,/],
  ["/debug/pprof/profile?seconds=99999", {}, 400, /got 99999,/],
  ["/debug/pprof/mutants", {}, 404, /got mutants/],
  ["/debug/pprof/trace/?seconds=0.2", {}, 404, /^profile: got trace\/, want one of the index\n$/],
  ["/heap/", {}, 404, /got heap\//],
  ["/debug/pprof/constructor", {}, 404, /got constructor/],
  ["//[x", {}, 404, /got \[x/],
  ["http://[", {}, 404, /got \[/],
  ["/%zz/trace?seconds=%zz", {}, 400, /got %zz/],
  ["/debug/pprof/heap?seconds=-2", {}, 400, /got -2,/],
  ["/debug/pprof/goroutine?debug=3", {}, 400, /^debug: got 3, want 0, 1 or 2\n$/],
  ["/debug/pprof/block", {}, 501, /^block: Node has no such profile; .*runtrace pprof net FILE\n$/],
  ["/debug/pprof/mutex", {}, 501, /runtrace pprof sync FILE\n$/],
  ["/debug/pprof/threadcreate", {}, 501, /^threadcreate: Node has no such profile/],
  ["/debug/pprof/trace?seconds=1", { method: "POST" }, 405, /got POST/],
  ["/debug/pprof/trace?seconds=1", { headers: { host: "evil.example" } }, 403, /got evil\.example/],
  ["/debug/pprof/", { headers: { host: "localhost.evil.example:6060" } }, 403, /want localhost/],
];

for (const [path, options, status, message] of REFUSED) {
  test(`${JSON.stringify(options)} ${path} is refused with ${status}`, async () => {
    const answer = await ask(path, options);
    assert.equal(answer.status, status);
    assert.match(answer.body.toString(), message);
    assert.equal(answer.headers["x-go-pprof"], "1");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.equal(isEnabled(), false);
  });
}

test("a name that others may ask under is no leave to ask as localhost", async () => {
  const handler = pprofHandler({ hosts: ["Box.example"] });
  const asked = (remoteAddress: string, host: string): number => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const request = Object.assign(new IncomingMessage(new Socket()), {
      url: "/",
      method: "GET",
      headers: { host },
    });
    Object.defineProperty(request, "socket", { value: { remoteAddress } });
    handler(request, response);
    return response.statusCode;
  };
  assert.equal(asked("10.0.0.9", "box.example:6060"), 200);
  assert.equal(asked("10.0.0.9", "localhost:6060"), 403);
  assert.equal(asked("10.0.0.9", "127.0.0.1"), 403);
  assert.equal(asked("127.0.0.1", "localhost:6060"), 200);
  assert.equal(asked("::1", "[::1]:6060"), 200);
  assert.equal(asked("127.0.0.1", "evil.example"), 403);
});

test("options of another type are told", () => {
  for (const [options, message] of [
    [null, "options: got null, want an object"],
    [{ hosts: "x" }, "option hosts: got string, want an array of host names"],
    [{ hosts: null }, "option hosts: got null, want an array of host names"],
    [{ hosts: ["a", 5] }, "option hosts: got number, want host names in it"],
    [{ token: 5 }, "option token: got number, want a string"],
    [{ token: null }, "option token: got null, want a string"],
  ] as const) {
    assert.throws(() => pprofHandler(options as PprofOptions), {
      name: "TraceError",
      code: "ERR_TRACE_OPTION",
      message,
    });
  }
});

test("a response that has been used does not harm the program", async () => {
  const own = createServer((request, response) => {
    response.end("mine");
    pprofHandler()(request, response);
  });
  own.listen(0, "127.0.0.1").unref();
  await once(own, "listening");
  for (const path of ["/", "/trace?seconds=0.1", "/profile?seconds=0.1", "/other"]) {
    await ask(path, { port: (own.address() as AddressInfo).port }).catch(() => {});
  }
  own.closeAllConnections();
  own.close();
  assert.equal(isEnabled(), false);
});

test("a request's end ends no other recording than its own", async () => {
  const file = join(folder, "others.out");
  const answer = ask("/trace?seconds=0.5");
  while (!isEnabled()) await sleep(10);
  await stop();
  start(file);
  assert.equal((await answer).status, 200);
  await sleep(600);
  assert.equal(isEnabled(), true);
  await stop();
  judged(file);
});

test("the index links to what there is, wherever it is mounted", async () => {
  for (const [path, link] of [
    ["/debug/pprof/", 'href="trace?seconds=5"'],
    ["/debug/pprof", 'href="pprof/trace?seconds=5"'],
    ["/", 'href="profile?seconds=5"'],
  ] as const) {
    const { status, body, headers } = await ask(path);
    assert.equal(status, 200);
    assert.ok(body.toString().includes(link), `${path} lacks ${link}`);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
  }
});

test("trace?seconds=N answers with a trace of so long; a second one at a time gets Go's message", async () => {
  const begin = performance.now();
  const [first, second] = await Promise.all([
    ask("/debug/pprof/trace?seconds=.6"),
    sleep(200).then(() => ask("/debug/pprof/trace?seconds=1")),
  ]);
  assert.ok(performance.now() - begin >= 590);
  assert.equal(first.status, 200);
  assert.equal(first.headers["content-type"], "application/octet-stream");
  assert.equal(first.headers["content-disposition"], 'attachment; filename="trace"');
  const file = join(folder, "trace.out");
  writeFileSync(file, first.body);
  assert.match(judged(file), /request GET/);
  assert.equal(second.status, 500);
  assert.equal(second.body.toString(), "Could not enable tracing: tracing is already enabled\n");
  assert.equal(second.headers["content-disposition"], undefined);
  assert.equal(isEnabled(), false);
});

test("a recording of the program's own is not ended by a request", async () => {
  const file = join(folder, "own.out");
  start(file);
  assert.equal((await ask("/trace?seconds=1")).status, 500);
  assert.equal(isEnabled(), true);
  await stop();
  judged(file);
});

test("a client that goes away ends its trace", async () => {
  await assert.rejects(ask("/debug/pprof/trace?seconds=600", { cancelAfter: 200 }));
  for (let tries = 0; isEnabled() && tries < 100; tries++) await sleep(20);
  assert.equal(isEnabled(), false);
  assert.equal((await ask("/debug/pprof/trace?seconds=0.1")).status, 200);
});

test("HEAD tells the headers and records nothing", async () => {
  const { status, body } = await ask("/debug/pprof/trace?seconds=5", { method: "HEAD" });
  assert.equal(status, 200);
  assert.equal(body.length, 0);
  assert.equal(isEnabled(), false);
});

/** Works for so many ms in a callback, so that it is inlined nowhere. */
function burn(ms: number): Promise<number> {
  return new Promise((resolve) => {
    setImmediate(function burnHere() {
      const until = performance.now() + ms;
      let sum = 0;
      while (performance.now() < until) for (let i = 0; i < 100_000; i++) sum += Math.sqrt(sum + i);
      resolve(sum);
    });
  });
}

test("profile?seconds=N answers with a CPU profile that pprof reads", async (t) => {
  const answer = ask("/debug/pprof/profile?seconds=0.8");
  const busy = ask("/debug/pprof/profile?seconds=0.1");
  await sleep(150);
  await burn(400);
  const [{ status, body }, second] = await Promise.all([answer, busy]);
  assert.equal(status, 200);
  assert.equal(second.status, 500);
  assert.match(second.body.toString(), /cpu profiling already in use/);
  const profile = Profile.decode(gunzipSync(body));
  const strings = profile.stringTable.strings;
  assert.deepEqual(
    profile.sampleType.map(({ type, unit }) => [strings[Number(type)], strings[Number(unit)]]),
    [
      ["samples", "count"],
      ["cpu", "nanoseconds"],
    ],
  );
  const burning = profile.function.find(({ name }) => strings[Number(name)] === "burnHere");
  assert.ok(burning !== undefined, "burnHere is not in the profile");
  assert.match(strings[Number(burning.filename)]!, /handler\.test\.js$/);
  const locations = new Set(
    profile.location.filter(({ line }) => line[0]?.functionId === burning.id).map(({ id }) => id),
  );
  let ns = 0;
  for (const { locationId, value } of profile.sample)
    if (locations.has(locationId[0]!)) ns += Number(value[1]);
  assert.ok(ns > 200e6 && ns < 800e6, `burnHere ran for ${ns / 1e6} ms, want some 400`);

  const go = goTool();
  if (go === null) return t.diagnostic("go tool pprof is not asked: there is no go on PATH");
  const file = join(folder, "cpu.pb.gz");
  writeFileSync(file, body);
  const top = spawnSync(go, ["tool", "pprof", "-top", file], { encoding: "utf8" });
  assert.equal(top.status, 0, top.stderr);
  assert.match(top.stdout, /Type: cpu/);
  assert.match(top.stdout, /burnHere/);
});
