import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import net from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Fact } from "../base/facts.ts";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";
import { watchChannels } from "./channels.ts";
import { Sites } from "./sites.ts";
import { FactWriter } from "./writer.ts";

test("what has ended is let go at a sweep, without another request", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const ring = createRing(65_536);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const { sweep, stop } = watchChannels(facts, new Sites(facts));
  const connect = (destroyed: boolean): WeakRef<object> => {
    const socket = { destroyed };
    channel("net.server.socket").publish({ socket });
    return new WeakRef(socket);
  };
  const answer = (): WeakRef<object> => {
    const response = { destroyed: true, closed: true };
    channel("http.server.request.start").publish({ request: { method: "GET", url: "/" }, response });
    return new WeakRef(response);
  };
  const open = connect(false);
  const ended = [connect(true), answer()];
  // Sweeps are a second apart at least.
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  sweep();
  await new Promise((resolve) => setTimeout(resolve, 10));
  gc();
  stop();
  assert.deepEqual(
    ended.map((one) => one.deref()),
    [undefined, undefined],
  );
  assert.notEqual(open.deref(), undefined);
  assert.equal(released(ring).length, 2);
});

test("a connection is let go when its socket goes, without a sweep and unseen by its listeners", async () => {
  const ring = createRing(65_536);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const own = Object.getOwnPropertyDescriptor(net.Socket.prototype, "_destroy");
  const { stop } = watchChannels(facts, new Sites(facts));
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  assert.equal(socket.listenerCount("close"), 0);
  const before = released(ring);
  client.destroy();
  socket.resume();
  await once(socket, "close");
  stop();
  server.close();
  assert.deepEqual(before, []);
  assert.equal(released(ring).length, 1, "the client's end is no root");
  assert.deepEqual(Object.getOwnPropertyDescriptor(net.Socket.prototype, "_destroy"), own);
});

/** The roots that were let go since it was asked last. */
function released(ring: SharedArrayBuffer): number[] {
  const roots: number[] = [];
  new RingReader(ring).drain(Infinity, {
    text: () => {},
    fact: (kind, _time, a) => kind === Fact.Release && roots.push(a),
  });
  return roots;
}
