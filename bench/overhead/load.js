/**
 * The load generator, a process of its own: its CPU is nobody's. It speaks just enough HTTP over kept connections to
 * cost little beside the server. A message asks for one slice of load, the answer says how it went:
 *
 * * closed loop, `{ port, requests, connections }`: that many requests, one at a time a connection.
 * * open loop, `{ port, requests, rate }`: one request every 1/rate seconds whether or not earlier ones are answered;
 *   latency counts from the time at which a request was due, so a server that stalls cannot hide it.
 */
import { connect } from "node:net";
import { quantile } from "./stats.js";

const SEPARATOR = Buffer.from("\r\n\r\n");

/** Idle connections by port. */
const pools = new Map();

function connection(port) {
  const idle = pools.get(port)?.pop();
  if (idle !== undefined) return idle;
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  const client = { socket, port, missing: -1, head: "", answered: () => {} };
  socket.on("data", (chunk) => receive(client, chunk));
  socket.on("error", (error) => fail(`port ${port}: ${error.message}`));
  socket.on("close", () => client.missing >= 0 && fail(`port ${port} closed during a request`));
  return client;
}

function request(client, answered) {
  client.answered = answered;
  client.missing = 0;
  client.head = "";
  client.socket.write("GET /orders/latest HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

function receive(client, chunk) {
  let body = chunk.length;
  if (client.head !== null) {
    const before = Buffer.from(client.head, "latin1");
    const all = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
    const end = all.indexOf(SEPARATOR);
    client.head = end < 0 ? all.latin1Slice() : null;
    if (end < 0) return;
    const head = all.latin1Slice(0, end);
    if (!head.startsWith("HTTP/1.1 200")) fail(`answer ${head.slice(0, 30)}`);
    client.missing = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    body = all.length - end - SEPARATOR.length;
  }
  client.missing -= body;
  if (client.missing !== 0) return;
  client.missing = -1;
  client.answered(client);
}

function release(client) {
  const pool = pools.get(client.port);
  if (pool === undefined) pools.set(client.port, [client]);
  else pool.push(client);
}

function closedLoop({ port, requests, connections }) {
  return new Promise((resolve) => {
    let asked = 0;
    let answered = 0;
    const next = (client) => {
      if (asked < requests) {
        asked++;
        request(client, (same) => {
          answered++;
          next(same);
        });
      } else release(client);
      if (answered === requests) resolve({});
    };
    for (let i = 0; i < Math.min(connections, requests); i++) next(connection(port));
  });
}

function openLoop({ port, requests, rate }) {
  return new Promise((resolve) => {
    const latencies = [];
    const begin = performance.now() + 5;
    let asked = 0;
    const tick = setInterval(() => {
      const now = performance.now();
      for (; asked < requests && begin + (asked * 1000) / rate <= now; asked++) {
        const due = begin + (asked * 1000) / rate;
        request(connection(port), (client) => {
          latencies.push(performance.now() - due);
          release(client);
          if (latencies.length === requests)
            resolve({ p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) });
        });
      }
      if (asked === requests) clearInterval(tick);
    }, 1);
  });
}

function fail(reason) {
  process.stderr.write(`load: ${reason}\n`);
  process.exit(1);
}

process.on("message", async (slice) => {
  process.send(await ("rate" in slice ? openLoop(slice) : closedLoop(slice)));
});
process.on("disconnect", () => process.exit());
