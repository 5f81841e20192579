import { PromiseClass, ResourceKind } from "../base/facts.ts";
import { activationOf, entryOf } from "./scopes.ts";
import type { Activation, PromiseNode } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import { isNodes } from "./names.ts";

/** Reasons of a wait, in Go's vocabulary as the mapping to Node fixes it; kinds that are no wait have none. */
const REASON_OF_KIND: readonly (string | null)[] = (() => {
  const reasons: (string | null)[] = Array.from({ length: 32 }, () => null);
  reasons[ResourceKind.Timeout] = "sleep";
  reasons[ResourceKind.Interval] = "sleep";
  reasons[ResourceKind.Fs] = "sync fs";
  reasons[ResourceKind.Dns] = "sync dns";
  reasons[ResourceKind.Crypto] = "sync crypto";
  reasons[ResourceKind.Zlib] = "sync zlib";
  reasons[ResourceKind.Net] = "network";
  reasons[ResourceKind.Connect] = "network";
  reasons[ResourceKind.Child] = "child process";
  reasons[ResourceKind.Port] = "chan receive";
  reasons[ResourceKind.Worker] = "chan receive";
  return reasons;
})();

/** What code of Node itself waits for, by the file of the waiting frame. */
const REASON_OF_FILE: readonly (readonly [RegExp, string])[] = [
  [/^node:(internal\/)?(deps\/undici|net|http|http2|https|tls|_http|dgram)\b/, "network"],
  [/^node:(internal\/)?fs\b/, "sync fs"],
  [/^node:(internal\/)?dns\b/, "sync dns"],
  [/^node:(internal\/)?crypto\b/, "sync crypto"],
  [/^node:(internal\/)?zlib\b/, "sync zlib"],
  [/^node:(internal\/)?(timers)\b/, "sleep"],
];

const MAX_CHAIN = 1000;

/** How many suspended frames and sources of each kind are asked: those of an activation with more are much alike. */
const MAX_ASKED = 64;

/** Why an activation waits, and the frame that waits. */
export interface Wait {
  readonly reason: string;
  /** Null where no frame of it is suspended. */
  readonly frame: Scope | null;
  /** It waits for the jobs before it only: it can run. */
  readonly isSoon: boolean;
}

function fileOf(frame: Scope): string {
  return frame.site === null ? frame.entry.file : frame.site.frame.file;
}

/** Whether the frame's code is Node's own. */
export function isOfNode(frame: Scope): boolean {
  return frame.site === null ? isNodes(frame.entry) : frame.site.isNodes;
}

/**
 * Why `activation` waits: followed from the promises its suspended frames await, youngest first, to what will settle
 * them. The program's own frames go before Node's (a module's body waits inside the loader that waits for it). Where
 * no promise tells, the module of Node in which it waits does, then its youngest pending source, then what it is held
 * for ("network" for a request or connection that is open); else it is "unspecified". It blocks at `time`; who settles
 * a promise later than the look-ahead after it does not count. Takes no longer the more the activation has under way.
 */
export function waitOf(activation: Activation, time: number, lookAhead: number): Wait {
  const { ownFrames, nodeFrames } = activation;
  const wait =
    waitOfFrames(ownFrames.youngest, activation, time, lookAhead) ??
    waitOfFrames(nodeFrames.youngest, activation, time, lookAhead);
  if (wait !== null) return wait;
  const youngest = ownFrames.youngest ?? nodeFrames.youngest;
  // What such a frame waits for is told where it is known: nothing else is evidence.
  if (youngest !== null && youngest.speaks) return waitIn(innermost(youngest, activation), "unspecified");
  const frame = youngest === null ? null : innermost(youngest, activation);
  return waitIn(frame, reasonOfSources(activation) ?? "unspecified");
}

/** When the timer of Node's is due, in ns, that settles what the frame waits for at `time`; 0 where none does. */
export function dueOf({ waitingFor }: Scope, time: number): number {
  let promise = waitingFor;
  for (let depth = 0; depth < MAX_CHAIN && promise !== null; depth++) {
    const result = returnedBy(promise, time, time);
    if (result !== null) promise = result;
    else if (promise.isDerived || promise.id === 0) promise = promise.follows;
    else return promise.due;
  }
  return 0;
}

function waitIn(frame: Scope | null, reason: string): Wait {
  return { reason, frame, isSoon: frame !== null && frame.isSoon };
}

function waitOfFrames(
  youngest: Scope | null,
  activation: Activation,
  time: number,
  lookAhead: number,
): Wait | null {
  let frame = youngest;
  for (let asked = 0; frame !== null && asked < MAX_ASKED; asked++) {
    const reason =
      reasonOfAwaited(frame, activation, time, lookAhead) ??
      (isOfNode(frame) ? reasonOfFile(fileOf(frame)) : null);
    if (reason !== null) return waitIn(innermost(frame, activation), reason);
    frame = frame.older;
  }
  return null;
}

function reasonOfFile(file: string): string | null {
  return REASON_OF_FILE.find(([pattern]) => pattern.test(file))?.[1] ?? null;
}

function reasonOfSources(activation: Activation): string | null {
  let source = activation.sources.youngest;
  for (let asked = 0; source !== null && asked < MAX_ASKED; asked++) {
    const reason = reasonOfKind(source.kind);
    if (reason !== null) return reason;
    source = source.older;
  }
  return activation.held ? reasonOfKind(activation.heldFor) : null;
}

/** The suspended frame that really waits: down from `frame` through the calls it awaits. */
function innermost(frame: Scope, activation: Activation): Scope {
  let at = frame;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const callee = calleeOf(at);
    if (callee === null || !callee.isSuspended || activationOf(callee) !== activation) break;
    at = callee;
  }
  return at;
}

/** The frame whose call a frame or promise waits for. */
function calleeOf({ callee, calleeId }: Scope | PromiseNode): Scope | null {
  return callee !== null && callee.fn === calleeId ? callee : null;
}

function reasonOfKind(kind: number): string | null {
  return REASON_OF_KIND[kind] ?? null;
}

function reasonOfAwaited(
  frame: Scope,
  activation: Activation,
  time: number,
  lookAhead: number,
): string | null {
  let callee = calleeOf(frame);
  let promise = frame.waitingFor;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    if (callee !== null) {
      if (isOfAnother(callee, activation, time)) return "chan receive";
      promise = callee.waitingFor;
      callee = calleeOf(callee);
    } else if (promise === null) {
      return null;
    } else if (promise.cls === PromiseClass.Call) {
      callee = promise.scope;
    } else if (promise.cls === PromiseClass.All) {
      return "sync";
    } else if (promise.cls === PromiseClass.Race) {
      return "select";
    } else if (isSettledByCode(promise, time + lookAhead)) {
      return reasonOfSettler(promise, activation, time, lookAhead) ?? reasonOfKind(promise.source);
    } else if (hasSource(promise, time, lookAhead) && promise.sourceUntil !== Infinity) {
      // What was asked for did call back, though it did not settle the promise.
      return reasonOfKind(promise.source);
    } else if (isSettledFromOutside(promise, time + lookAhead)) {
      return reasonOfKind(promise.settledKind);
    } else if (hasSource(promise, time, lookAhead)) {
      return reasonOfKind(promise.source);
    } else if (promise.parent !== null) {
      promise = promise.parent;
    } else if (returnedBy(promise, time, time + lookAhead) !== null) {
      promise = returnedBy(promise, time, time + lookAhead);
    } else if (promise.followsAt !== 0 && promise.followsAt <= time + lookAhead) {
      if (promise.calledAt < time) {
        promise = resultBelow(promise, time, time + lookAhead);
        continue;
      }
      callee = calleeOf(promise);
      promise = promise.follows;
    } else {
      const reason = reasonOfSettler(promise, activation, time, lookAhead);
      if (reason !== null || !frame.speaks) return reason;
      if (hasSettled(promise, time + lookAhead)) {
        if (promise.settledIn === null) return promise.settledBy === null ? null : reasonOfOwn(activation);
        promise = pendingAt(promise.settledIn, time);
        continue;
      }
      return isLeftToOthers(promise, activation) ? "chan receive" : null;
    }
  }
  return null;
}

/** What `then` and the like had made at `time` that has led to what they have made. */
function pendingAt(made: PromiseNode, time: number): PromiseNode {
  let at = made;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const { reaction } = at;
    if (reaction === null || reaction.madeIn === null || reaction.madeAt <= time) break;
    at = reaction.madeIn;
  }
  return at;
}

/** Why the activation waits for code of its own: for what runs that, if all that it has asked for has the same reason. */
function reasonOfOwn({ sources }: Activation): string | null {
  let source = sources.youngest;
  if (source === null) return null;
  const reason = reasonOfKind(source.kind);
  for (let asked = 0; source !== null; asked++) {
    if (asked === MAX_ASKED || reasonOfKind(source.kind) !== reason) return null;
    source = source.older;
  }
  return reason;
}

/** Whether what is to settle it is known, and had not called back by `time`. */
function hasSource({ source, sourceAt, sourceUntil }: PromiseNode, time: number, lookAhead: number): boolean {
  return source !== 0 && sourceAt <= time + lookAhead && time < sourceUntil;
}

/** A callback of which only its kind is known has settled it: better evidence than what it was made for. */
function isSettledFromOutside(promise: PromiseNode, latest: number): boolean {
  return (
    promise.settled && promise.settledBy === null && promise.settledKind !== 0 && promise.settledAt <= latest
  );
}

/**
 * Code that is known to run has settled what the first request of an executor was to settle: a timer that cuts the request
 * short, say.
 */
function isSettledByCode(promise: PromiseNode, latest: number): boolean {
  const { cls, source, settledBy } = promise;
  return cls === PromiseClass.New && source !== 0 && settledBy !== null && hasSettled(promise, latest);
}

/**
 * What the promise was made of by `then` and the like may have settled: if not, what the last function has returned that was
 * called on the way to it. Null where that is not known.
 */
function resultBelow(promise: PromiseNode, time: number, latest: number): PromiseNode | null {
  let at = promise.follows;
  for (let depth = 0; depth < MAX_CHAIN && at !== null && at.isDerived; depth++) {
    if (hasSettled(at, time)) return null;
    const result = returnedBy(at, time, latest);
    if (result !== null) return result;
    at = at.follows;
  }
  return null;
}

/** What follows the promise that the function given to `then` has returned, if it has run by `time` and returned by `latest`. */
function returnedBy({ calledAt, reaction }: PromiseNode, time: number, latest: number): PromiseNode | null {
  const result = reaction === null ? null : reaction.result;
  if (result === null || result.followsAt > latest) return null;
  return calledAt < time || result.followsAt <= time ? result : null;
}

function reasonOfSettler(
  promise: PromiseNode,
  activation: Activation,
  time: number,
  lookAhead: number,
): string | null {
  if (!hasSettled(promise, time + lookAhead)) return null;
  if (promise.settledBy === null) return reasonOfKind(promise.settledKind);
  const isOthers = isOfAnother(promise.settledBy, activation, time);
  return isOthers ? "chan receive" : reasonOfKind(promise.settledKind);
}

function hasSettled({ settled, settledAt }: PromiseNode, latest: number): boolean {
  return settled && settledAt <= latest;
}

/**
 * Whether only code of another activation can settle it: it is the program's own, and this activation has asked for
 * nothing that could run its code.
 */
function isLeftToOthers({ cls, id }: PromiseNode, { sources }: Activation): boolean {
  return cls === PromiseClass.New && id !== 0 && sources.youngest === null;
}

/**
 * Whether a scope is another activation's; one that is younger than `time`, and perhaps not decided, counts as the code it
 * came from.
 */
function isOfAnother(scope: Scope, activation: Activation, time: number): boolean {
  let at = scope;
  while (at.parent !== null && at.since > time) at = at.parent;
  const entry = entryOf(at);
  if (entry === null) return false;
  // What repeats is an activation that has begun with its first callback.
  return entry.activation === null ? entry.since <= time : entry.activation !== activation;
}
