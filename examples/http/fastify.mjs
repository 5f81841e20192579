/** Fastify. `runtrace run examples/http/fastify.mjs && runtrace tasks trace.out`: one task a request, named by route. */
import { setTimeout as sleep } from "node:timers/promises";
import fastify from "fastify";
import { PATHS, load } from "./load.mjs";

const app = fastify();
app.get("/", () => "home");
app.get("/users/:name", async (request) => {
  await sleep(5);
  return `user ${request.params.name}`;
});
app.register(
  (shop, _options, done) => {
    shop.get("/orders/:order", (request) => `order ${request.params.order}`);
    done();
  },
  { prefix: "/shop" },
);

await app.ready();
await load(app.server, PATHS);
