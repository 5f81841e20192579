import { types } from "node:util";
import { Awaited, Fact, ResourceKind } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";
import type { CallContext } from "./context.ts";
import { tellJoint } from "./joints.ts";
import { Loops } from "./loops.ts";
import { ask, calledOnce } from "./once.ts";
import { PromiseHook } from "./promise-hook.ts";
import { Settlements, UNSEEN } from "./settlements.ts";
import { idOf, setStamp } from "./stamp.ts";
import { Modules } from "./modules.ts";
import { newId, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";
import type { AnyFunction } from "./wrap.ts";

/** What Promise.all and the like are about to make settles with all of its members, or with the first. */
const JOINS_ALL = -1;
const JOINS_FIRST = -2;

/**
 * What transformed code calls (instrument/runtime.ts has the meaning of each method), as a source of facts.
 *
 * Everything here is on the path of every await of the program. While nothing records a method costs a look at one
 * variable; while something does, the clock and a record of the ring.
 *
 * Which frame an await waits for is told by the promise: V8's promise hook for the making of promises, the only hook in
 * use, shows the promise of an async function right before its body begins; when the frame suspends for the first time
 * the promise gets the frame's id as an invisible stamp. The executor of a `new Promise` and what functions of Node's
 * return are marked in the same way.
 */
export class FrameSource {
  #facts: RingWriter | undefined;
  readonly #modules = new Modules();
  #context: CallContext | undefined;
  /** The promise made last, unless a frame has taken it. */
  #made: Promise<unknown> | null = null;
  /** The promise made before that. */
  #madeBefore: Promise<unknown> | null = null;
  /** That of the frame that has ended last, if it has settled and has no stamp. */
  #settledNow: Promise<unknown> | null = null;
  /** What it was derived from, if it was, through others made right before it. */
  #origin: Promise<unknown> | undefined;
  /**
   * Frames whose code is running, innermost at #depth - 1, and their promises until they suspend. (Arrays that only grow:
   * to set an array's length costs more than all the rest.)
   */
  readonly #running: number[] = [];
  readonly #promises: (Promise<unknown> | null)[] = [];
  #depth = 0;
  /** Site of the last marked call, 0 where one has begun a frame since. */
  #at = 0;
  /** The executor that was called last. */
  #executor: Promise<unknown> | null = null;
  #executorId = 0;
  /** Id of the promise whose executor runs, 0 where none does. */
  #executing = 0;
  /**
   * Id of the function that `then` or the like is about to be given, which the promise made next gets; JOINS_ALL or JOINS_FIRST
   * where that is what Promise.all or the like makes of #members; 0 where it is neither.
   */
  #making = 0;
  /** What Promise.all or the like was given last, until what it makes is told. */
  #members: unknown = null;
  readonly #loops = new Loops();
  /** Younger ids belong to this recording. */
  #firstId = 0;
  #seeks: ((value: unknown) => boolean) | undefined;
  readonly #hook = new PromiseHook();
  readonly settlements = new Settlements(this.#hook, (id) => {
    if (this.#isUnknown()) this.#context!.begins();
    this.#settled(id, undefined);
  });
  /** Id of what is awaited now and is no promise, until V8 makes one of it; else 0. */
  #wrapped = 0;

  /** Begins to write facts. */
  start(facts: FactWriter, context: CallContext): void {
    this.#facts = facts.ring;
    this.#modules.start(facts);
    this.#context = context;
    this.#loops.clear();
    this.clear();
    this.#firstId = newId();
    this.settlements.start(this.#firstId);
    if (context.boot) this.#watchBoot(facts.ring, context);
    else this.#watchMaking();
  }

  /** Sees no promise being made until the function that it answers is called. */
  blinds(): () => void {
    if (!this.#hook.blinds()) return () => {};
    this.#made = null;
    this.#madeBefore = null;
    return () => this.#hook.sees();
  }

  #watchMaking(): void {
    const { settled } = this.#hook.hooks ?? {};
    this.#hook.set({
      init: (promise, parent) => this.#make(promise, parent),
      ...(settled === undefined ? {} : { settled }),
    });
  }

  /** Id of the promise that a function returned after `settlements.calls`, 0 where it has settled. */
  returned(promise: object): number {
    if (this.settlements.hasSettled(promise)) return 0;
    const id = idOf(promise) || this.source(promise, 0);
    this.settlements.asks(promise, id);
    return id;
  }

  /** The promise made last. */
  get made(): object | null {
    return this.#made;
  }

  /** A function of Node's gave a promise that settles with another one, which what is told by `kind` settles. */
  settledByProgram(promise: unknown, other: object | null, kind: number): void {
    const id = this.source(promise, kind);
    if (id !== 0) this.settlements.watch(other ?? (promise as object), id);
  }

  /** Id of the promise whose executor runs, 0 where none does. */
  get executing(): number {
    return this.#executing;
  }

  /** What a frame is about to await is not known: it is told when that settles. Answers its id, or Unknown. */
  #watchUnknown(site: number, value: object): number {
    try {
      if (!this.settlements.isOpen(site)) return Awaited.Unknown;
      const isPromise = types.isPromise(value);
      // V8 makes a promise of what is none, right behind the await.
      const id = this.source(isPromise ? value : {}, ResourceKind.User);
      if (id === 0) return Awaited.Unknown;
      this.settlements.awaits(id, site);
      if (isPromise) this.settlements.watchUnknown(value, id);
      else this.#wrapped = id;
      return id;
    } catch {
      unwritten.facts++;
      return Awaited.Unknown;
    }
  }

  /** Runs for every promise that is made. */
  #make(promise: Promise<unknown>, parent: Promise<unknown> | undefined): void {
    if (this.#making < 0 && parent === undefined) this.joint(this.#making === JOINS_FIRST ? 1 : 0, promise);
    if (parent !== this.#made || this.#origin === undefined) this.#origin = parent;
    this.#madeBefore = this.#made;
    this.#made = promise;
    if (parent === undefined) return;
    if (this.#wrapped !== 0) {
      this.settlements.watchUnknown(promise, this.#wrapped);
      this.#wrapped = 0;
    } else if (this.#making > 0) this.#reacts(promise);
    else if (this.#loops.isOpen) this.#loopSuspends(parent);
  }

  /** The promise was made by `then` and the like, which were given a function that is told of. */
  #reacts(promise: Promise<unknown>): void {
    const id = this.#making;
    this.#making = 0;
    const facts = this.#facts;
    if (facts === undefined) return;
    try {
      const of = idOf(this.#origin!);
      setStamp(promise, id, 0);
      facts.now(Fact.Derived, id, of < this.#firstId ? 0 : of, 1);
      this.#origin = undefined;
    } catch {
      unwritten.facts++;
    }
  }

  /** Until something else has begun jobs are the main script's, or those of Node's that load it and run its modules. */
  #watchBoot(facts: RingWriter, context: CallContext): void {
    const tell = (begins: number): void => {
      if (begins === 1) context.looks();
      if (context.boot) facts.now(Fact.Booting, begins, 0, 0);
      else this.#watchMaking();
    };
    this.#hook.set({
      init: (promise, parent) => this.#make(promise, parent),
      before: () => tell(1),
      after: () => tell(0),
    });
    // The first job, which comes right behind a CommonJS script.
    void Promise.resolve().then(() => {});
  }

  stop(): void {
    this.#hook.clear();
    this.settlements.stop();
    this.#seeks = undefined;
    this.#facts = undefined;
    this.#modules.stop();
    this.#context = undefined;
    this.#made = null;
    this.#madeBefore = null;
    this.#settledNow = null;
    this.#origin = undefined;
    this.#executor = null;
    this.#members = null;
    this.#making = 0;
    this.#wrapped = 0;
    this.clear();
  }

  /** The innermost running frame, 0 where none is. */
  get current(): number {
    return this.#depth === 0 ? 0 : this.#running[this.#depth - 1]!;
  }

  /** How many frames are running inside of each other. */
  get depth(): number {
    return this.#depth;
  }

  /** Those beyond the first `depth` were stopped without a word: they have ended. */
  unwind(depth: number): void {
    for (let at = this.#depth - 1; at >= depth; at--) this.end(this.#running[at]!);
  }

  /** No frame runs any more: a callback begins or ends. */
  clear(): void {
    this.#executing = 0;
    this.#loops.isOpen = false;
    while (this.#depth > 0) this.#promises[--this.#depth] = null;
  }

  module(sites: string, file: string): number {
    return this.#modules.add(sites, file);
  }

  /** The loop that has asked waits for the promise that it has been given. */
  #loopSuspends(given: Promise<unknown>): void {
    const { frame, site } = this.#loops;
    const facts = this.#facts;
    if (facts === undefined) return;
    try {
      const promise = this.#endLoop();
      const of = idOf(this.#origin!);
      // What is no promise is made one, which is given the function's own as what it was made of.
      const isOwn = given === promise || of === frame;
      const awaited = isOwn ? Awaited.Settled : of < this.#firstId ? Awaited.Unknown : of;
      facts.now(Fact.FrameBlock, frame, awaited, this.#modules.site(site));
    } catch {
      unwritten.facts++;
    }
  }

  /** The code of the loop that has asked runs no more. Answers its frame's promise where it had none of its stamps yet. */
  #endLoop(): Promise<unknown> | null {
    const { frame } = this.#loops;
    this.#loops.over();
    const promise = this.#leave(frame);
    if (promise !== null) setStamp(promise, frame, 0);
    return promise;
  }

  set at(site: number) {
    this.#at = site;
    this.#making = 0;
  }

  // The program may have used up its stack: what is thrown in here for want of it is caught, and counted as lost.

  call(site: number, computed?: 1): number {
    const id = newId();
    const facts = this.#facts;
    if (facts === undefined) return id;
    try {
      if (this.#loops.isOpen) this.#endLoop();
      const unknown = this.#isUnknown() ? 1 : 0;
      const at = this.#at;
      this.#at = 0;
      this.#loops.frame = 0;
      this.#making = 0;
      this.#executing = 0;
      const depth = this.#depth++;
      this.#running[depth] = id;
      // What an executor or a parameter's default made is not the function's.
      this.#promises[depth] = this.#made === this.#executor || computed === 1 ? null : this.#made;
      this.#made = null;
      facts.now(
        Fact.FrameCall,
        id,
        at === 0 ? unknown : unknown + 2 * this.#modules.site(at),
        this.#modules.site(site),
      );
    } catch {
      unwritten.facts++;
    }
    return id;
  }

  end(frame: number): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    try {
      if (this.#loops.isOpen) this.#endLoop();
      this.#settledNow = this.#leave(frame);
      this.#loops.ends(frame);
      facts.now(Fact.FrameEnd, frame, 0, 0);
    } catch {
      unwritten.facts++;
    }
  }

  block<T>(frame: number, site: number, value: T): T {
    if (this.#facts === undefined) return value;
    const awaited = this.awaited(value);
    const id = awaited === Awaited.Unknown ? this.#watchUnknown(site, value as object) : awaited;
    this.#suspend(frame, site, id);
    return value;
  }

  resume<T>(frame: number, value: T): T {
    if (this.#facts !== undefined) {
      this.#enter(frame);
      if (this.#seeks !== undefined && this.#seeks(value)) this.#seeks = undefined;
    }
    return value;
  }

  /** `found` is shown what awaits give until it answers true. */
  seek(found: (value: unknown) => boolean): void {
    this.#seeks = found;
  }

  caught(frame: number): void {
    if (this.#facts !== undefined && (this.current !== frame || this.#loops.isOpen)) this.#enter(frame);
  }

  tail<T>(frame: number, site: number, value: T): T {
    const facts = this.#facts;
    if (facts === undefined || (typeof value !== "object" && typeof value !== "function") || value === null)
      return value;
    try {
      const known = this.awaited(value);
      if (known === Awaited.Settled) return value;
      const awaited =
        known === Awaited.Unknown && types.isPromise(value) ? this.#watchUnknown(site, value) : known;
      const promise = this.current === frame ? this.#promises[this.#depth - 1]! : null;
      if (promise !== null) setStamp(promise, frame, 0);
      facts.now(Fact.FrameTail, frame, awaited, this.#modules.site(site));
    } catch {
      unwritten.facts++;
    }
    return value;
  }

  iterate<T>(frame: number, site: number, value?: T | null): T {
    const facts = this.#facts;
    if (facts === undefined) return value as T;
    const awaited = this.#loops.asks(frame, site, value);
    if (awaited !== Awaited.Asks || !this.#hook.isOn || this.current !== frame) {
      this.#suspend(frame, site, awaited === Awaited.Asks ? Awaited.Iterates : awaited);
      return value as T;
    }
    try {
      facts.now(Fact.FrameBlock, frame, awaited, this.#modules.site(site));
      this.#loops.isOpen = true;
    } catch {
      unwritten.facts++;
    }
    return value as T;
  }

  /** What goes on by callbacks of that kind is asked for values from here on, perhaps by a loop that has just begun. */
  iterates(kind: number): void {
    const facts = this.#facts;
    const { frame, site } = this.#loops;
    if (facts === undefined || frame === 0 || kind === ResourceKind.Unknown) return;
    try {
      if (this.#loops.isOpen) this.#endLoop();
      this.#loops.knows(frame, site, Awaited.Kind - kind);
      facts.now(Fact.FrameBlock, frame, Awaited.Kind - kind, this.#modules.site(site));
    } catch {
      unwritten.facts++;
    }
  }

  produce<T>(frame: number, site: number, value?: T): T {
    if (this.#facts !== undefined) this.#suspend(frame, site, Awaited.Yielded);
    return value as T;
  }

  next<T>(frame: number, value: T): T {
    if (this.#facts === undefined) return value;
    if (this.#loops.isOpen) this.#endLoop();
    // Unlike an await, a yield may be gone on from by code that runs: inside of it.
    if (this.#isUnknown()) this.#enter(frame);
    else this.#enterInside(frame);
    return value;
  }

  reaction<T>(callback: T, isSecond?: 1): T {
    const context = this.#context;
    if (context === undefined || typeof callback !== "function") return callback;
    // Of the two that a promise is given one is called.
    const isKnown = isSecond === 1 && this.#making > 0;
    const id = isKnown ? this.#making : newId();
    if (!isKnown) ask(context, this, id, ResourceKind.Reaction);
    this.#making = id;
    return calledOnce(context, this, callback as AnyFunction, id, ResourceKind.Reaction) as T;
  }

  job<T>(callback: T): T {
    const context = this.#context;
    if (context === undefined || typeof callback !== "function") return callback;
    const id = newId();
    ask(context, this, id, ResourceKind.Tick);
    return calledOnce(context, this, callback as AnyFunction, id, ResourceKind.Tick) as T;
  }

  members<T>(list: T, first?: 0 | 1): T {
    if (this.#facts === undefined) return list;
    this.#members = list;
    this.#making = first === undefined ? 0 : first === 1 ? JOINS_FIRST : JOINS_ALL;
    return list;
  }

  joint<T>(first: 0 | 1, promise: T): T {
    this.#making = 0;
    const facts = this.#facts;
    const members = this.#members;
    this.#members = null;
    if (facts === undefined || !types.isPromise(promise)) return promise;
    try {
      const id = newId();
      setStamp(promise, id, UNSEEN);
      tellJoint(facts, id, first === 1, members, (value) => this.awaited(value));
    } catch {
      unwritten.facts++;
    }
    return promise;
  }

  settler<T>(site: number, settle: T, isAsync?: 1): T {
    const promise = isAsync === 1 ? this.#madeBefore : this.#made;
    const id = typeof settle === "function" ? this.#executes(site, promise) : 0;
    // What it asks for is not said to settle the promise: an activation of its own does, whatever that waits for.
    if (isAsync === 1) this.#executing = 0;
    if (id === 0) return settle;
    const call = settle as (value: unknown) => unknown;
    return ((value: unknown) => {
      this.#settled(id, value);
      return call(value);
    }) as T;
  }

  executed(): void {
    this.#executing = 0;
  }

  /** A callback that settles the promise made last, where nothing else is seen to; until `executed` it is asked for. */
  settling(callback: AnyFunction): AnyFunction {
    const id = this.#made === this.#executor ? 0 : this.#executes(0, this.#made);
    if (id === 0) return callback;
    return (...values: unknown[]): unknown => {
      this.#settled(id, undefined);
      return callback(...values);
    };
  }

  /** The executor of the promise is running. Answers the promise's id, 0 where it is not known. */
  #executes(site: number, promise: Promise<unknown> | null): number {
    const facts = this.#facts;
    if (facts === undefined || promise === null) return 0;
    if (promise === this.#executor) return this.#executorId;
    try {
      const id = newId();
      setStamp(promise, id, 0);
      facts.now(Fact.Executor, id, 0, this.#modules.site(site));
      this.#executor = promise;
      this.#executorId = id;
      this.#executing = id;
      return id;
    } catch {
      unwritten.facts++;
      return 0;
    }
  }

  /**
   * Marks a promise of which nothing else is known, and tells what will settle it, and after how many ms if that is a timer
   * (0: not known); answers its id.
   */
  source(promise: unknown, kind: number, delay = 0): number {
    const facts = this.#facts;
    if (facts === undefined || typeof promise !== "object" || promise === null) return 0;
    try {
      const id = newId();
      setStamp(promise, id, UNSEEN);
      facts.now(Fact.Source, id, delay, kind);
      return id;
    } catch {
      unwritten.facts++;
      return 0;
    }
  }

  #settled(id: number, value: unknown): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    try {
      const by = this.#isUnknown() ? 32 + this.#context!.kind() : 0;
      facts.now(Fact.Settled, id, this.awaited(value), by);
    } catch {
      unwritten.facts++;
    }
  }

  #isUnknown(): boolean {
    return this.#depth === 0 && !this.#context!.known;
  }

  #suspend(frame: number, site: number, awaited: number): void {
    try {
      this.#making = 0;
      if (this.#loops.isOpen) this.#endLoop();
      const promise = this.#leave(frame);
      if (promise !== null) setStamp(promise, frame, 0);
      this.#facts!.now(Fact.FrameBlock, frame, awaited, this.#modules.site(site));
    } catch {
      unwritten.facts++;
    }
  }

  #enter(frame: number): void {
    try {
      // A job begins with nothing running; what is left then has lost its end.
      if (this.#depth > 0) this.clear();
      this.#loops.over();
      this.#executing = 0;
      this.#running[0] = frame;
      this.#promises[0] = null;
      this.#depth = 1;
      this.#context!.resumes(Fact.FrameResume, frame);
    } catch {
      unwritten.facts++;
    }
  }

  /** A generator goes on because running code asks for its next value. */
  #enterInside(frame: number): void {
    try {
      const depth = this.#depth++;
      this.#running[depth] = frame;
      // Made for the one who asks.
      this.#promises[depth] = this.#made;
      this.#made = null;
      this.#facts!.now(Fact.FrameResume, frame, 1, 0);
    } catch {
      unwritten.facts++;
    }
  }

  /** The frame's code stops running. Answers its promise where it has none of its stamps yet. */
  #leave(frame: number): Promise<unknown> | null {
    let at = this.#depth - 1;
    while (at >= 0 && this.#running[at] !== frame) at--;
    if (at < 0) return null;
    const promise = this.#promises[at]!;
    while (this.#depth > at) this.#promises[--this.#depth] = null;
    return promise;
  }

  awaited(value: unknown): number {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return Awaited.Settled;
    const id = idOf(value);
    if (id >= this.#firstId) return id;
    if (value === this.#settledNow || (!types.isProxy(value) && !("then" in value))) return Awaited.Settled;
    return value === this.#made && this.#origin !== undefined ? this.#derived(value) : Awaited.Unknown;
  }

  /** A promise was made right now by `then` and the like. */
  #derived(promise: object): number {
    const of = idOf(this.#origin!);
    if (of < this.#firstId) return Awaited.Unknown;
    const id = newId();
    setStamp(promise, id, UNSEEN);
    this.#facts!.now(Fact.Derived, id, of, 0);
    return id;
  }
}
