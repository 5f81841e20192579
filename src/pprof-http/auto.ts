import cluster from "node:cluster";
import { createServer } from "node:http";
import { writeSync } from "node:fs";
import { parseAddress } from "../base/host.ts";
import { pprofHandler } from "./handler.ts";

const DEFAULT_ADDRESS = "127.0.0.1:6060";

/**
 * Serves /debug/pprof/ at `address` (RUNTRACE_HTTP), 127.0.0.1:6060 unless told, "off" for nowhere. It keeps no process
 * alive; an address that cannot be had is one line on stderr, and the program runs all the same. An address other than
 * loopback (best with RUNTRACE_HTTP_TOKEN, which requests must then have) lets others ask under the name of that host
 * only. An empty token, which may be a secret that did not arrive, is one line, and nothing is served. Of a cluster the
 * first process that comes has the address: its workers do not share it, and only the first worker says so.
 */
export function serveAlone(address = DEFAULT_ADDRESS): void {
  if (address === "off") return;
  const at = parseAddress(address === "" ? DEFAULT_ADDRESS : address);
  if (at === null) {
    complain(`RUNTRACE_HTTP: got ${address}, want HOST:PORT or off`);
    return;
  }
  const token = process.env["RUNTRACE_HTTP_TOKEN"];
  if (token === "") {
    if (!cluster.isWorker)
      complain('RUNTRACE_HTTP_TOKEN: got "", want a token, or none set; nothing is served');
    return;
  }
  const hosts = at.host === "127.0.0.1" ? [] : [at.host];
  const server = createServer(pprofHandler(token === undefined ? { hosts } : { hosts, token }));
  server.on("connection", (socket) => socket.unref());
  server.on("error", (error) => {
    const isToldAlready = cluster.isWorker && cluster.worker!.id > 1;
    if (!isToldAlready) complain(`cannot serve /debug/pprof/ at ${address}: ${error.message}`);
  });
  server.listen({ port: at.port, host: at.host, exclusive: true });
  server.unref();
}

function complain(message: string): void {
  try {
    writeSync(2, `runtrace: ${message}\n`);
  } catch {
    // Nobody listens.
  }
}
