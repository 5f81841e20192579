import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { Fact } from "../base/facts.ts";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";
import { watchCallbacks } from "./callbacks.ts";
import { CallContext } from "./context.ts";
import { FrameSource } from "./frames.ts";
import { Sites } from "./sites.ts";
import { FactWriter } from "./writer.ts";

/** Runs `body` as known code while callbacks are watched; answers the kinds of the facts that were written. */
function watched(body: () => void): number[] {
  const ring = createRing(2 ** 16);
  const facts = new FactWriter(new RingWriter(ring, process.hrtime.bigint));
  const context = new CallContext(facts, false, false);
  const frames = new FrameSource();
  const sites = new Sites(facts);
  frames.start(facts, context);
  const stop = watchCallbacks({ facts, sites, frames, context });
  try {
    context.enter();
    body();
    context.leave();
  } finally {
    stop();
    frames.stop();
  }
  const kinds: number[] = [];
  new RingReader(ring).drain(Infinity, { text: () => {}, fact: (kind) => void kinds.push(kind) });
  return kinds;
}

test("a callback that is called at once is part of what has asked for it, and so is what it calls", () => {
  const called: unknown[] = [];
  const kinds = watched(() => {
    fs.exists("/\0", (exists) => {
      called.push(exists);
      fs.stat("/", () => {});
    });
    fs.stat("/", () => {});
  });
  assert.deepEqual(called, [false]);
  assert.deepEqual(kinds, [Fact.Init, Fact.Clear, Fact.Init, Fact.Init]);
});

test("what a program's own setTimeout answers is left alone", () => {
  const own = globalThis.setTimeout;
  const timer = Object.seal({ id: 1 });
  const open = { id: 2 };
  const answers = [timer, open, 3];
  globalThis.setTimeout = (() => answers.shift()) as unknown as typeof setTimeout;
  try {
    const kinds = watched(() => {
      assert.equal(
        setTimeout(() => {}, 1),
        timer,
      );
      assert.deepEqual(
        setTimeout(() => {}, 1),
        { id: 2 },
      );
      assert.equal(
        setTimeout(() => {}, 1),
        3,
      );
    });
    assert.deepEqual(kinds, []);
  } finally {
    globalThis.setTimeout = own;
  }
});

test("a timer shows its callback's name, and one without a name shows none", () => {
  watched(() => {
    const shown = [setTimeout(function tick() {}, 1), setTimeout(() => {}, 1)].map((timer) => {
      const { _onTimeout } = timer as unknown as { _onTimeout: unknown };
      clearTimeout(timer);
      return inspect(_onTimeout);
    });
    assert.deepEqual(shown, ["[Function: tick]", "[Function (anonymous)]"]);
  });
});

test("a callback's code is not called to learn its name", () => {
  const read: PropertyKey[] = [];
  const get = (target: () => void, key: PropertyKey): unknown => {
    read.push(key);
    return Reflect.get(target, key) as unknown;
  };
  const throws = Object.defineProperty(() => {}, "name", {
    get() {
      throw new Error("name");
    },
  });
  watched(() => {
    fs.stat("/", new Proxy(() => {}, { get }));
    clearTimeout(setTimeout(new Proxy(() => {}, { get }), 1));
    fs.stat("/", throws);
  });
  assert.deepEqual(read, []);
});
