/** Records what the guides' pictures show, each trace by the entrance that its guide is about. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { ROOT } from "../setup.js";

const CLI = join(ROOT, "dist", "cli.js");
const SHOP = join(ROOT, "scripts", "pictures", "shop.mjs");
const preload = (name) => `--import=${pathToFileURL(join(ROOT, "dist", name)).href}`;

/** Runs the command line to its end. */
async function runtrace(args, options = {}) {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    ...options,
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`runtrace ${args.join(" ")}: exit code ${code}`);
}

/** `runtrace run`, of the program of `npm start`. */
export async function ofDemo(folder) {
  const file = join(folder, "coffee-shop.trace");
  const program = join(ROOT, "dist", "demo", "coffee-shop.js");
  await runtrace(["run", "-o", file, "--", "node", "--enable-source-maps", program]);
  return file;
}

/** `runtrace run`, of the shop under load. */
export async function ofRun(folder) {
  const file = join(folder, "shop.out");
  await withShop([CLI, "run", "-o", file, SHOP], {}, (base) => load(base, sleep(1000)));
  return file;
}

/** `/debug/pprof/trace`, of the shop under load. */
export async function ofPprof(folder) {
  const file = join(folder, "pprof.out");
  const port = await freePort();
  const env = { RUNTRACE_HTTP: `127.0.0.1:${port}` };
  await withShop([preload("pprof-auto.js"), SHOP], env, async (base) => {
    const trace = fetch(`http://127.0.0.1:${port}/debug/pprof/trace?seconds=2`).then((answer) =>
      answer.bytes(),
    );
    await load(base, trace);
    writeFileSync(file, await trace);
  });
  return file;
}

/** `runtrace attach`, of the shop under load. */
export async function ofAttach(folder) {
  const file = join(folder, "attached.out");
  await withShop([preload("register.js"), SHOP], { RUNTRACE_MODE: "dormant" }, async (base, pid) => {
    const attached = runtrace(["attach", String(pid), "--seconds", "2", "-o", file]);
    await load(base, attached);
  });
  return file;
}

/** What `RUNTRACE_FLIGHT` writes when a report holds up the shop's event loop. */
export async function ofFlightRecorder(folder) {
  const env = { RUNTRACE_FLIGHT: `lag:200ms,age:2s,every:500ms,out:${join(folder, "flight-%n.out")}` };
  await withShop([preload("register.js"), SHOP], env, async (base) => {
    await load(base, sleep(2200));
    const products = ["/products/17", "/products/4", "/products/23", "/products/8", "/products/15"];
    // Twice, so that the second time all have their connections: the report comes while the others look up their stock.
    for (const report of ["/", "/reports/2026-02?ms=320"]) {
      await Promise.all([...products, report].map((path) => ask(base, path)));
      await sleep(50);
    }
    await load(base, sleep(2000));
  });
  // The program's start holds up its loop as well.
  const name = readdirSync(folder)
    .filter((one) => one.startsWith("flight-"))
    .toSorted()
    .at(-1);
  if (name === undefined) throw new Error("the flight recorder wrote nothing");
  return join(folder, name);
}

/** `runtrace test`, of the example's suite under mocha. */
export async function ofTests(folder) {
  const file = join(folder, "tests.out");
  const mocha = join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  await runtrace(["test", "-o", file, "--", "node", mocha], {
    cwd: join(ROOT, "examples", "runners", "mocha"),
  });
  return file;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts the shop by a command of Node's, calls `use` with its address and pid, and waits for its end. */
async function withShop(args, env, use) {
  const shop = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const exit = once(shop, "exit");
  const [port] = await once(createInterface(shop.stdout), "line");
  const base = `http://127.0.0.1:${port}`;
  await load(base, sleep(500));
  await use(base, shop.pid);
  shop.stdin.end();
  await exit;
}

/** Asks the shop for this and that, a few at a time, until something is over. */
async function load(base, over) {
  const state = { isOver: false };
  void over.finally(() => (state.isOver = true));
  const paths = ["/products/17", "/orders", "/", "/products/4", "/orders", "/products/23", "/orders"];
  const client = async (first) => {
    for (let i = first; !state.isOver; i++) {
      await ask(base, i % 40 === 11 ? "/reports/2026-01" : paths[i % paths.length]);
      await sleep(4);
    }
  };
  await Promise.all([0, 2, 5, 9].map(client));
}

async function ask(base, path) {
  const answer = await fetch(base + path, { method: path === "/orders" ? "POST" : "GET" });
  await answer.text();
}
