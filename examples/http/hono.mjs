/** Hono. `runtrace run examples/http/hono.mjs && runtrace tasks trace.out`: one task a request, named by route. */
import { setTimeout as sleep } from "node:timers/promises";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { PATHS, load } from "./load.mjs";

const app = new Hono();
app.use("*", async (_context, next) => {
  await sleep(2);
  await next();
});
app.get("/", (context) => context.text("home"));
app.get("/users/:name", async (context) => {
  await sleep(5);
  return context.text(`user ${context.req.param("name")}`);
});
const shop = new Hono();
shop.get("/orders/:order", (context) => context.text(`order ${context.req.param("order")}`));
app.route("/shop", shop);

await load(createAdaptorServer({ fetch: app.fetch }), PATHS);
