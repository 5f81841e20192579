import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import { Fact } from "../base/facts.ts";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";
import { watchChannels } from "./channels.ts";
import { CallContext } from "./context.ts";
import { watchServers } from "./servers.ts";
import { Sites } from "./sites.ts";
import { FactWriter } from "./writer.ts";

/** Runs `body` while servers are watched; answers where roots begin and end. */
async function watched(body: (context: CallContext) => Promise<void>): Promise<string[]> {
  const ring = createRing(2 ** 16);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const context = new CallContext(facts, false, false);
  const channels = watchChannels(facts, new Sites(facts), () => context.begins());
  const stop = watchServers(facts, channels, context);
  try {
    await body(context);
  } finally {
    stop();
    channels.stop();
  }
  const told: string[] = [];
  const strings = new Map<number, string>();
  const roots = new Map<number, string>();
  new RingReader(ring).drain(Infinity, {
    text: (id, text) => void strings.set(id, text),
    fact: (kind, _time, id, name) => {
      if (kind === Fact.Root) roots.set(id, strings.get(name) ?? "");
      if (kind === Fact.Root) told.push(`${roots.get(id)} begins`);
      if (kind === Fact.Return) told.push(`${roots.get(id)} ends`);
    },
  });
  return told;
}

test("the handler of a connection runs inside its root", async () => {
  const told = await watched(async (context) => {
    const known: boolean[] = [];
    const server = net.createServer((socket) => {
      known.push(context.known);
      socket.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => net.connect(port, "127.0.0.1").resume().on("close", resolve));
    server.close();
    assert.deepEqual(known, [true]);
  });
  assert.deepEqual(told, ["connection begins", "connection ends"]);
});

for (const [event, expect] of [
  ["request", ""],
  ["checkContinue", "100-continue"],
  ["checkExpectation", "other"],
] as const) {
  test(`the handler of ${event} runs inside the request's root`, async () => {
    const told = await watched(async (context) => {
      const known: boolean[] = [];
      const server = http.createServer().on(event, (_request: unknown, response: http.ServerResponse) => {
        known.push(context.known);
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const headers = expect === "" ? {} : { expect };
      await new Promise((resolve, reject) => {
        http
          .get({ host: "127.0.0.1", port, headers, agent: false }, (response) =>
            response.resume().on("end", resolve),
          )
          .on("error", reject);
      });
      server.close();
      assert.deepEqual(known, [true]);
    });
    assert.deepEqual(told, [
      "connection begins",
      "connection ends",
      "request GET begins",
      "request GET ends",
    ]);
  });
}
