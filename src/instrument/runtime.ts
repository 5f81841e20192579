import { countSites } from "../base/sites.ts";

/** One execution of an async function (or of a module that awaits): 1 to 2^31 - 1, used again only after all others. */
export type Frame = number;

/**
 * What transformed code calls, under one global name. No method may throw, keep what it is given, call the program or
 * take a microtask; what returns a value returns the very value it is given (`settler`, `reaction` and `job` may wrap a function).
 *
 * The life of a frame: `call`, then any number of (`block`, `resume` or `caught`), (`produce`, `next` or `caught`),
 * (`iterate`, `next` or `caught`), then `end`, from any state. `iterate` may follow a suspension, too, when a pass ends by an
 * exception; and so may `block`, when the pattern of a catch clause or of a pass awaits: the frame runs by then. Until
 * its first suspension a frame runs inside its caller.
 */
export interface Runtime {
  /**
   * A file's body begins: its sites in their text form (base/sites.ts), and its path (CommonJS) or URL. Answers the
   * number of its first site; the numbers of the others follow it. A file may come more than once. What is given a site
   * may be given NaN instead: the site of a function that ran before the body of its module.
   */
  module(sites: string, file: string): number;
  /** Before a call that may begin async functions, be it awaited or not: where the running code is. */
  set at(site: number);
  /**
   * An async function's body begins, or a module's that awaits. Defaults of parameters ran before: `computed` is 1 where
   * these may have made promises.
   */
  call(site: number, computed?: 1): Frame;
  /** It ends, by returning, throwing or an awaited rejection. A module that throws does not say so. */
  end(frame: Frame): void;
  /** Before `await value`: the frame is suspended when this returns. */
  block<T>(frame: Frame, site: number, value: T): T;
  /** Behind the await, which gave `value`. Not called after a rejection. */
  resume<T>(frame: Frame, value: T): T;
  /** The frame runs (again): a catch clause or finally block begins, or a pass of a loop. Nothing new where it ran. */
  caught(frame: Frame): void;
  /** Before the function returns `value`, which may be a promise that its caller then waits for. */
  tail<T>(frame: Frame, site: number, value: T): T;
  /**
   * Before a `for await` or a `yield*` asks its iterator for the next value, or closes it: what is called until `caught`
   * or `next` is called by this frame. Where a loop ends early and its iterator needs no closing, nothing waits. `value` is
   * what is asked, undefined where it is still to be evaluated, null where it is not known.
   */
  iterate<T>(frame: Frame, site: number, value?: T | null): T;
  /** Before an async generator yields `value`. */
  produce<T>(frame: Frame, site: number, value?: T): T;
  /** Behind a yield, to which the consumer gave `value`, or a `yield*`, whose iterator returned it. */
  next<T>(frame: Frame, value: T): T;
  /**
   * A function written where it is given to `then` and the like: what stands for it. `isSecond` is 1 where another one was
   * just before.
   */
  reaction<T>(callback: T, isSecond?: 1): T;
  /** The same of what a job is made for (`process.nextTick`, `queueMicrotask`). */
  job<T>(callback: T): T;
  /** What Promise.all and the like are about to be given; `first` (see `joint`) where `joint` will not be called. */
  members<T>(list: T, first?: 0 | 1): T;
  /** What they have made of it; `first` is 1 where it settles with one of the members, 0 where with all. */
  joint<T>(first: 0 | 1, promise: T): T;
  /**
   * In an executor of `new Promise`: what stands for resolve or reject from here on. `isAsync` is 1 in an async one, whose
   * own promise has been made meanwhile; that tells nobody when it returns.
   */
  settler<T>(site: number, settle: T, isAsync?: 1): T;
  /** The executor is about to return, or to throw. Not called where its body is an expression that throws. */
  executed(value?: unknown): void;
}

/** What a `NotingRuntime` is told, in the order in which it happens; `site` is 0 where there is none. */
export type Note = (what: keyof Runtime | "settle", frame: Frame, site: number) => void;

/** The runtime while nothing records: frames get numbers, so that recording can begin in their midst. */
export class QuietRuntime implements Runtime {
  #last = 0;
  #sites = 1;

  module(sites: string, _file: string): number {
    const first = this.#sites;
    this.#sites += countSites(sites);
    return first;
  }
  set at(_site: number) {}
  call(_site: number): Frame {
    return (this.#last = this.#last === 0x7fffffff ? 1 : this.#last + 1);
  }
  end(_frame: Frame): void {}
  block<T>(_frame: Frame, _site: number, value: T): T {
    return value;
  }
  resume<T>(_frame: Frame, value: T): T {
    return value;
  }
  caught(_frame: Frame): void {}
  tail<T>(_frame: Frame, _site: number, value: T): T {
    return value;
  }
  iterate<T>(_frame: Frame, _site: number, value?: T | null): T {
    return value as T;
  }
  produce<T>(_frame: Frame, _site: number, value?: T): T {
    return value as T;
  }
  next<T>(_frame: Frame, value: T): T {
    return value;
  }
  reaction<T>(callback: T): T {
    return callback;
  }
  job<T>(callback: T): T {
    return callback;
  }
  members<T>(list: T): T {
    return list;
  }
  joint<T>(_first: 0 | 1, promise: T): T {
    return promise;
  }
  settler<T>(_site: number, settle: T): T {
    return settle;
  }
  executed(): void {}
}

/** A runtime that tells everything to a function: the meaning of the methods, spelled out. */
export class NotingRuntime implements Runtime {
  readonly #note: Note;
  #last = 0;
  #sites = 1;

  constructor(note: Note) {
    this.#note = note;
  }

  module(sites: string, _file: string): number {
    const first = this.#sites;
    this.#sites += countSites(sites);
    this.#note("module", 0, first);
    return first;
  }
  set at(_site: number) {}
  call(site: number): Frame {
    this.#last++;
    this.#note("call", this.#last, site);
    return this.#last;
  }
  end(frame: Frame): void {
    this.#note("end", frame, 0);
  }
  block<T>(frame: Frame, site: number, value: T): T {
    this.#note("block", frame, site);
    return value;
  }
  resume<T>(frame: Frame, value: T): T {
    this.#note("resume", frame, 0);
    return value;
  }
  caught(frame: Frame): void {
    this.#note("caught", frame, 0);
  }
  tail<T>(frame: Frame, site: number, value: T): T {
    this.#note("tail", frame, site);
    return value;
  }
  iterate<T>(frame: Frame, site: number, value?: T | null): T {
    this.#note("iterate", frame, site);
    return value as T;
  }
  produce<T>(frame: Frame, site: number, value?: T): T {
    this.#note("produce", frame, site);
    return value as T;
  }
  next<T>(frame: Frame, value: T): T {
    this.#note("next", frame, 0);
    return value;
  }
  reaction<T>(callback: T): T {
    return callback;
  }
  job<T>(callback: T): T {
    return callback;
  }
  members<T>(list: T): T {
    return list;
  }
  joint<T>(_first: 0 | 1, promise: T): T {
    return promise;
  }
  settler<T>(site: number, settle: T): T {
    this.#note("settler", 0, site);
    if (typeof settle !== "function") return settle;
    const note = this.#note;
    return ((value: unknown) => {
      note("settle", 0, site);
      return (settle as (value: unknown) => unknown)(value);
    }) as T;
  }
  executed(): void {
    this.#note("executed", 0, 0);
  }
}
