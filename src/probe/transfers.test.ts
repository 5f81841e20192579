import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { channelKey, messageKey, wayOf } from "../base/facts.ts";
import { TRANSFER_WORDS, Transfers, portsIn } from "./transfers.ts";

const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * TRANSFER_WORDS));

test("what one isolate leaves under a key another finds, and nothing under other keys", () => {
  const words = shared();
  const [here, there] = [new Transfers(words), new Transfers(words)];
  assert.deepEqual([here.newChannel(), there.newChannel(), here.newChannel()], [1, 2, 3]);
  const end = { channel: 2 ** 27 - 1, side: 1, sent: 7, received: 2 ** 24 - 1 } as const;
  const keys = [messageKey(3, false, 0), messageKey(3, true, 2 ** 31), channelKey(2 ** 27 - 1, 1, 5)];
  for (const key of keys) {
    assert.ok(here.put(key, 0, 2, { ...end, side: 0 }));
    assert.ok(here.put(key, 1, 2, end));
  }
  for (const key of keys) {
    assert.equal(there.shape(key), 2);
    assert.deepEqual(there.get(key, 0), { ...end, side: 0 });
    assert.deepEqual(there.get(key, 1), end);
    assert.equal(there.get(key, 2), undefined);
    assert.equal(there.shape(key + 1), 0);
  }
  here.drop(keys[0]!, 2);
  assert.equal(there.shape(keys[0]!), 0);
  assert.deepEqual(there.get(keys[1]!, 1), end);
});

test("more than there is room for is forgotten, never mistaken", () => {
  const transfers = new Transfers(shared());
  const kept = Array.from({ length: 5_000 }, (_, i) => channelKey(1 + i, 0, 1));
  for (const [i, key] of kept.entries())
    transfers.put(key, 0, 1, { channel: i + 1, side: 0, sent: i, received: 0 });
  let found = 0;
  for (const [i, key] of kept.entries()) {
    const end = transfers.get(key, 0);
    if (end === undefined) continue;
    found++;
    assert.equal(end.sent, i);
  }
  assert.ok(found > 500 && found <= 1024, `${found} found`);
});

test("counts of messages go round, and ways stay apart", () => {
  assert.equal(channelKey(5, 1, 2 ** 24 + 3), channelKey(5, 1, 3));
  const ways = [channelKey(1, 0, 9), channelKey(1, 1, 9), channelKey(2, 0, 9), messageKey(1, false, 9)].map(
    wayOf,
  );
  assert.equal(new Set(ways).size, 4);
  assert.equal(wayOf(channelKey(2 ** 27 - 1, 1, 2 ** 24 - 1)), wayOf(channelKey(2 ** 27 - 1, 1, 0)));
  assert.ok(Number.isSafeInteger(channelKey(2 ** 27 - 1, 1, 2 ** 24 - 1)));
});

test("ports are found in the same order in what is sent and in what comes out", () => {
  const ports = Array.from({ length: 5 }, () => new MessageChannel().port1);
  const [a, b, c, d, e] = ports;
  const sent = {
    z: [1, { a }],
    m: new Map<unknown, unknown>([
      ["k", b],
      [c, "v"],
    ]),
    s: new Set([d]),
    a,
    e,
  };
  const found = portsIn(sent)!.ports;
  assert.deepEqual(new Set(found), new Set(ports));
  const came = structuredClone(sent, { transfer: ports as never[] });
  const places = (value: typeof sent, all: readonly unknown[]): number[] =>
    [
      (value.z[1] as { a: unknown }).a,
      value.m.get("k"),
      [...value.m.keys()][1],
      [...value.s][0],
      value.e,
    ].map((port) => all.indexOf(port));
  assert.deepEqual(places(came, portsIn(came)!.ports), places(sent, found));
  for (const port of portsIn(came)!.ports) port.close();
});

test("what could run the program's code, or is large, is not looked into", () => {
  assert.equal(
    portsIn({
      get a() {
        return assert.fail("it is called");
      },
    }),
    null,
  );
  assert.equal(portsIn(new Proxy({}, { ownKeys: () => assert.fail("it is called") })), null);
  assert.equal(portsIn(Array.from({ length: 100_000 }, () => 1)), null);
  assert.equal(portsIn(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [i, i]))), null);
  assert.deepEqual(portsIn("text")?.ports, []);
});

test("what is not the same at the other end is of another shape, and what is of a class of the program's is of the same", () => {
  class Box {
    readonly held: unknown;
    constructor(held: unknown) {
      this.held = held;
    }
  }
  const shapes = (make: (port1: unknown, port2: unknown) => unknown): [sent: unknown, came: unknown] => {
    const { port1, port2 } = new MessageChannel();
    const sent = make(port1, port2);
    const found = portsIn(sent)!;
    const came = structuredClone(sent, { transfer: [port1, port2] as never[] });
    const foundThere = portsIn(came)!;
    const order = [found.ports.indexOf(port1), foundThere.ports.indexOf((came as { a: MessagePort }).a)];
    for (const port of foundThere.ports) port.close();
    assert.ok(found.shape !== foundThere.shape || order[0] === order[1], `${order.join()} in one shape`);
    return [found.shape, foundThere.shape];
  };
  const [boxed, unboxed] = shapes((a, b) => ({ a, b, box: new Box(a) }));
  assert.equal(boxed, unboxed);
  const [had, lost] = shapes((a, b) => {
    const map = Object.assign(new Map(), { extra: a });
    return { a, b, map };
  });
  assert.equal(had, lost);
});
