import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
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
  let released = 0;
  new RingReader(ring).drain(Infinity, {
    text: () => {},
    fact: (kind) => kind === Fact.Release && released++,
  });
  assert.equal(released, 2);
});
