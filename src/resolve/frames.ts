import { Awaited, Fact, ResourceKind, WaitsFor } from "../base/facts.ts";
import type { Decisions } from "./decisions.ts";
import type { FramePool } from "./frame-pool.ts";
import { isOutside } from "./promise-kinds.ts";
import type { FrameWaits } from "./frame-waits.ts";
import type { ResourceNode, Site } from "./graph.ts";
import { UNKNOWN, callbackEntry } from "./names.ts";
import type { Names } from "./names.ts";
import { Bits } from "./ops.ts";
import { QuietCalls } from "./quiet.ts";
import { EntryKind } from "./running.ts";
import type { Running } from "./running.ts";
import { makeScope } from "./scopes.ts";
import type { Scope } from "./scopes.ts";
import { awaitedBy } from "./waiters.ts";

/** What the frame of a module that awaits is called. */
const MODULE = "(module)";

/** What an iterator's method may tell before it returns, beside the calls of async functions. */
const IN_ITERATORS: ReadonlySet<number> = new Set([
  Fact.Init,
  Fact.Clear,
  Fact.Refresh,
  Fact.Link,
  Fact.Executor,
  Fact.Settled,
  Fact.Source,
  Fact.Derived,
  Fact.Joint,
  Fact.Member,
]);

/**
 * Async functions whose code says itself when it begins, suspends, goes on and ends (the load-time transform).
 *
 * Unlike the promises of PromiseReader these facts name the frame, so nothing has to be matched; what an await waits
 * for is named where it is the promise of a frame, of an executor or of one of Node's functions. What settles such a
 * promise is known, too. Of every other promise nothing is known but that the frame goes on.
 */
export class FrameReader {
  readonly #running: Running;
  readonly #names: Names;
  readonly #decisions: Decisions;
  readonly #pool: FramePool;
  readonly #waits: FrameWaits;
  readonly #quiet: QuietCalls;
  readonly #lookAhead: number;
  readonly #splitTurn: (time: number) => void;
  /** A frame that asks its iterator for the next value, and where, until the next fact tells whose that is. */
  #asking: Scope | null = null;
  #askingAt: Site | null = null;
  #askingFor = 0;
  #askingSince = 0;
  /** It will be told when that frame suspends, unless it asks a generator. */
  #askingOpenly = false;

  constructor(
    running: Running,
    names: Names,
    decisions: Decisions,
    pool: FramePool,
    waits: FrameWaits,
    lookAhead: number,
    splitTurn: (time: number) => void,
  ) {
    this.#running = running;
    this.#names = names;
    this.#decisions = decisions;
    this.#pool = pool;
    this.#waits = waits;
    this.#quiet = new QuietCalls(running.queue, decisions, pool, lookAhead);
    this.#lookAhead = lookAhead;
    this.#splitTurn = splitTurn;
  }

  /** The executor of the promise of that id runs. */
  executor(id: number): void {
    this.#waits.addExecutor(id);
  }

  /** What an executor asks for is what settles its promise: the first that it asks for. */
  asked(time: number, resource: ResourceNode | undefined, id: number): void {
    // A timer that repeats is an activation of its own, and a reaction waits itself.
    if (id === 0 || resource === undefined) return;
    if (resource.kind === ResourceKind.Interval || resource.kind === ResourceKind.Reaction) return;
    this.#waits.link(time, resource, id);
  }

  /** `b`: whether nothing is known of who calls it, and the place of the last marked call. */
  call(time: number, id: number, b: number, siteId: number): void {
    const running = this.#running;
    const unknown = b % 2 === 1;
    running.codeTells = true;
    const site = this.#names.site(siteId);
    const asking = site !== null && isAsked(site) ? this.#asking : null;
    if (asking === null) {
      this.stopAsking();
      if (unknown) running.leaveLoose(time);
    }
    const entry = site === null ? callbackEntry(0) : site.frame;
    if (asking === null && (running.depth === 0 || unknown)) {
      // Nothing tells who calls it: an activation of its own. The bodies of modules are the main script's.
      const scope =
        entry.func === MODULE ? running.root : makeScope("root", null, "fork", time, { entry, task: null });
      running.enter(EntryKind.Loose, scope, 0, time, null, 0, 0, null);
    }
    const caller = running.innermost;
    const frame = this.#pool.take(caller, time, entry, id, site);
    frame.callSite = b < 2 ? null : this.#placeIn(caller, this.#names.site(Math.floor(b / 2)));
    this.#waits.add(time, id, frame);
    let maker: Scope | null = caller;
    while (maker !== null && maker.kind === "call") maker = maker.parent;
    if (maker !== null && maker.kind === "frame") {
      frame.maker = maker;
      frame.makerId = maker.fn;
      maker.called++;
    }
    this.#decisions.add(frame);
    if (asking !== null) this.#asks(frame, asking);
    frame.isTold = true;
    frame.callOp = running.queue.next;
    frame.callRef = running.queue.nextRef;
    running.call(EntryKind.Call, frame, 0, time);
  }

  /** The place if it is in the code that runs in the scope, for the mark may be another's. */
  #placeIn(caller: Scope, place: Site | null): Site | null {
    if (place === null) return null;
    return caller.kind === "frame" && this.#names.site(place.fn)?.frame === caller.entry ? place : null;
  }

  block(time: number, id: number, awaited: number, siteId: number): void {
    const running = this.#running;
    if (this.#asking?.fn === id && (awaited <= Awaited.Kind || this.#askingOpenly)) {
      this.#askingFor = awaited;
      this.#askingOpenly = false;
      if (awaited <= Awaited.Kind) return;
      this.#askingSince = time;
      this.stopAsking();
      return;
    }
    this.stopAsking();
    const frame = this.#waits.frame(time, id);
    const at = this.#enter(time, frame);
    running.popTo(at + 1, time);
    const site = this.#names.site(siteId);
    if (frame.entry === UNKNOWN && site !== null && time - frame.since <= this.#lookAhead)
      frame.entry = site.frame;
    const isOpen = awaited === Awaited.Asks;
    if (awaited === Awaited.Iterates || isOpen || awaited <= Awaited.Kind) {
      this.#asking = frame;
      this.#askingAt = site;
      this.#askingOpenly = isOpen;
      this.#askingFor = awaited === Awaited.Iterates || isOpen ? Awaited.Unknown : awaited;
      this.#askingSince = time;
      return;
    }
    if (awaited === Awaited.Yielded) this.#yields(time, frame, site);
    else this.#waits.suspend(time, frame, awaited, site);
    running.popWith(frame.op);
    this.#asked(time, frame);
  }

  /** `inside`: running code asks the generator for its next value. */
  resume(time: number, id: number, inside: boolean): void {
    const asking = this.#waits.pending(id)?.isYielding === true ? this.#asking : null;
    if (asking === null) this.stopAsking();
    const frame = this.#waits.frame(time, id);
    const isAlone = this.#running.depth === 0 || this.#running.findScope(frame) >= 0;
    if (asking === null && (!inside || isAlone)) {
      this.#enter(time, frame);
      return;
    }
    frame.isYielding = false;
    frame.isWaiting = false;
    // Who asks a generator that hands on to another waits for all of them.
    let outermost = frame;
    while (outermost.awaiter?.isDelegating === true && outermost.awaiter.awaits === outermost)
      outermost = outermost.awaiter;
    if (asking !== null) this.#asks(outermost, asking);
    this.#running.resume(frame, time, false);
  }

  /** A fact of another kind comes. */
  passes(time: number, kind: number): void {
    if (this.#asking === null) return;
    if (this.#askingOpenly && IN_ITERATORS.has(kind)) this.#askingSince = time;
    else this.stopAsking();
  }

  /** Nothing comes for now; where it `isCalm` nothing has for so long that no iterator's method runs any more. */
  rests(isCalm: boolean): void {
    if (isCalm || !this.#askingOpenly) this.stopAsking();
  }

  /** What is asked for is not a generator's, as far as is known: the frame has waited for it since it asked. */
  stopAsking(): void {
    const frame = this.#asking;
    const time = this.#askingSince;
    if (frame === null) return;
    this.#asking = null;
    this.#askingOpenly = false;
    this.#running.popTo(this.#running.findScope(frame) + 1, time);
    this.#waits.suspend(time, frame, this.#askingFor, this.#askingAt);
    this.#running.popWith(frame.op);
  }

  /** The generator runs, or one that it hands on to, because the frame asks it. */
  #asks(generator: Scope, frame: Scope): void {
    this.#asking = null;
    this.#askingOpenly = false;
    frame.isDelegating = this.#askingAt?.waits === WaitsFor.Delegate;
    this.#waits.join(generator, frame);
    generator.askedBy = frame;
    generator.askedById = frame.fn;
    generator.askedAt = this.#askingAt;
  }

  /** The generator's code has stopped running: whoever has asked it suspends. */
  #asked(time: number, ran: Scope): void {
    const running = this.#running;
    if (running.depth === 0) return;
    const frame = running.innermost;
    let generator = ran;
    while (generator.askedBy !== frame || generator.askedById !== frame.fn) {
      const { awaiter } = generator;
      if (awaiter === null || !awaiter.isDelegating || awaiter.awaits !== generator) return;
      generator = awaiter;
    }
    generator.askedBy = null;
    if (ran.settled || ran.isYielding) {
      this.#waits.wait(time, frame, generator.askedAt, null, null);
      running.queue.mark(frame.op, Bits.Ready);
    } else {
      this.#waits.awaitFrame(time, frame, generator, generator.askedAt);
    }
    running.popWith(frame.op);
    this.#asked(time, frame);
  }

  /** The generator has a value for whoever asked it, directly or through others that hand it on. */
  #yields(time: number, frame: Scope, site: Site | null): void {
    let generator = frame;
    let { awaiter } = generator;
    while (awaiter !== null && awaiter.isDelegating && awaiter.awaits === generator) {
      generator = awaiter;
      awaiter = generator.awaiter;
    }
    if (awaiter !== null && awaiter.awaits === generator && awaiter.isWaiting) {
      this.#waits.wake(time, awaiter, 0);
      awaiter.awaits = null;
      generator.awaiter = null;
    }
    this.#waits.wait(time, frame, site, null, null);
    frame.isYielding = true;
  }

  /**
   * The frame, whose code runs in a job of its own, has awaited a call of which nothing is to be told, and goes on at
   * `time`.
   */
  quiet(time: number, frame: Scope, siteId: number): void {
    const running = this.#running;
    running.codeTells = true;
    frame.turn = running.turn;
    frame.isMaybe = false;
    frame.isEnding = false;
    this.#quiet.moved(time, frame, this.#names.site(siteId));
  }

  /** The function is about to end with a promise. */
  tail(time: number, id: number, awaited: number, siteId: number): void {
    this.#waits.tail(this.#waits.frame(time, id), awaited, this.#names.site(siteId));
  }

  end(time: number, id: number): void {
    const frame = this.#waits.pending(id);
    if (frame === undefined) return;
    const running = this.#running;
    const at = this.#enter(time, frame);
    running.popTo(at + 1, time);
    this.#waits.end(time, frame);
    if (running.queue.last === frame.op) running.popWith(frame.op);
    else running.popTo(at, time);
    this.#asked(time, frame);
  }

  /** `by`: 0 where code that is known to run calls resolve or reject, else 32 + kind of the callback that does. */
  settled(time: number, id: number, awaited: number, by: number): void {
    if (by >= 32) {
      this.stopAsking();
      this.#running.leaveLoose(time);
    }
    this.#waits.settled(time, id, awaited, by & 31);
  }

  /** The frame runs again, unless it is running. Answers the index of its entry on the stack. */
  #enter(time: number, frame: Scope): number {
    const running = this.#running;
    const known = running.findScope(frame);
    if (known >= 0) return known;
    const { source } = frame;
    const awaits = awaitedBy(frame);
    running.leaveLoose(time);
    if (source !== null) {
      // Node's own promise: the loop has come back from outside.
      if (isOutside(source) && running.depth === 0) this.#splitTurn(time);
      this.#waits.came(time, source);
    }
    running.popTo(0, time);
    this.#waits.over(time, frame);
    running.resume(frame, time, awaits !== null && this.#quiet.drop(time, frame, awaits));
    return running.depth - 1;
  }
}

/** Whether it is a generator, or the method that an iterator is asked by. */
function isAsked({ waits, frame }: Site): boolean {
  return waits === WaitsFor.Generator || frame.func === "next" || frame.func.endsWith(".next");
}
