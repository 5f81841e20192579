/**
 * The program of the guides' pictures: a shop on Express that asks a payment service, and whose report is work for the
 * event loop. It listens on a free port of loopback, prints its number, and ends with its stdin.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import express from "express";

const file = fileURLToPath(import.meta.url);

if (process.send === undefined) await shop();
else payments();

async function shop() {
  const service = fork(file, { execArgv: [], env: { PATH: process.env.PATH } });
  const [port] = await once(service, "message");
  const app = express();
  app.get("/", (_request, response) => void response.send("welcome"));
  app.get("/products/:id", async function showProduct(request, response) {
    const [text] = await Promise.all([readFile(file, "utf8"), lookUpStock()]);
    response.json({ id: request.params.id, text });
  });
  app.post("/orders", async function placeOrder(_request, response) {
    await lookUpStock();
    await pay(port);
    response.status(201).end();
  });
  app.get("/reports/:month", function showReport(request, response) {
    response.json({ month: request.params.month, sum: sumUpOrders(Number(request.query.ms ?? 60)) });
  });
  const server = app.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
  process.stdin.resume().once("end", () => {
    service.disconnect();
    server.closeAllConnections();
    server.close();
  });
}

async function lookUpStock() {
  await new Promise((resolve) => setTimeout(resolve, 8));
}

async function pay(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/charges`, { method: "POST" });
  await answer.text();
}

function sumUpOrders(ms) {
  const until = performance.now() + ms;
  let sum = 0;
  while (performance.now() < until) for (let order = 0; order < 1e5; order++) sum += Math.sqrt(order);
  return sum;
}

/** Answers a charge after 35 ms. */
function payments() {
  const server = createServer((_request, response) => void setTimeout(() => response.end("paid"), 35));
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.once("disconnect", () => {
    server.closeAllConnections();
    server.close();
  });
}
