import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { TraceError } from "../base/error.ts";
import { isAllowedHost, parseAddress } from "../base/host.ts";
import { serve, type Served } from "./serve.ts";

let folder = "";
let assets = "";
let first = "";
let second = "";
let served: Served;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "runtrace-serve-"));
  assets = path.join(folder, "viewer");
  await mkdir(path.join(assets, "assets"), { recursive: true });
  await writeFile(path.join(assets, "index.html"), "<!doctype html><title>viewer</title>");
  await writeFile(path.join(assets, "assets/app-1234.js"), "export {};");
  await writeFile(path.join(folder, "secret.txt"), "secret");
  first = path.join(folder, "first, näme.out");
  second = path.join(folder, "second.out");
  await writeFile(first, "first trace");
  await writeFile(second, "");
  served = await serve([first, second], { host: "127.0.0.1", port: 0, assets });
});

after(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(target: string, options: { method?: string; host?: string } = {}): Promise<Reply> {
  const { hostname, port } = new URL(served.url);
  return new Promise((resolve, reject) => {
    const headers = options.host === undefined ? {} : { host: options.host };
    const sent = request(
      { hostname, port, path: target, method: options.method ?? "GET", headers },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => (body += piece));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

test("serves the page and the traces, each with the strict headers", async () => {
  for (const [target, body] of [
    ["/", "<!doctype html><title>viewer</title>"],
    ["/?file=/trace.1.out", "<!doctype html><title>viewer</title>"],
    ["/assets/app-1234.js", "export {};"],
    ["/trace.out", "first trace"],
    ["/trace.out?again", "first trace"],
    ["/trace.1.out", ""],
  ] as const) {
    const reply = await ask(target);
    assert.equal(reply.status, 200, target);
    assert.equal(reply.body, body);
    const policy = String(reply.headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(reply.headers["x-content-type-options"], "nosniff");
    assert.equal(reply.headers["cross-origin-opener-policy"], "same-origin");
    assert.equal(reply.headers["cross-origin-embedder-policy"], "require-corp");
    if (target.startsWith("/trace")) assert.equal(reply.headers["cache-control"], "no-store");
  }
  const { headers } = await ask("/trace.out", { method: "HEAD" });
  assert.equal(headers["content-length"], "11");
  assert.equal(headers["x-runtrace-name"], encodeURIComponent("first, näme.out"));
  assert.deepEqual(String(headers["x-runtrace-files"]).split(",").map(decodeURIComponent), [
    "first, näme.out",
    "second.out",
  ]);
});

test("refuses other methods, other files and other hosts", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await ask("/trace.out", { method })).status, 405, method);
  }
  for (const target of [
    "/trace.2.out",
    "/trace.01.out",
    "/secret.txt",
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/nothing",
  ]) {
    const reply = await ask(target);
    assert.equal(reply.status, 404, target);
    assert.doesNotMatch(reply.body, /^secret/);
  }
  const { port } = new URL(served.url);
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1.evil.example",
    "localhost.evil.example",
  ]) {
    const reply = await ask("/trace.out", { host });
    assert.equal(reply.status, 403, host);
    assert.doesNotMatch(reply.body, /first/);
  }
  for (const host of ["localhost", `LOCALHOST:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`]) {
    assert.equal((await ask("/trace.out", { host })).status, 200, host);
  }
});

test("a missing file, a folder, a busy port and a missing build are errors of one line", async () => {
  const { port } = new URL(served.url);
  const cases: readonly (readonly [() => Promise<Served>, string, RegExp])[] = [
    [
      () => serve([path.join(folder, "none")], { host: "127.0.0.1", port: 0, assets }),
      "ERR_FILE",
      /none: no such file/,
    ],
    [() => serve([folder], { host: "127.0.0.1", port: 0, assets }), "ERR_FILE", /is a directory/],
    [() => serve([first], { host: "127.0.0.1", port: Number(port), assets }), "ERR_LISTEN", /port is in use/],
    [() => serve([first], { host: "127.0.0.1", port: 0, assets: folder }), "ERR_VIEWER", /not built/],
  ];
  for (const [attempt, code, message] of cases) {
    await assert.rejects(attempt(), (error) => {
      assert.ok(error instanceof TraceError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

test("addresses as people write them", () => {
  const cases: readonly (readonly [string, { host: string; port: number } | null])[] = [
    ["8080", { host: "127.0.0.1", port: 8080 }],
    [":8080", { host: "127.0.0.1", port: 8080 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:99", { host: "::1", port: 99 }],
    ["example", { host: "example", port: 0 }],
    ["a:b", null],
    ["127.0.0.1:70000", null],
    ["::1", null],
  ];
  for (const [text, want] of cases) assert.deepEqual(parseAddress(text), want, text);
});

test("hosts: loopback and the bound name only", () => {
  assert.ok(isAllowedHost("127.9.9.9:1", "127.0.0.1"));
  assert.ok(isAllowedHost("box.local:80", "box.local"));
  assert.ok(!isAllowedHost(undefined, "127.0.0.1"));
  assert.ok(!isAllowedHost("", "127.0.0.1"));
  assert.ok(!isAllowedHost("a b", "127.0.0.1"));
  assert.ok(!isAllowedHost("127.evil", "127.0.0.1"));
});
