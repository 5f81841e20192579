/**
 * Scenario a: an HTTP server with a JSON handler of about 25 awaits: nested async functions, two concurrent queries
 * against a "database" that answers after a timer, a file read, and values that are settled already.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const FILE = new URL("./small.json", import.meta.url);
const sessions = new Map(Array.from({ length: 100 }, (_, i) => [`user${i}`, Promise.resolve({ id: i })]));

const cache = new Map();
const release = () => sessions.size;

const query = (rows, delay) =>
  new Promise((resolve) =>
    setTimeout(() => resolve(Array.from({ length: rows }, (_, id) => ({ id }))), delay),
  );

async function findUser(name) {
  const session = await sessions.get(name);
  const user = await loadUser(session.id);
  return await withRights(user);
}

async function loadUser(id) {
  const cached = await cache.get(id);
  return cached ?? { id, name: `user ${id}` };
}

async function withRights(user) {
  const rights = [];
  for (const right of ["read", "write", "list"]) if (await mayUse(user, right)) rights.push(right);
  return { ...user, rights };
}

async function mayUse(user, right) {
  return await (right !== "write" || user.id % 2 === 0);
}

async function findOrders(user) {
  const orders = await query(8, 2);
  await release();
  return orders.map((order) => ({ ...order, user: user.id, total: order.id * 3 }));
}

async function findOffers() {
  const offers = await query(4, 3);
  await release();
  return offers;
}

async function settings() {
  const text = await readFile(FILE, "utf8");
  return await JSON.parse(text);
}

async function render(page) {
  const head = await header(page);
  const body = await JSON.stringify({ ...page, head });
  return body;
}

async function header(page) {
  const title = await page.user.name;
  return { title: await title.toUpperCase(), orders: await page.orders.length };
}

async function handle(url) {
  const user = await findUser(`user${url.length % 100}`);
  const [orders, offers] = await Promise.all([findOrders(user), findOffers()]);
  const options = await settings();
  return await render({ user, orders, offers, options });
}

const server = createServer(async (request, response) => {
  const body = await handle(request.url);
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`ready ${process.pid} ${server.address().port}\n`);
});
process.stdin.on("end", () => process.exit()).resume();
