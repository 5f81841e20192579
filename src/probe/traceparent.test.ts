import assert from "node:assert/strict";
import { test } from "node:test";
import { Propagation, traceparentOf } from "./traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

test("a traceparent is what W3C calls one", () => {
  const good = [
    `00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01-what-will-be`,
  ];
  for (const value of good) assert.equal(traceparentOf(value), value);
  assert.equal(traceparentOf(` 00-${TRACE}-${PARENT}-01 `), `00-${TRACE}-${PARENT}-01`);
  const bad: unknown[] = [
    undefined,
    "",
    [`00-${TRACE}-${PARENT}-01`],
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-1`,
    `cc-${TRACE}-${PARENT}-01-${"x".repeat(200)}`,
  ];
  for (const value of bad) assert.equal(traceparentOf(value), "", String(value));
});

test("what is made for a request carries its trace on, each with an id of its own", async () => {
  const propagation = new Propagation();
  const ask = async (traceparent: string): Promise<string[]> => {
    await Promise.resolve();
    propagation.enter(traceparent, "vendor=1");
    await new Promise((resolve) => setImmediate(resolve));
    return [propagation.next(), propagation.next()].map(
      ({ traceparent: own, tracestate }) => `${own} ${tracestate}`,
    );
  };
  const [joined, begun] = await Promise.all([ask(`00-${TRACE}-${PARENT}-00`), ask("")]);
  const alone = propagation.next();
  propagation.stop();
  const form = new RegExp(`^00-${TRACE}-(?!${PARENT})[\\da-f]{16}-00 vendor=1$`);
  for (const one of joined) assert.match(one, form);
  assert.notEqual(joined[0], joined[1]);
  const [first, second] = begun.map((one) => /^00-([\da-f]{32})-[\da-f]{16}-01 $/.exec(one)?.[1]);
  assert.ok(first !== undefined && first !== TRACE);
  assert.equal(first, second);
  assert.notEqual(alone.traceparent.slice(3, 35), first);
});
