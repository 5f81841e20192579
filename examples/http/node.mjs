/** node:http. `runtrace run examples/http/node.mjs && runtrace tasks trace.out`: tasks named by the look of their paths. */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { PATHS, load } from "./load.mjs";

const server = createServer(async (request, response) => {
  await sleep(5);
  if (request.url === "/nowhere") response.statusCode = 404;
  response.end("hello");
});

await load(server, PATHS);
