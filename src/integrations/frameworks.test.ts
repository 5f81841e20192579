/** Requests of real frameworks are tasks by route: the examples of examples/http, recorded and read by the command line. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { judged } from "../testing/go.ts";
import { projectRoot } from "../testing/project.ts";
import { runCommand, withPlanted } from "../testing/record.ts";

const ROOT = projectRoot();
const CLI = join(ROOT, "dist", "cli.js");
const example = (name: string): string => join(ROOT, "examples", "http", name);

/** A row of `runtrace tasks --json`. */
interface TaskRow {
  readonly id: number;
  readonly name: string;
  readonly parent: number | null;
  readonly complete: boolean;
  readonly duration: number;
}

/** A row of `runtrace logs --json`. */
interface LogRow {
  readonly task: number;
  readonly category: string;
  readonly message: string;
}

interface RegionRow {
  readonly type: string;
  readonly task: number;
  readonly duration: number;
  readonly blockByReason: Readonly<Record<string, number>>;
}

function table(command: "tasks" | "logs" | "regions", file: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [CLI, command, file, "--json"], {
    encoding: "utf8",
  });
  const rows = (JSON.parse(stdout === "" ? "{}" : stdout) as Record<string, unknown>)[command];
  assert.ok(Array.isArray(rows), stderr);
  return rows;
}

/** Tasks but for the one that is none. */
function tasksOf(file: string): TaskRow[] {
  return (table("tasks", file) as TaskRow[]).filter(({ id }) => id !== 0);
}

function counts(names: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const name of names.toSorted()) counted[name] = (counted[name] ?? 0) + 1;
  return counted;
}

const folder = mkdtempSync(join(tmpdir(), "runtrace-frameworks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A program in the folder of this test, which can load what the project can. */
function program(name: string, text: string): string {
  const file = join(folder, name);
  const resolved = text.replaceAll(/from "([a-z@][\w@/-]*)"/g, (whole, id: string) =>
    id.startsWith("runtrace") ||
    ["express", "fastify", "koa", "hono", "@koa/router", "@hono/node-server"].includes(id)
      ? `from ${JSON.stringify(import.meta.resolve(id))}`
      : whole,
  );
  writeFileSync(file, resolved);
  return file;
}

const ROUTED = { "GET *": 1, "GET /": 1, "GET /users/:name": 3 };
const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "node.mjs": {
    "GET *": 1,
    "GET /": 1,
    "GET /shop/orders/:id": 1,
    "GET /users/:id": 1,
    "GET /users/ann": 1,
    "GET /users/bob": 1,
  },
  "express.mjs": { ...ROUTED, "GET /:place/orders/:order": 1 },
  "fastify.mjs": { ...ROUTED, "GET /shop/orders/:order": 1 },
  "koa.mjs": { ...ROUTED, "GET /shop/orders/:order": 1 },
  "hono.mjs": { ...ROUTED, "GET /shop/orders/:order": 1 },
};

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`requests of ${name} are tasks by route, with their status`, async () => {
    const plain = await runCommand(process.execPath, [example(name)]);
    assert.equal(plain.code, 0, plain.stderr);
    await withPlanted(
      [example(name)],
      ({ file, stdout, stderr, code }) => {
        assert.deepEqual({ stdout, stderr, code }, { stdout: plain.stdout, stderr: plain.stderr, code: 0 });
        judged(file);
        const tasks = tasksOf(file);
        assert.equal(tasks.length, 6);
        for (const task of tasks) {
          assert.ok(task.complete && task.parent === null, task.name);
          assert.ok(task.duration > 0 && task.duration < 60e9, `${task.name} took ${task.duration} ns`);
          // What the handler sleeps.
          if (task.name.startsWith("GET /users/")) assert.ok(task.duration > 4e6, `${task.duration} ns`);
        }
        const logs = (table("logs", file) as LogRow[]).filter(({ category }) => category === "http");
        const inTask = logs.filter(({ message }) => message.startsWith("GET /"));
        assert.deepEqual(
          inTask.map(({ message }) => message).toSorted(),
          ["/", "/nowhere", "/shop/orders/7", "/users/42", "/users/ann", "/users/bob"].map(
            (path) => `GET ${path}`,
          ),
        );
        const statusOf = (path: string): string[] => {
          const { task } = inTask.find(({ message }) => message === `GET ${path}`)!;
          return logs
            .filter((log) => log.task === task && log.message !== `GET ${path}`)
            .map((log) => log.message);
        };
        assert.deepEqual(statusOf("/nowhere"), ["404"]);
        assert.deepEqual(statusOf("/users/42"), ["200"]);
      },
      // A route that is found later than the look-ahead, on a busy machine, comes too late for the name.
      ({ file }) => assert.deepEqual(counts(tasksOf(file).map((task) => task.name)), expected),
    );
  });
}

const EXPLICIT: Readonly<Record<string, string>> = {
  express: `import express from "express"; import { runtrace } from "runtrace/express";
import { createServer } from "node:http";
const app = express(); app.use(runtrace());
app.get("/users/:name", (_, response) => void response.send("hello"));
const server = createServer(app);`,
  fastify: `import fastify from "fastify"; import { runtrace } from "runtrace/fastify";
const app = fastify(); app.register(runtrace);
app.register((inner, _, done) => { inner.get("/users/:name", () => "hello"); done(); });
await app.ready();
const server = app.server;`,
  koa: `import Koa from "koa"; import Router from "@koa/router"; import { runtrace } from "runtrace/koa";
import { createServer } from "node:http";
const app = new Koa(); const router = new Router();
router.get("/users/:name", (context) => { context.body = "hello"; });
app.use(runtrace()); app.use(router.routes());
const handle = app.callback();
const server = createServer((request, response) => void handle(request, response));`,
  hono: `import { Hono } from "hono"; import { createAdaptorServer } from "@hono/node-server"; import { runtrace } from "runtrace/hono";
const app = new Hono(); app.use(runtrace());
app.get("/users/:name", (context) => context.text("hello"));
const server = createAdaptorServer({ fetch: app.fetch });`,
};

const ASKS = `import { get } from "node:http";
import * as trace from "runtrace";
const off = process.argv[2] !== undefined;
if (off) trace.start(process.argv[2], { http: process.argv[3] === "http" });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const ask = (path) => new Promise((resolve, reject) =>
  get({ port: server.address().port, path, agent: false }, (answer) => answer.resume().on("end", resolve)).on("error", reject));
await ask("/users/ann"); await ask("/users/bob");
if (off) await trace.stop();
server.closeAllConnections(); server.close();`;

for (const [name, text] of Object.entries(EXPLICIT)) {
  const file = program(`${name}.mjs`, text + ASKS);

  test(`runtrace/${name} names requests where nothing else does, and only once where something does`, async () => {
    for (const [mode, expected] of [
      ["http", { "GET /users/:name": 2 }],
      ["no-http", { "GET /users/:name": 2 }],
    ] as const) {
      const out = join(folder, `${name}-${mode}.out`);
      let names: Record<string, number> = {};
      for (let left = 4; left > 0; left--) {
        const ending = await runCommand(process.execPath, [file, out, mode]);
        assert.equal(ending.code, 0, ending.stderr);
        judged(out);
        const tasks = tasksOf(out);
        assert.ok(tasks.length === 2 && tasks.every((task) => task.complete), JSON.stringify(tasks));
        names = counts(tasks.map((task) => task.name));
        if ("GET /users/:name" in names && Object.keys(names).length === 1) break;
      }
      assert.deepEqual(names, expected, mode);
    }
    await withPlanted(
      [file],
      (recording) => {
        assert.equal(recording.code, 0, recording.stderr);
        assert.equal(tasksOf(recording.file).length, 2);
      },
      (recording) =>
        assert.deepEqual(counts(tasksOf(recording.file).map((task) => task.name)), { "GET /users/:name": 2 }),
    );
  });
}

test("outgoing requests are regions of the task that makes them, each for itself", async () => {
  const file = program(
    "outgoing.mjs",
    `import { createServer, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
const listen = (server) => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
const back = createServer(async (request, response) => { await sleep(Number(request.url.split("/")[2])); response.end("done"); });
const to = await listen(back);
const old = (path) => new Promise((resolve, reject) =>
  get({ port: to, host: "127.0.0.1", path }, (answer) => answer.resume().on("end", resolve)).on("error", reject));
const front = createServer(async (request, response) => {
  const slow = fetch(\`http://127.0.0.1:\${to}/slow/6000\`).then((answer) => answer.text());
  const quick = old("/quick/10");
  await Promise.all([slow, quick]);
  await fetch("http://127.0.0.1:1/refused").catch(() => {});
  await new Promise((resolve) => get({ port: 1, host: "127.0.0.1", path: "/closed" }).on("error", resolve));
  response.end("all");
});
const port = await listen(front);
console.log(await (await fetch(\`http://127.0.0.1:\${port}/both\`)).text());
for (const server of [front, back]) { server.closeAllConnections(); server.close(); }`,
  );
  const plain = await runCommand(process.execPath, [file]);
  await withPlanted(
    [file],
    (recording) => {
      assert.equal(recording.stdout, plain.stdout);
      assert.equal(recording.stderr, plain.stderr);
      judged(recording.file);
      const task = tasksOf(recording.file).find(({ name }) => name === "GET /both");
      assert.ok(task?.complete === true);
      const regions = (table("regions", recording.file) as RegionRow[]).filter((row) => row.task === task.id);
      const [closed, quick, slow] = regions.toSorted((a, b) => (a.type < b.type ? -1 : 1));
      assert.equal(regions.length, 3, JSON.stringify(regions));
      assert.match(closed!.type, /^GET 127\.0\.0\.1:1\/closed$/);
      assert.match(quick!.type, /^GET 127\.0\.0\.1:\d+\/quick\/:id$/);
      assert.match(slow!.type, /^GET 127\.0\.0\.1:\d+\/slow\/:id$/);
      assert.ok(slow!.duration >= 599e6 && slow!.duration <= task.duration, `${slow!.duration} ns`);
      assert.ok(slow!.blockByReason["network"]! > 500e6, JSON.stringify(slow));
      const logs = (table("logs", recording.file) as LogRow[]).filter((row) => row.task === task.id);
      assert.deepEqual(logs.map(({ category, message }) => `${category}: ${message}`).toSorted(), [
        "http: 200",
        "http: 200",
        "http: 200",
        "http: GET /both",
        "http: failed: ECONNREFUSED",
      ]);
    },
    (recording) => {
      const rows = table("regions", recording.file) as RegionRow[];
      const quick = rows.find(({ type }) => type.includes("/quick/"));
      // It overlaps with the slow one, and is not held up by it.
      assert.ok(quick!.duration >= 9e6 && quick!.duration < 300e6, `${quick!.duration} ns`);
    },
  );
});

test("a task ends when its client goes away, and an upgraded connection is nobody's task", async () => {
  const file = program(
    "aborts.mjs",
    `import { createServer, get, request } from "node:http";
import net from "node:net";
const server = createServer((request, response) => {
  if (request.url === "/whole") response.end("whole");
  else if (request.url === "/half") { response.write("half"); }
  else response.on("close", () => console.log("closed", request.url));
});
server.on("upgrade", (_, socket) => { socket.end("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n"); });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const whole = (path, agent) => new Promise((resolve) => get({ port, host: "127.0.0.1", path, agent }, (answer) => answer.resume().on("end", resolve)));
const { Agent } = await import("node:http");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
for (let i = 0; i < 3; i++) await whole("/whole", agent);
agent.destroy();
await new Promise((resolve) => {
  const asked = get({ port, host: "127.0.0.1", path: "/never", agent: false });
  asked.on("error", () => {}).on("close", resolve);
  setTimeout(() => asked.destroy(), 60);
});
await new Promise((resolve) => {
  get({ port, host: "127.0.0.1", path: "/half", agent: false }, (answer) => answer.once("data", () => answer.destroy()).on("error", () => {}).on("close", resolve)).on("error", () => {});
});
await new Promise((resolve) => {
  const socket = net.connect(port, "127.0.0.1", () => socket.write("GET /socket HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n"));
  socket.on("data", (text) => console.log(String(text).split("\\r\\n")[0])).on("close", resolve);
});
await new Promise((resolve) => {
  request({ port, host: "127.0.0.1", path: "/socket", agent: false, headers: { upgrade: "x", connection: "Upgrade" } })
    .on("upgrade", (answer, socket) => { console.log(answer.statusCode); socket.destroy(); resolve(); }).end();
});
await new Promise((resolve) => setTimeout(resolve, 50));
server.closeAllConnections(); server.close();`,
  );
  const plain = await runCommand(process.execPath, [file]);
  await withPlanted(
    [file],
    (recording) => {
      assert.equal(recording.stdout, plain.stdout);
      assert.match(recording.stdout, /closed \/never\nHTTP\/1\.1 101 Switching Protocols\n101/);
      judged(recording.file);
      const tasks = tasksOf(recording.file);
      assert.deepEqual(counts(tasks.map(({ name }) => name)), {
        "GET /half": 1,
        "GET /never": 1,
        "GET /whole": 3,
      });
      assert.ok(tasks.every(({ complete }) => complete));
      const logs = table("logs", recording.file) as LogRow[];
      const of = (name: string): string[] => {
        const { id } = tasks.find((task) => task.name === name)!;
        return logs.filter(({ task }) => task === id).map(({ message }) => message);
      };
      assert.deepEqual(of("GET /never"), ["GET /never", "aborted"]);
      assert.deepEqual(of("GET /half"), ["GET /half", "aborted"]);
      assert.deepEqual(of("GET /whole"), ["GET /whole", "200"]);
      const upgraded = logs.filter(({ message }) => message === "101");
      assert.equal(upgraded.length, 1);
    },
    ({ file: out }) => {
      const never = tasksOf(out).find(({ name }) => name === "GET /never")!;
      assert.ok(never.duration > 1e6 && never.duration < 500e6, `${never.duration} ns`);
    },
  );
});

test("a request of HTTP/2 is a task, by stream or by request, with the route that a framework finds", async () => {
  const file = program(
    "http2.mjs",
    `import http2 from "node:http2";
import fastify from "fastify";
import { setTimeout as sleep } from "node:timers/promises";
const app = fastify({ http2: true });
app.get("/users/:name", async () => { await sleep(5); return "hello"; });
await app.ready();
const streams = http2.createServer();
streams.on("stream", (stream, headers) => {
  if (headers[":path"] === "/never") return;
  setTimeout(() => { stream.respond({ ":status": 418 }); stream.end("tea"); }, 5);
});
for (const server of [app.server, streams]) await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const ask = async (server, paths) => {
  const session = http2.connect("http://127.0.0.1:" + server.address().port);
  for (const path of paths) {
    const stream = session.request({ ":path": path });
    if (path === "/never") { stream.on("error", () => {}); stream.end(); await sleep(30); stream.close(http2.constants.NGHTTP2_CANCEL); continue; }
    let text = "";
    for await (const chunk of stream) text += chunk;
    console.log(path, text);
  }
  await new Promise((resolve) => session.close(resolve));
};
await ask(app.server, ["/users/ann", "/users/bob"]);
await ask(streams, ["/pots/7", "/never"]);
for (const server of [app.server, streams]) server.close();`,
  );
  const plain = await runCommand(process.execPath, [file]);
  assert.equal(plain.stdout, "/users/ann hello\n/users/bob hello\n/pots/7 tea\n", plain.stderr);
  await withPlanted(
    [file],
    (recording) => {
      assert.equal(recording.stdout, plain.stdout, recording.stderr);
      judged(recording.file);
      const tasks = tasksOf(recording.file);
      assert.ok(tasks.length === 4 && tasks.every(({ complete }) => complete), JSON.stringify(tasks));
      const ofTasks = new Set(tasks.map(({ id }) => id));
      const messages = (table("logs", recording.file) as LogRow[])
        .filter(({ category, task }) => category === "http" && ofTasks.has(task))
        .map(({ message }) => message);
      assert.deepEqual(messages.toSorted(), [
        "200",
        "200",
        "418",
        "GET /never",
        "GET /pots/7",
        "GET /users/ann",
        "GET /users/bob",
        "aborted",
      ]);
    },
    ({ file: out }) =>
      assert.deepEqual(counts(tasksOf(out).map(({ name }) => name)), {
        "GET /never": 1,
        "GET /pots/:id": 1,
        "GET /users/:name": 2,
      }),
  );
});

test("outgoing requests of HTTP/2 are regions, where Node tells of them", async () => {
  const file = program(
    "http2-outgoing.mjs",
    `import http2 from "node:http2";
const server = http2.createServer();
const closed = (stream) => new Promise((resolve) => stream.on("close", resolve));
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  const [, what, ms] = headers[":path"].split("/");
  if (what === "never") return;
  if (what === "refused") return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  setTimeout(() => { stream.respond({ ":status": 418 }); stream.end("tea"); }, Number(ms));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const session = http2.connect("http://127.0.0.1:" + server.address().port);
const read = async (path) => {
  let text = "";
  for await (const chunk of session.request({ ":path": path })) text += chunk;
  console.log(path, text);
};
await Promise.all([read("/slow/600"), read("/quick/10")]);
const never = session.request({ ":path": "/never" }).on("error", () => {});
setTimeout(() => never.close(http2.constants.NGHTTP2_CANCEL), 30);
await closed(never);
const failing = session.request({ ":path": "/never/again", ":method": "POST" }).on("error", () => {});
setTimeout(() => failing.destroy(Object.assign(new Error("no"), { code: "EOWN" })), 30);
await closed(failing);
await closed(session.request({ ":path": "/refused" }).on("error", () => {}));
const nobody = http2.connect("http://127.0.0.1:1").on("error", () => {});
await closed(nobody.request({ ":path": "/early" }).on("error", () => {}));
session.close();
server.close();`,
  );
  const plain = await runCommand(process.execPath, [file]);
  assert.deepEqual([plain.code, plain.stdout], [0, "/quick/10 tea\n/slow/600 tea\n"], plain.stderr);
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  const tells = major === 22 ? minor >= 17 : major > 24 || (major === 24 && minor >= 2);
  await withPlanted(
    [file],
    (recording) => {
      assert.equal(recording.stdout, plain.stdout);
      assert.equal(recording.stderr, plain.stderr);
      judged(recording.file);
      const regions = (table("regions", recording.file) as RegionRow[]).filter(({ type }) =>
        /:\d+\//.test(type),
      );
      const names = regions.map(({ type }) => type.replace(/:\d+\//, "/"));
      const wanted = [
        "GET 127.0.0.1/early",
        "GET 127.0.0.1/never",
        "GET 127.0.0.1/quick/:id",
        "GET 127.0.0.1/refused",
        "GET 127.0.0.1/slow/:id",
        "POST 127.0.0.1/never/again",
      ];
      assert.deepEqual(names.toSorted(), tells ? wanted : []);
      const tasks = new Set(tasksOf(recording.file).map(({ id }) => id));
      const said = (table("logs", recording.file) as LogRow[])
        .filter(({ category, task }) => category === "http" && !tasks.has(task))
        .map(({ message }) => message);
      assert.deepEqual(
        said.toSorted(),
        tells
          ? [
              "418",
              "418",
              "aborted",
              "failed: EOWN",
              "failed: ERR_HTTP2_STREAM_CANCEL",
              "failed: ERR_HTTP2_STREAM_ERROR",
            ]
          : [],
      );
    },
    ({ file: out }) => {
      if (!tells) return;
      const slow = (table("regions", out) as RegionRow[]).find(({ type }) => type.includes("/slow/"));
      assert.ok(slow!.blockByReason["network"]! > 500e6, JSON.stringify(slow));
    },
  );
});

test("--no-http leaves requests without tasks and regions", async () => {
  await withPlanted(
    [example("services.mjs")],
    ({ file }) => {
      assert.deepEqual(tasksOf(file), []);
      assert.deepEqual(table("regions", file), []);
    },
    () => {},
    ["--no-http"],
  );
});

test("two services are joined by traceparent, which goes out only where that is asked for", async () => {
  const look = async (options: readonly string[]): Promise<readonly LogRow[][]> => {
    const out = join(folder, `services${options.length}.out`);
    const args = [CLI, "run", "-o", out, "--children", ...options, "--", example("services.mjs")];
    const ending = await runCommand(process.execPath, args);
    assert.equal(ending.code, 0, ending.stderr);
    return [out, `${out}.1`].map((file) => {
      judged(file);
      const rows = table("logs", file) as LogRow[];
      return rows.filter(({ category }) => category === "traceparent");
    });
  };
  assert.deepEqual(await look([]), [[], []]);
  const [front, back] = await look(["--traceparent"]);
  const sent = front!.map(({ message }) => message);
  // The program's own two requests, what the front has got of them, and what it has sent for them.
  assert.equal(front!.length, 6);
  assert.equal(back!.length, 2);
  const asked = front!.filter(({ task }) => task === 0);
  assert.equal(asked.length, 2);
  for (const { message } of back!) assert.equal(sent.filter((one) => one === message).length, 1);
  const inTasks = front!.filter(({ task }) => task !== 0);
  const byTask = new Map<number, string[]>();
  for (const { task, message } of inTasks) byTask.set(task, [...(byTask.get(task) ?? []), message]);
  assert.equal(byTask.size, 2);
  for (const [got, sentOn] of byTask.values()) {
    assert.equal(got!.slice(0, 35), sentOn!.slice(0, 35), "one trace id");
    assert.notEqual(got, sentOn);
  }
});
