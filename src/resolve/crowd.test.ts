import assert from "node:assert/strict";
import { test } from "node:test";
import { Fact, PromiseClass, ResourceKind } from "../base/facts.ts";
import { TraceWriter } from "../encode/writer.ts";
import { Chain } from "./chain.ts";
import type { Link } from "./chain.ts";
import { makeActivation, makePromise, makeResource, makeSite } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import { waitOf } from "./reasons.ts";
import { Resolver } from "./resolver.ts";

const ENTRY = { func: "f", file: "app.js", line: 1 };

class Member implements Link<Member> {
  chain: Chain<Member> | null = null;
  older: Member | null = null;
  younger: Member | null = null;
}

function members(chain: Chain<Member>): Member[] {
  const all: Member[] = [];
  for (let at = chain.youngest; at !== null; at = at.older) all.unshift(at);
  return all;
}

test("a chain keeps the order of addition, whoever leaves", () => {
  const [chain, other] = [new Chain<Member>(), new Chain<Member>()];
  const [a, b, c, d] = [new Member(), new Member(), new Member(), new Member()];
  for (const member of [a, b, c, d]) chain.add(member);
  assert.deepEqual(members(chain), [a, b, c, d]);
  chain.remove(b);
  chain.remove(b);
  chain.remove(d);
  assert.deepEqual(members(chain), [a, c]);
  chain.add(a);
  assert.deepEqual(members(chain), [c, a]);
  other.add(c);
  chain.remove(c);
  assert.deepEqual([members(chain), members(other)], [[a], [c]]);
  chain.add(b);
  chain.clear();
  assert.deepEqual([members(chain), a.older, b.younger], [[], null, null]);
});

/** An activation with so many frames of Node's and of the program's, each awaiting an unknown promise; and the looks. */
function crowd(frames: number): { looks: () => number; reason: () => string } {
  const activation = makeActivation(1, ENTRY);
  const root = makeScope("root", null, "fork", 0, { entry: ENTRY });
  root.activation = activation;
  let looks = 0;
  for (let i = 0; i < frames; i++) {
    for (const file of ["app.js", "node:internal/nothing"]) {
      const frame = makeScope("frame", root, "inline", 0, { site: makeSite({ ...ENTRY, file }, 1, 0) });
      const waitingFor = makePromise(0, PromiseClass.Unknown, root, null);
      Object.defineProperty(frame, "waitingFor", { get: () => (looks++, waitingFor) });
      (file === "app.js" ? activation.ownFrames : activation.nodeFrames).add(frame);
    }
    const source = makeResource(i, ResourceKind.Immediate, root, true, 0);
    Object.defineProperty(source, "kind", { get: () => (looks++, ResourceKind.Immediate) });
    activation.sources.add(source);
  }
  return { looks: () => looks, reason: () => waitOf(activation, 1, 0).reason };
}

test("what an activation waits for takes as many looks for 5000 calls under way as for 500", () => {
  const [few, many] = [crowd(500), crowd(5_000)];
  assert.equal(few.reason(), "unspecified");
  assert.equal(many.reason(), "unspecified");
  assert.ok(few.looks() > 0);
  assert.equal(many.looks(), few.looks());
});

test("the program's youngest frame tells before Node's, whichever suspended last", () => {
  const activation = makeActivation(1, ENTRY);
  const root = makeScope("root", null, "fork", 0, { entry: ENTRY });
  root.activation = activation;
  const suspend = (file: string, source: number): void => {
    const frame = makeScope("frame", root, "inline", 0, { site: makeSite({ ...ENTRY, file }, 1, 0) });
    const awaited = makePromise(1, PromiseClass.New, root, null);
    awaited.source = source;
    frame.waitingFor = awaited;
    (file === "app.js" ? activation.ownFrames : activation.nodeFrames).add(frame);
  };
  suspend("app.js", ResourceKind.Timeout);
  suspend("app.js", ResourceKind.Zlib);
  suspend("node:fs", ResourceKind.Fs);
  const { reason, frame } = waitOf(activation, 1, 0);
  assert.deepEqual([reason, frame?.site?.frame.file], ["sync zlib", "app.js"]);
});

/** CPU time of a program whose calls all await a promise that is never seen to settle, and go on oldest first. */
function timeOfWaiters(calls: number): number {
  const resolver = new Resolver(
    new TraceWriter({
      version: 25,
      write: () => {},
      snapshot: () => ({ mono: 1, wallSec: 1, wallNsec: 0 }),
    }),
  );
  resolver.addLoop(0, { name: "main", time: 0 });
  const visitor = resolver.visitor(0);
  let time = 0;
  const put = (kind: number, a: number, b = 0, c = 0): void => visitor.fact(kind, (time += 100), a, b, c);
  const begin = process.cpuUsage();
  put(Fact.FrameCall, 1);
  put(Fact.Executor, 2);
  for (let id = 3; id < calls + 3; id++) {
    put(Fact.FrameCall, id);
    put(Fact.FrameBlock, id, 2);
  }
  put(Fact.FrameBlock, 1, 2);
  for (let id = 3; id < calls + 3; id++) {
    put(Fact.FrameResume, id);
    put(Fact.FrameEnd, id);
  }
  resolver.finish(time);
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

/** CPU time of a program that calls so many functions of Node's at once, which go on oldest first. */
function timeOf(calls: number): number {
  const writer = new TraceWriter({
    version: 25,
    write: () => {},
    snapshot: () => ({ mono: 1, wallSec: 1, wallNsec: 0 }),
  });
  const resolver = new Resolver(writer);
  resolver.addLoop(0, { name: "main", time: 0 });
  const visitor = resolver.visitor(0);
  visitor.text(1, "readFile");
  visitor.text(2, "node:internal/fs/promises");
  visitor.fact(Fact.Site, 0, 2 ** 26 + 1, 2 * 2 ** 26 + 1, 1);
  let id = 0;
  let time = 0;
  const put = (kind: number, a: number, b = 0, c = 0): void => visitor.fact(kind, (time += 100), a, b, c);
  const waits: [promise: number, awaits: number][] = [];
  const request = ++id;
  const begin = process.cpuUsage();
  put(Fact.Init, request, 0, ResourceKind.Net);
  put(Fact.Before, request, 0, ResourceKind.Net);
  for (let i = 0; i < calls; i++) {
    const [call, promise, awaits] = [++id, ++id, ++id];
    put(Fact.Promise, call, 0, PromiseClass.Call + 16);
    put(Fact.Promise, promise, 0, PromiseClass.New);
    put(Fact.Promise, awaits, promise, PromiseClass.Await + 16);
    waits.push([promise, awaits]);
  }
  put(Fact.After, request);
  for (const [promise, awaits] of waits) {
    put(Fact.Before, request, 0, ResourceKind.Net);
    put(Fact.Settle, promise);
    put(Fact.ReactionBegin, awaits);
    put(Fact.Settle, awaits - 2);
    put(Fact.ReactionEnd, awaits);
    put(Fact.After, request);
  }
  resolver.finish(time);
  writer.end();
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

for (const [what, cost] of [
  ["calls under way", timeOf],
  ["waiters of one promise", timeOfWaiters],
] as const) {
  test(`four times the ${what} take some four times the time`, () => {
    cost(4_000);
    const least = (calls: number): number => Math.min(cost(calls), cost(calls), cost(calls));
    const [one, four] = [least(4_000), least(16_000)];
    // Quadratic is 16.
    assert.ok(four / one < 9, `${one} us, then ${four} us`);
  });
}
