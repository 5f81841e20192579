import { TraceError } from "../base/error.ts";
import { Ev } from "../wire/events.ts";
import { type Batch, CUT_AT_EXPERIMENT, END_OF_FILE, END_OF_GENERATION, readBatch } from "./batch.ts";
import { type ClockSnapshot, clockSnapshot, nanosecondsPerUnit, toNanoseconds } from "./clock.ts";
import { Input } from "./input.ts";
import { sortLikeGo } from "./sort.ts";
import { plain, TableCut, tableError, Tables } from "./tables.ts";
import type { WideValues } from "./wide.ts";

/** The event batches of one thread (a code) in a generation, in the order of the file. */
export interface ThreadBatches {
  readonly thread: number;
  readonly batches: Batch[];
}

/** A CPU sample; ids are codes, the time is in ns. `goroutine` is -1 for none. */
export interface CpuSample {
  readonly time: number;
  readonly thread: number;
  readonly proc: number;
  readonly goroutine: number;
  readonly stack: number;
  readonly offset: number;
}

/** One generation, all tables decoded, the events of its threads still as bytes. */
export interface Generation {
  /** Its number, as a code. */
  readonly number: number;
  /** Offset in the file of its first batch. */
  readonly offset: number;
  readonly threads: readonly ThreadBatches[];
  readonly tables: Tables;
  /** In order of time. */
  readonly samples: readonly CpuSample[];
  readonly perUnit: number;
  /** Time of its Sync event in ns, before clamping. */
  readonly startTime: number;
  readonly snapshot: ClockSnapshot | null;
  /** Experiment ids of its opaque batches, without repeats. */
  readonly experiments: ReadonlySet<number>;
}

/**
 * Splits a file into generations, one at a time: memory is that of one generation. The rules of where a generation
 * ends, and which errors come before or after its events, differ by version (specification section 2.6).
 */
export class GenerationReader {
  /** What Go's tools hide: why the file ended earlier than its bytes do. Set when `next` has returned null. */
  damage: TraceError | null = null;
  readonly #input: Input;
  readonly #version: number;
  readonly #wide: WideValues;
  #spilled: Batch | null = null;
  #failure: TraceError | null = null;
  #started = false;

  constructor(input: Input, version: number, wide: WideValues) {
    this.#input = input;
    this.#version = version;
    this.#wide = wide;
  }

  /** The next generation, or null at the end of the trace. Throws TraceError. */
  next(): Generation | null {
    try {
      return this.#version >= 26 ? this.#nextMarked() : this.#nextSpilled();
    } catch (error) {
      if (!(error instanceof TableCut)) throw error;
      this.damage = error;
      return null;
    }
  }

  /** Up to 1.25 a generation ends with the first batch of the next one, with the file, or with a broken batch. */
  #nextSpilled(): Generation | null {
    if (this.#failure !== null) throw this.#failure;
    if (this.#started && this.#spilled === null) return null;
    this.#started = true;
    const building = new Building(this.#version, this.#wide);
    for (;;) {
      let batch: ReturnType<typeof readBatch>;
      if (this.#spilled === null) {
        try {
          batch = readBatch(this.#input, this.#version);
        } catch (error) {
          if (!(error instanceof TraceError) || building.batches === 0) throw error;
          this.#failure = error;
          break;
        }
      } else {
        batch = this.#spilled;
        this.#spilled = null;
      }
      if (batch === CUT_AT_EXPERIMENT) this.damage = cutAtExperiment(this.#input.offset);
      if (typeof batch === "string") break;
      checkNumber(batch);
      if (building.batches > 0 && batch.generation !== building.number) {
        if (!this.#wide.isNext(building.number, batch.generation)) {
          throw new TraceError("ERR_TRACE_GENERATION", "generations out of order", { offset: batch.start });
        }
        this.#spilled = batch;
        break;
      }
      building.add(batch);
    }
    return building.finish();
  }

  /** From 1.26 on a generation ends with its mark. */
  #nextMarked(): Generation | null {
    const building = new Building(this.#version, this.#wide);
    for (;;) {
      const batch = readBatch(this.#input, this.#version);
      if (batch === END_OF_GENERATION) return building.finish();
      if (batch === END_OF_FILE || batch === CUT_AT_EXPERIMENT) {
        const message = "incomplete generation found; trace likely truncated";
        const error = new TraceError("ERR_TRACE_TRUNCATED", message, { offset: this.#input.offset });
        if (building.hasEvents) throw error;
        if (building.batches > 0 || batch === CUT_AT_EXPERIMENT) this.damage = error;
        return null;
      }
      checkNumber(batch);
      if (building.batches > 0 && batch.generation !== building.number) {
        const message = "broken trace: missing end-of-generation event, or generations are interleaved";
        throw new TraceError("ERR_TRACE_GENERATION", message, { offset: batch.start });
      }
      building.add(batch);
    }
  }
}

function checkNumber(batch: Batch): void {
  if (batch.generation !== 0) return;
  throw new TraceError("ERR_TRACE_GENERATION", "invalid generation number 0", { offset: batch.start });
}

function cutAtExperiment(offset: number): TraceError {
  return new TraceError("ERR_TRACE_TRUNCATED", "file ends inside the head of an experimental batch", {
    offset,
  });
}

/** A generation while its batches come in. */
class Building {
  number = 0;
  batches = 0;
  readonly #wide: WideValues;
  readonly #syncType: number;
  readonly #threads = new Map<number, ThreadBatches>();
  readonly #tables: Tables;
  readonly #samples: CpuSample[] = [];
  readonly #experiments = new Set<number>();
  #offset = 0;
  #end = 0;
  #minTime = 0;
  #frequency: number | null = null;
  #snapshot: { base: number; fields: [number, number, number, number] } | null = null;

  constructor(version: number, wide: WideValues) {
    this.#wide = wide;
    this.#syncType = version < 25 ? Ev.Frequency : Ev.Sync;
    this.#tables = new Tables(wide);
  }

  get hasEvents(): boolean {
    return this.#threads.size > 0;
  }

  /** Sorts a batch into its class, by its first byte, and decodes it unless it holds events. */
  add(batch: Batch): void {
    if (this.batches++ === 0) {
      this.number = batch.generation;
      this.#offset = batch.start;
    }
    this.#end = batch.offset + batch.payload.length;
    // A minimum of 0 counts as not yet set, as it does in Go.
    if (this.#minTime === 0 || this.#wide.less(batch.time, this.#minTime)) this.#minTime = batch.time;
    if (batch.experiment !== 0) {
      this.#experiments.add(batch.experiment);
      return;
    }
    const input = Input.ofBytes(batch.payload, batch.offset, this.#wide);
    switch (batch.payload[0]) {
      case Ev.Strings:
        input.byte();
        this.#tables.addStrings(input);
        return;
      case Ev.Stacks:
        input.byte();
        this.#tables.addStacks(input);
        return;
      case Ev.CPUSamples:
        input.byte();
        this.#addSamples(input);
        return;
      case this.#syncType:
        this.#addSync(input, batch.time);
        return;
      default:
        this.#addEvents(batch);
    }
  }

  /** Checks what can only be checked at the end of a generation. */
  finish(): Generation {
    if (this.#frequency === null) throw this.#missing("no frequency event found");
    if (this.#syncType === Ev.Sync && this.#snapshot === null) {
      throw this.#missing("no clock snapshot event found");
    }
    this.#tables.resolve();
    const perUnit = nanosecondsPerUnit(this.#wide.toNumber(this.#frequency));
    const toTime = (code: number): number => toNanoseconds(this.#wide.toNumber(code), perUnit);
    const samples = this.#samples.map((sample) => ({ ...sample, time: toTime(sample.time) }));
    sortLikeGo(samples, (a, b) => a.time < b.time);
    const taken = this.#snapshot;
    return {
      number: this.number,
      offset: this.#offset,
      threads: [...this.#threads.values()],
      tables: this.#tables,
      samples,
      perUnit,
      startTime: toTime(this.#minTime),
      snapshot: taken === null ? null : clockSnapshot(this.#wide, perUnit, taken.base, taken.fields),
      experiments: this.#experiments,
    };
  }

  #addEvents(batch: Batch): void {
    const thread = this.#threads.get(batch.thread);
    if (thread === undefined) this.#threads.set(batch.thread, { thread: batch.thread, batches: [batch] });
    else thread.batches.push(batch);
  }

  #addSamples(input: Input): void {
    for (let type = input.byte(); type >= 0; type = input.byte()) {
      const offset = input.offset - 1;
      if (type !== Ev.CPUSample) throw tableError(`expected CPU sample event, got ${type}`, offset);
      const time = plain(input);
      const thread = plain(input);
      const proc = plain(input);
      const goroutine = plain(input);
      const stack = plain(input);
      this.#samples.push({ time, thread, proc, goroutine: goroutine === 0 ? -1 : goroutine, stack, offset });
    }
  }

  #addSync(input: Input, base: number): void {
    if (this.#syncType === Ev.Sync) input.byte();
    for (let type = input.byte(); type >= 0; type = input.byte()) {
      const offset = input.offset - 1;
      if (type === Ev.Frequency) {
        const frequency = plain(input);
        if (this.#frequency !== null) throw tableError("found multiple frequency events", offset);
        this.#frequency = frequency;
      } else if (type === Ev.ClockSnapshot && this.#syncType === Ev.Sync) {
        const fields: [number, number, number, number] = [
          plain(input),
          plain(input),
          plain(input),
          plain(input),
        ];
        if (this.#snapshot !== null) throw tableError("found multiple clock snapshot events", offset);
        this.#snapshot = { base, fields };
      } else {
        throw tableError(`expected frequency or clock snapshot event, got ${type}`, offset);
      }
    }
  }

  #missing(message: string): TraceError {
    return new TraceError("ERR_TRACE_SYNC", message, { offset: this.#end });
  }
}
