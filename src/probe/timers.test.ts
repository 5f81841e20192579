import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Fact, ResourceKind } from "../base/facts.ts";
import { idOf, setStamp } from "./stamp.ts";
import { delayAsked, watchTimers } from "./timers.ts";

type Put = { readonly kind: number; readonly a: number; readonly c: number };

test("a timer that is refreshed before it fired is told of, others and Node's own are not", async (t) => {
  const facts: Put[] = [];
  const stop = watchTimers({
    put: (kind: number, _time: bigint, a: number, _b: number, c: number) => void facts.push({ kind, a, c }),
  });
  t.after(stop);
  let ids = 0;
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === "Timeout") setStamp(resource, ++ids, ResourceKind.Timeout);
    },
  }).enable();
  t.after(() => hook.disable());

  const prototype = Object.getPrototypeOf(setTimeout(() => {}, 0)) as NodeJS.Timeout;
  const pending = setTimeout(() => {}, 700);
  const id = idOf(pending);
  assert.equal(pending.refresh(), pending);
  assert.deepEqual(facts, [{ kind: Fact.Refresh, a: id, c: 700 }]);
  clearTimeout(pending);
  facts.length = 0;

  const fired = await new Promise<NodeJS.Timeout>((resolve) => {
    const timer: NodeJS.Timeout = setTimeout(() => resolve(timer), 1);
  });
  const before = idOf(fired);
  fired.refresh();
  assert.notEqual(idOf(fired), before, "it is a resource of its own");
  assert.deepEqual(facts, []);
  clearTimeout(fired);
  facts.length = 0;

  const internal = setTimeout(() => {}, 700);
  setStamp(internal, 99, ResourceKind.InternalTimer);
  internal.refresh();
  assert.deepEqual(facts, []);
  clearTimeout(internal);

  const watching = Object.getOwnPropertyDescriptor(prototype, "refresh");
  stop();
  const original = Object.getOwnPropertyDescriptor(prototype, "refresh");
  assert.notEqual(watching?.value, original?.value);
  assert.deepEqual({ ...watching, value: null }, { ...original, value: null });
  assert.equal(watching?.value.name, original?.value.name);
});

test("functions that the program has put in the place of Node's stay its own, and one of both stays one", () => {
  const timers = createRequire(import.meta.url)("node:timers") as typeof globalThis;
  const { clearTimeout: own } = globalThis;
  const given: unknown[] = [];
  globalThis.clearTimeout = (...values: unknown[]) => void given.push(...values);
  const stop = watchTimers({ put: () => {} });
  try {
    clearTimeout(5);
    assert.deepEqual(given, [5]);
    assert.equal(globalThis.clearInterval, timers.clearInterval);
  } finally {
    stop();
    globalThis.clearTimeout = own;
  }
  assert.equal(timers.clearTimeout, own);
});

test("a timer that is closed or disposed of is cleared", () => {
  const facts: Put[] = [];
  const timers = [1, 2].map((id) => {
    const timer = setTimeout(() => {}, 1000);
    setStamp(timer, id, ResourceKind.Timeout);
    return timer;
  });
  const stop = watchTimers({
    put: (kind: number, _time: bigint, a: number, _b: number, c: number) => void facts.push({ kind, a, c }),
  });
  try {
    assert.equal(timers[0]!.close(), timers[0]);
    timers[1]![Symbol.dispose]();
    assert.deepEqual(
      facts.map(({ kind, a }) => [kind, a]),
      [
        [Fact.Clear, 1],
        [Fact.Clear, 2],
      ],
    );
  } finally {
    stop();
  }
});

test("the delay that Node gives a timer", () => {
  const cases: readonly (readonly [unknown, number])[] = [
    [20, 20],
    [2.7, 2],
    [0, 1],
    [-5, 1],
    [NaN, 1],
    [2 ** 31, 1],
    [undefined, 1],
    ["20", 0],
    [null, 0],
  ];
  for (const [after, delay] of cases) assert.equal(delayAsked(after), delay, String(after));
});
