/**
 * The reader of format v2: bytes in, ordered and validated events out. The generations come from decode/, their
 * threads are merged by time, and the scheduler's rules decide which event can happen: where the earliest must wait,
 * the next earliest that may happen goes first.
 */
import { TraceError } from "../base/error.ts";
import { type CpuSample, type Generation, GenerationReader } from "../decode/generation.ts";
import type { Input } from "../decode/input.ts";
import { ThreadEvents } from "../decode/thread-events.ts";
import type { WideValues } from "../decode/wide.ts";
import { Scheduler } from "./advance.ts";
import { Delivery } from "./deliver.ts";
import { Frontier } from "./frontier.ts";
import type { EventKind, OrderedEvent } from "./types.ts";

/** The one experiment that Go defines, and so the only one that its reader can name: AllocFree. */
const ALLOC_FREE = 1;

/** `OrderedReader` for v2: holds one generation in memory. */
export class V2Reader {
  readonly #wide: WideValues;
  readonly #generations: GenerationReader;
  readonly #scheduler: Scheduler;
  readonly #delivery: Delivery;
  readonly #frontier = new Frontier();
  #samples: readonly CpuSample[] = [];
  #nextSample = 0;

  /** `input` stands behind the header. */
  constructor(
    input: Input,
    version: number,
    wide: WideValues,
    visit: (event: OrderedEvent) => void,
    wanted: ReadonlySet<EventKind> | null,
  ) {
    this.#wide = wide;
    this.#generations = new GenerationReader(input, version, wide);
    this.#scheduler = new Scheduler(wide);
    this.#delivery = new Delivery(this.#scheduler, wide, visit, wanted);
  }

  /** Events delivered so far. */
  get events(): number {
    return this.#delivery.events;
  }

  get damage(): TraceError | null {
    return this.#generations.damage;
  }

  /** Delivers some `limit` events or a little more; false at the end of the trace. Throws as `readOrdered` does. */
  step(limit: number): boolean {
    const stop = this.#delivery.events + limit;
    while (this.#delivery.events < stop) {
      if (this.#merge(stop) && !this.#enterGeneration()) return false;
    }
    return true;
  }

  /** Reads the next generation and delivers its Sync. At the end of the trace, clean or not, comes one more Sync. */
  #enterGeneration(): boolean {
    let generation: Generation | null = null;
    try {
      generation = this.#generations.next();
    } catch (error) {
      if (error instanceof TraceError) this.#delivery.sync(null);
      throw error;
    }
    if (generation === null) {
      this.#delivery.sync(null);
      return false;
    }
    for (const source of generation.threads) {
      const events = new ThreadEvents(source, generation.perUnit, this.#wide);
      if (events.count > 0) this.#frontier.insert(events);
      else if (events.error !== null) throw events.error;
    }
    checkExperiments(generation);
    this.#samples = generation.samples;
    this.#nextSample = 0;
    this.#delivery.sync(generation);
    this.#scheduler.enter(generation.number, generation.tables.strings);
    return true;
  }

  /** Delivers events of the current generation until `stop` were delivered; true where none is left. */
  #merge(stop: number): boolean {
    const frontier = this.#frontier;
    const { threads } = frontier;
    const scheduler = this.#scheduler;
    const delivery = this.#delivery;
    let sampleTime = this.#sampleTime();
    while (delivery.events < stop) {
      if (threads.length === 0) {
        if (sampleTime === Infinity) return true;
        sampleTime = this.#deliverSample();
        continue;
      }
      const first = threads[0]!;
      if (sampleTime <= first.time && isSampleFirst(sampleTime, first)) {
        sampleTime = this.#deliverSample();
        continue;
      }
      // The first thread goes on as long as it is strictly the earliest: nothing in the heap changes meanwhile.
      const limit = Math.min(frontier.secondTime(), sampleTime);
      let events = first;
      let at = 0;
      let hasMore = true;
      do {
        if (!scheduler.advance(events)) {
          at = advanceOther(frontier, scheduler);
          events = threads[at]!;
        }
        if (events.index + 1 >= events.count) events.lookAhead();
        const row = events.index;
        hasMore = events.advance();
        if (!hasMore && events.error !== null) throw events.error;
        delivery.event(events, row);
      } while (hasMore && events === first && events.time < limit && delivery.events < stop);
      if (hasMore) frontier.update(at);
      else frontier.remove(at);
    }
    return false;
  }

  /** Time of the CPU sample that comes next, Infinity where none does. */
  #sampleTime(): number {
    return this.#samples[this.#nextSample]?.time ?? Infinity;
  }

  /** Delivers it, and answers the time of the one after it. */
  #deliverSample(): number {
    this.#delivery.sample(this.#samples[this.#nextSample++]!);
    return this.#sampleTime();
  }
}

/** Go's own printing of a Sync fails for an experiment that it does not know. */
function checkExperiments(generation: Generation): void {
  for (const experiment of generation.experiments) {
    if (experiment === ALLOC_FREE) continue;
    const message = `unknown experiment ${experiment}, want ${ALLOC_FREE}`;
    throw new TraceError("ERR_TRACE_EXPERIMENT", message, { offset: generation.offset });
  }
}

/** The first thread of the frontier must wait: advances one of the others and returns its place. */
function advanceOther(frontier: Frontier, scheduler: Scheduler): number {
  const { threads } = frontier;
  frontier.sort();
  for (let i = 1; i < threads.length; i++) if (scheduler.advance(threads[i]!)) return i;
  const first = threads[0]!;
  throw new TraceError("ERR_TRACE_STUCK", "broken trace: failed to advance: frontier:", {
    offset: first.offsets[first.index]!,
  });
}

function isSampleFirst(time: number, events: ThreadEvents): boolean {
  if (time !== events.time) return time < events.time;
  const exact = events.exactTime(events.index);
  return exact !== undefined && BigInt(time) < exact;
}
