/**
 * The vocabulary of facts: what the probe tells the resolver, one fixed-width record of 32 bytes each.
 *
 * A record is {time: u64 ns (hrtime), a: f64, b: f64, kind: u32, c: u32}. Ids are counters of one isolate, below 2^53;
 * id 0 is none. Text travels in the same ring: a Text record is followed by its UTF-8 bytes, padded to whole records.
 * The facts of one isolate are in the order in which they happened. Where they come from (Node's hooks, a load-time
 * transform) does not show in them.
 */
export const Fact = {
  /** a: string id, 0 for the text of the next Log or Note only; c: length in bytes. The bytes follow. */
  Text: 1,
  /**
   * A place in the source. a: function id * 2^26 + site id; b: file string id * 2^26 + function string id; c: line +
   * 2^28 * WaitsFor.
   */
  Site: 2,
  /** Facts were dropped here because the ring was full. a: how many. */
  Gap: 3,

  /** A callback of the event loop begins. a: resource id; b: due time in ns for timers, else 0; c: ResourceKind. */
  Before: 10,
  /**
   * It ends. a: resource id; c: 1 where it is a function given to `then` and the like, whose promise has its id; b: then
   * awaited, what it has returned, Settled where it has thrown.
   */
  After: 11,
  /**
   * A resource that will call back is made. a: resource id; b: site id of one that calls back again and again, else id of the
   * promise whose executor makes it, or 0; c: ResourceKind + 32 * delay in ms of a timer.
   */
  Init: 12,
  /** A resource will not call back any more. a: resource id. */
  Clear: 13,
  /** A promise settles when the resource completes. a: resource id; b: promise id. */
  Link: 14,
  /** A timer begins anew before it has called back, or while it does. a: resource id; c: delay in ms. */
  Refresh: 15,

  /** A promise is made. a: promise id; b: the promise it reacts to, or 0; c: PromiseClass + 16 * site id. */
  Promise: 20,
  /** A reaction job begins. a: promise id. */
  ReactionBegin: 21,
  ReactionEnd: 22,
  /** a: promise id. */
  Settle: 23,

  /** A root activation begins here and holds the rest of the callback. a: root id; b: name string id; c: RootKind, and HANDLED where Return tells its end. */
  Root: 30,
  /**
   * A held root (a request) needs no more waiting for. a: root id; b: string id of what is logged of it at its end, or 0. The
   * task that began with it ends, and so does the region of what has gone out.
   */
  Release: 31,
  /** A task begins that ends with the root. a: root id; b: name string id. */
  RootTask: 32,
  /** Such a task has another name. a: root id, 0 for the root whose task the running code belongs to; b: name string id. */
  TaskName: 33,
  /**
   * The running code asks for something outside (a request goes out), which an activation of its own waits for in a region,
   * until Release. a: root id; b: name string id; c: site id.
   */
  Outgoing: 34,

  /** An activation of its own begins synchronously here. a: id; b: name string id; c: site id. Closed by Return. */
  Go: 40,
  /** withRegion calls its function. a: region id; b: name string id; c: site id. Closed by Return. */
  RegionCall: 41,
  /** withTask calls its function; begins the task. a: task id; b: name string id; c: site id. Closed by Return. */
  TaskCall: 42,
  /** The function of Go, RegionCall or TaskCall, or a root's handler, returned. a: id; b: promise id where it returned a pending promise, else 0. */
  Return: 43,
  /** startRegion. a: region id; b: name string id; c: site id. */
  RegionBegin: 44,
  /** a: region id; b: 1 where it may end on any activation, else 0; c: site id. */
  RegionEnd: 45,
  /** newTask, a child of the current task. a: task id; b: name string id; c: site id. */
  TaskBegin: 46,
  /** a: task id; c: site id. */
  TaskEnd: 47,
  /** task.run(fn): what is made until TaskExit belongs to the task. a: task id. */
  TaskEnter: 48,
  TaskExit: 49,
  /** a: category string id; c: site id; the message is the preceding Text with id 0. */
  Log: 50,
  /** A JSON message of the reserved category; the message is the preceding Text with id 0. */
  Note: 51,

  /** A synchronous call into the system. c: site id. */
  SyscallBegin: 60,
  SyscallEnd: 61,
  /** The loop was idle from time - a until time. b: 1 where the main script is still being loaded. */
  Idle: 62,
  /** A garbage collection. time: its start; a: duration in ns; c: GcKind. May arrive late. */
  Gc: 63,
  /** a: used heap in bytes; b: heap limit in bytes. */
  Heap: 64,
  /** The event loop ends. */
  LoopEnd: 65,
  /** A Worker is started by the running code. a: its thread id; c: site id. */
  WorkerStart: 66,
  /** A message is sent to another thread. a: its key (messageKey); c: site id. The Before of what it is handled by has -key. */
  Send: 67,
  /** No callback will handle a message: it was taken by running code, or could not be sent. a: its key. */
  Taken: 68,
  /** A port is closed: no message of the way of the one of that key will be handled any more. a: the key. */
  Closed: 69,

  /**
   * An async function's body begins. a: frame id; b: 1 where nothing is known of who calls it, + 2 * id of the site where
   * the last marked call was; c: site id.
   */
  FrameCall: 70,
  /** The frame suspends until what it awaits is settled. a: frame id; b: awaited; c: site id. */
  FrameBlock: 71,
  /** The frame runs again. a: frame id; b: 1 where the code that runs has called it, and goes on when it suspends. */
  FrameResume: 72,
  /** The frame is about to end with a promise for its result. a: frame id; b: awaited; c: site id. */
  FrameTail: 73,
  /** a: frame id. */
  FrameEnd: 74,
  /** `new Promise` calls its executor. a: promise id; c: site id. */
  Executor: 75,
  /**
   * Its resolve or reject is called. a: promise id; b: awaited, where it is with another promise, else Settled; c: 0 where
   * code that is known to run calls it, else 32 + ResourceKind of the callback that does, if known.
   */
  Settled: 76,
  /**
   * A function of Node's gave a promise. a: promise id; b: delay in ms of the timer that settles it, else 0; c: ResourceKind
   * of what settles it, User where the program's code does.
   */
  Source: 77,
  /** A job of the main script or of what loads it begins (a: 1) or ends (a: 0). */
  Booting: 78,
  /**
   * A promise was made by `then` and the like, one or several times, of another one. a: promise id; b: id of the other one,
   * or 0; c: 1 where the function that they were given is told of, and has the same id.
   */
  Derived: 79,
  /** A promise is made by Promise.all and the like. a: promise id; c: PromiseClass, All or Race. Its members follow. */
  Joint: 80,
  /** a: id of such a promise; b: awaited, one of its members; Unknown where there are others of which nothing is known. */
  Member: 81,
} as const;

/**
 * What a frame awaits: the id of the frame, executor or resource whose promise it is, or one of these.
 * Unknown: a promise of which nothing is known. Settled: no promise, so that it waits for the jobs before it only.
 * Yielded: an async generator waits to be asked for its next value. Iterates: what the frame's iterator gives next; if
 * that is a generator's, the fact that it runs follows at once. Kind - k: the same of an iterator of ResourceKind k. Asks:
 * as Iterates, but the frame runs on, until another such fact tells what it suspends for, unless that is a generator.
 */
export const Awaited = {
  Unknown: 0,
  Settled: -1,
  Yielded: -2,
  Iterates: -3,
  Asks: -4,
  Kind: -16,
} as const;

/** What calls back, as far as reasons and liveness need to know. */
export const ResourceKind = {
  Unknown: 0,
  Timeout: 1,
  Interval: 2,
  Immediate: 3,
  Tick: 4,
  Fs: 5,
  Dns: 6,
  Crypto: 7,
  /** A zlib handle: calls back any number of times. */
  Zlib: 8,
  /** A socket, pipe, server or parser: calls back any number of times. */
  Net: 9,
  /** One connection attempt. */
  Connect: 10,
  Child: 11,
  /** A message port: calls back any number of times. */
  Port: 12,
  /** An AsyncResource of user-land: runs any number of times. */
  User: 13,
  /** A timer of Node's own (socket timeouts): neither keeps an activation alive nor names its reason. */
  InternalTimer: 14,
  Worker: 15,
  Signal: 16,
  /** A function given to `then` and the like: runs once at the most, and keeps nothing alive. */
  Reaction: 17,
} as const;
export type ResourceKindCode = (typeof ResourceKind)[keyof typeof ResourceKind];

/** How a promise came to be. Unknown is always legal: it costs detail, never truth. */
export const PromiseClass = {
  Unknown: 0,
  /** The result of an async function that begins to run now. */
  Call: 1,
  /** The continuation of the innermost running async function, which suspends here. */
  Await: 2,
  /** Made by then, catch, finally. */
  Then: 3,
  /** Made by `new Promise` or withResolvers. */
  New: 4,
  All: 5,
  Race: 6,
  /** Made inside Node or by a builtin. */
  Native: 7,
} as const;

/**
 * What an await waits for as far as the text of the program tells. Delegate: it is a `yield` or `yield*`. Generator: it
 * is no await but the beginning of an async generator.
 */
export const WaitsFor = {
  Other: 0,
  Call: 1,
  All: 2,
  Race: 3,
  Promise: 4,
  Delegate: 5,
  Generator: 6,
} as const;

/** Added to the kind of a root whose handler's end will be told. */
export const HANDLED = 8;

/** Stands for the id of a task that is entered: outside of every task. */
export const OUTSIDE = 0;

export const RootKind = { Main: 0, Request: 1, Connection: 2, Message: 3, Interval: 4 } as const;

/** Kinds of garbage collection, with V8's own numbers. */
export const GcKind = { Minor: 1, MinorMarkSweep: 2, Major: 4, Incremental: 8, WeakCallbacks: 16 } as const;

/** Bytes of a record. */
export const FACT_BYTES = 32;

const THREAD_KEYS = 2 ** 32;

/** Names the `count`th message (from 1 on) between a Worker of that thread id and its maker, in one direction. */
export function messageKey(threadId: number, toMaker: boolean, count: number): number {
  return (2 * threadId + (toMaker ? 1 : 0)) * THREAD_KEYS + count;
}

/** Keys of messages through channels begin here. */
const CHANNEL_KEYS = 2 ** 52;
/** So many messages of one way have keys of their own: more are not under way at once. */
export const CHANNEL_COUNTS = 2 ** 24;

/** Names the `count`th message that the end `side` (0 or 1) of the channel of that number (from 1 on, below 2^27) sends. */
export function channelKey(channel: number, side: number, count: number): number {
  return CHANNEL_KEYS + (2 * channel + side) * CHANNEL_COUNTS + (count % CHANNEL_COUNTS);
}

/** The way of the message of that key: one direction between two ends. */
export function wayOf(key: number): number {
  return Math.floor(key / (key < CHANNEL_KEYS ? THREAD_KEYS : CHANNEL_COUNTS));
}

/** Whether the message of that key goes to the Worker of that thread id. */
export function isMessageTo(key: number, threadId: number): boolean {
  return wayOf(key) === 2 * threadId;
}
