/**
 * The event vocabulary of the v2 trace format (headers go 1.22 to go 1.26) as data: every name, number, argument
 * list and the version that introduced it. Writer, reader and text forms are all driven by this table, so nothing
 * about an event is said twice.
 */

/** What an argument of an event means to a reader: a plain number, or an id that points into a table. */
export type ArgKind = "number" | "stack" | "string" | "goroutine" | "proc" | "thread" | "task";

/** One event type of the wire format. `args` leaves out the leading time delta that every timed event carries. */
export interface EventSpec {
  readonly type: number;
  readonly name: string;
  /** False for the structural records that carry no time delta and are never delivered. */
  readonly timed: boolean;
  readonly args: readonly string[];
  readonly kinds: readonly ArgKind[];
  /**
   * Minor version of the first header under which Go's reader of bare records knows it: 22 for go 1.22. (The reader of
   * ordered events asks for no version; Go 1.23 itself could write the experimental events that are marked 26 here.)
   */
  readonly since: number;
}

/** Event numbers by name; the numbers are the format's own. */
export const Ev = {
  EventBatch: 1,
  Stacks: 2,
  Stack: 3,
  Strings: 4,
  String: 5,
  CPUSamples: 6,
  CPUSample: 7,
  Frequency: 8,
  ProcsChange: 9,
  ProcStart: 10,
  ProcStop: 11,
  ProcSteal: 12,
  ProcStatus: 13,
  GoCreate: 14,
  GoCreateSyscall: 15,
  GoStart: 16,
  GoDestroy: 17,
  GoDestroySyscall: 18,
  GoStop: 19,
  GoBlock: 20,
  GoUnblock: 21,
  GoSyscallBegin: 22,
  GoSyscallEnd: 23,
  GoSyscallEndBlocked: 24,
  GoStatus: 25,
  STWBegin: 26,
  STWEnd: 27,
  GCActive: 28,
  GCBegin: 29,
  GCEnd: 30,
  GCSweepActive: 31,
  GCSweepBegin: 32,
  GCSweepEnd: 33,
  GCMarkAssistActive: 34,
  GCMarkAssistBegin: 35,
  GCMarkAssistEnd: 36,
  HeapAlloc: 37,
  HeapGoal: 38,
  GoLabel: 39,
  UserTaskBegin: 40,
  UserTaskEnd: 41,
  UserRegionBegin: 42,
  UserRegionEnd: 43,
  UserLog: 44,
  GoSwitch: 45,
  GoSwitchDestroy: 46,
  GoCreateBlocked: 47,
  GoStatusStack: 48,
  ExperimentalBatch: 49,
  Sync: 50,
  ClockSnapshot: 51,
  EndOfGeneration: 52,
  Span: 128,
  SpanAlloc: 129,
  SpanFree: 130,
  HeapObject: 131,
  HeapObjectAlloc: 132,
  HeapObjectFree: 133,
  GoroutineStack: 134,
  GoroutineStackAlloc: 135,
  GoroutineStackFree: 136,
} as const;

const KIND_OF_ARG: Readonly<Record<string, ArgKind>> = {
  stack: "stack",
  new_stack: "stack",
  reason_string: "string",
  kind_string: "string",
  label_string: "string",
  name_string: "string",
  key_string: "string",
  value_string: "string",
  g: "goroutine",
  new_g: "goroutine",
  p: "proc",
  m: "thread",
  task: "task",
  parent_task: "task",
};

function kindsOf(args: readonly string[]): readonly ArgKind[] {
  return args.map((arg) => KIND_OF_ARG[arg] ?? "number");
}

function structural(type: number, name: string, args: readonly string[] = [], since = 22): EventSpec {
  return { type, name, timed: false, args, kinds: kindsOf(args), since };
}

function timed(type: number, name: string, args: readonly string[] = [], since = 22): EventSpec {
  return { type, name, timed: true, args, kinds: kindsOf(args), since };
}

/** All event types, in the order of their numbers. */
export const EVENTS: readonly EventSpec[] = [
  structural(Ev.EventBatch, "EventBatch", ["gen", "m", "time", "size"]),
  structural(Ev.Stacks, "Stacks"),
  structural(Ev.Stack, "Stack", ["id", "nframes"]),
  structural(Ev.Strings, "Strings"),
  structural(Ev.String, "String", ["id"]),
  structural(Ev.CPUSamples, "CPUSamples"),
  structural(Ev.CPUSample, "CPUSample", ["time", "m", "p", "g", "stack"]),
  structural(Ev.Frequency, "Frequency", ["freq"]),
  timed(Ev.ProcsChange, "ProcsChange", ["procs_value", "stack"]),
  timed(Ev.ProcStart, "ProcStart", ["p", "p_seq"]),
  timed(Ev.ProcStop, "ProcStop"),
  timed(Ev.ProcSteal, "ProcSteal", ["p", "p_seq", "m"]),
  timed(Ev.ProcStatus, "ProcStatus", ["p", "pstatus"]),
  timed(Ev.GoCreate, "GoCreate", ["new_g", "new_stack", "stack"]),
  timed(Ev.GoCreateSyscall, "GoCreateSyscall", ["new_g"]),
  timed(Ev.GoStart, "GoStart", ["g", "g_seq"]),
  timed(Ev.GoDestroy, "GoDestroy"),
  timed(Ev.GoDestroySyscall, "GoDestroySyscall"),
  timed(Ev.GoStop, "GoStop", ["reason_string", "stack"]),
  timed(Ev.GoBlock, "GoBlock", ["reason_string", "stack"]),
  timed(Ev.GoUnblock, "GoUnblock", ["g", "g_seq", "stack"]),
  timed(Ev.GoSyscallBegin, "GoSyscallBegin", ["p_seq", "stack"]),
  timed(Ev.GoSyscallEnd, "GoSyscallEnd"),
  timed(Ev.GoSyscallEndBlocked, "GoSyscallEndBlocked"),
  timed(Ev.GoStatus, "GoStatus", ["g", "m", "gstatus"]),
  timed(Ev.STWBegin, "STWBegin", ["kind_string", "stack"]),
  timed(Ev.STWEnd, "STWEnd"),
  timed(Ev.GCActive, "GCActive", ["gc_seq"]),
  timed(Ev.GCBegin, "GCBegin", ["gc_seq", "stack"]),
  timed(Ev.GCEnd, "GCEnd", ["gc_seq"]),
  timed(Ev.GCSweepActive, "GCSweepActive", ["p"]),
  timed(Ev.GCSweepBegin, "GCSweepBegin", ["stack"]),
  timed(Ev.GCSweepEnd, "GCSweepEnd", ["swept_value", "reclaimed_value"]),
  timed(Ev.GCMarkAssistActive, "GCMarkAssistActive", ["g"]),
  timed(Ev.GCMarkAssistBegin, "GCMarkAssistBegin", ["stack"]),
  timed(Ev.GCMarkAssistEnd, "GCMarkAssistEnd"),
  timed(Ev.HeapAlloc, "HeapAlloc", ["heapalloc_value"]),
  timed(Ev.HeapGoal, "HeapGoal", ["heapgoal_value"]),
  timed(Ev.GoLabel, "GoLabel", ["label_string"]),
  timed(Ev.UserTaskBegin, "UserTaskBegin", ["task", "parent_task", "name_string", "stack"]),
  timed(Ev.UserTaskEnd, "UserTaskEnd", ["task", "stack"]),
  timed(Ev.UserRegionBegin, "UserRegionBegin", ["task", "name_string", "stack"]),
  timed(Ev.UserRegionEnd, "UserRegionEnd", ["task", "name_string", "stack"]),
  timed(Ev.UserLog, "UserLog", ["task", "key_string", "value_string", "stack"]),
  timed(Ev.GoSwitch, "GoSwitch", ["g", "g_seq"], 23),
  timed(Ev.GoSwitchDestroy, "GoSwitchDestroy", ["g", "g_seq"], 23),
  timed(Ev.GoCreateBlocked, "GoCreateBlocked", ["new_g", "new_stack", "stack"], 23),
  timed(Ev.GoStatusStack, "GoStatusStack", ["g", "m", "gstatus", "stack"], 23),
  structural(Ev.ExperimentalBatch, "ExperimentalBatch", ["exp", "gen", "m", "time"], 23),
  structural(Ev.Sync, "Sync", [], 25),
  structural(Ev.ClockSnapshot, "ClockSnapshot", ["dt", "mono", "sec", "nsec"], 25),
  structural(Ev.EndOfGeneration, "EndOfGeneration", [], 26),
  timed(Ev.Span, "Span", ["id", "npages_value", "kindclass"], 26),
  timed(Ev.SpanAlloc, "SpanAlloc", ["id", "npages_value", "kindclass"], 26),
  timed(Ev.SpanFree, "SpanFree", ["id"], 26),
  timed(Ev.HeapObject, "HeapObject", ["id", "type"], 26),
  timed(Ev.HeapObjectAlloc, "HeapObjectAlloc", ["id", "type"], 26),
  timed(Ev.HeapObjectFree, "HeapObjectFree", ["id"], 26),
  timed(Ev.GoroutineStack, "GoroutineStack", ["id", "order"], 26),
  timed(Ev.GoroutineStackAlloc, "GoroutineStackAlloc", ["id", "order"], 26),
  timed(Ev.GoroutineStackFree, "GoroutineStackFree", ["id"], 26),
];

/** The spec of an event number, or undefined where the format defines none. */
export const SPEC_BY_TYPE: readonly (EventSpec | undefined)[] = (() => {
  const table: (EventSpec | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const spec of EVENTS) table[spec.type] = spec;
  return table;
})();
