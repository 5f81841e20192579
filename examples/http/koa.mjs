/** Koa and its router. `runtrace run examples/http/koa.mjs && runtrace tasks trace.out`: one task a request, named by route. */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import Router from "@koa/router";
import Koa from "koa";
import { PATHS, load } from "./load.mjs";

const router = new Router();
router.get("/", (context) => {
  context.body = "home";
});
router.get("/users/:name", async (context) => {
  await sleep(5);
  context.body = `user ${context.params.name}`;
});
const shop = new Router({ prefix: "/shop" });
shop.get("/orders/:order", (context) => {
  context.body = `order ${context.params.order}`;
});

const app = new Koa();
app.use(async (_context, next) => {
  await sleep(2);
  await next();
});
app.use(router.routes());
app.use(shop.routes());

const handle = app.callback();
await load(
  createServer((request, response) => void handle(request, response)),
  PATHS,
);
