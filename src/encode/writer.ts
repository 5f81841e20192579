/**
 * The writer of format v2: one call an event, in any mixture of threads, and a file that Go's reader accepts after
 * every flush, whatever the calls were.
 *
 * Why that holds. Go's reader merges the threads by time and checks each event against its own picture of the
 * scheduler. The writer keeps the same picture and refuses what would not fit, judged in the order of the calls. For
 * the reader to see that order too, time follows cause: an event is never earlier than the one before it on its
 * thread, nor than the last event about its goroutine, proc, task or GC cycle on any other thread (later times are
 * taken as they are, earlier ones raised, which is what Go's reader shows for them anyway). Then ordering all events
 * by (time, call) breaks no thread's order and no cause, so at any moment one of the earliest pending events is
 * acceptable, and every prefix of the calls is a trace of its own. Ties between threads are decided by sequence
 * numbers where the event has one; GC cycles, tasks and ids used again have none across threads, so there the later
 * event is at least 1 ns later.
 *
 * Memory is what is alive, plus the events and tables of the current generation, plus the interned stacks (bounded, see
 * stacks.ts).
 */
import type { Bytes } from "../base/units.ts";
import { TraceError } from "../base/error.ts";
import { Ev } from "../wire/events.ts";
import type { Frame } from "../wire/format.ts";
import { GoStatus, ProcStatus } from "../wire/format.ts";
import type { WriterOptions } from "./generations.ts";
import { Generations, WRITER_GOROUTINE } from "./generations.ts";
import type { Goroutine, Thread } from "./scheduler.ts";
import { after, notBefore } from "./time.ts";

export type { WriterOptions } from "./generations.ts";

export interface WriterStats {
  /** Bytes given to `write`. */
  readonly bytes: Bytes;
  /** Timed events and CPU samples encoded, announcements included. */
  readonly events: number;
  /** Illegal calls that did nothing. */
  readonly refused: number;
  readonly generations: number;
  /** Stacks that lost frames because the writer knows too many. */
  readonly shortenedStacks: number;
}

function isId(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

/**
 * Writes one trace. In all calls `m` is a thread id (1 or more), `t` an absolute time in ns, `stack` an id from
 * `stack()`; ids of goroutines and tasks are 1 or more, of procs 0 or more. An illegal call throws TraceError
 * ERR_TRACE_SEQUENCE in strict mode and is a counted no-op otherwise; nothing is written of it in either case.
 */
/** By `GoStatus`. */
const STATE_NAMES = ["", "runnable", "running", "syscall", "waiting"];

/** A goroutine that has not ended. */
export interface LivingGoroutine {
  readonly id: number;
  /** "runnable", "running", "syscall" or "waiting". */
  readonly state: string;
  /** Of a wait; else "". */
  readonly reason: string;
  /** When it came into that state, as the caller's times. */
  readonly since: number;
  /** Its outermost function; null where it has no stack. */
  readonly entry: Frame | null;
  /** Where it stopped last, or its entry: leaf first. */
  readonly stack: readonly Frame[];
}

export class TraceWriter {
  readonly #trace: Generations;
  readonly #strict: boolean;
  #refused = 0;

  constructor(options: WriterOptions) {
    this.#trace = new Generations(options);
    this.#strict = options.strict === true;
  }

  get stats(): WriterStats {
    return {
      bytes: this.#trace.bytes,
      events: this.#trace.events,
      refused: this.#refused,
      generations: this.#trace.count,
      shortenedStacks: this.#trace.stacks.shortened,
    };
  }

  /**
   * Interns a stack for the life of the writer; 0 is the empty stack. Frames are leaf first and must not change
   * afterwards; of more than 128 the leaf end and the outermost one are kept.
   */
  stack(frames: readonly Frame[]): number {
    return this.#trace.stacks.intern(frames);
  }

  // Procs and goroutines.

  /** Thread `m` begins to run event loop `p`; both must be free. */
  procStart(m: number, t: number, p: number): void {
    const thread = this.#thread("procStart", m, t);
    if (thread === null) return;
    if (thread.proc !== null) return this.#refuse("procStart", `thread ${m} has proc ${thread.proc.id}`);
    if (!isId(p, 0)) return this.#refuse("procStart", `got proc ${p}`);
    const proc = this.#trace.procs.get(p) ?? { id: p, status: ProcStatus.Idle, seq: 0, last: 0, thread: m };
    if (proc.status !== ProcStatus.Idle) {
      return this.#refuse("procStart", `proc ${p} runs on thread ${proc.thread}`);
    }
    this.#trace.startProc(thread, t, proc);
  }

  /** Thread `m` goes idle; no goroutine may be on it. */
  procStop(m: number, t: number): void {
    const thread = this.#onProc("procStop", m, t);
    if (thread === null) return;
    if (thread.goroutine !== null) {
      return this.#refuse("procStop", `goroutine ${thread.goroutine.id} is on thread ${m}`);
    }
    this.#trace.stopProc(thread, t);
  }

  /** A new, runnable goroutine. `newStack` is its entry (one frame, which names it), `stack` where it was made. */
  goCreate(m: number, t: number, g: number, newStack: number, stack: number): void {
    const thread = this.#onProc("goCreate", m, t);
    if (thread === null) return;
    if (!isId(g, 1) || g === WRITER_GOROUTINE) return this.#refuse("goCreate", `got goroutine ${g}`);
    const { goroutines, ids } = this.#trace;
    if (goroutines.get(g) !== undefined) return this.#refuse("goCreate", `goroutine ${g} is alive`);
    const entry = this.#use("goCreate", newStack);
    const creation = this.#use("goCreate", stack);
    this.#leaveSyscall(thread, t);
    // The goroutines that ended are not remembered one by one: an id that is not higher than all may be used again.
    const isNew = g > ids.highest;
    if (isNew) ids.highest = g;
    const time = notBefore(t, isNew ? thread.last : Math.max(thread.last, after(ids.lastEnd)));
    const out = this.#trace.event(thread, Ev.GoCreate, time);
    out.uvarint(g);
    out.uvarint(entry);
    out.uvarint(creation);
    goroutines.set(g, {
      id: g,
      status: GoStatus.Runnable,
      seq: 0,
      last: time,
      entry,
      stopped: 0,
      reason: "",
      regions: null,
      assisting: false,
      stw: null,
    });
  }

  /** Runnable goroutine `g` begins to run. */
  goStart(m: number, t: number, g: number): void {
    const thread = this.#onProc("goStart", m, t);
    if (thread === null) return;
    if (thread.goroutine !== null) {
      return this.#refuse("goStart", `goroutine ${thread.goroutine.id} is on thread ${m}`);
    }
    const goroutine = this.#trace.goroutines.get(g);
    if (goroutine === undefined || goroutine.status !== GoStatus.Runnable) {
      return this.#refuse("goStart", `goroutine ${g} is not runnable`);
    }
    const out = this.#trace.event(thread, Ev.GoStart, notBefore(t, Math.max(thread.last, goroutine.last)));
    out.uvarint(g);
    out.uvarint(++goroutine.seq);
    goroutine.status = GoStatus.Running;
    thread.goroutine = goroutine;
    this.#trace.repeat(thread);
  }

  /** The current goroutine yields and stays runnable. Ends its syscall and stop-the-world range. */
  goStop(m: number, t: number, reason: string, stack: number): void {
    this.#halt("goStop", Ev.GoStop, GoStatus.Runnable, m, t, reason, stack);
  }

  /** The current goroutine waits. Ends its syscall and stop-the-world range. */
  goBlock(m: number, t: number, reason: string, stack: number): void {
    this.#halt("goBlock", Ev.GoBlock, GoStatus.Waiting, m, t, reason, stack);
  }

  /** Waiting goroutine `g` becomes runnable. A thread without a proc may give these in any order of time. */
  goUnblock(m: number, t: number, g: number, stack: number): void {
    const thread = this.#thread("goUnblock", m, t);
    if (thread === null) return;
    const goroutine = this.#trace.goroutines.get(g);
    if (goroutine === undefined || goroutine.status !== GoStatus.Waiting) {
      return this.#refuse("goUnblock", `goroutine ${g} is not waiting`);
    }
    const waker = this.#use("goUnblock", stack);
    const time = notBefore(t, Math.max(thread.last, goroutine.last));
    goroutine.seq++;
    if (thread.proc === null) {
      this.#trace.unblockLater(thread, time, goroutine, waker);
    } else {
      const out = this.#trace.event(thread, Ev.GoUnblock, time);
      out.uvarint(g);
      out.uvarint(goroutine.seq);
      out.uvarint(waker);
    }
    goroutine.status = GoStatus.Runnable;
    goroutine.last = time;
  }

  /** The current goroutine ends, and with it its open syscall, regions and ranges. */
  goDestroy(m: number, t: number): void {
    const thread = this.#onGoroutine("goDestroy", m, t);
    if (thread === null) return;
    const goroutine = thread.goroutine!;
    this.#leaveSyscall(thread, t);
    while (goroutine.regions !== null && goroutine.regions.length > 0) {
      const { task, name } = goroutine.regions.pop()!;
      this.#region(thread, Ev.UserRegionEnd, t, task, name, 0);
    }
    if (goroutine.assisting) this.#trace.event(thread, Ev.GCMarkAssistEnd, notBefore(t, thread.last));
    this.#startTheWorld(thread, t);
    const time = notBefore(t, thread.last);
    this.#trace.event(thread, Ev.GoDestroy, time);
    this.#trace.goroutines.delete(goroutine.id);
    this.#trace.ids.lastEnd = Math.max(this.#trace.ids.lastEnd, time);
    thread.goroutine = null;
  }

  /** The current goroutine enters a syscall and keeps its proc. */
  syscallBegin(m: number, t: number, stack: number): void {
    const thread = this.#onGoroutine("syscallBegin", m, t);
    if (thread === null) return;
    const goroutine = thread.goroutine!;
    if (goroutine.status === GoStatus.Syscall) {
      return this.#refuse("syscallBegin", `goroutine ${goroutine.id} is in a syscall`);
    }
    const place = this.#use("syscallBegin", stack);
    const proc = thread.proc!;
    const out = this.#trace.event(thread, Ev.GoSyscallBegin, notBefore(t, thread.last));
    out.uvarint(++proc.seq);
    out.uvarint(place);
    proc.status = ProcStatus.Syscall;
    goroutine.status = GoStatus.Syscall;
    goroutine.stopped = place;
  }

  /** The current goroutine comes back from its syscall. */
  syscallEnd(m: number, t: number): void {
    const thread = this.#onGoroutine("syscallEnd", m, t);
    if (thread === null) return;
    if (thread.goroutine!.status !== GoStatus.Syscall) {
      return this.#refuse("syscallEnd", `goroutine ${thread.goroutine!.id} is in no syscall`);
    }
    this.#leaveSyscall(thread, t);
  }

  // Ranges. All need a current goroutine.

  /** Stops the world; one such range at a time a goroutine. `kind` is shown as `stop-the-world (kind)`. */
  stwBegin(m: number, t: number, kind: string, stack: number): void {
    const thread = this.#onGoroutine("stwBegin", m, t);
    if (thread === null) return;
    const goroutine = thread.goroutine!;
    if (goroutine.stw !== null) {
      return this.#refuse("stwBegin", `goroutine ${goroutine.id} has stopped the world`);
    }
    goroutine.stw = { kind, stack: this.#use("stwBegin", stack) };
    this.#trace.stopTheWorld(thread, notBefore(t, thread.last));
  }

  /** Ends the stop-the-world range of the current goroutine. */
  stwEnd(m: number, t: number): void {
    const thread = this.#onGoroutine("stwEnd", m, t);
    if (thread === null) return;
    if (thread.goroutine!.stw === null) return this.#refuse("stwEnd", "the world is not stopped");
    this.#startTheWorld(thread, t);
  }

  /** A GC cycle begins; one at a time in the whole trace. */
  gcBegin(m: number, t: number, stack: number): void {
    const thread = this.#onGoroutine("gcBegin", m, t);
    if (thread === null) return;
    if (this.#trace.gc.on) return this.#refuse("gcBegin", "a GC cycle is open");
    const place = this.#use("gcBegin", stack);
    this.#trace.gcEvent(thread, Ev.GCBegin, t).uvarint(place);
    this.#trace.gc.on = true;
  }

  /** The GC cycle ends. */
  gcEnd(m: number, t: number): void {
    const thread = this.#onGoroutine("gcEnd", m, t);
    if (thread === null) return;
    if (!this.#trace.gc.on) return this.#refuse("gcEnd", "no GC cycle is open");
    this.#trace.gcEvent(thread, Ev.GCEnd, t);
    this.#trace.gc.on = false;
  }

  /** The current goroutine begins to do work for the GC; not nested. */
  markAssistBegin(m: number, t: number, stack: number): void {
    const thread = this.#onGoroutine("markAssistBegin", m, t);
    if (thread === null) return;
    if (thread.goroutine!.assisting) {
      return this.#refuse("markAssistBegin", `goroutine ${thread.goroutine!.id} assists`);
    }
    const place = this.#use("markAssistBegin", stack);
    this.#trace.event(thread, Ev.GCMarkAssistBegin, notBefore(t, thread.last)).uvarint(place);
    thread.goroutine!.assisting = true;
  }

  /** Ends the current goroutine's work for the GC. */
  markAssistEnd(m: number, t: number): void {
    const thread = this.#onGoroutine("markAssistEnd", m, t);
    if (thread === null) return;
    if (!thread.goroutine!.assisting) {
      return this.#refuse("markAssistEnd", `goroutine ${thread.goroutine!.id} does not assist`);
    }
    this.#trace.event(thread, Ev.GCMarkAssistEnd, notBefore(t, thread.last));
    thread.goroutine!.assisting = false;
  }

  // Metrics.

  /** Live heap in bytes. */
  heapAlloc(m: number, t: number, bytes: Bytes): void {
    this.#heap("heapAlloc", Ev.HeapAlloc, m, t, bytes);
  }

  /** Size in bytes at which the next GC is expected; 0 is never. */
  heapGoal(m: number, t: number, bytes: Bytes): void {
    this.#heap("heapGoal", Ev.HeapGoal, m, t, bytes);
  }

  /** Number of event loops from now on; repeated in every generation. */
  procsChange(m: number, t: number, count: number, stack: number): void {
    const thread = this.#onGoroutine("procsChange", m, t);
    if (thread === null) return;
    if (!isId(count, 0)) return this.#refuse("procsChange", `got ${count} event loops`);
    const { loops } = this.#trace;
    loops.stack = this.#use("procsChange", stack);
    loops.count = count;
    loops.given = true;
    this.#trace.procsChange(thread, notBefore(t, thread.last));
  }

  // Annotations. All need a current goroutine.

  /** Labels the current goroutine; the empty label is illegal. */
  label(m: number, t: number, text: string): void {
    const thread = this.#onGoroutine("label", m, t);
    if (thread === null) return;
    if (text === "") return this.#refuse("label", "got an empty label");
    const label = this.#trace.strings.id(text);
    this.#trace.event(thread, Ev.GoLabel, notBefore(t, thread.last)).uvarint(label);
  }

  /** Task `task` begins; its id must not be active. `parent` is 0 for none. */
  taskBegin(m: number, t: number, task: number, parent: number, name: string, stack: number): void {
    const thread = this.#onGoroutine("taskBegin", m, t);
    if (thread === null) return;
    if (!isId(task, 1) || !isId(parent, 0)) {
      return this.#refuse("taskBegin", `got task ${task}, parent ${parent}`);
    }
    const former = this.#trace.tasks.get(task) ?? 0;
    if (former > 0) return this.#refuse("taskBegin", `task ${task} is active`);
    const text = this.#trace.strings.id(name);
    const place = this.#use("taskBegin", stack);
    const time = notBefore(t, Math.max(thread.last, after(-former)));
    const out = this.#trace.event(thread, Ev.UserTaskBegin, time);
    out.uvarint(task);
    out.uvarint(parent);
    out.uvarint(text);
    out.uvarint(place);
    this.#trace.tasks.set(task, time);
  }

  /** Task `task` ends, on any goroutine. A task that is not active is passed over in silence. */
  taskEnd(m: number, t: number, task: number, stack: number): void {
    const thread = this.#onGoroutine("taskEnd", m, t);
    if (thread === null) return;
    const begun = this.#trace.tasks.get(task) ?? 0;
    if (begun <= 0) return;
    const place = this.#use("taskEnd", stack);
    const time = notBefore(t, Math.max(thread.last, after(begun)));
    const out = this.#trace.event(thread, Ev.UserTaskEnd, time);
    out.uvarint(task);
    out.uvarint(place);
    this.#trace.tasks.set(task, -time);
  }

  /** A region begins on the current goroutine. Task 0 is none. */
  regionBegin(m: number, t: number, task: number, name: string, stack: number): void {
    const thread = this.#onGoroutine("regionBegin", m, t);
    if (thread === null) return;
    if (!isId(task, 0)) return this.#refuse("regionBegin", `got task ${task}`);
    const place = this.#use("regionBegin", stack);
    this.#region(thread, Ev.UserRegionBegin, t, task, name, place);
    (thread.goroutine!.regions ??= []).push({ task, name });
  }

  /** Ends the innermost region, which must have this task and name, or one that began before the trace. */
  regionEnd(m: number, t: number, task: number, name: string, stack: number): void {
    const thread = this.#onGoroutine("regionEnd", m, t);
    if (thread === null) return;
    if (!isId(task, 0)) return this.#refuse("regionEnd", `got task ${task}`);
    const { regions } = thread.goroutine!;
    const innermost = regions?.at(-1);
    if (innermost !== undefined && (innermost.task !== task || innermost.name !== name)) {
      const want = `{${innermost.task} ${innermost.name}}`;
      return this.#refuse("regionEnd", `got region {${task} ${name}}, want the innermost, ${want}`);
    }
    const place = this.#use("regionEnd", stack);
    this.#region(thread, Ev.UserRegionEnd, t, task, name, place);
    regions?.pop();
  }

  /** A message of the current goroutine. Task 0 is none. */
  log(m: number, t: number, task: number, category: string, message: string, stack: number): void {
    const thread = this.#onGoroutine("log", m, t);
    if (thread === null) return;
    if (!isId(task, 0)) return this.#refuse("log", `got task ${task}`);
    const key = this.#trace.strings.id(category);
    const value = this.#trace.strings.id(message);
    const place = this.#use("log", stack);
    const out = this.#trace.event(thread, Ev.UserLog, notBefore(t, thread.last));
    out.uvarint(task);
    out.uvarint(key);
    out.uvarint(value);
    out.uvarint(place);
  }

  /** A CPU sample, at any time and of any thread; `p` is -1 and `g` 0 where there is none. */
  cpuSample(t: number, m: number, p: number, g: number, stack: number): void {
    if (!this.#trace.open(t)) return;
    if (!isId(m, -1) || !isId(p, -1) || !isId(g, 0)) {
      return this.#refuse("cpuSample", `got thread ${m}, proc ${p}, goroutine ${g}`);
    }
    const place = this.#use("cpuSample", stack);
    this.#trace.sample(notBefore(t, 1), m, p, g, place);
  }

  // The file.

  /** Writes everything so far: one call of `write`, after which the file is a whole trace. None where nothing is new. */
  flush(): void {
    this.#trace.flush();
  }

  /** Ends the generation at `t`: flushes, and the next event opens a new one, which begins at `t`. */
  rotate(t: number): void {
    this.#trace.rotate(t);
  }

  /** The goroutines that have not ended, as the calls so far left them. */
  living(): LivingGoroutine[] {
    return this.#trace.goroutines.entries().map(([id, { status, reason, last, entry, stopped }]) => ({
      id,
      state: STATE_NAMES[status] ?? "",
      reason: status === GoStatus.Waiting ? reason : "",
      since: last,
      entry: this.#trace.stacks.frames(entry).at(-1) ?? null,
      stack: this.#trace.stacks.frames(stopped === 0 ? entry : stopped),
    }));
  }

  /** Flushes and closes; further calls do nothing. */
  end(): void {
    this.#trace.end();
  }

  // Judging a call.

  #refuse(call: string, why: string): void {
    if (this.#strict) throw new TraceError("ERR_TRACE_SEQUENCE", `${call}: ${why}`);
    this.#refused++;
  }

  /** The thread of a call, in an open generation; null where the call is refused. */
  #thread(call: string, m: number, t: number): Thread | null {
    if (!this.#trace.open(t)) return null;
    if (isId(m, 1)) return this.#trace.thread(m);
    this.#refuse(call, `got thread ${m}`);
    return null;
  }

  #onProc(call: string, m: number, t: number): Thread | null {
    const thread = this.#thread(call, m, t);
    if (thread === null || thread.proc !== null) return thread;
    this.#refuse(call, `thread ${m} has no proc`);
    return null;
  }

  #onGoroutine(call: string, m: number, t: number): Thread | null {
    const thread = this.#thread(call, m, t);
    if (thread === null || thread.goroutine !== null) return thread;
    this.#refuse(call, `no goroutine is on thread ${m}`);
    return null;
  }

  /** A stack id that is defined in this generation; an unknown one is refused, but only the stack is lost. */
  #use(call: string, stack: number): number {
    if (this.#trace.stacks.has(stack)) return this.#trace.stacks.use(stack);
    this.#refuse(call, `got stack ${stack}, want an id from stack()`);
    return 0;
  }

  // Encoding.

  #heap(call: string, type: number, m: number, t: number, bytes: Bytes): void {
    const thread = this.#onProc(call, m, t);
    if (thread === null) return;
    if (!isId(bytes, 0)) return this.#refuse(call, `got ${bytes} bytes`);
    this.#trace.event(thread, type, notBefore(t, thread.last)).uvarint(bytes);
  }

  #halt(
    call: string,
    type: number,
    status: Goroutine["status"],
    m: number,
    t: number,
    reason: string,
    stack: number,
  ): void {
    const thread = this.#onGoroutine(call, m, t);
    if (thread === null) return;
    const goroutine = thread.goroutine!;
    const text = this.#trace.strings.id(reason);
    const place = this.#use(call, stack);
    this.#leaveSyscall(thread, t);
    this.#startTheWorld(thread, t);
    const time = notBefore(t, thread.last);
    const out = this.#trace.event(thread, type, time);
    out.uvarint(text);
    out.uvarint(place);
    goroutine.status = status;
    goroutine.last = time;
    goroutine.stopped = place;
    goroutine.reason = reason;
    thread.goroutine = null;
  }

  #leaveSyscall(thread: Thread, t: number): void {
    const { goroutine } = thread;
    if (goroutine === null || goroutine.status !== GoStatus.Syscall) return;
    this.#trace.event(thread, Ev.GoSyscallEnd, notBefore(t, thread.last));
    goroutine.status = GoStatus.Running;
    thread.proc!.status = ProcStatus.Running;
  }

  #startTheWorld(thread: Thread, t: number): void {
    const goroutine = thread.goroutine!;
    if (goroutine.stw === null) return;
    this.#trace.event(thread, Ev.STWEnd, notBefore(t, thread.last));
    goroutine.stw = null;
  }

  #region(thread: Thread, type: number, t: number, task: number, name: string, stack: number): void {
    const text = this.#trace.strings.id(name);
    const out = this.#trace.event(thread, type, notBefore(t, thread.last));
    out.uvarint(task);
    out.uvarint(text);
    out.uvarint(stack);
  }
}
