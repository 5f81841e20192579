/**
 * The demo that `npm start` records: a coffee shop as an HTTP server, with customers in the same process. It shows
 * one of each: a task with concurrent regions, reading files, timers, a handler that burns CPU, a Worker.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { Agent, createServer, get } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import * as trace from "runtrace";

const CUSTOMERS = 4;
const OPEN_MS = 3_000;

let orders = 0;

/** One order: three steps at the same time, joined before the cup is served. */
async function makeCappuccino(orderID: string): Promise<string> {
  return trace.withTask("makeCappuccino", async () => {
    trace.log("orderID", orderID);
    const [milk, coffee, mix] = await Promise.all([
      trace.withRegion("steamMilk", steamMilk),
      trace.withRegion("extractCoffee", extractCoffee),
      trace.withRegion("mixMilkCoffee", mixMilkCoffee),
    ]);
    return `cappuccino ${orderID}: ${milk}, ${coffee}, ${mix}\n`;
  });
}

async function steamMilk(): Promise<string> {
  await sleep(12);
  return "steamed milk";
}

async function extractCoffee(): Promise<string> {
  const beans = await readFile(fileURLToPath(import.meta.url));
  await sleep(8);
  return `coffee from ${beans.length} beans`;
}

async function mixMilkCoffee(): Promise<string> {
  await sleep(4);
  await new Promise((resolve) => setImmediate(resolve));
  return "mixed";
}

/** Reads the folder of the program, a file after the other. */
async function readMenu(): Promise<string> {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  let bytes = 0;
  for (const name of await readdir(folder)) {
    if (name.endsWith(".js")) bytes += (await readFile(folder + name)).length;
  }
  return `menu of ${bytes} bytes\n`;
}

/** Burns CPU on the event loop: everybody else waits. */
function roastBeans(milliseconds: number): string {
  const end = performance.now() + milliseconds;
  let rounds = 0;
  while (performance.now() < end) {
    createHash("sha256").update(`bean ${rounds}`).digest();
    rounds++;
  }
  return `roasted in ${rounds} rounds\n`;
}

/** The grinder runs on a thread of its own; one bag at a time is sent there and comes back ground. */
class Grinder {
  readonly #worker = new Worker(new URL("./grinder.js", import.meta.url));

  constructor() {
    this.#worker.unref();
  }

  grind(grams: number): Promise<string> {
    return new Promise((resolve) => {
      this.#worker.once("message", (ground: number) => {
        this.#worker.unref();
        resolve(`ground ${ground} g\n`);
      });
      this.#worker.ref();
      this.#worker.postMessage(grams);
    });
  }

  close(): Promise<number> {
    return this.#worker.terminate();
  }
}

const grinder = new Grinder();

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (request.url) {
    case "/cappuccino":
      response.end(await makeCappuccino(String(++orders)));
      return;
    case "/menu":
      response.end(await readMenu());
      return;
    case "/roast":
      response.end(roastBeans(25));
      return;
    case "/grind":
      response.end(await grinder.grind(18));
      return;
    default:
      response.statusCode = 404;
      response.end("not on the menu\n");
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: CUSTOMERS });

function order(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    }).once("error", reject);
  });
}

async function customer(port: number, number: number, closing: number): Promise<number> {
  const wishes = ["/cappuccino", "/menu", "/cappuccino", "/grind", "/cappuccino", "/roast"];
  let served = 0;
  for (let wish = number; performance.now() < closing; wish++) {
    await order(port, wishes[wish % wishes.length]!);
    served++;
    await sleep(5 + number);
  }
  return served;
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const { port } = server.address() as AddressInfo;
const closing = performance.now() + OPEN_MS;
const served = await Promise.all(
  Array.from({ length: CUSTOMERS }, (_, number) => customer(port, number, closing)),
);
agent.destroy();
server.close();
await grinder.close();
const total = served.reduce((sum, count) => sum + count, 0);
process.stdout.write(`The coffee shop served ${total} orders, ${orders} of them cappuccino.\n`);
