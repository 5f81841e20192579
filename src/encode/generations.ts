/**
 * The bytes of a trace and the state they stand for: tables and events of the open generation, and what every thread,
 * proc, goroutine, task and GC cycle is doing. Every generation can begin a file: it opens with clock data and the
 * status of all that lives, and brings its own strings and stacks.
 *
 * This half of the writer encodes what it is told; that the sequence is legal is decided in writer.ts.
 */
import { ByteBuffer } from "../base/buffer.ts";
import { RecentMap } from "../base/recent-map.ts";
import { Ev } from "../wire/events.ts";
import { GoStatus, ProcStatus } from "../wire/format.ts";
import type { ClockSnapshot, Generation } from "./batches.ts";
import { EventBatches, NO_THREAD, SyncBatch, TableBatches } from "./batches.ts";
import type { Goroutine, Proc, Thread } from "./scheduler.ts";
import { DueUnblocks } from "./scheduler.ts";
import { StackTable } from "./stacks.ts";
import { StringTable } from "./strings.ts";
import { after, notBefore } from "./time.ts";

export interface WriterOptions {
  /** Minor version of the header. */
  readonly version: 23 | 25;
  /**
   * Called once per flush with bytes that end on a consistent cut; the buffer may be reused after the call returns.
   * What it throws comes out of `flush`, `rotate` or `end`, and these bytes are not offered again.
   */
  readonly write: (bytes: Uint8Array) => void;
  /** Clock for the generation snapshot, called at the beginning of each generation: mono is the clock of all times. */
  readonly snapshot: () => ClockSnapshot;
  /** Leave the header to the caller (`headerOf`): what is written may go to several files, each from a generation on. */
  readonly bare?: boolean;
  /** Refuse an illegal sequence with a TraceError (tests); otherwise the call does nothing and is counted. */
  readonly strict?: boolean;
}

/** The goroutine that the writer itself runs, see `#carryGC`. No caller may use it. */
export const WRITER_GOROUTINE = Number.MAX_SAFE_INTEGER;
const WRITER_ENTRY = { func: "runtime.gc", file: "", line: 0 };

const MAX_SAMPLE_SIZE = 64;

/** What a file begins with, before its first generation. */
export function headerOf(version: 23 | 25): Uint8Array {
  return new TextEncoder().encode(`go 1.${version} trace\0\0\0`);
}

/** `value` as a whole number from 0 up. */
function whole(value: number): number {
  return value > 0 ? Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER) : 0;
}

export class Generations {
  readonly strings: StringTable;
  readonly stacks: StackTable;
  readonly procs = new Map<number, Proc>();
  /** Those that are alive. */
  readonly goroutines = new RecentMap<Goroutine>(4096, Infinity);
  /** The highest id that a goroutine had, and the time at which the last of them ended. */
  readonly ids = { highest: 0, lastEnd: 0 };
  /** Time of the last event of an active task; negative for tasks that ended in this generation. */
  readonly tasks = new Map<number, number>();
  /** The GC cycle; `due` until it is repeated in this generation. */
  readonly gc = { on: false, seq: 0, last: 0, due: false };
  /** The number of event loops, once it was given; `due` until it is repeated in this generation. */
  readonly loops = { given: false, count: 0, stack: 0, due: false };
  /** Bytes given to `write`. */
  bytes = 0;
  /** Timed events and CPU samples encoded, announcements included. */
  events = 0;

  readonly #options: WriterOptions;
  readonly #generation: Generation = { number: 0, start: 1 };
  #phase: "between" | "open" | "ended" = "between";
  readonly #sync: SyncBatch;
  /** Announcements of what is on no thread. */
  readonly #statuses: EventBatches;
  readonly #samples: TableBatches;
  readonly #out = new ByteBuffer(1 << 16);
  readonly #threads = new Map<number, Thread>();
  /** The thread that was asked for last. */
  #recent: Thread | null = null;
  /** Latest time of all events, and the one that the last `rotate` asked for. */
  #latest = 1;
  #rotated = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.strings = new StringTable(this.#generation);
    this.stacks = new StackTable(this.#generation, this.strings);
    this.#sync = new SyncBatch(NO_THREAD, this.#generation);
    this.#statuses = new EventBatches(NO_THREAD, this.#generation);
    this.#samples = new TableBatches(Ev.CPUSamples, this.#generation);
  }

  /** Number of generations begun so far. */
  get count(): number {
    return this.#generation.number;
  }

  /** Makes sure that a generation is open: the first begins at `t`. False where the trace has ended. */
  open(t: number): boolean {
    if (this.#phase === "open") return true;
    if (this.#phase === "ended") return false;
    this.#begin(t);
    return true;
  }

  /** Thread `m`, new where it was never seen. A generation must be open. */
  thread(m: number): Thread {
    if (this.#recent !== null && this.#recent.id === m) return this.#recent;
    let thread = this.#threads.get(m);
    if (thread === undefined) {
      thread = {
        id: m,
        events: new EventBatches(m, this.#generation),
        due: new DueUnblocks(),
        proc: null,
        goroutine: null,
        last: this.count === 1 ? 1 : this.#generation.start,
      };
      this.#threads.set(m, thread);
    }
    this.#recent = thread;
    return thread;
  }

  /** Begins an event of `thread`, not before its last one; returns where to write the arguments. */
  event(thread: Thread, type: number, time: number): ByteBuffer {
    thread.last = time;
    if (time > this.#latest) this.#latest = time;
    this.events++;
    return thread.events.event(type, time);
  }

  /** Gives idle `proc` to `thread`, which has none. */
  startProc(thread: Thread, t: number, proc: Proc): void {
    thread.last = thread.due.drain(thread.events, thread.last);
    const time = notBefore(t, Math.max(thread.last, proc.last));
    if (!this.procs.has(proc.id)) {
      this.procs.set(proc.id, proc);
      this.#procStatus(this.event(thread, Ev.ProcStatus, time), proc);
    }
    const out = this.event(thread, Ev.ProcStart, time);
    out.uvarint(proc.id);
    out.uvarint(++proc.seq);
    proc.status = ProcStatus.Running;
    proc.thread = thread.id;
    thread.proc = proc;
  }

  /** Takes its proc from `thread`, on which no goroutine is. */
  stopProc(thread: Thread, t: number): void {
    const proc = thread.proc!;
    proc.last = notBefore(t, thread.last);
    this.event(thread, Ev.ProcStop, proc.last);
    proc.status = ProcStatus.Idle;
    thread.proc = null;
  }

  /** Adds a GoUnblock of a thread without a proc. */
  unblockLater(thread: Thread, time: number, goroutine: Goroutine, stack: number): void {
    if (time > this.#latest) this.#latest = time;
    this.events++;
    thread.due.add(time, goroutine.id, goroutine.seq, stack);
  }

  /** Begins a GC event with its sequence number, later than the GC event before it. */
  gcEvent(thread: Thread, type: number, t: number): ByteBuffer {
    const gc = this.gc;
    gc.last = notBefore(t, Math.max(thread.last, after(gc.last)));
    const out = this.event(thread, type, gc.last);
    out.uvarint(++gc.seq);
    return out;
  }

  /** Writes the stop-the-world range of the current goroutine. */
  stopTheWorld(thread: Thread, time: number): void {
    const { kind, stack } = thread.goroutine!.stw!;
    const text = this.strings.id(kind);
    const out = this.event(thread, Ev.STWBegin, time);
    out.uvarint(text);
    out.uvarint(this.stacks.use(stack));
  }

  /** Writes the number of event loops. */
  procsChange(thread: Thread, time: number): void {
    const out = this.event(thread, Ev.ProcsChange, time);
    out.uvarint(this.loops.count);
    out.uvarint(this.stacks.use(this.loops.stack));
    this.loops.due = false;
  }

  /** Repeats, once a generation and on its first running goroutine, what is true of the whole program. */
  repeat(thread: Thread): void {
    if (this.loops.due) this.procsChange(thread, thread.last);
    if (this.gc.due) {
      this.gcEvent(thread, Ev.GCActive, thread.last);
      this.gc.due = false;
    }
  }

  /** Adds a CPU sample; `p` -1 and `g` 0 are none. */
  sample(time: number, m: number, p: number, g: number, stack: number): void {
    const out = this.#samples.record(MAX_SAMPLE_SIZE);
    out.byte(Ev.CPUSample);
    out.uvarint(time);
    out.varint(m);
    out.varint(p);
    out.uvarint(g);
    out.uvarint(stack);
    this.events++;
  }

  /** Writes what is new, tables before what refers to them. A trace without events gets its clock data. */
  flush(): void {
    if (this.#phase === "ended") return;
    if (this.count === 0) this.open(0);
    const out = this.#out;
    out.clear();
    if (this.bytes === 0 && this.#options.bare !== true) out.append(headerOf(this.#options.version));
    this.#sync.drain(out);
    this.strings.drain(out);
    this.stacks.drain(out);
    this.#statuses.drain(out);
    for (const thread of this.#threads.values()) {
      thread.last = thread.due.drain(thread.events, thread.last);
      thread.events.drain(out);
    }
    this.#samples.drain(out);
    if (out.length === 0) return;
    this.bytes += out.length;
    this.#options.write(out.view());
  }

  /** Ends the open generation, if any; the next one begins at `t`. */
  rotate(t: number): void {
    if (this.#phase !== "open") return;
    for (const thread of this.#threads.values()) {
      // There is no way to say that the world is stopped already: it is stopped anew in the next generation.
      if (thread.goroutine !== null && thread.goroutine.stw !== null) {
        this.event(thread, Ev.STWEnd, notBefore(t, thread.last));
      }
    }
    if (this.gc.due) this.#carryGC(t);
    this.#rotated = t;
    this.flush();
    this.#phase = "between";
  }

  /** Ends the trace. */
  end(): void {
    this.flush();
    this.#phase = "ended";
  }

  #begin(t: number): void {
    const given = this.#options.snapshot();
    const snapshot = {
      mono: whole(given.mono),
      wallSec: whole(given.wallSec),
      wallNsec: whole(given.wallNsec),
    };
    const generation = this.#generation;
    if (generation.number > 0) generation.start = notBefore(this.#rotated, this.#latest);
    else generation.start = t > 0 ? notBefore(t, 1) : Math.max(1, snapshot.mono);
    generation.number++;
    this.#phase = "open";
    this.strings.reset();
    this.stacks.reset();
    this.#sync.begin(this.#options.version, snapshot);
    this.loops.due = this.loops.given;
    this.gc.due = this.gc.on;
    for (const [task, time] of this.tasks) if (time < 0) this.tasks.delete(task);
    this.#announceProcs();
    this.#announceGoroutines();
    this.#announceThreads();
  }

  #announceProcs(): void {
    for (const proc of this.procs.values()) {
      proc.seq = 0;
      if (proc.status === ProcStatus.Idle) this.#procStatus(this.#status(Ev.ProcStatus), proc);
    }
  }

  #announceGoroutines(): void {
    for (const [, goroutine] of this.goroutines.entries()) {
      goroutine.seq = 0;
      if (goroutine.status === GoStatus.Runnable || goroutine.status === GoStatus.Waiting) {
        this.#goStatus(this.#status(Ev.GoStatusStack), goroutine, NO_THREAD, this.#placeOf(goroutine));
        if (goroutine.assisting) {
          this.#status(Ev.GCMarkAssistActive).uvarint(goroutine.id);
          // Its sequence number waits for the status alone, so time must see to it that the range ends after this.
          goroutine.last = after(this.#generation.start);
        }
      }
    }
  }

  /** Where it stopped tells more than its entry, which only names it: shown where it gives the same name. */
  #placeOf({ entry, stopped }: Goroutine): number {
    return stopped !== 0 && this.stacks.sameEntry(stopped, entry) ? stopped : entry;
  }

  #announceThreads(): void {
    const { start } = this.#generation;
    this.#recent = null;
    for (const thread of this.#threads.values()) {
      thread.last = start;
      if (thread.proc === null) {
        this.#threads.delete(thread.id);
        continue;
      }
      this.#procStatus(this.event(thread, Ev.ProcStatus, start), thread.proc);
      const { goroutine } = thread;
      if (goroutine === null) continue;
      const place = goroutine.status === GoStatus.Syscall ? this.#placeOf(goroutine) : goroutine.entry;
      this.#goStatus(this.event(thread, Ev.GoStatusStack, start), goroutine, thread.id, place);
      if (goroutine.assisting) this.event(thread, Ev.GCMarkAssistActive, start).uvarint(goroutine.id);
      if (goroutine.stw !== null) this.stopTheWorld(thread, start);
      this.repeat(thread);
    }
  }

  /**
   * Says that a GC cycle is on, in a generation in which no goroutine ran that could have said it. Without this a file
   * that begins here could not hold the cycle's end. A goroutine of the writer's own runs for a moment to say it.
   */
  #carryGC(t: number): void {
    let thread = [...this.#threads.values()].find(({ proc }) => proc !== null);
    let borrowed: Proc | undefined;
    if (thread === undefined) {
      borrowed = [...this.procs.values()].find(({ status }) => status === ProcStatus.Idle)!;
      thread = this.thread(borrowed.thread);
      this.startProc(thread, t, borrowed);
    }
    const time = notBefore(t, thread.last);
    const create = this.event(thread, Ev.GoCreate, time);
    create.uvarint(WRITER_GOROUTINE);
    create.uvarint(this.stacks.use(this.stacks.intern([WRITER_ENTRY])));
    create.uvarint(0);
    const start = this.event(thread, Ev.GoStart, time);
    start.uvarint(WRITER_GOROUTINE);
    start.uvarint(1);
    this.repeat(thread);
    this.event(thread, Ev.GoDestroy, thread.last);
    if (borrowed !== undefined) this.stopProc(thread, t);
  }

  /** Begins an announcement of what is on no thread. */
  #status(type: number): ByteBuffer {
    const { start } = this.#generation;
    if (start > this.#latest) this.#latest = start;
    this.events++;
    return this.#statuses.event(type, start);
  }

  #procStatus(out: ByteBuffer, proc: Proc): void {
    out.uvarint(proc.id);
    out.uvarint(proc.status);
  }

  #goStatus(out: ByteBuffer, goroutine: Goroutine, thread: number, stack: number): void {
    out.uvarint(goroutine.id);
    out.varint(thread);
    out.uvarint(goroutine.status);
    out.uvarint(this.stacks.use(stack));
  }
}
