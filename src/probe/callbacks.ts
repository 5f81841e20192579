import child_process from "node:child_process";
import crypto from "node:crypto";
import dns from "node:dns";
import fs from "node:fs";
import net from "node:net";
import timers from "node:timers";
import sleeps from "node:timers/promises";
import util, { types } from "node:util";
import zlib from "node:zlib";
import { Fact, ResourceKind } from "../base/facts.ts";
import type { CallContext } from "./context.ts";
import { watchEmitters } from "./emitters.ts";
import { watchFileHandles } from "./file-handles.ts";
import type { FrameSource } from "./frames.ts";
import { watchMessages } from "./messages.ts";
import { ask, begin, drop, end, named } from "./once.ts";
import { imitate, shareReplaced, undoAll } from "./replace.ts";
import type { Sites } from "./sites.ts";
import { idOf, setStamp } from "./stamp.ts";
import { watchTerminations } from "./terminations.ts";
import { TIMEOUT, delayAsked, delayOf, isTimeout, timerBase } from "./timers.ts";
import type { TimerFields } from "./timers.ts";
import { watchBodies } from "./web-bodies.ts";
import { wrap, wrapShared } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { newId, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** Functions of Node's whose last argument is called back once. */
const CALLBACKS: readonly (readonly [object, number, RegExp])[] = [
  [fs, ResourceKind.Fs, /^(?!watch|unwatch|create|_|open(?:AsBlob)|promises|.*Sync$)[a-z]/],
  [dns, ResourceKind.Dns, /^(lookup|lookupService|resolve\w*|reverse)$/],
  [dns.Resolver.prototype, ResourceKind.Dns, /^(resolve\w*|reverse)$/],
  [zlib, ResourceKind.Zlib, /^(deflate|inflate|gzip|gunzip|unzip|brotli|zstd)\w*(?<!Sync)$/i],
  [
    crypto,
    ResourceKind.Crypto,
    /^(pbkdf2|scrypt|hkdf|randomBytes|randomFill|randomInt|generateKey|generateKeyPair|generatePrime|checkPrime|sign|verify|diffieHellman)$/,
  ],
  [child_process, ResourceKind.Child, /^(exec|execFile)$/],
];

/** Names under which Node keeps a callback and calls it. */
const METHODS: readonly string[] = ["callback", "oncomplete", "ondone"];

/** Functions of Node's that give a promise. */
const PROMISES: readonly (readonly [object, number, RegExp])[] = [
  [fs.promises, ResourceKind.Fs, /^(?!watch|open$)[a-z]/],
  [dns.promises, ResourceKind.Dns, /^(lookup|lookupService|resolve\w*|reverse)$/],
  [dns.promises.Resolver.prototype, ResourceKind.Dns, /^(resolve\w*|reverse)$/],
  [Object.getPrototypeOf(crypto.webcrypto.subtle) as object, ResourceKind.Crypto, /^[a-z]/],
];

/** The class of timers/promises.scheduler. */
const SCHEDULER = Object.getPrototypeOf(sleeps.scheduler) as object;

/** What the sources of one recording share. */
export interface CallbackOptions {
  readonly facts: FactWriter;
  readonly sites: Sites;
  readonly frames: FrameSource;
  readonly context: CallContext;
}

/**
 * Callbacks of the event loop, seen by wrapping the functions that take them: each knows who asked for it, tells when
 * it begins and ends, and costs nothing where nobody uses it. Functions that give promises, also those that
 * util.promisify makes, have them marked instead, so that an await knows what it waits for.
 *
 * Not seen: what calls back without having been asked in one of these functions, sockets and other emitters above all.
 * What such callbacks do is known by its own facts only.
 *
 * Answers what stops it.
 */
export function watchCallbacks(options: CallbackOptions): () => void {
  const watch: Watch = {
    ...options,
    timerBase: timerBase(),
    inside: false,
  };
  const owners = [timers, globalThis];
  const undo: (() => void)[] = [];
  const seesBodies = onlyOnce(() => watchBodies(watch, undo));
  const seesHandles = onlyOnce(() => watchFileHandles(watch, undo));
  undo.push(
    wrapShared(owners, "setTimeout", (original) => timer(watch, original, ResourceKind.Timeout)),
    wrapShared(owners, "setInterval", (original) => timer(watch, original, ResourceKind.Interval)),
    wrapShared(owners, "setImmediate", (original) => timer(watch, original, ResourceKind.Immediate)),
  );
  for (const [module, kind, names] of CALLBACKS) {
    for (const name of Object.keys(module)) {
      if (names.test(name)) undo.push(wrap(module, name, (original) => called(watch, original, kind)));
    }
  }
  for (const [module, kind, names] of PROMISES) {
    for (const name of Object.keys(module)) {
      if (names.test(name)) undo.push(wrap(module, name, (original) => promised(watch, original, kind)));
    }
  }
  undo.push(
    wrap(sleeps, "setTimeout", (original) => promised(watch, original, ResourceKind.Timeout)),
    wrap(fs.promises, "open", (original) =>
      promising(watch, original, () => {
        seesHandles();
        return ResourceKind.Fs;
      }),
    ),
    wrap(SCHEDULER, "wait", (original) => promised(watch, original, ResourceKind.Timeout)),
    wrap(SCHEDULER, "yield", (original) => promised(watch, original, ResourceKind.Immediate)),
    wrap(sleeps, "setImmediate", (original) => promised(watch, original, ResourceKind.Immediate)),
    wrap(util, "promisify", (original) => promisifying(watch, original)),
    wrap(globalThis, "fetch", (original) =>
      promising(watch, original, () => {
        seesBodies();
        return ResourceKind.Net;
      }),
    ),
    wrap(net.Socket.prototype, "connect", (original) => connecting(watch, original)),
    wrap(net.Server.prototype, "listen", (original) => whole(watch, original)),
    wrap(TIMEOUT, "refresh", (original) => refreshing(watch, original)),
    wrap(TIMEOUT, "unref", (original) => unreferenced(watch, original)),
    ...watchMessages(watch),
    ...watchEmitters(watch),
    ...watchTerminations(watch),
  );
  if (Object.getOwnPropertyDescriptor(globalThis, "Response")?.value !== undefined) seesBodies();
  shareReplaced();
  return () => {
    options.context.on = false;
    undoAll(undo);
    shareReplaced();
  };
}

/** Does it when called for the first time. */
function onlyOnce(does: () => void): () => void {
  let done = false;
  return () => {
    if (!done) does();
    done = true;
  };
}

/** The sources of one recording, and what their functions share. */
interface Watch extends CallbackOptions {
  readonly timerBase: number;
  /** Inside a function that was wrapped: what it calls in turn is part of it. */
  inside: boolean;
}

/** setTimeout and the like. */
function timer(watch: Watch, original: AnyFunction, kind: number): AnyFunction {
  const wrapper = function (this: unknown, callback: unknown, after: unknown): unknown {
    const made = // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
      (
        arguments.length === 2 ? original(callback, after) : Reflect.apply(original, this, arguments)
      ) as TimerFields;
    if (!watch.context.on || typeof callback !== "function") return made;
    try {
      const site = kind === ResourceKind.Interval ? watch.sites.caller(wrapper) : 0;
      tellTimer(watch, made, callback as AnyFunction, kind, site);
    } catch {
      unwritten.facts++;
    }
    return made;
  };
  return wrapper;
}

function tellTimer(watch: Watch, made: TimerFields, callback: AnyFunction, kind: number, site: number): void {
  const id = newId();
  const field = kind === ResourceKind.Immediate ? "_onImmediate" : "_onTimeout";
  // The program may have put functions of its own in the place of Node's: what they answer is not ours to change.
  if (made[field] !== callback) return;
  made[field] = timed(watch, callback, id, kind, field);
  // Of code of which nothing is known nothing is told: its callback is nobody's.
  if (!isKnown(watch)) return;
  setStamp(made, id, kind);
  const delay = kind === ResourceKind.Immediate ? 0 : delayOf(made);
  const settles = kind === ResourceKind.Interval ? site : watch.frames.executing;
  watch.facts.ring.now(Fact.Init, id, settles, kind + 32 * delay);
}

/**
 * What Node's timer calls. While it does the callback is where it would be without us, since V8 names it after that
 * place in stacks; it stays there unless the timer calls back again, as one that the callback has refreshed does.
 */
function timed(
  watch: Watch,
  callback: AnyFunction,
  id: number,
  kind: number,
  field: "_onTimeout" | "_onImmediate",
): AnyFunction {
  const wrapper = named(
    function (this: TimerFields): unknown {
      this[field] = callback;
      // oxlint-disable-next-line prefer-rest-params -- as above
      if (!watch.context.on) return Reflect.apply(callback, this, arguments);
      const { _idleStart, _idleTimeout } = this;
      const due =
        field === "_onImmediate" ? 0 : (watch.timerBase + (_idleStart ?? 0) + (_idleTimeout ?? 0)) * 1e6;
      begin(watch.context, watch.frames, id, due, kind);
      try {
        // oxlint-disable-next-line prefer-rest-params -- as above
        const result = Reflect.apply(callback, this, arguments);
        const isAgain =
          kind === ResourceKind.Interval || (field === "_onTimeout" && (this._idleNext ?? null) !== null);
        if (isAgain && this[field] === callback) this[field] = wrapper;
        return result;
      } finally {
        end(watch.context, id);
      }
    } as AnyFunction,
    callback,
  );
  return wrapper;
}

/** A timer's refresh: one that has called back has the program's own callback, and calls back once more. */
function refreshing(watch: Watch, original: AnyFunction): AnyFunction {
  return function (this: unknown): unknown {
    const it = this as TimerFields;
    const isOver = watch.context.on && isTimeout(this) && it._destroyed === true;
    const result = Reflect.apply(original, this, []);
    const callback = it._onTimeout;
    if (isOver && typeof callback === "function") {
      const field = "_onTimeout";
      it[field] = timed(watch, callback, idOf(it), ResourceKind.Timeout, field);
    }
    return result;
  };
}

/** Kinds of the functions whose last argument is called back, and of what stands in for them. */
const kinds = new WeakMap<object, number>();

/** A function whose last argument is called back once. */
function called(watch: Watch, original: AnyFunction, kind: number): AnyFunction {
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const last = args.length - 1;
    const callback = args[last];
    if (!watch.context.on || watch.inside || typeof callback !== "function") {
      return Reflect.apply(original, this, args);
    }
    const id = newId();
    const known = isKnown(watch);
    args[last] = once(watch, callback as AnyFunction, id, kind);
    if (known) ask(watch.context, watch.frames, id, kind);
    watch.inside = true;
    let threw = true;
    try {
      const result = Reflect.apply(original, this, args);
      threw = false;
      return result;
    } finally {
      watch.inside = false;
      if (threw && known) drop(watch.context, id);
    }
  };
  kinds.set(original, kind).set(wrapper, kind);
  return wrapper;
}

function once(watch: Watch, callback: AnyFunction, id: number, kind: number): AnyFunction {
  const wrapper = named(function (this: unknown): unknown {
    // oxlint-disable-next-line prefer-rest-params -- as above
    if (!watch.context.on) return Reflect.apply(callback, this, arguments);
    putBack(this, wrapper, callback);
    const { inside } = watch;
    watch.inside = false;
    // What has not waited for the loop is part of what has asked for it.
    if (inside) drop(watch.context, id);
    else begin(watch.context, watch.frames, id, 0, kind);
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      return Reflect.apply(callback, this, arguments);
    } finally {
      if (inside) watch.inside = true;
      else end(watch.context, id);
    }
  }, callback);
  return wrapper;
}

/** Where Node calls a callback as a method V8 names it after that in stacks: it is there as it would be without us. */
function putBack(holder: unknown, wrapper: AnyFunction, callback: AnyFunction): void {
  if (typeof holder !== "object" || holder === null) return;
  const methods = holder as Record<string, unknown>;
  for (const name of METHODS) if (methods[name] === wrapper) methods[name] = callback;
}

/** A function that gives a promise of something of that kind. */
function promised(watch: Watch, original: AnyFunction, kind: number): AnyFunction {
  return promising(watch, original, () => kind);
}

/** A function that gives a promise; what settles it is told by the receiver. */
function promising(watch: Watch, original: AnyFunction, kindOf: (self: unknown) => number): AnyFunction {
  // A method, as an async function, has no prototype of its own.
  const { wrapper } = {
    wrapper(this: unknown): unknown {
      // oxlint-disable-next-line prefer-rest-params -- as above
      const promise = Reflect.apply(original, this, arguments);
      const kind = watch.context.on ? kindOf(this) : ResourceKind.Unknown;
      // oxlint-disable-next-line prefer-rest-params -- as above
      const delay = kind === ResourceKind.Timeout ? delayAsked(arguments[0]) : 0;
      if (kind !== ResourceKind.Unknown) watch.frames.source(promise, kind, delay);
      return promise;
    },
  };
  return wrapper;
}

/** util.promisify: the promises of what it makes of one of these functions are marked like Node's own. */
function promisifying(watch: Watch, original: AnyFunction): AnyFunction {
  const known = new WeakMap<object, AnyFunction>();
  return function (this: unknown, ...args: unknown[]): unknown {
    const [callee] = args;
    const kind = typeof callee === "function" ? kinds.get(callee) : undefined;
    const isPlain = kind === undefined && typeof callee === "function" && !types.isProxy(callee);
    if (isPlain && watch.context.on && !(util.promisify.custom in callee))
      args[0] = settling(watch, callee as AnyFunction);
    const made = Reflect.apply(original, this, args) as AnyFunction;
    if (!watch.context.on || kind === undefined) return made;
    let wrapper = known.get(made);
    if (wrapper === undefined) {
      wrapper = imitate(made, promised(watch, whole(watch, made), kind));
      // What is promisified again is itself.
      if (Reflect.get(made, util.promisify.custom) === made) {
        Reflect.defineProperty(wrapper, util.promisify.custom, { value: wrapper });
      }
      known.set(made, wrapper);
    }
    return wrapper;
  };
}

/** A function that is called with a callback that settles the promise made last. */
function settling(watch: Watch, callee: AnyFunction): AnyFunction {
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    const last = args.length - 1;
    if (watch.context.on && typeof args[last] === "function") {
      args[last] = watch.frames.settling(args[last] as AnyFunction);
    }
    try {
      return Reflect.apply(callee, this, args);
    } finally {
      watch.frames.executed();
    }
  };
  imitate(callee, wrapper);
  Object.setPrototypeOf(wrapper, Object.getPrototypeOf(callee) as object | null);
  return wrapper;
}

/** A function that may call wrapped ones: they are part of it. */
function whole(watch: Watch, original: AnyFunction): AnyFunction {
  return function (this: unknown): unknown {
    const { inside } = watch;
    watch.inside = true;
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      return Reflect.apply(original, this, arguments);
    } finally {
      watch.inside = inside;
    }
  };
}

/** A socket's connect: what waits for it waits for the network, of which the name's lookup is a part. */
function connecting(watch: Watch, original: AnyFunction): AnyFunction {
  const connect = whole(watch, original);
  return function (this: unknown): unknown {
    if (watch.context.on && !watch.inside && isKnown(watch)) {
      // Nothing tells when it calls back: it is asked for, and nobody is held for it.
      const id = newId();
      ask(watch.context, watch.frames, id, ResourceKind.Connect);
      drop(watch.context, id);
    }
    // oxlint-disable-next-line prefer-rest-params -- as above
    return Reflect.apply(connect, this, arguments);
  };
}

/** A timer's unref: it is in the background from then on, and its activation does not wait for it. */
function unreferenced(watch: Watch, original: AnyFunction): AnyFunction {
  return function (this: unknown): unknown {
    const id = typeof this === "object" && this !== null ? idOf(this) : 0;
    if (watch.context.on && id !== 0) drop(watch.context, id);
    return Reflect.apply(original, this, []);
  };
}

/** Whether code is running that has told of itself. */
function isKnown({ context, frames }: Watch): boolean {
  return context.known || frames.current !== 0;
}
