import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Awaited, Fact, PromiseClass, ResourceKind } from "../base/facts.ts";
import { TraceWriter } from "../encode/writer.ts";
import { Resolver } from "./resolver.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const SITE = 16;
/** Both a multiple of how many settled promises are forgotten at once, less what is kept at the end. */
const WARM_UP = 25_000;
const ROUNDS = 40_000;
/** A node that is kept costs more than 200 bytes a round. The rest is the history of runs, which is bounded higher. */
const MAX_GROWTH = 125 * ROUNDS;

/** A program that goes on for ever, of which nothing is recorded but facts: what it keeps must not grow. */
class Endless {
  time = 1e6;
  alive = 0;
  /** What the program of the test keeps from round to round. */
  readonly kept: number[] = [];
  readonly #resolver: Resolver;
  readonly #writer: TraceWriter;
  #id = 0;
  #advanced = 0;
  #rotated = 0;

  constructor() {
    this.#writer = new TraceWriter({
      version: 25,
      strict: true,
      write: () => {},
      snapshot: () => ({ mono: 1, wallSec: 1, wallNsec: 0 }),
    });
    this.#resolver = new Resolver(this.#writer);
    const { goCreate, goDestroy } = this.#writer;
    this.#writer.goCreate = (...args) => (this.alive++, goCreate.apply(this.#writer, args));
    this.#writer.goDestroy = (...args) => (this.alive--, goDestroy.apply(this.#writer, args));
    this.#resolver.addLoop(0, { name: "main", time: this.time });
    this.#resolver.visitor(0).text(1, "f");
    this.#resolver.visitor(0).fact(Fact.Site, this.time, 2 ** 26 + 1, 2 ** 26 + 1, 1);
  }

  id(): number {
    return ++this.#id;
  }

  put(kind: number, a: number, b = 0, c = 0): void {
    this.time += 10_000;
    if (this.time - this.#advanced > 50e6) {
      this.#advanced = this.time;
      this.#resolver.advance(this.time - 1);
      this.#writer.flush();
    }
    if (this.time - this.#rotated > 1e9) {
      this.#rotated = this.time;
      this.#writer.rotate(this.#resolver.horizon);
    }
    this.#resolver.visitor(0).fact(kind, this.time, a, b, c);
  }

  call(): number {
    const id = this.id();
    this.put(Fact.Promise, id, 0, PromiseClass.Call + SITE);
    return id;
  }

  /** Awaits a new timer; answers timer, its promise and the await. */
  sleep(): [timer: number, promise: number, awaits: number] {
    const [promise, timer, awaits] = [this.id(), this.id(), this.id()];
    this.put(Fact.Promise, promise, 0, PromiseClass.New);
    this.put(Fact.Init, timer, 1, ResourceKind.Timeout + 32);
    this.put(Fact.Link, timer, promise);
    this.put(Fact.Promise, awaits, promise, PromiseClass.Await + SITE);
    return [timer, promise, awaits];
  }

  wake(timer: number, promise: number): void {
    this.put(Fact.Before, timer, this.time, ResourceKind.Timeout);
    this.put(Fact.Settle, promise);
    this.put(Fact.After, timer);
  }

  get size(): number {
    return process.memoryUsage().heapUsed;
  }
}

const PROGRAMS: Readonly<Record<string, (p: Endless) => void>> = {
  "for (;;) await sleep()": (p) => {
    if (p.kept.length === 0) p.kept.push(p.call(), ...p.sleep());
    const [call, timer, promise, awaits] = p.kept.splice(0) as [number, number, number, number];
    p.wake(timer, promise);
    p.put(Fact.ReactionBegin, awaits);
    p.kept.push(call, ...p.sleep());
    p.put(Fact.Settle, awaits);
    p.put(Fact.ReactionEnd, awaits);
  },
  "an async function that starts itself again and ends": (p) => {
    if (p.kept.length === 0) p.kept.push(p.call(), ...p.sleep());
    const [call, timer, promise, awaits] = p.kept.splice(0) as [number, number, number, number];
    p.wake(timer, promise);
    p.put(Fact.ReactionBegin, awaits);
    p.kept.push(p.call(), ...p.sleep());
    p.put(Fact.Settle, call);
    p.put(Fact.Settle, awaits);
    p.put(Fact.ReactionEnd, awaits);
  },
  "a timer whose callback is async and sets the timer again": (p) => {
    const timer = p.kept.pop();
    if (timer !== undefined) p.put(Fact.Before, timer, p.time, ResourceKind.Timeout);
    const call = p.call();
    const [nap, promise, awaits] = p.sleep();
    if (timer !== undefined) p.put(Fact.After, timer);
    p.wake(nap, promise);
    p.put(Fact.ReactionBegin, awaits);
    const next = p.id();
    p.put(Fact.Init, next, 1, ResourceKind.Timeout + 32);
    p.kept.push(next);
    p.put(Fact.Settle, call);
    p.put(Fact.Settle, awaits);
    p.put(Fact.ReactionEnd, awaits);
  },
  "regions around a timer that sets itself again": (p) => {
    const timer = p.kept.pop();
    if (timer !== undefined) p.put(Fact.Before, timer, p.time, ResourceKind.Timeout);
    const region = p.id();
    p.put(Fact.RegionCall, region, 1, 1);
    const next = p.id();
    p.put(Fact.Init, next, 1, ResourceKind.Timeout + 32);
    p.kept.push(next);
    p.put(Fact.Return, region);
    if (timer !== undefined) p.put(Fact.After, timer);
  },
  "p = p.then(work)": (p) => {
    if (p.kept.length === 0) p.kept.push(p.id());
    const then = p.id();
    p.put(Fact.Promise, then, p.kept.pop(), PromiseClass.Then);
    p.put(Fact.ReactionBegin, then);
    p.put(Fact.Settle, then);
    p.put(Fact.ReactionEnd, then);
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    p.put(Fact.After, 0);
    p.kept.push(then);
  },
  "race([never, sleep()])": (p) => {
    if (p.kept.length === 0) {
      p.kept.push(p.id());
      p.put(Fact.Promise, p.kept[0]!, 0, PromiseClass.New);
    }
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    const call = p.call();
    const [promise, timer, race, one, other, awaits] = Array.from({ length: 6 }, () => p.id());
    p.put(Fact.Promise, promise!, 0, PromiseClass.New);
    p.put(Fact.Init, timer!, 1, ResourceKind.Timeout + 32);
    p.put(Fact.Promise, race!, 0, PromiseClass.Race);
    p.put(Fact.Promise, one!, p.kept[0], PromiseClass.Then);
    p.put(Fact.Promise, other!, promise, PromiseClass.Then);
    p.put(Fact.Promise, awaits!, race, PromiseClass.Await + SITE);
    p.put(Fact.After, 0);
    p.wake(timer!, promise!);
    p.put(Fact.ReactionBegin, other!);
    p.put(Fact.Settle, race!);
    p.put(Fact.Settle, other!);
    p.put(Fact.ReactionEnd, other!);
    p.put(Fact.ReactionBegin, awaits!);
    p.put(Fact.Settle, call);
    p.put(Fact.Settle, awaits!);
    p.put(Fact.ReactionEnd, awaits!);
  },
  "a frame that awaits frames which sleep": (p) => {
    if (p.kept.length === 0) {
      p.put(Fact.Before, 0, 0, ResourceKind.Net);
      p.kept.push(p.id());
      p.put(Fact.FrameCall, p.kept[0]!, 0, 1);
      p.put(Fact.FrameBlock, p.kept[0]!, Awaited.Settled, 1);
      p.put(Fact.After, 0);
    }
    const [frame] = p.kept;
    p.put(Fact.FrameResume, frame!);
    const [callee, executor, timer] = [p.id(), p.id(), p.id()];
    p.put(Fact.FrameCall, callee, 0, 1);
    p.put(Fact.Executor, executor);
    p.put(Fact.Init, timer, 1, ResourceKind.Timeout + 32);
    p.put(Fact.FrameBlock, callee, executor, 1);
    p.put(Fact.FrameBlock, frame!, callee, 1);
    p.put(Fact.Before, timer, p.time, ResourceKind.Timeout);
    p.put(Fact.Settled, executor, Awaited.Settled);
    p.put(Fact.After, timer);
    p.put(Fact.FrameResume, callee);
    p.put(Fact.FrameEnd, callee);
  },
  "last = last.then(() => work())": (p) => {
    if (p.kept.length === 0) {
      const [first, work] = [p.id(), p.id()];
      p.put(Fact.Before, 0, 0, ResourceKind.Net);
      p.put(Fact.Executor, first);
      p.put(Fact.Executor, work);
      p.put(Fact.Settled, first, work);
      p.put(Fact.After, 0);
      p.kept.push(first, work);
    }
    const [last, work] = p.kept.splice(0) as [number, number];
    const [next, more] = [p.id(), p.id()];
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    p.put(Fact.Init, next, 0, ResourceKind.Reaction);
    p.put(Fact.Derived, next, last, 1);
    p.put(Fact.Settled, work, Awaited.Settled);
    p.put(Fact.After, 0);
    p.put(Fact.Before, next, 0, ResourceKind.Reaction);
    p.put(Fact.Executor, more);
    p.put(Fact.After, next, more, 1);
    p.kept.push(next, more);
  },
  "a function given to then that gives another one to it": (p) => {
    const then = p.kept.pop() ?? p.id();
    const next = p.id();
    p.put(Fact.Before, then, 0, ResourceKind.Reaction);
    p.put(Fact.Init, next, 0, ResourceKind.Reaction);
    p.put(Fact.Derived, next, then, 1);
    p.put(Fact.After, then, Awaited.Settled, 1);
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    p.put(Fact.After, 0);
    p.kept.push(next);
  },
  "a frame that calls itself again and ends": (p) => {
    const frame = p.kept.pop();
    if (frame !== undefined) p.put(Fact.FrameResume, frame);
    const next = p.id();
    p.put(Fact.FrameCall, next, 0, 1);
    p.put(Fact.FrameBlock, next, Awaited.Settled, 1);
    if (frame !== undefined) p.put(Fact.FrameEnd, frame);
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    p.put(Fact.After, 0);
    p.kept.push(next);
  },
  "timeouts of a day that are cleared": (p) => {
    p.put(Fact.Before, 0, 0, ResourceKind.Net);
    const timer = p.id();
    p.put(Fact.Init, timer, 1, ResourceKind.Timeout + 32 * 86_400_000);
    p.put(Fact.Clear, timer);
    p.put(Fact.After, 0);
  },
};

for (const [name, round] of Object.entries(PROGRAMS)) {
  test(`nothing grows with ${name}`, () => {
    const program = new Endless();
    for (let i = 0; i < WARM_UP; i++) round(program);
    collect();
    const before = program.size;
    for (let i = 0; i < ROUNDS; i++) round(program);
    collect();
    const growth = program.size - before;
    assert.ok(growth < MAX_GROWTH, `${growth} bytes more after ${ROUNDS} rounds`);
    assert.ok(program.alive < 2000, `${program.alive} activations are alive`);
  });
}
