/** The handler in the frameworks that people have, as docs/pprof.md says it is put there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createAdaptorServer } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { askPort } from "./ask.test.util.ts";
import { pprofHandler } from "./handler.ts";

const servers: Readonly<Record<string, () => Server | Promise<Server>>> = {
  express() {
    const app = express();
    app.use("/debug/pprof", pprofHandler());
    app.get("/", (_, response) => void response.send("home"));
    return createServer(app);
  },
  async fastify() {
    const app = fastify();
    const handler = pprofHandler();
    app.get("/debug/pprof/*", (request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    });
    app.get("/", () => "home");
    await app.ready();
    return app.server;
  },
  koa() {
    const app = new Koa();
    const handler = pprofHandler();
    app.use((context, next) => {
      if (!context.path.startsWith("/debug/pprof/")) return next();
      context.respond = false;
      handler(context.req, context.res);
      return undefined;
    });
    app.use((context) => {
      context.body = "home";
    });
    const callback = app.callback();
    return createServer((request, response) => void callback(request, response));
  },
  hono() {
    const app = new Hono<{ Bindings: HttpBindings }>();
    const handler = pprofHandler();
    app.get("/debug/pprof/*", (context) => {
      handler(context.env.incoming, context.env.outgoing);
      return RESPONSE_ALREADY_SENT;
    });
    app.get("/", (context) => context.text("home"));
    return createAdaptorServer({ fetch: app.fetch }) as Server;
  },
};

for (const [name, make] of Object.entries(servers)) {
  test(`${name} serves /debug/pprof/ beside its own`, async () => {
    const server = await make();
    server.listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      assert.match((await askPort(port, "/debug/pprof/")).body.toString(), /href="trace\?seconds=5"/);
      const trace = await askPort(port, "/debug/pprof/trace?seconds=0.3");
      assert.equal(trace.status, 200);
      assert.match(trace.body.subarray(0, 16).toString("latin1"), /^go 1\.25 trace\0/);
      assert.equal((await askPort(port, "/debug/pprof/heap?seconds=0.1")).status, 200);
      assert.equal((await askPort(port, "/debug/pprof/trace?seconds=x")).status, 400);
      assert.equal((await askPort(port, "/debug/pprof/", { headers: { host: "evil.example" } })).status, 403);
      assert.equal((await askPort(port, "/")).body.toString(), "home");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
}
