import fc from "fast-check";
import {
  Awaited,
  Fact,
  GcKind,
  PromiseClass,
  ResourceKind,
  RootKind,
  channelKey,
  messageKey,
} from "../base/facts.ts";
import type { Resolver } from "./resolver.ts";

/** A fact of one loop, and when it reaches the resolver (late for GC pauses). */
export interface RandomFact {
  readonly loop: number;
  readonly at: number;
  readonly kind: number;
  readonly time: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** One choice of the random program: what it does, with which of the things it has, and after how long. */
export interface Choice {
  readonly what: number;
  readonly which: number;
  readonly other: number;
  readonly pause: number;
  readonly loop: number;
}

export const LOOPS = 3;
const SITES = 8;
const STRINGS = 4;

const pause = fc.oneof(
  { weight: 20, arbitrary: fc.nat(200_000) },
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1_000_000, max: 30_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(19e6, 20e6, 21e6, 99e6, 100e6, 101e6, 150e6, 1200e6) },
);

const choice = (loops: number): fc.Arbitrary<Choice> =>
  fc.record({
    what: fc.nat(999),
    which: fc.nat(),
    other: fc.nat(),
    pause,
    loop: loops === 1 ? fc.constant(0) : fc.nat(loops - 1),
  });

/** Choices of a program with so many loops. */
export function choices(loops: number, maxLength: number): fc.Arbitrary<Choice[]> {
  return fc.array(choice(loops), { minLength: 1, maxLength, size: "max" });
}

/**
 * The facts of a random program. Most are as a program would give them: callbacks nest, reactions run in turns, what
 * calls back was made before. Some are violations: unknown ids, missing ends, ends of what is not open, lost facts.
 */
export function randomFacts(chosen: readonly Choice[]): { facts: RandomFact[]; end: number } {
  const facts: RandomFact[] = [];
  // Half of the programs tell of their async functions by promises, half by frames.
  const byFrames = (chosen[0]?.other ?? 0) % 2 === 1;
  const loops = Array.from({ length: LOOPS }, (_, loop) => new RandomLoop(loop, facts, byFrames));
  let now = 1_000_000;
  for (const { what, which, other, pause: after, loop } of chosen) {
    loops[loop]!.step(now, what, which, other);
    now += after;
  }
  return { facts, end: now };
}

class RandomLoop {
  readonly #loop: number;
  readonly #facts: RandomFact[];
  /** Callbacks and reactions that run, innermost last. */
  readonly #open: { readonly end: number; readonly id: number; readonly kind?: number }[] = [];
  readonly #promises: number[] = [0];
  readonly #pending: number[] = [0];
  readonly #resources: { readonly id: number; readonly kind: number }[] = [{ id: 0, kind: 0 }];
  readonly #calls: number[] = [0];
  readonly #annotations: number[] = [0];
  readonly #byFrames: boolean;
  /** Frames that run, innermost last, and those that are suspended. */
  #running: number[] = [];
  readonly #suspended: number[] = [];
  /** What can be awaited: frames, executors, Node's own promises. */
  readonly #awaitable: number[] = [0];
  readonly #executors: number[] = [0];
  #ids = 0;
  #lastFact = 0;

  constructor(loop: number, facts: RandomFact[], byFrames: boolean) {
    this.#byFrames = byFrames;
    this.#loop = loop;
    this.#facts = facts;
  }

  #put(kind: number, time: number, a = 0, b = 0, c = 0, start = time): void {
    this.#facts.push({ loop: this.#loop, at: time, kind, time: start, a, b, c });
    if (kind !== Fact.Gc) this.#lastFact = time;
  }

  #new(list: number[]): number {
    list.push(++this.#ids);
    return this.#ids;
  }

  step(time: number, what: number, which: number, other: number): void {
    const pick = <T>(list: readonly T[], by: number): T =>
      list[list.length - 1 - (by % Math.min(list.length, 12))]!;
    const site = 1 + (other % SITES);
    const name = 1 + (which % STRINGS);
    const promise = pick(this.#promises, which);
    const resource = pick(this.#resources, which);
    let at = what;
    const chance = (share: number): boolean => (at -= share) < 0;
    if (this.#byFrames && at < 600) this.#frame(time, at, which, other, site);
    else if (chance(150))
      this.#put(Fact.Promise, time, this.#new(this.#promises), 0, PromiseClass.Call + 16 * site);
    else if (chance(150)) {
      const parent = other % 3 === 0 ? this.#promises.at(-1)! : promise;
      const id = this.#new(this.#promises);
      this.#pending.push(id);
      this.#put(Fact.Promise, time, id, parent, PromiseClass.Await + 16 * site);
    } else if (chance(60)) {
      const id = this.#new(this.#promises);
      this.#pending.push(id);
      this.#put(Fact.Promise, time, id, promise, other % 5 === 0 ? PromiseClass.Unknown : PromiseClass.Then);
    } else if (chance(50)) {
      const made = [PromiseClass.New, PromiseClass.All, PromiseClass.Race, PromiseClass.Native];
      this.#put(Fact.Promise, time, this.#new(this.#promises), 0, made[other % 4]);
    } else if (chance(90)) this.#put(Fact.Settle, time, promise);
    else if (chance(100)) {
      const id = pick(this.#pending, which);
      this.#open.push({ end: Fact.ReactionEnd, id });
      this.#put(Fact.ReactionBegin, time, id);
    } else if (chance(60)) {
      const kind = other % 17;
      const id = ++this.#ids;
      this.#resources.push({ id, kind });
      const settles = this.#byFrames ? this.#executors.at(-1)! : site;
      this.#put(Fact.Init, time, id, settles, kind + 32 * (which % 40));
      if (which % 2 === 0) this.#put(Fact.Link, time, id, pick(this.#promises, other));
    } else if (chance(60)) {
      this.#open.push({ end: Fact.After, id: resource.id, kind: resource.kind });
      const isTimer = resource.kind === ResourceKind.Timeout || resource.kind === ResourceKind.Interval;
      this.#put(Fact.Before, time, resource.id, isTimer ? time - (other % 2e6) : 0, resource.kind);
    } else if (chance(130)) {
      const innermost = this.#open.pop();
      if (innermost?.kind === ResourceKind.Reaction && other % 4 > 0) {
        const returned = [Awaited.Settled, Awaited.Unknown, this.#awaitable[which % this.#awaitable.length]!];
        this.#put(Fact.After, time, innermost.id, returned[other % 3], 1);
      } else if (innermost !== undefined) this.#put(innermost.end, time, innermost.id);
    } else if (chance(25)) {
      if (this.#open.length === 0) this.#put(Fact.Idle, time, Math.min(time - this.#lastFact, other % 5e6));
    } else if (chance(10)) this.#put(Fact.Clear, time, resource.id);
    else if (chance(10)) this.#put(Fact.Refresh, time, resource.id, 0, other % 30);
    else if (chance(40)) this.#call(time, which, other, name, site);
    else if (chance(60)) this.#annotate(time, which, other, name, site);
    else this.#rare(time, which, other);
  }

  #frame(time: number, what: number, which: number, other: number, site: number): void {
    const some = this.#awaitable[this.#awaitable.length - 1 - (which % Math.min(6, this.#awaitable.length))]!;
    const odd = which % 40 === 7;
    if (what < 80) {
      this.#awaitCall(time, other, site, 0);
    } else if (what < 160) {
      const id = this.#new(this.#awaitable);
      this.#running.push(id);
      this.#put(Fact.FrameCall, time, id, other % 8 === 0 ? 1 : 0, site);
    } else if (what < 330) {
      const frame = odd ? some : this.#running.pop();
      if (frame === undefined) return;
      if (which % 11 === 3 && !odd) {
        this.#running.push(frame);
        this.#put(Fact.FrameBlock, time, frame, Awaited.Asks, site);
        return;
      }
      this.#suspended.push(frame);
      const awaited = [some, some, Awaited.Settled, Awaited.Unknown, this.#awaitable.at(-1)!][other % 5]!;
      this.#put(Fact.FrameBlock, time, frame, awaited === frame ? Awaited.Settled : awaited, site);
    } else if (what < 460) {
      const at = this.#suspended.length - 1 - (other % 4);
      if (at < 0) return;
      const [frame] = this.#suspended.splice(at, 1);
      const inside = other % 7 === 3;
      this.#running = inside ? [...this.#running, frame!] : [frame!];
      this.#put(Fact.FrameResume, time, frame, inside ? 1 : 0);
    } else if (what < 560) {
      const frame = odd ? some : this.#running.pop();
      if (frame === undefined) return;
      if (other % 9 === 0 && some !== frame) this.#put(Fact.FrameTail, time, frame, some, site);
      this.#put(Fact.FrameEnd, time, frame);
    } else if (what < 568) {
      const id = this.#new(this.#awaitable);
      this.#resources.push({ id, kind: ResourceKind.Reaction });
      this.#put(Fact.Init, time, id, 0, ResourceKind.Reaction);
      this.#put(Fact.Derived, time, id, other % 6 === 0 ? 0 : some, other % 7 === 0 ? 0 : 1);
    } else if (what < 577) {
      const id = this.#new(this.#awaitable);
      this.#executors.push(id);
      this.#put(Fact.Executor, time, id, 0, site);
    } else if (what < 590) {
      const id = this.#executors[this.#executors.length - 1 - (which % Math.min(4, this.#executors.length))]!;
      const awaited = other % 3 === 0 && some !== id ? some : Awaited.Settled;
      this.#put(Fact.Settled, time, id, awaited, other % 64);
    } else if (what < 595) {
      const id = this.#new(this.#awaitable);
      this.#put(Fact.Joint, time, id, 0, other % 2 === 0 ? PromiseClass.All : PromiseClass.Race);
      const members = this.#awaitable
        .slice(-2 - (which % 4), -1)
        .filter((_, index) => index % 3 !== which % 5);
      for (const member of members) this.#put(Fact.Member, time, id, member);
      if (other % 5 === 0) this.#put(Fact.Member, time, id, Awaited.Unknown);
      if (other % 7 === 0) this.#put(Fact.Member, time, id, some);
    } else {
      this.#put(
        Fact.Source,
        time,
        this.#new(this.#awaitable),
        which % 4 === 0 ? which % 40 : 0,
        1 + (other % 16),
      );
    }
  }

  /** The frame that runs awaits a call, which awaits a job and further calls, all of it in one turn. */
  #awaitCall(time: number, other: number, site: number, depth: number): void {
    const caller = this.#running.at(-1);
    if (caller === undefined) return;
    const callee = this.#new(this.#awaitable);
    this.#put(Fact.FrameCall, time, callee, 0, site);
    this.#put(Fact.FrameBlock, time, callee, Awaited.Settled, site);
    this.#put(Fact.FrameBlock, time, caller, callee, 1 + ((site + depth) % SITES));
    this.#put(Fact.FrameResume, time, callee);
    this.#running = [callee];
    const calls = depth < 3 ? other % 3 : 0;
    for (let i = 0; i < calls; i++) this.#awaitCall(time, Math.floor(other / 4), site, depth + 1);
    if (other % 13 === 5 || this.#running[0] !== callee) {
      this.#suspended.push(caller);
      return;
    }
    this.#put(Fact.FrameEnd, time, callee);
    this.#put(Fact.FrameResume, time, caller);
    this.#running = [caller];
  }

  #call(time: number, which: number, other: number, name: number, site: number): void {
    if (which % 2 === 0) {
      const kinds = [Fact.Go, Fact.RegionCall, Fact.TaskCall];
      this.#put(kinds[other % 3]!, time, this.#new(this.#calls), name, site);
      return;
    }
    const id = other % 8 === 0 ? this.#calls[other % this.#calls.length]! : (this.#calls.pop() ?? 0);
    const returned = this.#byFrames ? this.#awaitable : this.#promises;
    this.#put(Fact.Return, time, id, other % 3 === 0 ? 0 : returned[other % returned.length]);
    if (this.#calls.length === 0) this.#calls.push(0);
  }

  #annotate(time: number, which: number, other: number, name: number, site: number): void {
    const known = this.#annotations[other % this.#annotations.length]!;
    const kinds = [
      Fact.RegionBegin,
      Fact.TaskBegin,
      Fact.RegionEnd,
      Fact.TaskEnd,
      Fact.TaskEnter,
      Fact.TaskExit,
      Fact.Log,
      Fact.Note,
      Fact.SyscallBegin,
      Fact.SyscallEnd,
    ];
    const kind = kinds[which % kinds.length]!;
    const isNew = kind === Fact.RegionBegin || kind === Fact.TaskBegin;
    this.#put(
      kind,
      time,
      isNew ? this.#new(this.#annotations) : kind === Fact.Log ? name : known,
      name,
      site,
    );
  }

  #rare(time: number, which: number, other: number): void {
    switch (which % 12) {
      case 0:
      case 1:
        this.#root(time, which, other);
        return;
      case 2:
        this.#put(
          Fact.Release,
          time,
          this.#annotations[other % this.#annotations.length]!,
          which % (STRINGS + 1),
        );
        return;
      case 3: {
        const start = Math.max(1_000_000, time - (other % 50e6));
        const kind = other % 3 === 0 ? GcKind.Incremental : other % 3 === 1 ? GcKind.Major : GcKind.Minor;
        this.#put(Fact.Gc, time, other % 3e6, 0, kind, start);
        return;
      }
      case 4:
        this.#put(Fact.Heap, time, 1e6, 2e6);
        return;
      case 5:
        this.#put(Fact.Gap, time, 3);
        this.#open.length = 0;
        return;
      case 6:
        if (other % 4 === 0) this.#put(Fact.WorkerStart, time, 1 + (other % LOOPS), 0, 1);
        else this.#message(time, other % 4 === 1, which);
        return;
      case 7:
        if (other % 3 === 0) this.#put(Fact.LoopEnd, time);
        return;
      case 8:
        // The end of a callback is lost.
        this.#open.pop();
        return;
      case 9:
        this.#put(Fact.Booting, time, other % 3 === 0 ? 0 : 1);
        return;
      default:
        // A fact as no program gives it.
        this.#put(10 + (other % 68), time, which % 30, other % 30, RootKind.Main + (other % 3000));
    }
  }

  /** A root, perhaps with a task; a name for one; something outside is asked for. */
  #root(time: number, which: number, other: number): void {
    const known = this.#annotations[other % this.#annotations.length]!;
    const name = 1 + (other % STRINGS);
    if (which % 5 === 0) this.#put(Fact.Outgoing, time, this.#new(this.#annotations), name, 1);
    else if (which % 5 === 1) this.#put(Fact.TaskName, time, other % 3 === 0 ? 0 : known, name);
    else {
      const id = this.#new(this.#annotations);
      this.#put(Fact.Root, time, id, 1, other % 5);
      if (which % 5 < 4) this.#put(Fact.RootTask, time, id, name);
    }
  }

  /** One of few messages is sent, or is handled, whether it was sent or not. */
  #message(time: number, isSent: boolean, which: number): void {
    const nth = 1 + (which % 5);
    const key =
      which % 3 === 1
        ? channelKey(1 + (which % 7), which % 2, nth)
        : messageKey(which % LOOPS, which % 2 === 0, nth);
    if (!isSent && which % 13 === 0) {
      this.#put(Fact.Closed, time, key, 0, 0);
      return;
    }
    if (isSent || which % 3 === 0) {
      this.#put(isSent ? Fact.Send : Fact.Taken, time, key, 0, 1);
      return;
    }
    this.#open.push({ end: Fact.After, id: -key });
    this.#put(Fact.Before, time, -key, 0, ResourceKind.Port);
  }
}

const LATEST = 1e15;

/** Plays the facts, with `advance` after each pause (ns) of `schedule` in turn; never where it is empty. */
export function play(
  resolver: Resolver,
  facts: readonly RandomFact[],
  end: number,
  loops: number,
  schedule: readonly number[],
): void {
  for (let loop = 0; loop < loops; loop++) {
    resolver.addLoop(loop, { name: `loop ${loop}`, time: 1_000_000, workerThreadId: loop });
    const visitor = resolver.visitor(loop);
    for (let i = 1; i <= STRINGS; i++) visitor.text(i, i === STRINGS ? "node:fs" : `name ${i}`);
    for (let i = 1; i <= SITES; i++) {
      const file = i % 4 === 0 ? STRINGS : 1;
      const waits = i < 4 ? i : 0;
      visitor.fact(
        Fact.Site,
        0,
        (1 + (i >> 1)) * 2 ** 26 + i,
        file * 2 ** 26 + (1 + (i >> 1)),
        i + waits * 2 ** 28,
      );
    }
  }
  let step = 0;
  let next = schedule.length === 0 ? LATEST : 1_000_000 + schedule[0]!;
  for (const { loop, at, kind, time, a, b, c } of facts) {
    for (; at > next; next += schedule[++step % schedule.length]!) resolver.advance(next);
    resolver.visitor(loop).fact(kind, time, a, b, c);
  }
  resolver.finish(end);
}
