import { TraceError } from "../base/error.ts";
import type { CpuSample, Generation } from "../decode/generation.ts";
import type { Tables } from "../decode/tables.ts";
import type { ThreadEvents } from "../decode/thread-events.ts";
import type { WideValues } from "../decode/wide.ts";
import { Ev, SPEC_BY_TYPE } from "../wire/events.ts";
import type { Scheduler } from "./advance.ts";
import { EventRecord } from "./event-record.ts";
import { GC_MARK, GC_SWEEP, MARK_ASSIST, stopTheWorld } from "./ranges.ts";
import type { EventKind, OrderedEvent, Stack } from "./types.ts";

/** Largest time that can still be counted up by one exactly. */
const LAST_SAFE = Number.MAX_SAFE_INTEGER - 1;

/** Positions of the arguments that are ids of stacks and of strings, by event number: from 1 on, three bits each. */
const STACK_ARGS = positions("stack");
const STRING_ARGS = positions("string");

/**
 * Turns events that have been put in order into the `OrderedEvent` that people see: looks up stacks and strings, says
 * which state became which, and keeps times strictly increasing.
 */
export class Delivery {
  /** Events delivered so far. */
  events = 0;
  readonly #visit: (event: OrderedEvent) => void;
  readonly #wide: WideValues;
  readonly #scheduler: Scheduler;
  readonly #event: EventRecord;
  #tables: Tables | null = null;
  #syncs = 0;
  #lastTime = 0;
  /** The exact last time where `#lastTime` cannot hold it. */
  #lastExact: bigint | null = null;
  readonly #wanted: ReadonlySet<EventKind> | null;
  /** By event number: 1 where nobody wants what it becomes. */
  readonly #unwanted: Uint8Array;
  /** By event number: 1 where ids are looked up before anything else; the most frequent events look them up once. */
  readonly #checked: Uint8Array;

  /** `wanted`: the kinds that `visit` is given; null: all. The others are checked and counted. */
  constructor(
    scheduler: Scheduler,
    wide: WideValues,
    visit: (event: OrderedEvent) => void,
    wanted: ReadonlySet<EventKind> | null,
  ) {
    this.#wanted = wanted;
    this.#unwanted = Uint8Array.from(KINDS, (kind) => (wanted === null || wanted.has(kind) ? 0 : 1));
    this.#checked = HAS_IDS.map((has, kind) =>
      (kind === Ev.GoBlock || kind === Ev.GoUnblock) && this.#unwanted[kind] === 0 ? 0 : has,
    );
    this.#scheduler = scheduler;
    this.#wide = wide;
    this.#visit = visit;
    this.#event = new EventRecord(wide.values);
  }

  /** The Sync that begins a generation, or with null the one that ends the trace. */
  sync(generation: Generation | null): void {
    const event = this.#event;
    this.#tables = generation?.tables ?? null;
    this.#context(-1, -1, -1);
    this.#stamp(generation?.startTime ?? 0, undefined);
    event.kind = "Sync";
    event.stack = null;
    event.value = ++this.#syncs;
    event.exactValue = null;
    event.snapshot = generation?.snapshot ?? null;
    this.#emitWanted("Sync");
  }

  sample(sample: CpuSample): void {
    const event = this.#event;
    const stack = this.#tables!.stacks.get(sample.stack);
    if (stack === undefined) throw this.#invalid("stack", sample.stack, "CPUSample", sample.offset);
    this.#context(sample.thread, sample.proc, sample.goroutine);
    this.#stamp(sample.time, undefined);
    event.kind = "StackSample";
    event.stack = stack;
    this.#emitWanted("StackSample");
  }

  /** Delivers a row that the scheduler has just advanced: one event, or two or three. */
  event(events: ThreadEvents, row: number): void {
    const event = this.#event;
    const scheduler = this.#scheduler;
    const kind = events.kinds[row]!;
    const args = events.args;
    const first = row * 4;
    if (this.#checked[kind] === 1) {
      const invalid = this.#invalidId(events, row);
      if (invalid !== null) throw invalid;
    }
    if (this.#unwanted[kind] === 1) {
      this.#pass(kind, events, row);
      return;
    }
    this.#context(scheduler.thread, scheduler.proc, scheduler.goroutine);
    const time = events.times[row]!;
    const exact = events.exactTime(row);
    event.stack = null;
    // The cases are compared one by one: most events are of the first three.
    switch (kind) {
      case Ev.GoStart:
      case Ev.GoCreateSyscall:
      case Ev.GoStatus:
        this.#transition("goroutine", args[first]!, null);
        break;
      case Ev.GoBlock:
      case Ev.GoStop: {
        const { stacks, strings } = this.#tables!;
        const id = args[first + 1]!;
        const stack = id === 0 ? null : stacks.get(id);
        const reason = strings.get(args[first]!);
        if (stack === undefined || reason === undefined) throw this.#invalidId(events, row)!;
        event.stack = stack;
        this.#transition("goroutine", scheduler.goroutine, stack);
        event.reason = reason;
        break;
      }
      case Ev.GoUnblock: {
        const id = args[first + 2]!;
        const stack = id === 0 ? null : this.#tables!.stacks.get(id);
        if (stack === undefined) throw this.#invalidId(events, row)!;
        event.stack = stack;
        this.#transition("goroutine", args[first]!, null);
        break;
      }
      case Ev.ProcsChange:
        this.#metric("/sched/gomaxprocs:threads", args[first]!);
        event.stack = this.#stack(args[first + 1]!);
        break;
      case Ev.HeapAlloc:
        this.#metric("/memory/classes/heap/objects:bytes", args[first]!);
        break;
      case Ev.HeapGoal:
        this.#metric("/gc/heap/goal:bytes", args[first]!);
        break;
      case Ev.ProcStart:
      case Ev.ProcSteal:
      case Ev.ProcStatus:
        this.#transition("proc", args[first]!, null);
        break;
      case Ev.ProcStop:
        this.#transition("proc", scheduler.proc, null);
        break;
      case Ev.GoCreate:
      case Ev.GoCreateBlocked:
        this.#transition("goroutine", args[first]!, this.#tables!.stacks.get(args[first + 1]!)!);
        event.stack = this.#stack(args[first + 2]!);
        break;
      case Ev.GoStatusStack:
        event.stack = this.#stack(args[first + 3]!);
        this.#transition("goroutine", args[first]!, event.stack);
        break;
      case Ev.GoDestroy:
      case Ev.GoSyscallEnd:
      case Ev.GoSyscallEndBlocked:
        this.#transition("goroutine", scheduler.goroutine, null);
        break;
      case Ev.GoSyscallBegin:
        event.stack = this.#stack(args[first + 1]!);
        this.#transition("goroutine", scheduler.goroutine, event.stack);
        break;
      case Ev.GoDestroySyscall:
        this.#goDestroySyscall(time, exact);
        break;
      case Ev.GoSwitch:
      case Ev.GoSwitchDestroy:
        this.#goSwitch(args[first]!, time, exact);
        break;
      case Ev.STWBegin:
        event.stack = this.#stack(args[first + 1]!);
        this.#range("RangeBegin", stopTheWorld(this.#string(args[first]!)), "goroutine", scheduler.goroutine);
        break;
      case Ev.STWEnd:
        this.#range("RangeEnd", this.#endedStop(events.offsets[row]!), "goroutine", scheduler.goroutine);
        break;
      case Ev.GCActive:
        this.#range("RangeActive", GC_MARK, "none", -1);
        break;
      case Ev.GCBegin:
        event.stack = this.#stack(args[first + 1]!);
        this.#range("RangeBegin", GC_MARK, "none", -1);
        break;
      case Ev.GCEnd:
        this.#range("RangeEnd", GC_MARK, "none", -1);
        break;
      case Ev.GCSweepActive:
        this.#range("RangeActive", GC_SWEEP, "proc", args[first]!);
        break;
      case Ev.GCSweepBegin:
        event.stack = this.#stack(args[first]!);
        this.#range("RangeBegin", GC_SWEEP, "proc", scheduler.proc);
        break;
      case Ev.GCSweepEnd:
        this.#range("RangeEnd", GC_SWEEP, "proc", scheduler.proc);
        event.attributes = [
          { name: "bytes swept", value: this.#wide.value(args[first]!) },
          { name: "bytes reclaimed", value: this.#wide.value(args[first + 1]!) },
        ];
        break;
      case Ev.GCMarkAssistActive:
        this.#range("RangeActive", MARK_ASSIST, "goroutine", args[first]!);
        break;
      case Ev.GCMarkAssistBegin:
        event.stack = this.#stack(args[first]!);
        this.#range("RangeBegin", MARK_ASSIST, "goroutine", scheduler.goroutine);
        break;
      case Ev.GCMarkAssistEnd:
        this.#range("RangeEnd", MARK_ASSIST, "goroutine", scheduler.goroutine);
        break;
      case Ev.GoLabel:
        event.kind = "Label";
        event.name = this.#string(args[first]!);
        break;
      case Ev.UserTaskBegin:
        event.kind = "TaskBegin";
        event.task = this.#wide.value(args[first]!);
        event.parent = this.#wide.value(args[first + 1]! || -1);
        event.name = this.#string(args[first + 2]!);
        event.stack = this.#stack(args[first + 3]!);
        break;
      case Ev.UserTaskEnd:
        event.kind = "TaskEnd";
        event.task = this.#wide.value(args[first]!);
        event.parent = this.#wide.value(scheduler.taskParent);
        event.name = scheduler.taskName;
        event.stack = this.#stack(args[first + 1]!);
        break;
      case Ev.UserRegionBegin:
      case Ev.UserRegionEnd:
        event.kind = kind === Ev.UserRegionBegin ? "RegionBegin" : "RegionEnd";
        event.task = this.#wide.value(args[first]!);
        event.name = this.#string(args[first + 1]!);
        event.stack = this.#stack(args[first + 2]!);
        break;
      case Ev.UserLog:
        event.kind = "Log";
        event.task = this.#wide.value(args[first]!);
        event.name = this.#string(args[first + 1]!);
        event.message = this.#string(args[first + 2]!);
        event.stack = this.#stack(args[first + 3]!);
        break;
      default:
        this.#experimental(kind, args, first);
    }
    this.#stamp(time, exact);
    this.#emit();
  }

  /** Counts an event that nobody wants, and looks for what would be wrong with it. */
  #pass(kind: number, events: ThreadEvents, row: number): void {
    const time = events.times[row]!;
    if (
      kind < Ev.GoDestroySyscall &&
      this.#lastExact === null &&
      this.#lastTime < LAST_SAFE &&
      time < LAST_SAFE
    ) {
      this.#lastTime = time > this.#lastTime ? time : this.#lastTime + 1;
      this.events++;
      return;
    }
    const exact = events.exactTime(row);
    let times = 1;
    if (kind === Ev.GoSwitch || kind === Ev.GoSwitchDestroy) times = 3;
    else if (kind === Ev.GoDestroySyscall && this.#scheduler.stolenProc !== -1) times = 2;
    else if (kind === Ev.STWEnd) this.#endedStop(events.offsets[row]!);
    this.events += times;
    for (; times > 0; times--) this.#stamp(time, exact);
  }

  #goDestroySyscall(time: number, exact: bigint | undefined): void {
    const scheduler = this.#scheduler;
    const event = this.#event;
    if (scheduler.stolenProc !== -1) {
      this.#transition("proc", scheduler.stolenProc, null);
      event.from = "Running";
      event.to = "Idle";
      this.#stamp(time, exact);
      this.#emit();
    }
    this.#transition("goroutine", scheduler.goroutine, null);
  }

  #goSwitch(next: number, time: number, exact: bigint | undefined): void {
    const scheduler = this.#scheduler;
    const event = this.#event;
    this.#transition("goroutine", next, null);
    event.from = "Waiting";
    event.to = "Runnable";
    this.#stamp(time, exact);
    this.#emit();
    this.#transition("goroutine", scheduler.goroutine, null);
    this.#stamp(time, exact);
    this.#emit();
    event.goroutine = -1;
    this.#transition("goroutine", next, null);
    event.from = "Runnable";
    event.to = "Running";
  }

  #experimental(kind: number, args: Float64Array, first: number): void {
    const spec = SPEC_BY_TYPE[kind]!;
    this.#event.kind = "Experimental";
    this.#event.name = spec.name;
    this.#event.attributes = spec.args.map((name, i) => ({
      name,
      value: this.#wide.value(args[first + i]!),
    }));
  }

  #metric(name: string, code: number): void {
    const event = this.#event;
    event.kind = "Metric";
    event.name = name;
    event.value = this.#wide.toNumber(code);
    event.exactValue = code < 0 ? this.#wide.value(code) : null;
  }

  #transition(resource: "goroutine" | "proc", id: number, stack: Stack | null): void {
    const event = this.#event;
    event.kind = "StateTransition";
    event.resource = resource;
    event.resourceId = id;
    event.from = this.#scheduler.from;
    event.to = this.#scheduler.to;
    event.reason = "";
    event.transitionStack = stack;
  }

  #range(kind: OrderedEvent["kind"], name: string, scope: OrderedEvent["scope"], id: number): void {
    const event = this.#event;
    event.kind = kind;
    event.name = name;
    event.scope = scope;
    event.scopeId = id;
    event.attributes = NO_ATTRIBUTES;
  }

  #endedStop(offset: number): string {
    const kind = this.#scheduler.rangeKind;
    const text = this.#tables!.strings.get(kind);
    if (text === undefined) throw this.#invalid("string", kind, "STWEnd", offset);
    return stopTheWorld(text);
  }

  #context(thread: number, proc: number, goroutine: number): void {
    const event = this.#event;
    event.thread = thread;
    event.proc = proc;
    event.goroutine = goroutine;
  }

  /** The stack of an id that has been checked; null for none. */
  #stack(id: number): Stack | null {
    return id === 0 ? null : this.#tables!.stacks.get(id)!;
  }

  #string(id: number): string {
    return this.#tables!.strings.get(id)!;
  }

  /** The error of an event's first id that is in no table, or null. */
  #invalidId(events: ThreadEvents, row: number): TraceError | null {
    const { stacks, strings } = this.#tables!;
    const kind = events.kinds[row]!;
    const args = events.args;
    const first = row * 4;
    for (let ids = STACK_ARGS[kind]!; ids !== 0; ids >>= 3) {
      const id = args[first + (ids & 7) - 1]!;
      if (id !== 0 && !stacks.has(id)) return this.#invalid("stack", id, nameOf(kind), events.offsets[row]!);
    }
    for (let ids = STRING_ARGS[kind]!; ids !== 0; ids >>= 3) {
      const id = args[first + (ids & 7) - 1]!;
      if (id !== 0 && !strings.has(id))
        return this.#invalid("string", id, nameOf(kind), events.offsets[row]!);
    }
    return null;
  }

  #invalid(what: string, id: number, event: string, offset: number): TraceError {
    const message = `found invalid ${what} ID ${this.#wide.value(id)} for event ${event}`;
    return new TraceError("ERR_TRACE_REFERENCE", message, { offset });
  }

  /** Gives the event its time: the wanted one, but always later than the event before. */
  #stamp(time: number, exact: bigint | undefined): void {
    const event = this.#event;
    if (this.#lastExact === null && this.#lastTime < LAST_SAFE && time < LAST_SAFE) {
      event.time = this.#lastTime = time > this.#lastTime ? time : this.#lastTime + 1;
      event.exactTime = null;
      return;
    }
    const wanted = exact ?? BigInt(time);
    const least = (this.#lastExact ?? BigInt(this.#lastTime)) + 1n;
    const stamped = wanted > least ? wanted : least;
    this.#lastExact = stamped;
    event.time = this.#lastTime = Number(stamped);
    event.exactTime = stamped;
  }

  #emit(): void {
    this.events++;
    this.#visit(this.#event);
  }

  #emitWanted(kind: EventKind): void {
    if (this.#wanted === null || this.#wanted.has(kind)) this.#emit();
    else this.events++;
  }
}

const NO_ATTRIBUTES: OrderedEvent["attributes"] = [];

const HAS_IDS = Uint8Array.from(STACK_ARGS, (stacks, type) =>
  stacks !== 0 || STRING_ARGS[type] !== 0 ? 1 : 0,
);

/** What an event of the wire becomes, by its number. */
const KINDS: readonly EventKind[] = Array.from({ length: 256 }, (_, type): EventKind => {
  switch (type) {
    case Ev.ProcsChange:
    case Ev.HeapAlloc:
    case Ev.HeapGoal:
      return "Metric";
    case Ev.STWBegin:
    case Ev.GCBegin:
    case Ev.GCSweepBegin:
    case Ev.GCMarkAssistBegin:
      return "RangeBegin";
    case Ev.GCActive:
    case Ev.GCSweepActive:
    case Ev.GCMarkAssistActive:
      return "RangeActive";
    case Ev.STWEnd:
    case Ev.GCEnd:
    case Ev.GCSweepEnd:
    case Ev.GCMarkAssistEnd:
      return "RangeEnd";
    case Ev.GoLabel:
      return "Label";
    case Ev.UserTaskBegin:
      return "TaskBegin";
    case Ev.UserTaskEnd:
      return "TaskEnd";
    case Ev.UserRegionBegin:
      return "RegionBegin";
    case Ev.UserRegionEnd:
      return "RegionEnd";
    case Ev.UserLog:
      return "Log";
    default:
      return type <= Ev.GoStatusStack ? "StateTransition" : "Experimental";
  }
});

function nameOf(type: number): string {
  return SPEC_BY_TYPE[type]!.name;
}

function positions(kind: "stack" | "string"): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, type) => {
    let packed = 0;
    const kinds = SPEC_BY_TYPE[type]?.kinds ?? [];
    for (let at = kinds.length - 1; at >= 0; at--) if (kinds[at] === kind) packed = (packed << 3) | (at + 1);
    return packed;
  });
}
