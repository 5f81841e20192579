/**
 * What Go checks in the ordered events of a v1 trace before it shows any: that a proc runs one goroutine at a time, that
 * goroutines block, wake and start as they can, that collections, stops, sweeps, tasks and regions nest. The first that
 * does not hold is the trace's error, in Go's words.
 */
import type { TraceError } from "../base/error.ts";
import type { V1Records } from "../decode/v1-records.ts";
import { Reading } from "../decode/v1-records.ts";
import type { V1Tables } from "../decode/v1-tables.ts";
import type { WideValues } from "../decode/wide.ts";
import { V1, V1Proc, V1_SPECS } from "../wire/v1-events.ts";
import { IdIndex } from "./id-index.ts";
import type { V1Events } from "./v1-merge.ts";

const State = { Dead: 0, Runnable: 1, Running: 2, Waiting: 3 } as const;

interface OpenRegion {
  readonly event: number;
  readonly task: number;
  readonly type: number;
}

/** Throws ERR_TRACE_ORDER. Puts events on the procs that stand for the net poller and for collections. */
export function checkEvents(events: V1Events, records: V1Records, tables: V1Tables, wide: WideValues): void {
  const check = new Check(events, records, tables, wide);
  for (let i = 0; i < events.count; i++) check.event(i);
}

class Check {
  readonly #events: V1Events;
  readonly #records: V1Records;
  readonly #tables: V1Tables;
  readonly #wide: WideValues;
  // Goroutines, a row each.
  readonly #goroutines = new IdIndex();
  readonly #state: number[] = [];
  readonly #waitsForNet: boolean[] = [];
  readonly #assists: boolean[] = [];
  // Procs, a row each.
  readonly #procs = new IdIndex();
  readonly #runs: boolean[] = [];
  readonly #running: number[] = [];
  readonly #sweeps: boolean[] = [];
  readonly #tasks = new Map<number, number>();
  readonly #regions = new Map<number, OpenRegion[]>();
  #collects = false;
  #stops = false;
  /** Of the event that is looked at. */
  #at = 0;

  constructor(events: V1Events, records: V1Records, tables: V1Tables, wide: WideValues) {
    this.#events = events;
    this.#records = records;
    this.#tables = tables;
    this.#wide = wide;
    this.#set(0, State.Running);
  }

  event(at: number): void {
    this.#at = at;
    const { types, procs, goroutines } = this.#events;
    const type = types[at]!;
    const proc = procs[at]!;
    const goroutine = goroutines[at]!;
    switch (type) {
      case V1.ProcStart:
      case V1.ProcStop:
        this.#procChanges(type, this.#proc(proc));
        break;
      case V1.GCStart:
        if (this.#collects) this.#fail("previous GC is not ended before a new one");
        this.#collects = true;
        procs[at] = V1Proc.GC;
        break;
      case V1.GCDone:
        if (!this.#collects) this.#fail("bogus GC end");
        this.#collects = false;
        break;
      case V1.STWStart:
        if (this.#stops) this.#fail("previous STW is not ended before a new one");
        this.#stops = true;
        break;
      case V1.STWDone:
        if (!this.#stops) this.#fail("bogus STW end");
        this.#stops = false;
        break;
      case V1.GCSweepStart: {
        const row = this.#proc(proc);
        if (this.#sweeps[row]!) this.#fail("previous sweeping is not ended before a new one");
        this.#sweeps[row] = true;
        break;
      }
      case V1.GCSweepDone: {
        const row = this.#proc(proc);
        if (!this.#sweeps[row]!) this.#fail("bogus sweeping end");
        this.#sweeps[row] = false;
        break;
      }
      case V1.GCMarkAssistStart: {
        const row = this.#goroutine(goroutine);
        if (this.#assists[row]!) this.#fail("previous mark assist is not ended before a new one");
        this.#assists[row] = true;
        break;
      }
      case V1.GCMarkAssistDone:
        this.#assists[this.#goroutine(goroutine)] = false;
        break;
      case V1.GoWaiting:
      case V1.GoInSyscall:
        if (this.#stateOf(goroutine) !== State.Runnable)
          this.#fail(`g ${this.#id(goroutine)} is not runnable before Ev${V1_SPECS[type]!.name}`);
        this.#set(goroutine, State.Waiting);
        break;
      case V1.GoCreate: {
        this.#mustRun(true);
        const created = this.#read()[1]!;
        if (this.#goroutines.get(created) >= 0) this.#fail(`g ${this.#id(created)} already exists`);
        this.#set(created, State.Runnable);
        break;
      }
      case V1.GoStart:
      case V1.GoStartLabel:
        this.#start(goroutine, proc);
        break;
      case V1.GoEnd:
      case V1.GoStop:
        this.#mustRun(false);
        this.#state[this.#goroutine(goroutine)] = State.Dead;
        this.#running[this.#proc(proc)] = 0;
        if (type === V1.GoEnd) this.#regions.delete(goroutine);
        break;
      case V1.GoSched:
      case V1.GoPreempt:
        this.#mustRun(false);
        this.#leave(goroutine, proc, State.Runnable);
        break;
      case V1.GoUnblock:
        this.#unblock(goroutine, proc);
        break;
      case V1.GoSysCall:
        this.#mustRun(false);
        this.#waitsForNet[this.#goroutine(goroutine)] = false;
        break;
      case V1.GoSysBlock:
        this.#mustRun(false);
        this.#state[this.#goroutine(goroutine)] = State.Waiting;
        this.#running[this.#proc(proc)] = 0;
        break;
      case V1.GoSysExit:
        if (this.#stateOf(goroutine) !== State.Waiting)
          this.#fail(`g ${this.#id(goroutine)} is not waiting during syscall exit`);
        this.#set(goroutine, State.Runnable);
        break;
      case V1.GoSleep:
      case V1.GoBlock:
      case V1.GoBlockSend:
      case V1.GoBlockRecv:
      case V1.GoBlockSelect:
      case V1.GoBlockSync:
      case V1.GoBlockCond:
      case V1.GoBlockNet:
      case V1.GoBlockGC:
        this.#mustRun(false);
        this.#leave(goroutine, proc, State.Waiting);
        this.#waitsForNet[this.#goroutine(goroutine)] = type === V1.GoBlockNet;
        break;
      case V1.UserTaskCreate: {
        const task = this.#read()[1]!;
        const known = this.#tasks.get(task);
        if (known !== undefined) {
          const both = `${this.#quoted(at)} vs ${this.#quoted(known)}`;
          throw this.#error(`task id conflicts (id:${this.#id(task)}), ${both}`);
        }
        this.#tasks.set(task, at);
        break;
      }
      case V1.UserTaskEnd:
        this.#tasks.delete(this.#read()[1]!);
        break;
      case V1.UserRegion:
        this.#region(goroutine);
        break;
      default:
    }
  }

  #procChanges(type: number, row: number): void {
    const proc = this.#events.procs[this.#at]!;
    if (type === V1.ProcStart) {
      if (this.#runs[row]!) this.#fail(`p ${proc} is running before start`);
    } else {
      if (!this.#runs[row]!) this.#fail(`p ${proc} is not running before stop`);
      const running = this.#running[row]!;
      if (running !== 0) this.#fail(`p ${proc} is running a goroutine ${this.#id(running)} during stop`);
    }
    this.#runs[row] = type === V1.ProcStart;
  }

  #start(goroutine: number, proc: number): void {
    if (this.#stateOf(goroutine) !== State.Runnable)
      this.#fail(`g ${this.#id(goroutine)} is not runnable before start`);
    const row = this.#proc(proc);
    const running = this.#running[row]!;
    if (running !== 0) {
      const [other, it] = [this.#id(running), this.#id(goroutine)];
      this.#fail(`p ${proc} is already running g ${other} while start g ${it}`);
    }
    this.#set(goroutine, State.Running);
    this.#running[row] = goroutine;
  }

  #unblock(goroutine: number, proc: number): void {
    if (this.#stateOf(goroutine) !== State.Running)
      this.#fail(`g ${this.#id(goroutine)} is not running while unpark`);
    if (proc !== V1Proc.Timer && this.#running[this.#proc(proc)] !== goroutine)
      this.#fail(`p ${proc} is not running g ${this.#id(goroutine)} while unpark`);
    const woken = this.#read()[1]!;
    if (this.#stateOf(woken) !== State.Waiting)
      this.#fail(`g ${this.#id(woken)} is not waiting before unpark`);
    if (this.#waitsForNet[this.#goroutine(woken)]!) this.#events.procs[this.#at] = V1Proc.Netpoll;
    this.#set(woken, State.Runnable);
  }

  #region(goroutine: number): void {
    const args = this.#read();
    const task = args[1]!;
    const mode = args[2]!;
    const type = args[3]!;
    const event = this.#at;
    const open = this.#regions.get(goroutine);
    if (mode === 0) {
      const region = { event, task, type };
      if (open === undefined) this.#regions.set(goroutine, [region]);
      else open.push(region);
    } else if (mode === 1) {
      const begun = open?.pop();
      if (begun === undefined || (begun.task === task && begun.type === type)) return;
      const which = `span end ${this.#quoted(event)} when the inner-most active span start event is`;
      throw this.#error(
        `misuse of region in goroutine ${this.#id(goroutine)}: ${which} ${this.#quoted(begun.event)}`,
      );
    } else {
      throw this.#error(`invalid user region mode: ${this.#quoted(event)}`);
    }
  }

  /** Stops running, in that state. */
  #leave(goroutine: number, proc: number, state: number): void {
    this.#set(goroutine, state);
    this.#running[this.#proc(proc)] = 0;
  }

  /** The goroutine of the event must run, on the event's proc. */
  #mustRun(mayBeNone: boolean): void {
    const { types, procs, goroutines } = this.#events;
    const proc = procs[this.#at]!;
    const goroutine = goroutines[this.#at]!;
    const name = V1_SPECS[types[this.#at]!]!.name;
    if (this.#stateOf(goroutine) !== State.Running)
      this.#fail(`g ${this.#id(goroutine)} is not running while ${name}`);
    if (this.#running[this.#proc(proc)] !== goroutine)
      this.#fail(`p ${proc} is not running g ${this.#id(goroutine)} while ${name}`);
    if (!mayBeNone && goroutine === 0) this.#fail(`g 0 did ${name}`);
  }

  #stateOf(goroutine: number): number {
    const row = this.#goroutines.get(goroutine);
    return row < 0 ? State.Dead : this.#state[row]!;
  }

  #set(goroutine: number, state: number): void {
    const row = this.#goroutine(goroutine);
    this.#state[row] = state;
    this.#waitsForNet[row] = false;
  }

  #goroutine(id: number): number {
    const known = this.#goroutines.get(id);
    if (known >= 0) return known;
    const row = this.#goroutines.add(id);
    this.#state[row] = State.Dead;
    this.#waitsForNet[row] = false;
    this.#assists[row] = false;
    return row;
  }

  #proc(id: number): number {
    const known = this.#procs.get(id);
    if (known >= 0) return known;
    const row = this.#procs.add(id);
    this.#runs[row] = false;
    this.#running[row] = 0;
    this.#sweeps[row] = false;
    return row;
  }

  /** The arguments of an event, time first. */
  #read(at = this.#at): Float64Array {
    this.#records.at = this.#events.offsets[at]!;
    this.#records.next(Reading.Whole);
    return this.#records.args;
  }

  #id(code: number): bigint {
    return this.#wide.value(code);
  }

  /** An event as Go's errors quote it. */
  #quoted(at: number): string {
    const { times, types, procs, goroutines } = this.#events;
    const { name, args, stack } = V1_SPECS[types[at]!]!;
    const values = this.#read(at);
    const id = stack ? this.#tables.stackId(values[args.length + 1]!) : 0;
    const shown = at < this.#at && !this.#tables.hasStack(id) ? 0 : id;
    const fields = args.map((arg, i) => ` ${arg}=${this.#id(values[i + 1]!)}`).join("");
    return `"${times[at]} ${name} p=${procs[at]} g=${this.#id(goroutines[at]!)} stk=${shown}${fields}"`;
  }

  #fail(message: string): never {
    throw this.#error(`${message} (time ${this.#events.times[this.#at]})`);
  }

  #error(message: string): TraceError {
    return this.#records.errorAt(this.#events.offsets[this.#at]!, "ERR_TRACE_ORDER", message);
  }
}
