import { PromiseClass, ResourceKind } from "../base/facts.ts";
import { entryOf } from "./graph.ts";
import type { Activation, PromiseNode, Scope } from "./graph.ts";

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

const MAX_CHAIN = 128;

/** How many suspended frames and sources of each kind are asked: those of an activation with more are much alike. */
const MAX_ASKED = 64;

/** Why an activation waits, and the frame that waits. */
export interface Wait {
  readonly reason: string;
  /** Null where no frame of it is suspended. */
  readonly frame: Scope | null;
}

function fileOf(frame: Scope): string {
  return frame.site?.frame.file ?? frame.entry.file;
}

/** Whether the frame's code is Node's own. */
export function isOfNode(frame: Scope): boolean {
  return fileOf(frame).startsWith("node:");
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
  const frame = youngest === null ? null : innermost(youngest, activation);
  return { reason: reasonOfSources(activation) ?? "unspecified", frame };
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
      reasonOfPromise(frame.waitingFor?.parent ?? null, activation, time, lookAhead) ??
      reasonOfFile(fileOf(frame));
    if (reason !== null) return { reason, frame: innermost(frame, activation) };
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
    const callee: PromiseNode | null = at.waitingFor?.parent ?? null;
    if (callee === null || callee.cls !== PromiseClass.Call || callee.scope.waitingFor === null) break;
    if (entryOf(callee.scope)?.activation !== activation) break;
    at = callee.scope;
  }
  return at;
}

function reasonOfKind(kind: number): string | null {
  return REASON_OF_KIND[kind] ?? null;
}

function reasonOfPromise(
  promise: PromiseNode | null,
  activation: Activation,
  time: number,
  lookAhead: number,
): string | null {
  let node = promise;
  for (let depth = 0; node !== null && depth < MAX_CHAIN; depth++) {
    if (node.cls === PromiseClass.Call) {
      const of = entryOf(node.scope)?.activation ?? null;
      if (of !== null && of !== activation) return "chan receive";
      node = node.scope.waitingFor?.parent ?? null;
    } else if (node.cls === PromiseClass.All) {
      return "sync";
    } else if (node.cls === PromiseClass.Race) {
      return "select";
    } else if (node.source !== 0 && node.sourceAt <= time + lookAhead) {
      return reasonOfKind(node.source);
    } else if (node.parent !== null) {
      node = node.parent;
    } else {
      if (node.settledBy === null || node.settledAt > time + lookAhead) return null;
      const by = activationBehind(node.settledBy, time);
      return by !== null && by !== activation ? "chan receive" : reasonOfKind(node.settledKind);
    }
  }
  return null;
}

/** The activation of a scope or, where it is younger than `time` and perhaps not decided, of the code it came from. */
function activationBehind(scope: Scope, time: number): Activation | null {
  let at = scope;
  while (at.parent !== null && at.since > time) at = at.parent;
  return entryOf(at)?.activation ?? null;
}
