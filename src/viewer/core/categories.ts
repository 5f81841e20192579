import { State, type TraceModel } from "../../model/types.ts";

/**
 * What a column of an activation's lane can show. Waits are split by reason into families, because "why does it
 * wait" is the question the viewer exists for. Codes are indexes into `CATEGORIES` and fit a byte.
 */
export const Category = {
  None: 0,
  Running: 1,
  Runnable: 2,
  Syscall: 3,
  Sleep: 4,
  Network: 5,
  Pool: 6,
  Channel: 7,
  Select: 8,
  Sync: 9,
  Preempted: 10,
  System: 11,
  Other: 12,
} as const;
export type CategoryCode = (typeof Category)[keyof typeof Category];

/** A family of states as the legend names it. `key` names its CSS variable `--state-KEY`. */
export interface CategoryInfo {
  readonly key: string;
  readonly label: string;
  /** One sentence for the legend's tooltip. */
  readonly hint: string;
}

/** By code. */
export const CATEGORIES: readonly CategoryInfo[] = [
  { key: "none", label: "none", hint: "Nothing is known here." },
  { key: "running", label: "running", hint: "On an event loop (proc), executing." },
  { key: "runnable", label: "runnable", hint: "Ready, but the event loop was busy: scheduler latency." },
  { key: "syscall", label: "syscall", hint: "In a synchronous system call." },
  { key: "sleep", label: "sleep", hint: "Waiting for a timer." },
  { key: "network", label: "network", hint: "Waiting for a socket." },
  { key: "pool", label: "thread pool", hint: "Waiting for file system, DNS, zlib or crypto work." },
  {
    key: "channel",
    label: "chan / promise",
    hint: "Waiting for a message or a promise of another activation.",
  },
  { key: "select", label: "select", hint: "Waiting for the first of several." },
  { key: "sync", label: "sync", hint: "Waiting for a lock, or for all of several." },
  { key: "preempted", label: "preempted", hint: "Stopped while something it called runs." },
  { key: "system", label: "GC / system", hint: "Waiting for the collector or a runtime service." },
  { key: "other", label: "unspecified", hint: "Waiting for a reason the trace does not name." },
];

/** The family of a wait by its reason, as the trace spells it (Go's reasons and runtrace's). */
export function categoryOfReason(reason: string): CategoryCode {
  if (reason === "sleep") return Category.Sleep;
  if (reason.includes("network")) return Category.Network;
  if (/^sync [a-z]/.test(reason)) return Category.Pool;
  if (reason.includes("chan")) return Category.Channel;
  if (reason.includes("select")) return Category.Select;
  if (reason.includes("sync")) return Category.Sync;
  if (reason === "preempted") return Category.Preempted;
  if (reason.includes("GC") || reason.startsWith("system ")) return Category.System;
  return Category.Other;
}

/** The category of a state with a reason. */
export function categoryOf(state: number, reason: string): CategoryCode {
  if (state === State.Running) return Category.Running;
  if (state === State.Runnable) return Category.Runnable;
  if (state === State.Syscall) return Category.Syscall;
  return categoryOfReason(reason);
}

/** Category of every span of the model, by row. */
export function categorize(model: Pick<TraceModel, "spans" | "strings">): Uint8Array {
  const { count, state, reason } = model.spans;
  const ofReason = new Uint8Array(model.strings.length);
  const known = new Uint8Array(model.strings.length);
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const s = state[i]!;
    if (s !== State.Waiting) {
      out[i] =
        s === State.Running ? Category.Running : s === State.Runnable ? Category.Runnable : Category.Syscall;
      continue;
    }
    const r = reason[i]!;
    if (known[r] === 0) {
      known[r] = 1;
      ofReason[r] = categoryOfReason(model.strings[r] ?? "");
    }
    out[i] = ofReason[r]!;
  }
  return out;
}

/** Number of hues that names (of activations, regions, ranges) are spread over. */
export const HUES = 12;

/** Codes of a named lane (event loops, regions, ranges): 0 nothing, 1 overhead without a name, then the hues. */
export const NAMED_CATEGORIES = HUES + 2;

/**
 * Codes of names by their weight (time or number of uses, by string index): the heaviest get hues of their own, the
 * rest share them. Names without weight get none (0).
 */
export function namedCodes(weight: Float64Array): Uint8Array {
  const codes = new Uint8Array(weight.length);
  const used = Array.from(weight, (_, i) => i).filter((i) => weight[i]! > 0);
  used.sort((a, b) => weight[b]! - weight[a]! || a - b);
  for (const [rank, name] of used.entries()) codes[name] = 2 + (rank % HUES);
  return codes;
}
