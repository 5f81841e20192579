/**
 * The summary of a trace as Go's tools compute it: goroutines, tasks and regions with where their time went. It is
 * computed from the ordered events in one pass and not from the model, because Go's rules are rules about events: a
 * region is charged with the difference of two snapshots of its goroutine, a goroutine found at the start with the
 * time since the last Sync, a task with whatever event mentions it. The formulas are those of `go tool trace`.
 *
 * Where Go is wrong, the right number is the default and `compat` gives Go's:
 * - A syscall that lost its proc and is open at the trace's end. Go charges all of it as syscall and the part without
 *   a proc as scheduler wait on top; right is syscall up to the loss, blocked in a syscall after it.
 * - A syscall that ends after it lost its proc. Go forgets with it the syscall that another goroutine entered on that
 *   proc meanwhile, and charges that one as syscall even where it loses the proc too.
 */
import { SparseTable } from "../decode/sparse-table.ts";
import type { EventKind, OrderedEvent } from "../order/types.ts";
import type { ExecStats, Sums } from "./exec-stats.ts";
import { SummaryGoroutine } from "./summary-goroutine.ts";
import type { SummaryRegion } from "./summary-goroutine.ts";
import { mmuSummaries } from "./summary-mmu.ts";
import type { MmuSummary } from "./summary-mmu.ts";
import { compareText, wellFormed } from "./text.ts";
import { UtilizationRecorder } from "./utilization-log.ts";

/** A number of the trace; text where it does not fit in 53 bits. */
export type Integer = number | string;

/** Where time went: columns of goroutines and regions alike. Nanoseconds. */
export interface SummaryStats {
  readonly exec: number;
  readonly schedWait: number;
  readonly blockByReason: Readonly<Record<string, number>>;
  readonly syscall: number;
  readonly syscallBlock: number;
  readonly total: number;
  readonly unknown: number;
  readonly ranges: Readonly<Record<string, number>>;
}

export interface GoroutineSummary extends SummaryStats {
  readonly id: number;
  readonly name: string;
  /** Program counter of the entry frame, hexadecimal with 0x; "0x0" where no stack was seen. */
  readonly pc: string;
  /** Id of the goroutine that made it, or null. */
  readonly parent: number | null;
  readonly creation: number;
  /** First time it ran; 0: never. */
  readonly start: number;
  /** When it ended; 0: it did not. */
  readonly end: number;
  /** Number of its regions. */
  readonly regions: number;
}

export interface TaskSummary {
  readonly id: Integer;
  readonly name: string;
  readonly parent: Integer | null;
  readonly children: readonly Integer[];
  readonly start: number | null;
  readonly end: number | null;
  readonly complete: boolean;
  /** End - start, the trace's own end and start standing in where they are missing. */
  readonly duration: number;
  /** Numbers of logs and regions. */
  readonly logs: number;
  readonly regions: number;
  readonly goroutines: readonly number[];
}

export interface RegionSummary extends SummaryStats {
  readonly type: string;
  readonly task: Integer;
  readonly goroutine: number;
  readonly start: number | null;
  /** Kind of the event that began or ended it; "" for none. */
  readonly startKind: string;
  readonly end: number | null;
  readonly endKind: string;
  readonly duration: number;
}

/** The schema of `summary --json`. */
export interface TraceSummary {
  readonly ok: boolean;
  readonly error?: string;
  readonly events: number;
  /** Events up to the last Sync. */
  readonly validEvents: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly goroutines: readonly GoroutineSummary[];
  readonly tasks: readonly TaskSummary[];
  readonly regions: readonly RegionSummary[];
  /** Empty where the trace has no event. */
  readonly mmu: readonly MmuSummary[];
}

interface Task {
  readonly id: bigint;
  name: string;
  parent: bigint | null;
  readonly children: bigint[];
  start: number | null;
  end: number | null;
  logs: number;
  regions: number;
  readonly goroutines: Set<number>;
}

const NO_TASK = 0xffff_ffff_ffff_ffffn;

/** Computes a summary: hand every ordered event to `event`, then call `finish` once. */
export class SummaryBuilder {
  readonly #compat: boolean;
  readonly #goroutines = new SparseTable<SummaryGoroutine>();
  readonly #tasks = new Map<bigint, Task>();
  readonly #kinds: Record<EventKind, number> = {
    Sync: 0,
    Metric: 0,
    Label: 0,
    StackSample: 0,
    RangeBegin: 0,
    RangeActive: 0,
    RangeEnd: 0,
    TaskBegin: 0,
    TaskEnd: 0,
    RegionBegin: 0,
    RegionEnd: 0,
    Log: 0,
    StateTransition: 0,
    Experimental: 0,
  };
  /** Goroutine in a syscall by the proc it holds. */
  readonly #syscallOnProc = new Map<number, number>();
  /** Proc that a goroutine in a syscall held when it entered. */
  readonly #procOfSyscall = new Map<number, number>();
  /** Goroutine at the begin of a proc's range, by range name and proc. */
  readonly #procRanges = new Map<string, Map<number, number>>();
  readonly #utilization: UtilizationRecorder;
  #events = 0;
  #validEvents = 0;
  #startTime = 0;
  #endTime = 0;
  #syncTime = 0;

  constructor(options: { readonly compat: boolean }) {
    this.#compat = options.compat;
    this.#utilization = new UtilizationRecorder(options);
  }

  event(e: OrderedEvent): void {
    if (this.#events === 0) {
      this.#startTime = e.time;
      this.#syncTime = e.time;
    }
    this.#events++;
    this.#endTime = e.time;
    this.#kinds[e.kind]++;
    this.#utilization.event(e);
    switch (e.kind) {
      case "Sync":
        this.#syncTime = e.time;
        this.#validEvents = this.#events;
        break;
      case "StateTransition":
        if (e.from === e.to) break;
        if (e.resource === "goroutine") this.#goroutineTransition(e);
        else if (e.resource === "proc" && e.to === "Idle") this.#procIdle(e);
        break;
      case "RangeBegin":
      case "RangeActive":
        this.#rangeBegin(e);
        break;
      case "RangeEnd":
        this.#rangeEnd(e);
        break;
      case "RegionBegin":
      case "RegionEnd":
        this.#region(e);
        break;
      case "TaskBegin":
      case "TaskEnd":
        this.#taskEvent(e);
        break;
      case "Log": {
        const task = this.#task(e.task);
        task.goroutines.add(e.goroutine);
        task.logs++;
        break;
      }
      default:
    }
  }

  #goroutineTransition(e: OrderedEvent): void {
    const id = e.resourceId;
    let goroutine = this.#goroutines.get(id);
    if (e.from === "Undetermined" || e.from === "NotExist") {
      const found = e.from === "Undetermined";
      goroutine = new SummaryGoroutine(id, found ? this.#syncTime : e.time);
      if (!found && e.goroutine !== -1) goroutine.parent = e.goroutine;
      this.#goroutines.get(e.goroutine)?.lendTask(goroutine, e.time);
      this.#goroutines.set(id, goroutine);
      if (found) goroutine.foundIn(e.to, e.time - this.#syncTime, e.proc !== -1);
    } else if (goroutine === undefined) {
      return;
    } else {
      goroutine.leave(e.time);
      if (e.from === "Syscall") this.#syscallEnded(id);
    }
    goroutine.identify(e.transitionStack);
    const ends = e.to === "NotExist" || (e.to === "Waiting" && e.reason === "forever");
    goroutine.enter(ends ? "NotExist" : e.to, e.reason, e.time);
    if (ends) {
      goroutine.end = e.time;
      goroutine.finish(e.time, e.kind, this.#compat);
    } else if (e.to === "Syscall") {
      this.#syscallOnProc.set(e.proc, id);
      this.#procOfSyscall.set(id, e.proc);
    }
  }

  #syscallEnded(id: number): void {
    const proc = this.#procOfSyscall.get(id);
    if (proc === undefined) return;
    this.#procOfSyscall.delete(id);
    if (this.#compat || this.#syscallOnProc.get(proc) === id) this.#syscallOnProc.delete(proc);
  }

  /** A proc that goes idle under a goroutine in a syscall was taken from it. */
  #procIdle(e: OrderedEvent): void {
    const id = this.#syscallOnProc.get(e.resourceId);
    if (id === undefined) return;
    this.#goroutines.get(id)?.lostProc(e.time);
    this.#syscallOnProc.delete(e.resourceId);
  }

  #rangeBegin(e: OrderedEvent): void {
    if (e.scope === "none") return;
    const id = e.scope === "goroutine" ? e.scopeId : e.goroutine;
    const goroutine = this.#goroutines.get(id);
    if (goroutine === undefined) return;
    if (e.kind === "RangeActive") goroutine.rangeActive(e.name, this.#syncTime);
    else goroutine.rangeBegin(e.name, e.time);
    if (e.scope !== "proc") return;
    let byProc = this.#procRanges.get(e.name);
    if (byProc === undefined) {
      byProc = new Map();
      this.#procRanges.set(e.name, byProc);
    }
    byProc.set(e.scopeId, id);
  }

  /** A proc's range is its goroutine's only where the same goroutine began and ends it. */
  #rangeEnd(e: OrderedEvent): void {
    let id = e.scope === "goroutine" ? e.scopeId : -1;
    if (e.scope === "proc") {
      const byProc = this.#procRanges.get(e.name);
      const begun = byProc?.get(e.scopeId);
      byProc?.delete(e.scopeId);
      if (begun === e.goroutine) id = begun;
    }
    this.#goroutines.get(id)?.rangeEnd(e.name, e.time);
  }

  #region(e: OrderedEvent): void {
    const goroutine = this.#goroutines.get(e.goroutine);
    if (goroutine === undefined) return;
    const isNew =
      e.kind === "RegionBegin"
        ? goroutine.regionBegin(e.name, e.task, e.time, this.#compat)
        : goroutine.regionEnd(e.name, e.task, e.time, this.#compat);
    if (!isNew) return;
    const task = this.#task(e.task);
    task.goroutines.add(goroutine.id);
    task.regions++;
  }

  #taskEvent(e: OrderedEvent): void {
    const task = this.#task(e.task);
    task.name = e.name;
    task.goroutines.add(e.goroutine);
    if (e.kind === "TaskBegin") task.start = e.time;
    else task.end = e.time;
    if (e.parent === NO_TASK || task.parent !== null) return;
    task.parent = e.parent;
    this.#task(e.parent).children.push(e.task);
  }

  /** The task of an id; a mention makes it. */
  #task(id: bigint): Task {
    let task = this.#tasks.get(id);
    if (task === undefined) {
      task = {
        id,
        name: "",
        parent: null,
        children: [],
        start: null,
        end: null,
        logs: 0,
        regions: 0,
        goroutines: new Set(),
      };
      this.#tasks.set(id, task);
    }
    return task;
  }

  /** The summary of the events so far; `error` is the reader's first line, where the file broke. */
  finish(error: string | null): TraceSummary {
    const goroutines = [...this.#goroutines.values()].toSorted((a, b) => a.id - b.id);
    for (const goroutine of goroutines) goroutine.finish(this.#endTime, "", this.#compat);
    return {
      ok: error === null,
      ...(error === null ? {} : { error }),
      events: this.#events,
      validEvents: this.#validEvents,
      startTime: this.#startTime,
      endTime: this.#endTime,
      kinds: Object.fromEntries(
        Object.entries(this.#kinds)
          .filter(([, count]) => count > 0)
          .toSorted(([a], [b]) => compareText(a, b)),
      ),
      goroutines: goroutines.map(goroutineSummary),
      tasks: [...this.#tasks.values()]
        .toSorted((a, b) => compareIds(a.id, b.id))
        .map((task) => this.#taskSummary(task)),
      regions: goroutines.flatMap((goroutine) =>
        goroutine.regions.map((region) => this.#regionSummary(goroutine.id, region)),
      ),
      mmu: this.#events === 0 ? [] : mmuSummaries(this.#utilization.finish()),
    };
  }

  #taskSummary(task: Task): TaskSummary {
    return {
      id: integer(task.id),
      name: wellFormed(task.name),
      parent: task.parent === null ? null : integer(task.parent),
      children: task.children.toSorted(compareIds).map(integer),
      start: task.start,
      end: task.end,
      complete: task.start !== null && task.end !== null,
      duration: (task.end ?? this.#endTime) - (task.start ?? this.#startTime),
      logs: task.logs,
      regions: task.regions,
      goroutines: [...task.goroutines].toSorted((a, b) => a - b),
    };
  }

  #regionSummary(goroutine: number, region: SummaryRegion): RegionSummary {
    return {
      type: wellFormed(region.type),
      task: integer(region.task),
      goroutine,
      start: region.start,
      startKind: region.startKind,
      end: region.end,
      endKind: region.endKind,
      duration: (region.end ?? this.#endTime) - (region.start ?? this.#startTime),
      ...summaryStats(region.stats),
    };
  }
}

function goroutineSummary(goroutine: SummaryGoroutine): GoroutineSummary {
  return {
    id: goroutine.id,
    name: wellFormed(goroutine.name),
    pc: `0x${goroutine.pc.toString(16)}`,
    parent: goroutine.parent,
    creation: goroutine.creation,
    start: goroutine.start,
    end: goroutine.end,
    regions: goroutine.regions.length,
    ...summaryStats(goroutine.stats),
  };
}

function summaryStats(stats: ExecStats): SummaryStats {
  return {
    exec: stats.exec,
    schedWait: stats.schedWait,
    blockByReason: sortedRecord(stats.block),
    syscall: stats.syscall,
    syscallBlock: stats.syscallBlock,
    total: stats.total,
    unknown: stats.unknown,
    ranges: sortedRecord(stats.ranges),
  };
}

function sortedRecord({ keys, values }: Sums): Readonly<Record<string, number>> {
  return Object.fromEntries(
    keys.map((key, i) => [wellFormed(key), values[i]!] as const).toSorted(([a], [b]) => compareText(a, b)),
  );
}

function compareIds(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function integer(id: bigint): Integer {
  return id <= Number.MAX_SAFE_INTEGER ? Number(id) : id.toString();
}
