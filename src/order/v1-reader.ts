/**
 * The reader of format v1: the whole file in memory, ordered, checked, then told as the same events as v2's, as one
 * generation. What v1 has no word for is made up the way Go does: a system call that did not block lasts 1 ns, what
 * was there when the trace began has a status, what no proc did is on a proc of a large number.
 */
import { TraceError } from "../base/error.ts";
import type { Input } from "../decode/input.ts";
import { indexRecords } from "../decode/v1-index.ts";
import { Reading, V1Records } from "../decode/v1-records.ts";
import { V1Tables } from "../decode/v1-tables.ts";
import type { WideValues } from "../decode/wide.ts";
import { V1, V1Proc, V1_SPECS, V1_STOPS } from "../wire/v1-events.ts";
import { EventRecord } from "./event-record.ts";
import { IdIndex } from "./id-index.ts";
import { GC_MARK, GC_SWEEP, MARK_ASSIST, stopTheWorld } from "./ranges.ts";
import type { EventKind, OrderedEvent, Stack } from "./types.ts";
import { checkEvents } from "./v1-check.ts";
import { mergeEvents } from "./v1-merge.ts";
import type { V1Events } from "./v1-merge.ts";

/** Reasons of waits by event. */
const REASONS = new Map<number, string>([
  [V1.GoStop, "forever"],
  [V1.GoSched, "runtime.Gosched"],
  [V1.GoPreempt, "preempted"],
  [V1.GoSleep, "sleep"],
  [V1.GoBlock, ""],
  [V1.GoBlockSend, "chan send"],
  [V1.GoBlockRecv, "chan receive"],
  [V1.GoBlockSelect, "select"],
  [V1.GoBlockSync, "sync"],
  [V1.GoBlockCond, "sync.(*Cond).Wait"],
  [V1.GoBlockNet, "network"],
  [V1.GoBlockGC, "GC mark assist wait for work"],
]);

const NO_TASK = 2n ** 64n - 1n;

/** `OrderedReader` for v1. The constructor reads and checks the whole trace, and throws what is wrong with it. */
export class V1Reader {
  readonly #visit: (event: OrderedEvent) => void;
  readonly #wide: WideValues;
  readonly #version: number;
  readonly #records: V1Records;
  readonly #tables: V1Tables;
  readonly #events: V1Events;
  /** Of each GoSysCall: whether it blocks. */
  readonly #blocks: Uint8Array;
  readonly #event: EventRecord;
  /** Goroutines made before the first Gomaxprocs, of which nothing else was said; null from then on. */
  #existing: Set<number> | null = new Set();
  readonly #seenProcs = new Set<number>();
  readonly #threads = new Map<number, number>();
  readonly #tasks = new Map<number, { readonly name: string; readonly parent: bigint }>();
  #stop = "";
  #next = 0;
  #syncs = 0;
  #delivered = 0;
  #lastTime = -1;

  /** `input` stands behind the header, and is read to its end. */
  constructor(
    input: Input,
    version: number,
    wide: WideValues,
    visit: (event: OrderedEvent) => void,
    wanted: ReadonlySet<EventKind> | null,
  ) {
    this.#visit =
      wanted === null
        ? visit
        : (event) => {
            if (wanted.has(event.kind)) visit(event);
          };
    this.#wide = wide;
    this.#version = version;
    this.#event = new EventRecord(wide.values);
    const base = input.offset;
    const bytes = input.rest();
    this.#records = new V1Records(bytes, base, version, wide);
    this.#tables = new V1Tables(wide, () => messagesOf(new V1Records(bytes, base, version, wide)));
    const index = indexRecords(this.#records, wide);
    this.#events = mergeEvents(this.#records, index, this.#tables, wide);
    if (this.#tables.frequency === 0) throw new TraceError("ERR_TRACE_EVENT", "no EvFrequency event");
    this.#toNanoseconds();
    checkEvents(this.#events, this.#records, this.#tables, wide);
    this.#blocks = blockingCalls(this.#events);
  }

  /** Events delivered so far. */
  get events(): number {
    return this.#delivered;
  }

  /** Delivers some `limit` events or a little more; false at the end of the trace. Throws TraceError. */
  step(limit: number): boolean {
    const stop = this.#delivered + limit;
    if (this.#delivered === 0 && this.#events.count > 0) this.#sync(-1);
    while (this.#delivered < stop) {
      if (this.#next === this.#events.count) {
        this.#sync(this.#lastTime + 1);
        return false;
      }
      this.#deliver(this.#next++);
    }
    return true;
  }

  /** Times from ticks since the first event's; what timers and returning system calls do is on no proc. */
  #toNanoseconds(): void {
    const { count, times, types, procs, goroutines } = this.#events;
    const first = count > 0 ? times[0]! : 0;
    const perTick = 1e9 / this.#tables.frequency;
    const { timers } = this.#tables;
    for (let i = 0; i < count; i++) {
      times[i] = Math.trunc((times[i]! - first) * perTick);
      if (types[i] === V1.GoSysExit) procs[i] = V1Proc.Syscall;
      else if (types[i] === V1.GoUnblock && timers.has(goroutines[i]!)) procs[i] = V1Proc.Timer;
    }
  }

  #deliver(at: number): void {
    const { types, procs, goroutines } = this.#events;
    let time = this.#events.times[at]!;
    const type = types[at]!;
    const proc = procs[at]!;
    const goroutine = goroutines[at]!;
    this.#records.at = this.#events.offsets[at]!;
    this.#records.next(Reading.Whole);
    const { args } = this.#records;
    const first = args[1]!;
    const event = this.#event;
    event.stack = null;
    event.proc = proc;
    event.goroutine = goroutine === 0 ? -1 : goroutine;
    if (type === V1.ProcStart) this.#threads.set(proc, first);
    event.thread = proc === -1 || type === V1.CPUSample ? -1 : (this.#threads.get(proc) ?? -1);
    switch (type) {
      case V1.Gomaxprocs:
        if (this.#existing !== null) return this.#endOfStart(time);
        this.#metric("/sched/gomaxprocs:threads", first);
        event.stack = this.#ownStack();
        break;
      case V1.ProcStart:
      case V1.ProcStop:
        this.#procChanges(type, proc);
        break;
      case V1.GCStart:
        this.#range("RangeBegin", GC_MARK, "none", -1);
        event.stack = this.#ownStack();
        break;
      case V1.GCDone:
        this.#range("RangeEnd", GC_MARK, "none", -1);
        break;
      case V1.STWStart:
        this.#stop = this.#stopText(first);
        this.#range("RangeBegin", stopTheWorld(this.#stop), "goroutine", event.goroutine);
        break;
      case V1.STWDone:
        this.#range("RangeEnd", stopTheWorld(this.#stop), "goroutine", event.goroutine);
        break;
      case V1.GCSweepStart:
        this.#range("RangeBegin", GC_SWEEP, "proc", proc);
        event.stack = this.#ownStack();
        break;
      case V1.GCSweepDone:
        this.#range("RangeEnd", GC_SWEEP, "proc", proc);
        event.attributes = [
          { name: "bytes swept", value: this.#wide.value(first) },
          { name: "bytes reclaimed", value: this.#wide.value(args[2]!) },
        ];
        break;
      case V1.GCMarkAssistStart:
        this.#range("RangeBegin", MARK_ASSIST, "goroutine", event.goroutine);
        event.stack = this.#ownStack();
        break;
      case V1.GCMarkAssistDone:
        this.#range("RangeEnd", MARK_ASSIST, "goroutine", event.goroutine);
        break;
      case V1.GoCreate:
        if (this.#existing !== null) {
          this.#existing.add(first);
          return;
        }
        event.stack = this.#ownStack();
        this.#transition(first, "NotExist", "Runnable", this.#stack(this.#tables.stackId(args[2]!)));
        break;
      case V1.GoStart:
      case V1.GoStartLabel:
        this.#start(type, proc, goroutine, time);
        break;
      case V1.GoEnd:
        this.#transition(event.goroutine, "Running", "NotExist", null);
        break;
      case V1.GoSched:
      case V1.GoPreempt:
        event.stack = this.#ownStack();
        this.#transition(event.goroutine, "Running", "Runnable", event.stack, REASONS.get(type)!);
        break;
      case V1.GoUnblock:
        event.stack = this.#ownStack();
        this.#transition(first, "Waiting", "Runnable", null);
        break;
      case V1.GoSysCall:
        event.stack = this.#ownStack();
        this.#transition(event.goroutine, "Running", "Syscall", event.stack);
        if (this.#blocks[at] === 0) this.#returnAtOnce(proc, goroutine, time++);
        break;
      case V1.GoSysExit:
        this.#transition(event.goroutine, "Syscall", "Runnable", null);
        break;
      case V1.GoSysBlock:
        return;
      case V1.GoWaiting:
      case V1.GoInSyscall:
        this.#existing?.delete(first);
        this.#transition(first, "Undetermined", type === V1.GoWaiting ? "Waiting" : "Syscall", null);
        break;
      case V1.HeapAlloc:
        this.#metric("/memory/classes/heap/objects:bytes", first);
        break;
      case V1.HeapGoal:
        this.#metric("/gc/heap/goal:bytes", first);
        break;
      case V1.UserTaskCreate:
      case V1.UserTaskEnd:
        this.#task(type, first, args);
        break;
      case V1.UserRegion:
        event.kind = args[2] === 0 ? "RegionBegin" : "RegionEnd";
        event.task = this.#wide.value(first);
        event.name = this.#string(args[3]!);
        event.stack = this.#ownStack();
        break;
      case V1.UserLog:
        event.kind = "Log";
        event.task = this.#wide.value(first);
        event.name = this.#string(args[2]!);
        event.message = this.#records.text;
        event.stack = this.#ownStack();
        break;
      case V1.CPUSample:
        event.kind = "StackSample";
        event.stack = this.#stack(this.#known(this.#tables.stackId(args[4]!)));
        break;
      default: {
        const reason = REASONS.get(type);
        if (reason === undefined) throw this.#error(`unexpected event type ${type}`);
        event.stack = this.#ownStack();
        this.#transition(event.goroutine, "Running", "Waiting", event.stack, reason);
      }
    }
    this.#emit(time);
    if (type === V1.ProcStop) this.#threads.delete(proc);
  }

  /** The first Gomaxprocs: everything that was there before the trace has been told of. */
  #endOfStart(time: number): void {
    const event = this.#event;
    event.thread = -1;
    event.proc = -1;
    event.goroutine = -1;
    for (const goroutine of this.#existing ?? []) {
      this.#transition(goroutine, "Undetermined", "Runnable", null);
      this.#emit(time);
    }
    this.#existing = null;
  }

  #procChanges(type: number, proc: number): void {
    const event = this.#event;
    const isNew = !this.#seenProcs.has(proc);
    this.#seenProcs.add(proc);
    event.kind = "StateTransition";
    event.resource = "proc";
    event.resourceId = proc;
    event.reason = "";
    event.transitionStack = null;
    event.to = type === V1.ProcStart ? "Running" : "Idle";
    event.from = isNew ? "Undetermined" : type === V1.ProcStart ? "Idle" : "Running";
  }

  /** A goroutine starts; one that was there before the trace is found running. A label is another event. */
  #start(type: number, proc: number, goroutine: number, time: number): void {
    const event = this.#event;
    if (type === V1.GoStart && this.#existing !== null) {
      this.#existing.delete(goroutine);
      this.#transition(goroutine, "Undetermined", "Running", null);
      return;
    }
    this.#transition(goroutine, "Runnable", "Running", null);
    if (type === V1.GoStart) return;
    const label = this.#string(this.#records.args[3]!);
    this.#ownContext(proc, goroutine);
    this.#emit(time);
    event.kind = "Label";
    event.name = label;
  }

  /** A system call that does not block: its beginning is told, its end is the event that comes next. */
  #returnAtOnce(proc: number, goroutine: number, time: number): void {
    const event = this.#event;
    this.#ownContext(proc, goroutine);
    event.resourceId = goroutine;
    this.#emit(time);
    this.#transition(goroutine, "Syscall", "Running", null);
    event.stack = null;
  }

  /** Of events that Go makes up in pairs the goroutine and the thread are 0, not none, where they are not known. */
  #ownContext(proc: number, goroutine: number): void {
    this.#event.goroutine = goroutine;
    this.#event.thread = this.#threads.get(proc) ?? 0;
  }

  #task(type: number, code: number, args: Float64Array): void {
    const event = this.#event;
    event.task = this.#wide.value(code);
    if (type === V1.UserTaskCreate) {
      const parent = this.#wide.value(args[2]!);
      event.kind = "TaskBegin";
      event.name = this.#string(args[3]!);
      event.parent = parent === 0n ? NO_TASK : parent;
      this.#tasks.set(code, { name: event.name, parent });
    } else {
      const begun = this.#tasks.get(code);
      this.#tasks.delete(code);
      event.kind = "TaskEnd";
      event.name = begun?.name ?? "";
      event.parent = begun?.parent ?? NO_TASK;
    }
    event.stack = this.#ownStack();
  }

  #stopText(kind: number): string {
    if (this.#version < 21) return kind === 0 || kind === 1 ? V1_STOPS[kind + 1]! : "";
    return V1_STOPS[kind] ?? "";
  }

  #metric(name: string, code: number): void {
    const event = this.#event;
    event.kind = "Metric";
    event.name = name;
    event.value = this.#wide.toNumber(code);
    event.exactValue = code < 0 ? this.#wide.value(code) : null;
  }

  #range(kind: OrderedEvent["kind"], name: string, scope: OrderedEvent["scope"], id: number): void {
    const event = this.#event;
    event.kind = kind;
    event.name = name;
    event.scope = scope;
    event.scopeId = id;
    event.attributes = [];
  }

  #transition(id: number, from: string, to: string, stack: Stack | null, reason = ""): void {
    const event = this.#event;
    event.kind = "StateTransition";
    event.resource = "goroutine";
    event.resourceId = id;
    event.from = from;
    event.to = to;
    event.reason = reason;
    event.transitionStack = stack;
  }

  /** The stack of the record, which is its last argument; null where it has none. */
  #ownStack(): Stack | null {
    const { args, type } = this.#records;
    const spec = V1_SPECS[type]!;
    const id = this.#known(this.#tables.stackId(args[spec.args.length + 1]!));
    return id === 0 ? null : this.#stack(id);
  }

  /** A stack that is not there, or has no frames, is none. */
  #known(id: number): number {
    return this.#tables.hasStack(id) ? id : 0;
  }

  #stack(id: number): Stack {
    const stack = this.#tables.stack(id);
    if (stack === undefined)
      throw this.#error(`found invalid stack ID ${id}, or a frame of it without a name`);
    return stack;
  }

  #string(id: number): string {
    const text = this.#tables.string(id);
    if (text === undefined) throw this.#error(`found invalid string ID ${this.#wide.value(id)}`);
    return text;
  }

  #error(message: string): TraceError {
    return this.#records.errorAt(this.#records.start, "ERR_TRACE_REFERENCE", message);
  }

  #sync(time: number): void {
    const event = this.#event;
    event.kind = "Sync";
    event.thread = -1;
    event.proc = -1;
    event.goroutine = -1;
    event.stack = null;
    event.value = ++this.#syncs;
    event.exactValue = null;
    event.snapshot = null;
    event.time = time;
    this.#delivered++;
    this.#visit(event);
  }

  #emit(time: number): void {
    const event = this.#event;
    event.time = this.#lastTime = time > this.#lastTime ? time : this.#lastTime + 1;
    this.#delivered++;
    this.#visit(event);
  }
}

/** The messages of all logs, in the order of the file. */
function* messagesOf(records: V1Records): Generator<string> {
  while (records.next(Reading.Whole)) if (records.type === V1.UserLog) yield records.text;
}

/** By event: 1 where it is a system call whose goroutine's next event is that it blocks. */
function blockingCalls({ count, types, goroutines }: V1Events): Uint8Array {
  const blocks = new Uint8Array(count);
  const rows = new IdIndex();
  const nextTypes: number[] = [];
  for (let i = count - 1; i >= 0; i--) {
    const goroutine = goroutines[i]!;
    let row = rows.get(goroutine);
    if (row < 0) row = rows.add(goroutine);
    if (types[i] === V1.GoSysCall && nextTypes[row] === V1.GoSysBlock) blocks[i] = 1;
    nextTypes[row] = types[i]!;
  }
  return blocks;
}
