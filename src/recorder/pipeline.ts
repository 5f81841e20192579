import { BoundedMap } from "../base/bounded-map.ts";
import { FACT_BYTES } from "../base/facts.ts";
import type { Bytes } from "../base/units.ts";
import { RingReader, droppedFacts } from "../base/ring.ts";
import { TraceWriter } from "../encode/writer.ts";
import type { LivingGoroutine, WriterOptions } from "../encode/writer.ts";
import { Spent } from "../loader/options.ts";
import { Resolver } from "../resolve/resolver.ts";
import type { Frame } from "../wire/format.ts";
import type { LoopAnnouncement } from "./messages.ts";
import { noteText } from "./notes.ts";
import { factPrice, threadCpu } from "./own-cost.ts";
import type { OwnCost } from "./own-cost.ts";

/** A late cut is made in slices of this length or up to twice it, of a thousandth of the time where it is very late. */
const SLICE_NS = 50e6;
const MOST_SLICES = 1_000;
/** Open tasks that a generation tells again: of more the youngest. */
const MOST_TASKS = 200;
/** Records that are drained between two signs of life. */
const DRAIN_RECORDS = 8_192;

/**
 * Rings in, trace bytes out: everything the tracer thread does that needs neither thread nor clock nor file.
 *
 * `cut` makes a consistent cut: its time is read by the caller before any ring is touched, every ring is drained up
 * to that time only, and so whatever it writes holds for all loops alike. A cut that covers much is made as many, so
 * that `progress` is called all along and a process that ends meanwhile loses the last slices only.
 */
export interface PipelineOptions {
  readonly version: 23 | 25;
  /** One call a flush, with everything that the flush has to write, all of one generation; never a file's header. */
  write(bytes: Uint8Array): void;
  /** Called again and again while a cut lasts. */
  readonly progress?: () => void;
  /** Names the process in the first note. */
  readonly process: Readonly<Record<string, unknown>>;
  /** What transforming the program's files costs (loader's `Spent`), where they are. */
  readonly spent?: Int32Array | undefined;
  readonly lookAheadNs?: number;
  readonly observer?: PipelineObserver;
}

/** Hears, as it is written, what a flight recorder watches. Times are ns. */
export interface PipelineObserver {
  taskBegan(id: number, name: string, time: number): void;
  taskEnded(id: number, time: number): void;
  heap(thread: number, bytes: number, time: number): void;
}

/** The time in ns for which the writing is behind the reading. */
export const LOOK_AHEAD_NS = 100e6;

/** A CPU sample: ns of hrtime, frames leaf first. */
export interface Sample {
  readonly time: number;
  readonly frames: readonly Frame[];
}

interface Loop {
  readonly threadId: number;
  /** Undefined once the loop has ended. */
  source: { readonly ring: SharedArrayBuffer; readonly reader: RingReader } | undefined;
  readonly name: string;
  /** Facts that its ring had to drop, once it has ended. */
  dropped: number;
  /** Those of them that the trace has told of. */
  told: number;
}

/**
 * Shows progress while the resolver writes, with every activation that starts to run, tells the observer, and knows the
 * tasks that are open.
 */
class WatchedWriter extends TraceWriter {
  /** By id; `parent` 0 is none. */
  readonly openTasks = new BoundedMap<{ readonly name: string; readonly parent: number }>(MOST_TASKS);
  readonly #progress: () => void;
  readonly #observer: PipelineObserver | undefined;

  constructor(options: WriterOptions, progress: () => void, observer: PipelineObserver | undefined) {
    super(options);
    this.#progress = progress;
    this.#observer = observer;
  }

  override taskBegin(m: number, t: number, task: number, parent: number, name: string, stack: number): void {
    this.#observer?.taskBegan(task, name, t);
    this.openTasks.set(task, { name, parent });
    super.taskBegin(m, t, task, parent, name, stack);
  }

  override taskEnd(m: number, t: number, task: number, stack: number): void {
    this.#observer?.taskEnded(task, t);
    this.openTasks.delete(task);
    super.taskEnd(m, t, task, stack);
  }

  override heapAlloc(m: number, t: number, bytes: Bytes): void {
    this.#observer?.heap(m, bytes, t);
    super.heapAlloc(m, t, bytes);
  }

  override goStart(m: number, t: number, g: number): void {
    this.#progress();
    super.goStart(m, t, g);
  }
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #writer: WatchedWriter;
  readonly #resolver: Resolver;
  readonly #loops: Loop[] = [];
  readonly #progress: () => void;
  #start = Infinity;
  /** Time of the last cut. */
  #cutAt = Infinity;
  #announced = 0;
  /** CPU samples of threads whose loops are not known yet, by thread id. */
  readonly #early = new Map<number, readonly Sample[]>();
  #misuseTold = 0;
  readonly #lostPausesTold = { count: 0, ns: 0 };
  readonly #cost = { cuts: 0, bytes: 0 };
  /** Facts when the cost was told last. */
  #costToldAt = 0;
  /** ns a fact, measured when that many had been told. */
  #factPrice = { ns: 0, facts: 0 };

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#progress = options.progress ?? (() => {});
    this.#writer = new WatchedWriter(
      {
        version: options.version,
        strict: false,
        bare: true,
        write: (bytes) => {
          this.#cost.bytes += bytes.length;
          options.write(bytes);
        },
        snapshot,
      },
      this.#progress,
      options.observer,
    );
    this.#resolver = new Resolver(this.#writer, { lookAheadNs: options.lookAheadNs ?? LOOK_AHEAD_NS });
  }

  /** A further event loop, in the order of announcement: the procs 0, 1, 2, … of the trace. */
  addLoop(loop: LoopAnnouncement): void {
    const index = this.#loops.length;
    this.#start = Math.min(this.#start, loop.time);
    if (index === 0) this.#cutAt = loop.time;
    this.#loops.push({
      threadId: loop.threadId,
      name: loop.name,
      source: { ring: loop.ring, reader: new RingReader(loop.ring) },
      dropped: 0,
      told: 0,
    });
    const worker = loop.threadId === 0 ? {} : { workerThreadId: loop.threadId };
    this.#resolver.addLoop(index, { name: loop.name, file: loop.file || "node", time: loop.time, ...worker });
    if (index === 0) this.note(0, loop.time, { process: this.#options.process });
    // A Worker may be announced after a younger one; notes are in order of time.
    this.#announced = Math.max(this.#announced, loop.time);
    this.note(0, this.#announced, { process: { loops: [{ proc: index, name: loop.name }] } });
    this.samples(loop.threadId, this.#early.get(loop.threadId) ?? []);
    this.#early.delete(loop.threadId);
  }

  /**
   * The Worker of that thread is gone: what its ring still holds is the end of it, and the ring is let go. Answers
   * whether there was one.
   */
  endLoop(threadId: number, time: number): boolean {
    const index = this.#loops.findIndex((loop) => loop.threadId === threadId && loop.source !== undefined);
    if (index <= 0) return false;
    const loop = this.#loops[index]!;
    this.#drain(index, loop, Infinity);
    loop.dropped = droppedFacts(loop.source!.ring);
    loop.source = undefined;
    this.#resolver.endLoop(index, time);
    return true;
  }

  /** Facts that wait in the fullest ring, as a share of its room. */
  get fill(): number {
    let fill = 0;
    for (const { source } of this.#loops) {
      if (source === undefined) continue;
      fill = Math.max(fill, (source.reader.pending * FACT_BYTES) / source.ring.byteLength);
    }
    return fill;
  }

  /** Activations that have not ended, as they were at the horizon of the last cut. */
  living(): LivingGoroutine[] {
    return this.#writer.living();
  }

  /** A JSON message of the reserved category, on the loop's next running activation. */
  note(loop: number, time: number, message: object): void {
    this.#resolver.note(loop, time, noteText(message));
  }

  /** CPU samples of a thread, as the program numbers it; those of a Worker may come before its loop does, or after its end. */
  samples(threadId: number, samples: readonly Sample[]): void {
    const loop = this.#loops.findIndex((known) => known.threadId === threadId);
    if (loop < 0) this.#early.set(threadId, [...(this.#early.get(threadId) ?? []), ...samples]);
    else for (const { time, frames } of samples) this.#resolver.cpuSample(loop, time, frames);
  }

  /** Drains every ring up to `until` and writes what can be decided by then. */
  cut(until: number): void {
    const slice = Math.max(SLICE_NS, (until - this.#cutAt) / MOST_SLICES);
    for (let to = this.#cutAt + slice; until - to >= slice; to += slice) this.#slice(to);
    this.#slice(until);
    this.#cutAt = Math.max(this.#cutAt, until);
    this.#cost.cuts++;
  }

  #slice(until: number): void {
    this.#drainAll(until);
    this.#resolver.advance(until);
    // The look-ahead may not have reached the trace's beginning yet.
    if (this.#resolver.horizon >= this.#start) this.#writer.flush();
    this.#progress();
  }

  /**
   * Begins a new generation where the last cut ended. `again`: it tells again what the recording began with, because a
   * file may begin with it.
   */
  rotate(again = false): void {
    this.tell(this.#cutAt);
    this.#resolver.writeNotes();
    this.#resolver.writeSamples();
    this.#writer.rotate(this.#resolver.horizon);
    this.#resolver.rotated();
    if (again) this.#introduce();
  }

  /** Time up to which everything is written, in ns. */
  get horizon(): number {
    return this.#resolver.horizon;
  }

  /** Takes what is left after a last cut, says what is missing, and ends the trace at `until`. */
  finish(until: number): void {
    this.#drainAll(until);
    this.#tellLosses(until);
    this.#tellCost(until);
    this.#resolver.finish(until);
    this.#writer.end();
  }

  /** Says what is new of losses and of the cost, on what runs at `time` (ns). */
  tell(time: number): void {
    this.#tellLosses(time);
    if (this.#resolver.stats.facts > this.#costToldAt) this.#tellCost(time);
  }

  /**
   * Says whose trace it is, the process and its loops, and which tasks are open: the format cannot tell again that one
   * has begun.
   */
  #introduce(): void {
    const time = this.#resolver.horizon;
    this.note(0, time, { process: this.#options.process });
    for (const [proc, { name }] of this.#loops.entries())
      this.note(0, time, { process: { loops: [{ proc, name }] } });
    for (const [id, { name, parent }] of this.#writer.openTasks.entries())
      this.note(0, time, { task: parent === 0 ? { id, name } : { id, name, parent } });
  }

  /** Says what was lost and misused since it was said last. */
  #tellLosses(time: number): void {
    for (const [index, loop] of this.#loops.entries()) {
      const { source, dropped } = loop;
      const facts = (source === undefined ? dropped : droppedFacts(source.ring)) - loop.told;
      if (facts <= 0) continue;
      loop.told += facts;
      this.note(0, time, { drops: { loop: index, facts } });
    }
    const count = this.#resolver.stats.misuse - this.#misuseTold;
    if (count > 0) {
      this.#misuseTold += count;
      this.note(0, time, { misuse: { count } });
    }
    this.#tellLostPauses(time);
  }

  #tellLostPauses(time: number): void {
    this.#resolver.leaveOutLost();
    const { lostPauses, lostPauseNs } = this.#resolver.stats;
    const told = this.#lostPausesTold;
    const [count, ns] = [lostPauses - told.count, Math.round(lostPauseNs - told.ns)];
    if (count <= 0) return;
    told.count += count;
    told.ns += ns;
    this.note(0, time, { pauses: { lost: count, ns } });
  }

  #tellCost(time: number): void {
    const { facts, activations } = this.#resolver.stats;
    const { spent } = this.#options;
    if (facts > 2 * this.#factPrice.facts) {
      this.#factPrice = { ns: factPrice(process.hrtime.bigint, facts), facts };
    }
    this.#costToldAt = facts;
    let lost = 0;
    for (const { source, dropped } of this.#loops)
      lost += source === undefined ? dropped : droppedFacts(source.ring);
    const cost: OwnCost = {
      facts,
      lost,
      activations,
      hooksNs: Math.round(facts * this.#factPrice.ns),
      tracerNs: threadCpu() ?? 0,
      ...(spent !== undefined && {
        transformed: Atomics.load(spent, Spent.Files),
        transformNs: Atomics.load(spent, Spent.Us) * 1000,
      }),
      ...this.#cost,
    };
    this.note(0, time, { cost });
  }

  #drainAll(until: number): void {
    for (const [index, loop] of this.#loops.entries()) this.#drain(index, loop, until);
  }

  #drain(index: number, { source }: Loop, until: number): void {
    if (source === undefined) return;
    const visitor = this.#resolver.visitor(index);
    while (source.reader.drain(until, visitor, DRAIN_RECORDS) >= DRAIN_RECORDS) this.#progress();
  }
}

function snapshot(): { mono: number; wallSec: number; wallNsec: number } {
  const wall = (performance.timeOrigin + performance.now()) * 1e6;
  const wallSec = Math.floor(wall / 1e9);
  return { mono: Number(process.hrtime.bigint()), wallSec, wallNsec: Math.floor(wall - wallSec * 1e9) };
}
