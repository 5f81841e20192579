import type { Nanoseconds } from "../base/units.ts";
import type { Frame } from "../wire/format.ts";

/** A stack of the trace: its id is valid in its generation only; frames are leaf first. */
export interface Stack {
  readonly id: number;
  readonly frames: readonly StackFrame[];
}

/** A frame with its program counter, a decimal or hexadecimal-ready integer (bigint: it may pass 2^53). */
export interface StackFrame extends Frame {
  readonly pc: bigint;
  /** The line where it is beyond 2^53 and `line` only near it. */
  readonly exactLine?: bigint;
}

export type EventKind =
  | "Sync"
  | "Metric"
  | "Label"
  | "StackSample"
  | "RangeBegin"
  | "RangeActive"
  | "RangeEnd"
  | "TaskBegin"
  | "TaskEnd"
  | "RegionBegin"
  | "RegionEnd"
  | "Log"
  | "StateTransition"
  | "Experimental";

/**
 * One ordered, validated event. The reader hands out the SAME object every time: copy what you keep. A field is
 * meaningful only for the kinds named in its comment and is left as it was for others. Ids are numbers where they
 * are below 2^53 (every real trace); -1 is none; an id below -1 stands for the large one `wide[-2 - id]` (see
 * exact.ts). Text holds bytes that are not UTF-8 as lone surrogates (decode/text.ts).
 */
export interface OrderedEvent {
  kind: EventKind;
  time: Nanoseconds;
  /** Context before the event. */
  thread: number;
  proc: number;
  goroutine: number;
  /** The event's own stack; null where it has none. */
  stack: Stack | null;

  /** StateTransition. */
  resource: "goroutine" | "proc" | "none";
  resourceId: number;
  from: string;
  to: string;
  reason: string;
  transitionStack: Stack | null;

  /** Metric and Range: name. Label: label. Task, Region: type. Experimental: event name. Log: category. */
  name: string;
  /** Metric: value. Sync: N. */
  value: number;
  /** Range: scope. */
  scope: "none" | "goroutine" | "proc";
  scopeId: number;
  /** RangeEnd of a sweep, Experimental: named values. */
  attributes: readonly { readonly name: string; readonly value: bigint }[];
  /** Task, Region, Log: task id as text of an unsigned 64-bit number would print; parent likewise. */
  task: bigint;
  parent: bigint;
  /** Log: message. */
  message: string;
  /** Large ids of the trace, unsigned 64-bit, for ids below -1. */
  wide?: readonly bigint[];
  /** The time where it is beyond 2^53 and `time` only near it, else null. */
  exactTime?: bigint | null;
  /** Metric: the value where it is beyond 2^53 and `value` only near it, else null. */
  exactValue?: bigint | null;
  /** Sync: clock snapshot of the generation, or null. */
  snapshot: {
    readonly trace: number;
    readonly mono: bigint;
    readonly wallSec: bigint;
    readonly wallNsec: number;
  } | null;
}
