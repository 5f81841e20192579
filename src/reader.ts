/** runtrace/reader: the events of a trace, in Node and in the browser. */
export { TraceError } from "./base/error.ts";
export { readTrace } from "./reading/read-trace.ts";
export type { ReadOptions } from "./reading/read-trace.ts";
export type { TraceSource } from "./reading/open.ts";
export type {
  ExperimentalEvent,
  GoroutineState,
  GoroutineTransitionEvent,
  Integer,
  LabelEvent,
  LogEvent,
  MetricEvent,
  PlainFrame,
  ProcState,
  ProcTransitionEvent,
  RangeEvent,
  RegionEvent,
  SampleEvent,
  SyncEvent,
  TaskEvent,
  TraceEvent,
} from "./order/plain-event.ts";
export type { EventKind } from "./order/types.ts";
