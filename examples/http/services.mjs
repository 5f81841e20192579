/**
 * Two services, joined by traceparent: `runtrace run --traceparent --children examples/http/services.mjs` writes trace.out
 * for the front and trace.out.1 for the back; each request of the front has the trace id of the one that it makes.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { load } from "./load.mjs";

if (process.send === undefined) {
  const back = fork(fileURLToPath(import.meta.url));
  const [port] = await once(back, "message");
  const server = createServer(async (request, response) => {
    const answer = await fetch(`http://127.0.0.1:${port}/stock${request.url}`);
    response.end(await answer.text());
  });
  await load(server, ["/beans/1", "/beans/2"]);
  back.send("end");
} else {
  const server = createServer((_request, response) => void response.end("plenty"));
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.once("message", () => {
    server.closeAllConnections();
    server.close();
    process.disconnect();
  });
}
