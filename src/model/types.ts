import type { Nanoseconds } from "../base/units.ts";
import type { Frame } from "../wire/format.ts";

/**
 * The whole trace as columns. Everything that people look at is computed from this, in Node and in the browser
 * alike, so it holds typed arrays and plain data only: it crosses a worker boundary by transfer.
 *
 * Conventions: a row is an index into the columns of its table; "-1" is "none"; times are absolute nanoseconds of
 * the traced machine's clock (subtract `startTime` to show them); text is an index into `strings` (0 is ""); stacks
 * are indexes into `stacks` (0 is the empty stack). Spans are half-open [start, end).
 */
export interface TraceModel {
  /** Minor version of the header: 25 for "go 1.25 trace". */
  readonly version: number;
  /** Number of events the reader delivered, Sync included. */
  readonly events: number;
  readonly startTime: Nanoseconds;
  readonly endTime: Nanoseconds;
  readonly strings: readonly string[];
  /** Leaf first, whole-trace interned. */
  readonly stacks: readonly (readonly Frame[])[];
  readonly activations: ActivationTable;
  readonly spans: SpanTable;
  readonly procs: ProcTable;
  readonly procSpans: ProcSpanTable;
  readonly tasks: TaskTable;
  readonly regions: RegionTable;
  readonly logs: LogTable;
  readonly ranges: RangeTable;
  readonly samples: SampleTable;
  readonly metrics: MetricTable;
  /** Parsed messages of the reserved log category `runtrace`, in order of time. */
  readonly notes: readonly Note[];
  /** The reader's error where the file broke; everything before it is in the tables. */
  readonly error: { readonly message: string; readonly offset: number } | null;
}

/** What an activation (goroutine) is doing in a span. */
export const State = { Running: 1, Runnable: 2, Waiting: 3, Syscall: 4 } as const;
export type StateCode = (typeof State)[keyof typeof State];

/** One row an activation, in order of creation. */
export interface ActivationTable {
  readonly count: number;
  /** Goroutine id of the wire format. */
  readonly id: Float64Array;
  /** Entry function (string index), by Go's rule: outermost frame of the first transition stack. */
  readonly name: Int32Array;
  /** Row of the activation that created it, or -1. */
  readonly creator: Int32Array;
  /** Stack of the creation (the creator's). */
  readonly creationStack: Int32Array;
  readonly created: Float64Array;
  /** End time, or NaN where it was alive at the end. */
  readonly ended: Float64Array;
  /** Spans of row i are spans[firstSpan[i] .. firstSpan[i + 1]), in order of time; length count + 1. */
  readonly firstSpan: Uint32Array;
}

/** States of activations, grouped by activation, in order of time, without gaps inside an activation. */
export interface SpanTable {
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly state: Uint8Array;
  /** Reason of a wait or of a stop (string index), 0 elsewhere. */
  readonly reason: Int32Array;
  /** Stack of the transition that began the span: where it blocked, the waker's stack when runnable. */
  readonly stack: Int32Array;
  /** Running, syscall: row of the proc it ran on. Runnable: row of the activation that woke or created it. Else -1. */
  readonly by: Int32Array;
}

/** Event loops (procs), by id. */
export interface ProcTable {
  readonly count: number;
  readonly id: Float64Array;
  /** Name from the reserved log category ("main", "worker 1: file"), else "proc N". String index. */
  readonly name: Int32Array;
  readonly firstSpan: Uint32Array;
}

/** Who ran on a proc, grouped by proc, in order of time; gaps are idle. */
export interface ProcSpanTable {
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Row of the activation, or -1: the proc was acquired but no activation ran (overhead between callbacks). */
  readonly activation: Int32Array;
}

export interface TaskTable {
  readonly count: number;
  readonly id: Float64Array;
  /** Row of the parent task, or -1. */
  readonly parent: Int32Array;
  readonly name: Int32Array;
  /** NaN where the begin or end is not in the trace. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Row of the activation that began it, or -1. */
  readonly activation: Int32Array;
}

export interface RegionTable {
  readonly count: number;
  readonly activation: Int32Array;
  /** Row of the task, or -1 (background). */
  readonly task: Int32Array;
  readonly name: Int32Array;
  /** NaN where the begin or end is not in the trace. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly startStack: Int32Array;
  /** Nesting depth on its activation, 0 for outermost. */
  readonly depth: Uint8Array;
}

export interface LogTable {
  readonly count: number;
  readonly time: Float64Array;
  readonly activation: Int32Array;
  readonly task: Int32Array;
  readonly category: Int32Array;
  readonly message: Int32Array;
  readonly stack: Int32Array;
}

/** GC and stop-the-world ranges. */
export interface RangeTable {
  readonly count: number;
  readonly name: Int32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** 0 global, 1 activation, 2 proc. */
  readonly scope: Uint8Array;
  /** Row of the activation or proc; -1 for global. */
  readonly of: Int32Array;
}

export interface SampleTable {
  readonly count: number;
  readonly time: Float64Array;
  readonly activation: Int32Array;
  readonly proc: Int32Array;
  readonly stack: Int32Array;
}

/** Heap size, heap goal, number of procs: name is the runtime/metrics name. */
export interface MetricTable {
  readonly count: number;
  readonly name: Int32Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
}

/** A message of the reserved log category: its parsed JSON, with its time and activation row. */
export interface Note {
  readonly time: Nanoseconds;
  readonly activation: number;
  readonly message: Readonly<Record<string, unknown>>;
}
