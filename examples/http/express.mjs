/** Express. `runtrace run examples/http/express.mjs && runtrace tasks trace.out`: one task a request, named by route. */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import { PATHS, load } from "./load.mjs";

const app = express();
app.use((_request, _response, next) => setTimeout(next, 2));
app.get("/", (_request, response) => void response.send("home"));
app.get("/users/:name", async (request, response) => {
  await sleep(5);
  response.send(`user ${request.params.name}`);
});

const shop = express.Router();
shop.get("/orders/:order", (request, response) => void response.send(`order ${request.params.order}`));
app.use("/:place", shop);

await load(createServer(app), PATHS);
