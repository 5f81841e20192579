/**
 * The state machine of the scheduler: decides whether an event can happen now, and applies it. The rules, their
 * order and their messages are those of the specification, section 6; an event that cannot be judged yet (another
 * thread must go first) leaves no trace in the state.
 *
 * `advance` answers for one event and leaves in the fields below what delivering it needs: the context *before* the
 * event, the old and the new state, and text that was remembered from earlier events.
 */
import { TraceError } from "../base/error.ts";
import type { SparseTable } from "../decode/sparse-table.ts";
import type { ThreadEvents } from "../decode/thread-events.ts";
import type { WideValues } from "../decode/wide.ts";
import { Ev, SPEC_BY_TYPE } from "../wire/events.ts";
import { GoStatus, ProcStatus } from "../wire/format.ts";
import { GcState, type OpenRange, type ResourceTable, SchedulerState } from "./scheduler-state.ts";

/** What a context must have: a bit set. */
const NEED_THREAD = 1;
const NEED_PROC = 2;
const NEED_GOROUTINE = 4;
const NO_GOROUTINE = 8;
const USER = NEED_THREAD | NEED_PROC | NEED_GOROUTINE;

const GO_STATUS_NAMES = ["Bad", "Runnable", "Running", "Syscall", "Waiting"];
// Go has no name for its own SyscallAbandoned, and a broken trace is told in its words.
const PROC_STATUS_NAMES = ["Bad", "Running", "Idle", "Syscall", "Bad"];

/** Statuses as states of the delivered events. */
const GO_STATES = ["Undetermined", "Runnable", "Running", "Syscall", "Waiting"];
const PROC_STATES = ["Undetermined", "Running", "Idle", "Running", "Idle"];

export class Scheduler {
  /** Context before the last event that advanced: codes, -1 for none. */
  thread = -1;
  proc = -1;
  goroutine = -1;
  /** The proc that left its thread with GoDestroySyscall, -1 for none: its Running to Idle comes first. */
  stolenProc = -1;
  from = "";
  to = "";
  /** UserTaskEnd: what the task began with. */
  taskName = "";
  taskParent = -1;
  /** STWEnd: string id of the kind, as the begin gave it. */
  rangeKind = 0;

  readonly #state = new SchedulerState();
  readonly #wide: WideValues;
  #generation = 0;
  /** The generation of the first event: what it finds was there before the trace began. */
  #initial: number | null = null;
  #isInitial = true;
  #strings: SparseTable<string> | null = null;

  /** Columns of the event that is being judged, and its first argument's place. */
  #kind = 0;
  #args: Float64Array = new Float64Array(0);
  #first = 0;
  /** Row of the thread, -1 for a batch of no thread. */
  #threadRow = -1;

  constructor(wide: WideValues) {
    this.#wide = wide;
  }

  /** Enters a generation: its number (a code) and its strings, which tasks and regions are compared by. */
  enter(generation: number, strings: SparseTable<string>): void {
    this.#generation = generation;
    this.#isInitial = this.#initial === null || generation === this.#initial;
    this.#strings = strings;
  }

  /** Applies the current event of `events`: true, or false where it must wait. Throws ERR_TRACE_ORDER. */
  advance(events: ThreadEvents): boolean {
    const threads = this.#state.threads;
    const index = events.index;
    if (this.#initial === null) this.#initial = this.#generation;
    this.#kind = events.kinds[index]!;
    this.#args = events.args;
    this.#first = index * 4;
    this.thread = events.thread;
    if (events.thread === -1) {
      this.#threadRow = -1;
      this.proc = -1;
      this.goroutine = -1;
    } else {
      const row = events.threadRow >= 0 ? events.threadRow : this.#rowOfThread(events);
      this.#threadRow = row;
      this.proc = threads.proc[row]!;
      this.goroutine = threads.goroutine[row]!;
    }
    try {
      return this.#apply();
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      throw new TraceError("ERR_TRACE_ORDER", error.message, { offset: events.offsets[index]! });
    }
  }

  #rowOfThread(events: ThreadEvents): number {
    const threads = this.#state.threads;
    const row = threads.ids.get(events.thread);
    return (events.threadRow = row < 0 ? threads.add(events.thread) : row);
  }

  #apply(): boolean {
    // The cases are compared one by one: most events are one of the first three.
    switch (this.#kind) {
      case Ev.GoStart:
        return this.#goStart();
      case Ev.GoUnblock:
        return this.#goUnblock();
      case Ev.GoBlock:
        return this.#goLeave(GoStatus.Waiting, "Waiting");
      case Ev.GoStop:
        return this.#goLeave(GoStatus.Runnable, "Runnable");
      case Ev.GoCreate:
        return this.#goCreate(GoStatus.Runnable);
      case Ev.GoDestroy:
        return this.#goLeave(0, "NotExist");
      case Ev.ProcStart:
        return this.#procStart();
      case Ev.ProcStop:
        return this.#procStop();
      case Ev.ProcSteal:
        return this.#procSteal();
      case Ev.ProcStatus:
        return this.#procStatus();
      case Ev.GoStatus:
      case Ev.GoStatusStack:
        return this.#goStatus();
      case Ev.GoCreateBlocked:
        return this.#goCreate(GoStatus.Waiting);
      case Ev.GoCreateSyscall:
        return this.#goCreateSyscall();
      case Ev.GoSwitch:
        return this.#goSwitch(GoStatus.Waiting, "Waiting");
      case Ev.GoSwitchDestroy:
        return this.#goSwitch(0, "NotExist");
      case Ev.GoSyscallBegin:
        return this.#goSyscallBegin();
      case Ev.GoSyscallEnd:
        return this.#goSyscallEnd();
      case Ev.GoSyscallEndBlocked:
        return this.#goSyscallEndBlocked();
      case Ev.GoDestroySyscall:
        return this.#goDestroySyscall();
      case Ev.STWBegin:
        return this.#rangeBegin(USER, this.#state.goroutines, this.goroutine, this.#arg(0));
      case Ev.STWEnd:
        return this.#rangeEnd(USER, this.#state.goroutines, this.goroutine, Ev.STWBegin);
      case Ev.GCMarkAssistBegin:
        return this.#rangeBegin(USER, this.#state.goroutines, this.goroutine, 0);
      case Ev.GCMarkAssistEnd:
        return this.#rangeEnd(USER, this.#state.goroutines, this.goroutine, Ev.GCMarkAssistBegin);
      case Ev.GCMarkAssistActive:
        return this.#rangeActive(this.#state.goroutines, Ev.GCMarkAssistBegin, "uninitialized goroutine");
      case Ev.GCSweepBegin:
        return this.#rangeBegin(NEED_THREAD | NEED_PROC, this.#state.procs, this.proc, 0);
      case Ev.GCSweepEnd:
        return this.#rangeEnd(NEED_THREAD | NEED_PROC, this.#state.procs, this.proc, Ev.GCSweepBegin);
      case Ev.GCSweepActive:
        return this.#rangeActive(
          this.#state.procs,
          Ev.GCSweepBegin,
          "encountered GCSweepActive for unknown proc",
        );
      case Ev.GCActive:
        return this.#gcActive();
      case Ev.GCBegin:
        return this.#gcBegin();
      case Ev.GCEnd:
        return this.#gcEnd();
      case Ev.UserTaskBegin:
        return this.#taskBegin();
      case Ev.UserTaskEnd:
        return this.#taskEnd();
      case Ev.UserRegionBegin:
        return this.#regionBegin();
      case Ev.UserRegionEnd:
        return this.#regionEnd();
      case Ev.ProcsChange:
      case Ev.GoLabel:
      case Ev.UserLog:
        return this.#need(USER);
      case Ev.HeapAlloc:
      case Ev.HeapGoal:
        return this.#need(NEED_THREAD | NEED_PROC);
      case Ev.ClockSnapshot:
        throw new OrderError(`bad event type found while ordering: ${this.#kind}`);
      default:
        return this.#need(NEED_THREAD);
    }
  }

  #procStart(): boolean {
    const procs = this.#state.procs;
    const proc = this.#arg(0);
    const row = procs.ids.get(proc);
    if (row < 0 || procs.status[row] !== ProcStatus.Idle || !this.#follows(procs, row, this.#arg(1)))
      return false;
    if (this.proc !== -1) return false;
    this.#need(NEED_THREAD);
    procs.status[row] = ProcStatus.Running;
    procs.sequence[row] = this.#arg(1);
    this.#state.threads.proc[this.#threadRow] = proc;
    return this.#transition("Idle", "Running");
  }

  #procStop(): boolean {
    const procs = this.#state.procs;
    const row = procs.ids.get(this.proc);
    if (row < 0) throw this.#missing("proc", this.proc);
    const status = procs.status[row];
    if (status !== ProcStatus.Running && status !== ProcStatus.Syscall) {
      throw new OrderError("ProcStop event for proc that's not Running or Syscall");
    }
    this.#need(NEED_THREAD | NEED_PROC);
    procs.status[row] = ProcStatus.Idle;
    this.#state.threads.proc[this.#threadRow] = -1;
    return this.#transition("Running", "Idle");
  }

  #procSteal(): boolean {
    const { procs, threads } = this.#state;
    const proc = this.#arg(0);
    const row = procs.ids.get(proc);
    if (row < 0) return false;
    const status = procs.status[row]!;
    if (status !== ProcStatus.Syscall && status !== ProcStatus.SyscallAbandoned) return false;
    if (!this.#follows(procs, row, this.#arg(1))) return false;
    this.#need(NEED_THREAD);
    const wasAbandoned = status === ProcStatus.SyscallAbandoned;
    if (!wasAbandoned) {
      const victim = this.#arg(2);
      const victimRow = threads.ids.get(victim);
      if (victimRow < 0) throw new OrderError(`stole proc from non-existent thread ${this.#signed(victim)}`);
      const held = threads.proc[victimRow]!;
      if (held !== proc) {
        const victimName = this.#signed(victim);
        const where = victim === this.thread ? `(thread ${victimName})` : `from thread ${victimName}`;
        const what = `${victim === this.thread ? "self-steal" : "steal"} proc ${this.#signed(proc)}`;
        throw new OrderError(`tried to ${what} ${where}, but got proc ${this.#signed(held)} instead`);
      }
      threads.proc[victimRow] = -1;
    }
    procs.status[row] = ProcStatus.Idle;
    procs.sequence[row] = this.#arg(1);
    return this.#transition(wasAbandoned ? "Idle" : "Running", "Idle");
  }

  #procStatus(): boolean {
    const { procs, threads } = this.#state;
    const proc = this.#arg(0);
    const given = this.#arg(1);
    const status = Number(this.#wide.value(given) & 255n);
    if (status > ProcStatus.SyscallAbandoned || given !== status) {
      throw new OrderError(`invalid status for proc ${this.#signed(proc)}: ${this.#unsigned(given)}`);
    }
    let row = procs.ids.get(proc);
    if (row >= 0) {
      const old = procs.status[row]!;
      if (status === ProcStatus.SyscallAbandoned && old === ProcStatus.Syscall) {
        // The thread that sits in the system call still holds the proc: the event is told in its context.
        const holder = this.#holderOf(proc);
        if (holder === null) {
          throw new OrderError(
            `failed to find sched context for proc ${this.#signed(proc)} that's about to be stolen`,
          );
        }
        this.thread = holder.thread;
        this.proc = proc;
        this.goroutine = holder.goroutine;
        this.#transition("Running", "Running");
      } else if (status === ProcStatus.SyscallAbandoned && old === ProcStatus.SyscallAbandoned) {
        this.#transition("Idle", "Idle");
      } else if (status !== old) {
        const change = `old ${PROC_STATUS_NAMES[old]} vs. new ${PROC_STATUS_NAMES[status]}`;
        throw new OrderError(`inconsistent status for proc ${this.#signed(proc)}: ${change}`);
      } else {
        this.#transition(PROC_STATES[status]!, PROC_STATES[status]!);
      }
    } else {
      row = procs.add(proc, status);
      this.#transition(this.#isInitial ? "Undetermined" : "NotExist", PROC_STATES[status]!);
      if (status === ProcStatus.SyscallAbandoned) this.from = "Undetermined";
    }
    procs.generation[row] = this.#generation;
    procs.sequence[row] = 0;
    if ((status === ProcStatus.Running || status === ProcStatus.Syscall) && this.#threadRow >= 0) {
      threads.proc[this.#threadRow] = proc;
    }
    return true;
  }

  #goStatus(): boolean {
    const goroutines = this.#state.goroutines;
    const id = this.#arg(0);
    const thread = this.#arg(1);
    const status = Number(this.#wide.value(this.#arg(2)) & 255n);
    if (status > GoStatus.Waiting) {
      throw new OrderError(`invalid status for goroutine ${this.#signed(id)}: ${status}`);
    }
    let row = goroutines.ids.get(id);
    const isKnown = row >= 0;
    if (isKnown && goroutines.status[row] !== status) {
      const change = `old ${GO_STATUS_NAMES[goroutines.status[row]!]} vs. new ${GO_STATUS_NAMES[status]}`;
      throw new OrderError(`inconsistent status for goroutine ${this.#signed(id)}: ${change}`);
    }
    if (!isKnown) {
      if (!this.#isInitial) {
        const which = `id=${this.#signed(id)} status=${GO_STATUS_NAMES[status]}`;
        throw new OrderError(`found goroutine status for new goroutine after the first generation: ${which}`);
      }
      row = goroutines.add(id, status);
    }
    goroutines.generation[row] = this.#generation;
    goroutines.sequence[row] = 0;
    if (status === GoStatus.Running && this.#threadRow >= 0) {
      this.#state.threads.goroutine[this.#threadRow] = id;
    } else if (status === GoStatus.Syscall) {
      this.#bindSyscall(id, thread);
    }
    return this.#transition(isKnown ? GO_STATES[status]! : "Undetermined", GO_STATES[status]!);
  }

  /** A goroutine found in a system call belongs to a thread, which need not be the one that says so. */
  #bindSyscall(id: number, thread: number): void {
    const threads = this.#state.threads;
    if (thread === -1) {
      throw new OrderError(`found goroutine ${this.#signed(id)} in syscall without a thread`);
    }
    const row = threads.ids.get(thread);
    if (thread === this.thread && this.#isInitial) {
      threads.goroutine[row] = id;
      return;
    }
    if (row >= 0) {
      const held = threads.goroutine[row]!;
      if (held !== id) {
        const who = `syscalling goroutine ${this.#signed(id)}`;
        throw new OrderError(`inconsistent thread for ${who}: thread has goroutine ${this.#signed(held)}`);
      }
      this.goroutine = held;
    } else {
      threads.goroutine[threads.add(thread)] = id;
    }
    this.thread = thread;
  }

  #goCreate(status: number): boolean {
    const goroutines = this.#state.goroutines;
    this.#need(NEED_THREAD | NEED_PROC);
    if (this.goroutine !== -1) {
      const row = goroutines.ids.get(this.goroutine);
      if (row < 0) throw this.#missing("goroutine", this.goroutine);
      this.#mustBe(row, GoStatus.Running);
    }
    this.#addGoroutine(status);
    return this.#transition("NotExist", GO_STATES[status]!);
  }

  #goCreateSyscall(): boolean {
    this.#need(NEED_THREAD | NO_GOROUTINE);
    this.#addGoroutine(GoStatus.Syscall);
    this.#state.threads.goroutine[this.#threadRow] = this.#arg(0);
    return this.#transition("NotExist", "Syscall");
  }

  #addGoroutine(status: number): void {
    const goroutines = this.#state.goroutines;
    const id = this.#arg(0);
    if (goroutines.ids.get(id) >= 0) {
      const how = status === GoStatus.Syscall ? " in syscall" : "";
      throw new OrderError(`tried to create goroutine (${this.#signed(id)})${how} that already exists`);
    }
    const row = goroutines.add(id, status);
    goroutines.generation[row] = this.#generation;
    goroutines.sequence[row] = 0;
  }

  #goStart(): boolean {
    const goroutines = this.#state.goroutines;
    const id = this.#arg(0);
    const row = goroutines.ids.get(id);
    if (row < 0 || goroutines.status[row] !== GoStatus.Runnable) return false;
    if (!this.#follows(goroutines, row, this.#arg(1))) return false;
    this.#need(NEED_THREAD | NEED_PROC | NO_GOROUTINE);
    goroutines.status[row] = GoStatus.Running;
    goroutines.sequence[row] = this.#arg(1);
    this.#state.threads.goroutine[this.#threadRow] = id;
    return this.#transition("Runnable", "Running");
  }

  /** The current goroutine stops running: it ends (status 0), stays runnable, or waits. */
  #goLeave(status: number, to: string): boolean {
    const row = this.#running();
    this.#setOrRemove(row, status);
    this.#state.threads.goroutine[this.#threadRow] = -1;
    return this.#transition("Running", to);
  }

  #goUnblock(): boolean {
    const goroutines = this.#state.goroutines;
    const row = goroutines.ids.get(this.#arg(0));
    if (row < 0 || goroutines.status[row] !== GoStatus.Waiting) return false;
    if (!this.#follows(goroutines, row, this.#arg(1))) return false;
    goroutines.status[row] = GoStatus.Runnable;
    goroutines.sequence[row] = this.#arg(1);
    return this.#transition("Waiting", "Runnable");
  }

  #goSwitch(status: number, to: string): boolean {
    const goroutines = this.#state.goroutines;
    const current = this.#running();
    const next = this.#arg(0);
    const row = goroutines.ids.get(next);
    if (row < 0 || goroutines.status[row] !== GoStatus.Waiting) return false;
    if (!this.#follows(goroutines, row, this.#arg(1))) return false;
    this.#setOrRemove(current, status);
    goroutines.status[row] = GoStatus.Running;
    goroutines.sequence[row] = this.#arg(1);
    this.#state.threads.goroutine[this.#threadRow] = next;
    return this.#transition("Running", to);
  }

  #goSyscallBegin(): boolean {
    const { goroutines, procs } = this.#state;
    const row = this.#running();
    const proc = procs.ids.get(this.proc);
    if (proc < 0) throw this.#missing("proc", this.proc);
    const sequence = this.#arg(0);
    if (!this.#follows(procs, proc, sequence)) {
      const old = `${this.#unsigned(procs.sequence[proc]!)} (gen=${this.#unsigned(procs.generation[proc]!)})`;
      const next = `${this.#unsigned(sequence)} (gen=${this.#unsigned(this.#generation)})`;
      throw new OrderError(`failed to advance GoSyscallBegin: can't make sequence: ${old} -> ${next}`);
    }
    goroutines.status[row] = GoStatus.Syscall;
    procs.status[proc] = ProcStatus.Syscall;
    procs.sequence[proc] = sequence;
    return this.#transition("Running", "Syscall");
  }

  #goSyscallEnd(): boolean {
    const { goroutines, procs } = this.#state;
    this.#need(USER);
    const row = this.#current();
    if (goroutines.status[row] !== GoStatus.Syscall) throw this.#not("Running");
    const proc = procs.ids.get(this.proc);
    if (proc < 0) throw this.#missing("proc", this.proc);
    if (procs.status[proc] !== ProcStatus.Syscall) {
      const got = PROC_STATUS_NAMES[procs.status[proc]!];
      throw new OrderError(
        `expected proc ${this.#signed(this.proc)} in state Syscall, but got ${got} instead`,
      );
    }
    goroutines.status[row] = GoStatus.Running;
    procs.status[proc] = ProcStatus.Running;
    return this.#transition("Syscall", "Running");
  }

  #goSyscallEndBlocked(): boolean {
    const { goroutines, procs } = this.#state;
    if (this.proc !== -1) {
      const proc = procs.ids.get(this.proc);
      if (proc < 0) throw this.#missing("proc", this.proc);
      if (procs.status[proc] === ProcStatus.Syscall) return false;
    }
    this.#need(NEED_THREAD | NEED_GOROUTINE);
    const row = this.#current();
    if (goroutines.status[row] !== GoStatus.Syscall) throw this.#not("Running");
    goroutines.status[row] = GoStatus.Runnable;
    this.#state.threads.goroutine[this.#threadRow] = -1;
    return this.#transition("Syscall", "Runnable");
  }

  #goDestroySyscall(): boolean {
    const { goroutines, procs, threads } = this.#state;
    this.#need(NEED_THREAD | NEED_GOROUTINE);
    this.#mustBe(this.#current(), GoStatus.Syscall);
    this.stolenProc = -1;
    if (this.proc !== -1) {
      const proc = procs.ids.get(this.proc);
      if (proc < 0) throw this.#missing("proc", this.proc);
      if (procs.status[proc] !== ProcStatus.Syscall) {
        const got = PROC_STATUS_NAMES[procs.status[proc]!];
        throw new OrderError(
          `proc ${this.#signed(this.proc)} in unexpected state ${got} during GoDestroySyscall`,
        );
      }
      procs.status[proc] = ProcStatus.SyscallAbandoned;
      threads.proc[this.#threadRow] = -1;
      this.stolenProc = this.proc;
    }
    goroutines.remove(this.goroutine);
    threads.goroutine[this.#threadRow] = -1;
    return this.#transition("Syscall", "NotExist");
  }

  #rangeBegin(need: number, table: ResourceTable, id: number, kind: number): boolean {
    this.#need(need);
    const row = this.#rowOf(table, id);
    const ranges = (table.ranges[row] ??= []);
    if (ranges.some((range) => range.type === this.#kind && range.kind === kind)) {
      throw new OrderError(
        `discovered event already in-flight for when starting event ${nameOf(this.#kind)}`,
      );
    }
    ranges.push({ type: this.#kind, kind });
    return true;
  }

  #rangeEnd(need: number, table: ResourceTable, id: number, begin: number): boolean {
    this.#need(need);
    const ranges = table.ranges[this.#rowOf(table, id)] ?? [];
    const at = ranges.findIndex((range) => range.type === begin);
    if (at < 0) throw new OrderError(`tried to end event ${nameOf(begin)}, but not in-flight`);
    this.rangeKind = ranges[at]!.kind;
    ranges.splice(at, 1);
    return true;
  }

  #rangeActive(table: ResourceTable, begin: number, unknown: string): boolean {
    const id = this.#arg(0);
    const row = table.ids.get(id);
    if (row < 0) {
      const where = table === this.#state.goroutines ? ` found during ${nameOf(this.#kind)}` : "";
      throw new OrderError(`${unknown} ${this.#signed(id)}${where}`);
    }
    const ranges = (table.ranges[row] ??= []);
    const isOpen = ranges.some((range) => range.type === begin);
    if (this.#isInitial) {
      if (isOpen) throw new OrderError(`found named active range already in first gen: {${begin} 0}`);
      ranges.push({ type: begin, kind: 0 });
    } else if (!isOpen) {
      throw new OrderError(`resource is missing active range: ${nameOf(begin)} ${this.#listing(ranges)}`);
    }
    return true;
  }

  #gcActive(): boolean {
    const state = this.#state;
    const sequence = this.#arg(0);
    if (this.#isInitial) {
      if (state.gc !== GcState.Undetermined) {
        throw new OrderError("GCActive in the first generation isn't first GC event");
      }
    } else {
      if (!this.#wide.isNext(state.gcSequence, sequence)) return false;
      if (state.gc !== GcState.Running) {
        throw new OrderError("encountered GCActive while GC was not in progress");
      }
      this.#need(USER);
    }
    state.gc = GcState.Running;
    state.gcSequence = sequence;
    return true;
  }

  #gcBegin(): boolean {
    const state = this.#state;
    const sequence = this.#arg(0);
    if (state.gc !== GcState.Undetermined) {
      if (!this.#wide.isNext(state.gcSequence, sequence)) return false;
      if (state.gc === GcState.Running) {
        throw new OrderError("encountered GCBegin while GC was already in progress");
      }
      this.#need(USER);
    }
    state.gc = GcState.Running;
    state.gcSequence = sequence;
    return true;
  }

  #gcEnd(): boolean {
    const state = this.#state;
    const sequence = this.#arg(0);
    if (!this.#wide.isNext(state.gcSequence, sequence)) return false;
    if (state.gc === GcState.NotRunning) {
      throw new OrderError("encountered GCEnd when GC was not in progress");
    }
    if (state.gc === GcState.Undetermined) {
      throw new OrderError("encountered GCEnd when GC was in an undetermined state");
    }
    this.#need(USER);
    state.gc = GcState.NotRunning;
    state.gcSequence = sequence;
    return true;
  }

  #taskBegin(): boolean {
    const tasks = this.#state.tasks;
    const id = this.#arg(0);
    if (tasks.has(id)) throw new OrderError(`task ID conflict: ${this.#unsigned(id)}`);
    const name = this.#string(this.#arg(2));
    this.#need(USER);
    const parent = this.#arg(1);
    tasks.set(id, { name, parent: parent === 0 ? -1 : parent });
    return true;
  }

  #taskEnd(): boolean {
    const tasks = this.#state.tasks;
    const id = this.#arg(0);
    const task = tasks.get(id);
    this.taskName = task?.name ?? "";
    this.taskParent = task?.parent ?? -1;
    this.#need(USER);
    tasks.delete(id);
    return true;
  }

  #regionBegin(): boolean {
    this.#need(USER);
    const type = this.#string(this.#arg(1));
    const row = this.#rowOf(this.#state.goroutines, this.goroutine);
    (this.#state.goroutines.regions[row] ??= []).push({ task: this.#arg(0), type });
    return true;
  }

  #regionEnd(): boolean {
    this.#need(USER);
    const type = this.#string(this.#arg(1));
    const task = this.#arg(0);
    const regions = this.#state.goroutines.regions[this.#rowOf(this.#state.goroutines, this.goroutine)];
    // With nothing open the region began before the trace did.
    const top = regions?.pop();
    if (top !== undefined && (top.task !== task || top.type !== type)) {
      const end = `region end {${this.#unsigned(task)} ${type}}`;
      const open = `{${this.#unsigned(top.task)} ${top.type}}`;
      const where = `goroutine ${this.#signed(this.goroutine)}`;
      throw new OrderError(
        `misuse of region in ${where}: ${end} when the inner-most active region start event is ${open}`,
      );
    }
    return true;
  }

  #arg(index: number): number {
    return this.#args[this.#first + index]!;
  }

  #transition(from: string, to: string): true {
    this.from = from;
    this.to = to;
    return true;
  }

  /** Whether `sequence` is the next of the resource in this generation. */
  #follows(table: ResourceTable, row: number, sequence: number): boolean {
    return table.generation[row] === this.#generation && this.#wide.isNext(table.sequence[row]!, sequence);
  }

  #need(what: number): true {
    if ((what & NEED_THREAD) !== 0 && this.thread === -1)
      throw new OrderError("expected a thread but didn't have one");
    if ((what & NEED_PROC) !== 0 && this.proc === -1)
      throw new OrderError("expected a proc but didn't have one");
    if ((what & NEED_GOROUTINE) !== 0 && this.goroutine === -1) {
      throw new OrderError("expected a goroutine but didn't have one");
    }
    if ((what & NO_GOROUTINE) !== 0 && this.goroutine !== -1) {
      throw new OrderError("expected no goroutine but had one");
    }
    return true;
  }

  /** Row of the current goroutine, which must be running, in a user context. */
  #running(): number {
    this.#need(USER);
    const row = this.#current();
    this.#mustBe(row, GoStatus.Running);
    return row;
  }

  #current(): number {
    const row = this.#state.goroutines.ids.get(this.goroutine);
    if (row < 0) throw this.#missing("goroutine", this.goroutine);
    return row;
  }

  #mustBe(row: number, status: number): void {
    if (this.#state.goroutines.status[row] !== status) throw this.#not(GO_STATUS_NAMES[status]!);
  }

  #setOrRemove(row: number, status: number): void {
    if (status === 0) this.#state.goroutines.remove(this.goroutine);
    else this.#state.goroutines.status[row] = status;
  }

  /** Row of the resource that a range or region is on; two threads can hold what one of them ended. */
  #rowOf(table: ResourceTable, id: number): number {
    const row = table.ids.get(id);
    if (row >= 0) return row;
    const what = table === this.#state.goroutines ? "goroutine" : "proc";
    throw new OrderError(
      `encountered event of type ${this.#kind} without known state for current ${what} ${this.#signed(id)}`,
    );
  }

  #holderOf(proc: number): { thread: number; goroutine: number } | null {
    const threads = this.#state.threads;
    for (const [thread, row] of threads.ids.entries()) {
      if (threads.proc[row] === proc) return { thread, goroutine: threads.goroutine[row]! };
    }
    return null;
  }

  #string(id: number): string {
    const text = this.#strings!.get(id);
    if (text === undefined)
      throw new OrderError(`invalid string ID ${this.#unsigned(id)} for ${this.#kind} event`);
    return text;
  }

  #listing(ranges: readonly OpenRange[]): string {
    return `[${ranges.map((range) => `{${range.type} ${this.#unsigned(range.kind)}}`).join(" ")}]`;
  }

  #missing(what: string, id: number): OrderError {
    return new OrderError(`event ${nameOf(this.#kind)} for ${what} (${this.#signed(id)}) that doesn't exist`);
  }

  #not(status: string): OrderError {
    return new OrderError(`${nameOf(this.#kind)} event for goroutine that's not ${status}`);
  }

  #signed(code: number): bigint {
    return BigInt.asIntN(64, this.#wide.value(code));
  }

  #unsigned(code: number): bigint {
    return this.#wide.value(code);
  }
}

/** Breaks a rule of ordering; `advance` adds the code and the offset. */
class OrderError extends Error {}

function nameOf(type: number): string {
  return SPEC_BY_TYPE[type]!.name;
}
