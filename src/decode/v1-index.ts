import { V1, V1_SPECS } from "../wire/v1-events.ts";
import { Reading } from "./v1-records.ts";
import type { V1Records } from "./v1-records.ts";
import type { V1Tables } from "./v1-tables.ts";
import type { WideValues } from "./wide.ts";

/** A CPU sample: its time in ticks, its stack's id. */
export interface V1Sample {
  readonly time: number;
  readonly proc: number;
  readonly goroutine: number;
  readonly offset: number;
}

/** Where the batches of each proc are, in the order of the file, and all CPU samples. */
export interface V1Index {
  readonly batches: ReadonlyMap<number, readonly number[]>;
  readonly samples: readonly V1Sample[];
  /** No more events than that. */
  readonly records: number;
}

/** How many arguments a record must have, time and stack included; -1 where that differs. */
export function argumentsOf(type: number): number {
  if (type === V1.Stack) return -1;
  const { args, stack } = V1_SPECS[type]!;
  const isTimed = type !== V1.Batch && type !== V1.Frequency && type !== V1.TimerGoroutine;
  return args.length + (stack ? 1 : 0) + (isTimed ? 1 : 0);
}

/** A code as Go's int64: exact where it is below 2^53. */
export function signed(wide: WideValues, code: number): number {
  return code >= 0 ? code : Number(BigInt.asIntN(64, wide.value(code)));
}

/** Finds the batches of a trace and reads its CPU samples. Throws ERR_TRACE_EVENT. */
export function indexRecords(records: V1Records, wide: WideValues): V1Index {
  const batches = new Map<number, number[]>();
  const samples: V1Sample[] = [];
  let current: number[] | undefined;
  let count = 0;
  while (records.next(Reading.Index)) {
    const { type, args } = records;
    if (type === V1.String) continue;
    if (type === V1.Batch) {
      const proc = args[0]!;
      current = batches.get(proc);
      if (current === undefined) batches.set(proc, (current = []));
      current.push(records.start);
    }
    if (current === undefined)
      throw records.error(`read event ${type} with current P of 0, but P has no batches yet`);
    count++;
    if (type === V1.CPUSample) samples.push(sampleOf(records, wide));
  }
  return { batches, samples: samples.toSorted((a, b) => a.time - b.time), records: count };
}

function sampleOf(records: V1Records, wide: WideValues): V1Sample {
  const want = argumentsOf(V1.CPUSample);
  const { args, count, start } = records;
  if (count !== want)
    throw records.error(`CPU sample has wrong number of arguments: want ${want}, got ${count}`);
  return {
    time: signed(wide, args[1]!),
    proc: Number(BigInt.asIntN(32, wide.value(args[2]!))),
    goroutine: args[3]!,
    offset: start,
  };
}

/** The events of one proc, a batch at a time, as columns that are used again for the next batch. */
export class V1Batches {
  readonly proc: number;
  /** Of the current batch: how many events, and the next one. */
  count = 0;
  next = 0;
  times = new Float64Array(256);
  types = new Uint8Array(256);
  goroutines = new Float64Array(256);
  offsets = new Float64Array(256);
  /** Arguments behind the time: the goroutine that an event is about, and its sequence number. */
  firsts = new Float64Array(256);
  seconds = new Float64Array(256);
  readonly #batches: readonly number[];
  #batch = 0;
  #goroutine = 0;

  constructor(proc: number, batches: readonly number[]) {
    this.proc = proc;
    this.#batches = batches;
  }

  /** Reads the next batch, which may be empty; false where there is none. Throws ERR_TRACE_EVENT. */
  load(records: V1Records, tables: V1Tables, wide: WideValues): boolean {
    const offset = this.#batches[this.#batch];
    if (offset === undefined) return false;
    this.#batch++;
    this.count = 0;
    this.next = 0;
    records.at = offset;
    let time = 0;
    let isBegun = false;
    while (records.next(Reading.Whole)) {
      const { type, args } = records;
      if (type === V1.CPUSample) continue;
      if (type === V1.String) {
        tables.addString(records);
        continue;
      }
      if (type === V1.Batch && isBegun) break;
      isBegun = true;
      const want = argumentsOf(type);
      if (want >= 0 && want !== records.count) {
        const { name } = V1_SPECS[type]!;
        throw records.error(`${name} has wrong number of arguments: want ${want}, got ${records.count}`);
      }
      switch (type) {
        case V1.Batch:
          time = signed(wide, args[1]!);
          break;
        case V1.Frequency:
          tables.frequency = signed(wide, args[0]!);
          if (tables.frequency <= 0) throw records.outOfOrder(records.start);
          break;
        case V1.TimerGoroutine:
          tables.timers.add(args[0]!);
          break;
        case V1.Stack:
          tables.addStack(records);
          break;
        default:
          time += signed(wide, args[0]!);
          this.#add(time, records);
      }
    }
    return true;
  }

  #add(time: number, { type, args, start }: V1Records): void {
    if (this.count === this.times.length) this.#grow();
    const at = this.count++;
    const first = args[1]!;
    let goroutine = this.#goroutine;
    switch (type) {
      case V1.GoStart:
      case V1.GoStartLocal:
      case V1.GoStartLabel:
        goroutine = this.#goroutine = first;
        break;
      case V1.GoEnd:
      case V1.GoStop:
      case V1.GoSched:
      case V1.GoPreempt:
      case V1.GoSleep:
      case V1.GoBlock:
      case V1.GoBlockSend:
      case V1.GoBlockRecv:
      case V1.GoBlockSelect:
      case V1.GoBlockSync:
      case V1.GoBlockCond:
      case V1.GoBlockNet:
      case V1.GoBlockGC:
      case V1.GoSysBlock:
        this.#goroutine = 0;
        break;
      case V1.GoSysExit:
      case V1.GoWaiting:
      case V1.GoInSyscall:
        goroutine = first;
        break;
      default:
    }
    this.times[at] = time;
    this.types[at] = type;
    this.goroutines[at] = goroutine;
    this.offsets[at] = start;
    this.firsts[at] = first;
    this.seconds[at] = args[2]!;
  }

  #grow(): void {
    const more = <T extends Float64Array | Uint8Array>(column: T, into: T): T => {
      into.set(column);
      return into;
    };
    const size = 2 * this.times.length;
    this.types = more(this.types, new Uint8Array(size));
    this.times = more(this.times, new Float64Array(size));
    this.goroutines = more(this.goroutines, new Float64Array(size));
    this.offsets = more(this.offsets, new Float64Array(size));
    this.firsts = more(this.firsts, new Float64Array(size));
    this.seconds = more(this.seconds, new Float64Array(size));
  }
}
