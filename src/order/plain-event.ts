import { exactId, exactTime, exactValue } from "./exact.ts";
import type { OrderedEvent, Stack } from "./types.ts";
import { wallTime } from "./wall-time.ts";

/** An integer of a trace: a number, or its decimal text where it is beyond 2^53, as no real trace has. */
export type Integer = number | string;

/** A frame of a stack, leaf first; `pc` is hexadecimal text, "0x47c283". */
export interface PlainFrame {
  readonly func: string;
  readonly file: string;
  readonly line: Integer;
  readonly pc: string;
}

interface Common {
  /** In ns; strictly increasing. */
  readonly time: Integer;
  /** Where the event happened; absent where that is nowhere. On Node: the event loop's thread, the loop, the activation. */
  readonly thread?: Integer | undefined;
  readonly proc?: Integer | undefined;
  readonly goroutine?: Integer | undefined;
  /** Where the code was; absent where the event has no stack. */
  readonly stack?: readonly PlainFrame[] | undefined;
}

/** The beginning of a generation, and the end of the trace; with the clocks at one moment, where the trace has them. */
export interface SyncEvent extends Common {
  readonly kind: "Sync";
  readonly n: number;
  /** Trace clock and monotonic clock in ns, wall clock as text of RFC 3339 in UTC. */
  readonly trace?: Integer | undefined;
  readonly mono?: Integer | undefined;
  readonly wall?: string | undefined;
}

/** A metric by its name in Go's runtime/metrics has this value from here on. */
export interface MetricEvent extends Common {
  readonly kind: "Metric";
  readonly name: string;
  readonly value: Integer;
}

/** The goroutine has this label from here on. */
export interface LabelEvent extends Common {
  readonly kind: "Label";
  readonly label: string;
}

/** A CPU sample, with its stack. */
export interface SampleEvent extends Common {
  readonly kind: "StackSample";
}

/** Something goes on for a while (a collection, a stop of the world) on what `scope` says. */
export interface RangeEvent extends Common {
  /** RangeActive: it had begun before the generation did. */
  readonly kind: "RangeBegin" | "RangeActive" | "RangeEnd";
  readonly name: string;
  readonly scope: "none" | "goroutine" | "proc";
  readonly scopeId?: Integer | undefined;
  /** RangeEnd: what was measured meanwhile. */
  readonly attributes?: Readonly<Record<string, Integer>> | undefined;
}

/** A task begins or ends; `parent` is absent where it has none. */
export interface TaskEvent extends Common {
  readonly kind: "TaskBegin" | "TaskEnd";
  readonly task: Integer;
  readonly parent?: Integer | undefined;
  readonly type: string;
}

/** A region of a task begins or ends on the goroutine; task 0 is none. */
export interface RegionEvent extends Common {
  readonly kind: "RegionBegin" | "RegionEnd";
  readonly task: Integer;
  readonly type: string;
}

/** A log message; task 0 is none. */
export interface LogEvent extends Common {
  readonly kind: "Log";
  readonly task: Integer;
  readonly category: string;
  readonly message: string;
}

export type GoroutineState = "NotExist" | "Undetermined" | "Runnable" | "Running" | "Syscall" | "Waiting";
export type ProcState = "NotExist" | "Undetermined" | "Running" | "Idle";

/** A goroutine (on Node: an activation) goes from one state to another. */
export interface GoroutineTransitionEvent extends Common {
  readonly kind: "StateTransition";
  readonly resource: "goroutine";
  readonly id: Integer;
  readonly from: GoroutineState;
  readonly to: GoroutineState;
  /** Why it waits or stops. */
  readonly reason?: string | undefined;
  /** The goroutine's own stack: where it waits, or where it begins. */
  readonly transitionStack?: readonly PlainFrame[] | undefined;
}

/** A proc (on Node: an event loop) goes from one state to another. */
export interface ProcTransitionEvent extends Common {
  readonly kind: "StateTransition";
  readonly resource: "proc";
  readonly id: Integer;
  readonly from: ProcState;
  readonly to: ProcState;
  readonly reason?: undefined;
  readonly transitionStack?: undefined;
}

/** An event of an experiment of Go's, by its name. */
export interface ExperimentalEvent extends Common {
  readonly kind: "Experimental";
  readonly name: string;
  readonly args: Readonly<Record<string, Integer>>;
}

/** One event of a trace, to keep: told apart by `kind`, transitions also by `resource`. */
export type TraceEvent =
  | SyncEvent
  | MetricEvent
  | LabelEvent
  | SampleEvent
  | RangeEvent
  | TaskEvent
  | RegionEvent
  | LogEvent
  | GoroutineTransitionEvent
  | ProcTransitionEvent
  | ExperimentalEvent;

/** An object of its own for an event that a reader hands out. What is absent in it is undefined. */
export function plainEvent(event: OrderedEvent): TraceEvent {
  return {
    kind: event.kind,
    time: integer(exactTime(event)),
    thread: id(event, event.thread),
    proc: id(event, event.proc),
    goroutine: id(event, event.goroutine),
    ...details(event),
    stack: frames(event.stack),
  } as TraceEvent;
}

function details(event: OrderedEvent): object {
  switch (event.kind) {
    case "Sync":
      return sync(event);
    case "Metric":
      return { name: event.name, value: integer(exactValue(event)) };
    case "Label":
      return { label: event.name };
    case "StackSample":
      return {};
    case "RangeBegin":
    case "RangeActive":
      return range(event);
    case "RangeEnd":
      return { ...range(event), attributes: event.attributes.length > 0 ? attributes(event) : undefined };
    case "TaskBegin":
    case "TaskEnd":
      return { task: integer(event.task), parent: optional(event.parent), type: event.name };
    case "RegionBegin":
    case "RegionEnd":
      return { task: integer(event.task), type: event.name };
    case "Log":
      return { task: integer(event.task), category: event.name, message: event.message };
    case "StateTransition":
      return {
        resource: event.resource,
        id: integer(exactId(event, event.resourceId)),
        from: event.from,
        to: event.to,
        reason: event.reason === "" ? undefined : event.reason,
        transitionStack: frames(event.transitionStack),
      };
    case "Experimental":
      return { name: event.name, args: attributes(event) };
  }
}

function sync(event: OrderedEvent): object {
  const taken = event.snapshot;
  if (taken === null) return { n: event.value };
  const wall = wallTime(taken.wallSec, taken.wallNsec, 0);
  return { n: event.value, trace: integer(BigInt(taken.trace)), mono: integer(taken.mono), wall };
}

function range(event: OrderedEvent): object {
  return { name: event.name, scope: event.scope, scopeId: id(event, event.scopeId) };
}

function attributes(event: OrderedEvent): object {
  return Object.fromEntries(event.attributes.map(({ name, value }) => [name, integer(value)]));
}

/** By stack of the trace: events with one stack share its frames. */
const known = new WeakMap<Stack, readonly PlainFrame[]>();

function frames(stack: Stack | null): readonly PlainFrame[] | undefined {
  if (stack === null) return undefined;
  let plain = known.get(stack);
  if (plain === undefined) {
    plain = stack.frames.map((frame) => ({
      func: frame.func,
      file: frame.file,
      line: integer(frame.exactLine ?? BigInt(frame.line)),
      pc: `0x${frame.pc.toString(16)}`,
    }));
    known.set(stack, plain);
  }
  return plain;
}

function id(event: OrderedEvent, value: number): Integer | undefined {
  return value === -1 ? undefined : integer(exactId(event, value));
}

function optional(value: bigint): Integer | undefined {
  return value === NONE ? undefined : integer(value);
}

function integer(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const NONE = 0xffff_ffff_ffff_ffffn;
