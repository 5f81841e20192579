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

/** Why an activation waits, and the frame that waits. */
export interface Wait {
  readonly reason: string;
  /** Null where no frame of it is suspended. */
  readonly frame: Scope | null;
}

/**
 * Why `activation` waits: followed from the promises its suspended frames await, youngest first, to what will settle
 * them. The program's own frames go before Node's (a module's body waits inside the loader that waits for it). Where
 * no promise tells, the module of Node in which it waits does, then its youngest pending source, then what it is held
 * for ("network" for a request or connection that is open); else it is "unspecified". It blocks at `time`; who settles
 * a promise later than the look-ahead after it does not count.
 */
export function waitOf(activation: Activation, time: number, lookAhead: number): Wait {
  const frames = activation.suspended;
  for (const isOfNode of [false, true]) {
    for (let i = frames.length - 1; i >= 0; i--) {
      const frame = frames[i]!;
      const file = frame.site?.frame.file ?? frame.entry.file;
      if (file.startsWith("node:") !== isOfNode) continue;
      const reason =
        reasonOfPromise(frame.waitingFor?.parent ?? null, activation, time, lookAhead) ??
        REASON_OF_FILE.find(([pattern]) => pattern.test(file))?.[1];
      if (reason !== undefined) return { reason, frame: innermost(frame, activation) };
    }
  }
  const youngest = frames[frames.length - 1];
  const frame = youngest === undefined ? null : innermost(youngest, activation);
  return { reason: reasonOfSources(activation) ?? "unspecified", frame };
}

function reasonOfSources(activation: Activation): string | null {
  const { sources } = activation;
  while (sources.length > 0 && sources[sources.length - 1]!.gone) sources.pop();
  for (let i = sources.length - 1; i >= 0; i--) {
    const source = sources[i]!;
    const reason = source.gone ? null : reasonOfKind(source.kind);
    if (reason !== null) return reason;
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
