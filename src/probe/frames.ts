import { types } from "node:util";
import { promiseHooks } from "node:v8";
import { Awaited, Fact, PromiseClass, ResourceKind } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";
import type { CallContext } from "./context.ts";
import { kindOfEmitter } from "./kinds.ts";
import { calledOnce } from "./once.ts";
import { idOf, kindOf, setStamp } from "./stamp.ts";
import { Modules } from "./modules.ts";
import { newId, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";
import type { AnyFunction } from "./wrap.ts";

interface PromiseHooks {
  init(promise: Promise<unknown>, parent?: Promise<unknown>): void;
  before?(): void;
  after?(): void;
  settled?(promise: Promise<unknown>): void;
}

/** Kinds of the stamps of promises: nothing tells when it settles; that is asked for; it has settled. */
const UNSEEN = 1;
const WATCHED = 2;
const SETTLED = 3;

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
  #writer: FactWriter | undefined;
  readonly #modules = new Modules();
  #context: CallContext | undefined;
  /** By site id: the site is known to the reader of the facts. */
  #told = new Uint8Array(1024);
  /** The promise made last, unless a frame has taken it. */
  #made: Promise<unknown> | null = null;
  /** The promise made before that. */
  #madeBefore: Promise<unknown> | null = null;
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
  /** What Promise.all or the like was given last, until what it makes is told. */
  #members: unknown = null;
  /** The frame whose `for await` is about to ask for its first value, and where; 0 where none is. */
  #looping = 0;
  #loopingAt = 0;
  /** By frame: what its latest loop of which that is known waits for. */
  readonly #loops = new Map<number, { readonly site: number; readonly awaited: number }>();
  /** Younger ids belong to this recording. */
  #firstId = 0;
  #seeks: ((value: unknown) => boolean) | undefined;
  #stopHook: (() => void) | undefined;
  #hooks: PromiseHooks | undefined;
  /** No promise is seen being made. */
  #isBlind = false;

  /** Begins to write facts. */
  start(facts: FactWriter, context: CallContext): void {
    this.#facts = facts.ring;
    this.#writer = facts;
    this.#context = context;
    this.#told.fill(0);
    this.#loops.clear();
    this.clear();
    this.#firstId = newId();
    if (context.boot) this.#watchBoot(facts.ring, context);
    else this.#watchMaking();
  }

  #hook(hooks: PromiseHooks): void {
    this.#stopHook?.();
    this.#stopHook = undefined;
    this.#hooks = hooks;
    if (this.#isBlind) return;
    this.#stopHook = promiseHooks.createHook(
      hooks as Parameters<typeof promiseHooks.createHook>[0],
    ) as () => void;
  }

  /** Sees no promise being made until the function that it answers is called. */
  blinds(): () => void {
    if (this.#isBlind) return () => {};
    this.#isBlind = true;
    if (this.#hooks !== undefined) this.#hook(this.#hooks);
    this.#made = null;
    this.#madeBefore = null;
    return () => {
      this.#isBlind = false;
      if (this.#hooks !== undefined) this.#hook(this.#hooks);
    };
  }

  #watchMaking(): void {
    const { settled } = this.#hooks ?? {};
    this.#hook({
      init: (promise, parent) => this.#make(promise, parent),
      ...(settled === undefined ? {} : { settled }),
    });
  }

  /** Functions whose promise is to be known are running, inside of each other. */
  #calling = 0;

  /** A function is called whose promise `returned` will be given. */
  calls(): void {
    this.#calling++;
  }

  /** It has returned or thrown. */
  called(): void {
    this.#calling--;
  }

  /**
   * Id of the promise that such a function returned, 0 where it has settled. Where nothing else tells when it settles
   * V8's hook does, which from then on runs for every promise that settles: a reaction of ours would make a rejection
   * count as handled. (What had settled before the hook was first needed is not known to have.)
   */
  returned(promise: object): number {
    if (kindOf(promise) === SETTLED) return 0;
    const id = idOf(promise) || this.source(promise, 0);
    if (kindOf(promise) === UNSEEN) this.#watch(promise, id);
    return id;
  }

  /** The promise made last. */
  get made(): object | null {
    return this.#made;
  }

  /** A function of Node's gave a promise that settles with another one, which what is told by `kind` settles. */
  settledByProgram(promise: unknown, other: object | null, kind: number): void {
    const id = this.source(promise, kind);
    if (id !== 0) this.#watch(other ?? (promise as object), id);
  }

  /** Id of the promise whose executor runs, 0 where none does. */
  get executing(): number {
    return this.#executing;
  }

  #watch(promise: object, id: number): void {
    if (this.#hooks === undefined) return;
    setStamp(promise, id, WATCHED);
    if (this.#hooks.settled === undefined) this.#hook({ ...this.#hooks, settled: (it) => this.#settles(it) });
  }

  /** Runs for every promise that settles, once one of them has been asked for. */
  #settles(promise: Promise<unknown>): void {
    try {
      const kind = kindOf(promise);
      if (kind === WATCHED) {
        const id = idOf(promise);
        setStamp(promise, id, 0);
        if (id < this.#firstId) return;
        if (this.#isUnknown()) this.#context!.begins();
        this.#settled(id, undefined);
      } else if (this.#calling > 0 && kind === -1) {
        setStamp(promise, 0, SETTLED);
      }
    } catch {
      unwritten.facts++;
    }
  }

  /** Runs for every promise that is made. */
  #make(promise: Promise<unknown>, parent: Promise<unknown> | undefined): void {
    if (parent !== this.#made || this.#origin === undefined) this.#origin = parent;
    this.#madeBefore = this.#made;
    this.#made = promise;
  }

  /** Until something else has begun jobs are the main script's, or those of Node's that load it and run its modules. */
  #watchBoot(facts: RingWriter, context: CallContext): void {
    const tell = (begins: number): void => {
      if (begins === 1) context.looks();
      if (context.boot) facts.now(Fact.Booting, begins, 0, 0);
      else this.#watchMaking();
    };
    this.#hook({
      init: (promise, parent) => this.#make(promise, parent),
      before: () => tell(1),
      after: () => tell(0),
    });
    // The first job, which comes right behind a CommonJS script.
    void Promise.resolve().then(() => {});
  }

  stop(): void {
    this.#stopHook?.();
    this.#stopHook = undefined;
    this.#hooks = undefined;
    this.#calling = 0;
    this.#seeks = undefined;
    this.#facts = undefined;
    this.#writer = undefined;
    this.#context = undefined;
    this.#made = null;
    this.#madeBefore = null;
    this.#origin = undefined;
    this.#executor = null;
    this.#members = null;
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
    while (this.#depth > 0) this.#promises[--this.#depth] = null;
  }

  module(sites: string, file: string): number {
    return this.#modules.add(sites, file);
  }

  set at(site: number) {
    this.#at = site;
  }

  // The program may have used up its stack: what is thrown in here for want of it is caught, and counted as lost.

  call(site: number, computed?: 1): number {
    const id = newId();
    const facts = this.#facts;
    if (facts === undefined) return id;
    try {
      const unknown = this.#isUnknown() ? 1 : 0;
      const at = this.#at;
      this.#at = 0;
      this.#looping = 0;
      this.#executing = 0;
      const depth = this.#depth++;
      this.#running[depth] = id;
      // What an executor or a parameter's default made is not the function's.
      this.#promises[depth] = this.#made === this.#executor || computed === 1 ? null : this.#made;
      this.#made = null;
      facts.now(Fact.FrameCall, id, at === 0 ? unknown : unknown + 2 * this.#site(at), this.#site(site));
    } catch {
      unwritten.facts++;
    }
    return id;
  }

  end(frame: number): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    try {
      this.#leave(frame);
      if (this.#loops.size > 0) this.#loops.delete(frame);
      facts.now(Fact.FrameEnd, frame, 0, 0);
    } catch {
      unwritten.facts++;
    }
  }

  block<T>(frame: number, site: number, value: T): T {
    if (this.#facts !== undefined) this.#suspend(frame, site, this.#awaited(value));
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
    if (this.#facts !== undefined && this.current !== frame) this.#enter(frame);
  }

  tail<T>(frame: number, site: number, value: T): T {
    const facts = this.#facts;
    if (facts === undefined || typeof value !== "object" || value === null) return value;
    try {
      const awaited = this.#awaited(value);
      if (awaited <= 0 && !types.isPromise(value)) return value;
      const promise = this.current === frame ? this.#promises[this.#depth - 1]! : null;
      if (promise !== null) setStamp(promise, frame, 0);
      facts.now(Fact.FrameTail, frame, awaited, this.#site(site));
    } catch {
      unwritten.facts++;
    }
    return value;
  }

  iterate<T>(frame: number, site: number, value?: T): T {
    if (this.#facts !== undefined) {
      const loop = this.#loops.size === 0 ? undefined : this.#loops.get(frame);
      this.#suspend(frame, site, loop?.site === site ? loop.awaited : iterated(value));
      this.#looping = frame;
      this.#loopingAt = site;
    }
    return value as T;
  }

  /** What goes on by callbacks of that kind is asked for values from here on, perhaps by a loop that has just begun. */
  iterates(kind: number): void {
    const facts = this.#facts;
    const frame = this.#looping;
    if (facts === undefined || frame === 0 || kind === ResourceKind.Unknown) return;
    this.#looping = 0;
    try {
      const awaited = Awaited.Kind - kind;
      const site = this.#loopingAt;
      this.#loops.set(frame, { site, awaited });
      facts.now(Fact.FrameBlock, frame, awaited, this.#site(site));
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
    // Unlike an await, a yield may be gone on from by code that runs: inside of it.
    if (this.#isUnknown()) this.#enter(frame);
    else this.#enterInside(frame);
    return value;
  }

  reaction<T>(callback: T): T {
    return this.#called(callback, ResourceKind.Reaction);
  }

  job<T>(callback: T): T {
    return this.#called(callback, ResourceKind.Tick);
  }

  #called<T>(callback: T, kind: number): T {
    const context = this.#context;
    if (context === undefined || typeof callback !== "function") return callback;
    return calledOnce(context, this, callback as unknown as AnyFunction, kind) as unknown as T;
  }

  members<T>(list: T): T {
    if (this.#facts !== undefined) this.#members = list;
    return list;
  }

  joint<T>(first: 0 | 1, promise: T): T {
    const facts = this.#facts;
    const members = this.#members;
    this.#members = null;
    if (facts === undefined || !types.isPromise(promise)) return promise;
    try {
      const id = newId();
      setStamp(promise, id, UNSEEN);
      facts.now(Fact.Joint, id, 0, first === 1 ? PromiseClass.Race : PromiseClass.All);
      const isKnown = !types.isProxy(members) && Array.isArray(members);
      if (!isKnown || this.#tellMembers(facts, id, members)) facts.now(Fact.Member, id, Awaited.Unknown, 0);
    } catch {
      unwritten.facts++;
    }
    return promise;
  }

  /** Answers whether there are others than those that are told. */
  #tellMembers(facts: RingWriter, id: number, members: readonly unknown[]): boolean {
    let isOpen = false;
    for (let at = 0; at < members.length; at++) {
      const awaited = this.#awaited(members[at]);
      if (awaited > 0) facts.now(Fact.Member, id, awaited, 0);
      else if (awaited === Awaited.Unknown) isOpen = true;
    }
    return isOpen;
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
      facts.now(Fact.Executor, id, 0, this.#site(site));
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
      facts.now(Fact.Settled, id, this.#awaited(value), by);
    } catch {
      unwritten.facts++;
    }
  }

  #isUnknown(): boolean {
    return this.#depth === 0 && !this.#context!.known;
  }

  #suspend(frame: number, site: number, awaited: number): void {
    try {
      const promise = this.#leave(frame);
      if (promise !== null) setStamp(promise, frame, 0);
      this.#facts!.now(Fact.FrameBlock, frame, awaited, this.#site(site));
    } catch {
      unwritten.facts++;
    }
  }

  #enter(frame: number): void {
    try {
      // A job begins with nothing running; what is left then has lost its end.
      if (this.#depth > 0) this.clear();
      this.#looping = 0;
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

  #awaited(value: unknown): number {
    if (typeof value !== "object" || value === null) {
      return typeof value === "function" ? Awaited.Unknown : Awaited.Settled;
    }
    const id = idOf(value);
    if (id >= this.#firstId) return id;
    if (!types.isProxy(value) && !("then" in value)) return Awaited.Settled;
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

  /** Sees to it that the site is told before it is used. */
  #site(site: number): number {
    if (this.#told[site] === 1) return site;
    return this.#tell(site);
  }

  #tell(site: number): number {
    // NaN where a function runs before the body of its module.
    if (!(site > 0)) return 0;
    if (site >= this.#told.length) {
      const more = new Uint8Array(Math.max(site + 1, 2 * this.#told.length));
      more.set(this.#told);
      this.#told = more;
    }
    this.#told[site] = 1;
    this.#modules.tell(site, this.#writer!);
    return site;
  }
}

/** What a loop waits for that goes over the value. */
function iterated(value: unknown): number {
  try {
    const kind = value === undefined ? 0 : kindOfEmitter(value);
    return kind === 0 ? Awaited.Iterates : Awaited.Kind - kind;
  } catch {
    return Awaited.Iterates;
  }
}
