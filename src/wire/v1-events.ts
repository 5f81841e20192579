/**
 * The event vocabulary of the v1 trace format (headers go 1.11, go 1.19, go 1.21) as data. An event of v1 belongs to a
 * proc, its first argument is the time since the event before, and its last one, where it has a stack, that stack's id.
 */

/** Minor versions of the headers that carry format v1. */
export const V1_VERSIONS = [11, 19, 21] as const;

/** Event numbers by name; the numbers are the format's own. */
export const V1 = {
  Batch: 1,
  Frequency: 2,
  Stack: 3,
  Gomaxprocs: 4,
  ProcStart: 5,
  ProcStop: 6,
  GCStart: 7,
  GCDone: 8,
  STWStart: 9,
  STWDone: 10,
  GCSweepStart: 11,
  GCSweepDone: 12,
  GoCreate: 13,
  GoStart: 14,
  GoEnd: 15,
  GoStop: 16,
  GoSched: 17,
  GoPreempt: 18,
  GoSleep: 19,
  GoBlock: 20,
  GoUnblock: 21,
  GoBlockSend: 22,
  GoBlockRecv: 23,
  GoBlockSelect: 24,
  GoBlockSync: 25,
  GoBlockCond: 26,
  GoBlockNet: 27,
  GoSysCall: 28,
  GoSysExit: 29,
  GoSysBlock: 30,
  GoWaiting: 31,
  GoInSyscall: 32,
  HeapAlloc: 33,
  HeapGoal: 34,
  TimerGoroutine: 35,
  FutileWakeup: 36,
  String: 37,
  GoStartLocal: 38,
  GoUnblockLocal: 39,
  GoSysExitLocal: 40,
  GoStartLabel: 41,
  GoBlockGC: 42,
  GCMarkAssistStart: 43,
  GCMarkAssistDone: 44,
  UserTaskCreate: 45,
  UserTaskEnd: 46,
  UserRegion: 47,
  UserLog: 48,
  CPUSample: 49,
} as const;

/** One event type: the name that Go's errors give it, its arguments without time and stack, and whether it has a stack. */
export interface V1Spec {
  readonly name: string;
  readonly args: readonly string[];
  readonly stack: boolean;
}

const event = (name: string, ...args: string[]): V1Spec => ({ name, args, stack: false });
const withStack = (name: string, ...args: string[]): V1Spec => ({ name, args, stack: true });

/** By event number; number 0 is none. */
export const V1_SPECS: readonly V1Spec[] = [
  event("None"),
  event("Batch", "p", "ticks"),
  event("Frequency", "freq"),
  event("Stack", "id", "siz"),
  withStack("Gomaxprocs", "procs"),
  event("ProcStart", "thread"),
  event("ProcStop"),
  withStack("GCStart", "seq"),
  event("GCDone"),
  event("GCSTWStart", "kindid"),
  event("GCSTWDone"),
  withStack("GCSweepStart"),
  event("GCSweepDone", "swept", "reclaimed"),
  withStack("GoCreate", "g", "stack"),
  event("GoStart", "g", "seq"),
  event("GoEnd"),
  withStack("GoStop"),
  withStack("GoSched"),
  withStack("GoPreempt"),
  withStack("GoSleep"),
  withStack("GoBlock"),
  withStack("GoUnblock", "g", "seq"),
  withStack("GoBlockSend"),
  withStack("GoBlockRecv"),
  withStack("GoBlockSelect"),
  withStack("GoBlockSync"),
  withStack("GoBlockCond"),
  withStack("GoBlockNet"),
  withStack("GoSysCall"),
  event("GoSysExit", "g", "seq", "ts"),
  event("GoSysBlock"),
  event("GoWaiting", "g"),
  event("GoInSyscall", "g"),
  event("HeapAlloc", "mem"),
  event("HeapGoal", "mem"),
  event("TimerGoroutine", "g"),
  event("FutileWakeup"),
  event("String"),
  event("GoStartLocal", "g"),
  withStack("GoUnblockLocal", "g"),
  event("GoSysExitLocal", "g", "ts"),
  event("GoStartLabel", "g", "seq", "labelid"),
  withStack("GoBlockGC"),
  withStack("GCMarkAssistStart"),
  event("GCMarkAssistDone"),
  withStack("UserTaskCreate", "taskid", "pid", "typeid"),
  withStack("UserTaskEnd", "taskid"),
  withStack("UserRegion", "taskid", "mode", "typeid"),
  withStack("UserLog", "id", "keyid"),
  withStack("CPUSample", "ts", "p", "g"),
];

/** Minor version of the first header that has the event. All others are older than the oldest header. */
export const V1_CPU_SAMPLE_SINCE = 19;

/** Procs that stand for what no proc did, as Go's reader shows them. */
export const V1Proc = { Timer: 1_000_001, Netpoll: 1_000_002, Syscall: 1_000_003, GC: 1_000_004 } as const;

/** Most bytes of an event's arguments, of a string, and most frames of a stack. */
export const V1_MAX_ARGS = 2_048;
export const V1_MAX_STRING = 1_000_000;
export const V1_MAX_FRAMES = 1_000;

/** Why the world was stopped, by the number of the header go 1.21. */
export const V1_STOPS: readonly string[] = [
  "",
  "GC mark termination",
  "GC sweep termination",
  "write heap dump",
  "goroutine profile",
  "goroutine profile cleanup",
  "all goroutine stack trace",
  "read mem stats",
  "AllThreadsSyscall",
  "GOMAXPROCS",
  "start trace",
  "stop trace",
  "CountPagesInUse (test)",
  "ReadMetricsSlow (test)",
  "ReadMemStatsSlow (test)",
  "PageCachePagesLeaked (test)",
  "ResetDebugLog (test)",
];

/** Texts that Go's reader adds to the strings of a v1 trace, in the order of their ids. */
export const V1_OWN_STRINGS: readonly string[] = [
  "forever",
  "preempted",
  "runtime.Gosched",
  "sleep",
  "chan send",
  "chan receive",
  "network",
  "sync",
  "sync.(*Cond).Wait",
  "select",
  "",
  "GC mark assist wait for work",
  ...V1_STOPS,
];
