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

const MAX_CHAIN = 64;

/** Why an activation waits, and the frame that waits. */
export interface Wait {
  readonly reason: string;
  /** Null where no frame of it is suspended. */
  readonly frame: Scope | null;
}

/**
 * Why `activation` waits: followed from the promises its suspended frames await, youngest first, to what will settle
 * them. The program's own frames go before Node's (a module's body waits inside the loader that waits for it). Where
 * no promise tells, the module of Node in which it waits does, then its youngest pending source, then its being an
 * open request or connection ("network"); else it is "unspecified".
 */
export function waitOf(activation: Activation): Wait {
  const frames = activation.suspended;
  for (const nodes of [false, true]) {
    for (let i = frames.length - 1; i >= 0; i--) {
      const frame = frames[i]!;
      const file = frame.site?.frame.file ?? "";
      if (file.startsWith("node:") !== nodes) continue;
      const reason = reasonOfPromise(frame.waitingFor?.parent ?? null, activation, 0);
      if (reason !== null) return { reason, frame: innermost(frame, activation) };
      for (const [pattern, fileReason] of REASON_OF_FILE) {
        if (pattern.test(file)) return { reason: fileReason, frame: innermost(frame, activation) };
      }
    }
  }
  const youngest = frames[frames.length - 1];
  const frame = youngest === undefined ? null : innermost(youngest, activation);
  for (let i = activation.sources.length - 1; i >= 0; i--) {
    const reason = REASON_OF_KIND[activation.sources[i]!.kind] ?? null;
    if (reason !== null) return { reason, frame };
  }
  return { reason: activation.held ? "network" : "unspecified", frame };
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

function reasonOfPromise(node: PromiseNode | null, activation: Activation, depth: number): string | null {
  if (node === null || depth > MAX_CHAIN) return null;
  switch (node.cls) {
    case PromiseClass.Call: {
      const entry = entryOf(node.scope);
      if (entry !== null && entry.activation !== null && entry.activation !== activation)
        return "chan receive";
      return reasonOfPromise(node.scope.waitingFor?.parent ?? null, activation, depth + 1);
    }
    case PromiseClass.All:
      return "sync";
    case PromiseClass.Race:
      return "select";
    default:
  }
  if (node.source !== 0) return REASON_OF_KIND[node.source] ?? null;
  if (node.parent !== null) return reasonOfPromise(node.parent, activation, depth + 1);
  if (node.settledBy !== null) {
    const kind = REASON_OF_KIND[node.settledKind] ?? null;
    const by = entryOf(node.settledBy);
    if (by !== null && by.activation !== null && by.activation !== activation) return "chan receive";
    return kind;
  }
  return null;
}
