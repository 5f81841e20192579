import { FACT_BYTES } from "../base/facts.ts";
import { RingReader, droppedFacts } from "../base/ring.ts";
import { TraceWriter } from "../encode/writer.ts";
import type { LivingGoroutine, WriterOptions } from "../encode/writer.ts";
import { Resolver } from "../resolve/resolver.ts";
import type { Frame } from "../wire/format.ts";
import type { LoopAnnouncement } from "./messages.ts";
import { noteText } from "./notes.ts";
import { factPrice, threadCpu } from "./own-cost.ts";
import type { OwnCost } from "./own-cost.ts";

/** A late cut is made in slices of this length or up to twice it, of a thousandth of the time where it is very late. */
const SLICE_NS = 50e6;
const MOST_SLICES = 1_000;
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
  /** One call a flush, with everything that the flush has to write. */
  write(bytes: Uint8Array): void;
  /** Called again and again while a cut lasts. */
  readonly progress?: () => void;
  /** Names the process in the first note. */
  readonly process: Readonly<Record<string, unknown>>;
  readonly lookAheadNs?: number;
}

/** A CPU sample: ns of hrtime, frames leaf first. */
export interface Sample {
  readonly time: number;
  readonly frames: readonly Frame[];
}

interface Loop {
  readonly threadId: number;
  /** Undefined once the loop has ended. */
  source: { readonly ring: SharedArrayBuffer; readonly reader: RingReader } | undefined;
  /** Facts that its ring had to drop, once it has ended. */
  dropped: number;
}

/** Shows progress while the resolver writes: with every activation that starts to run. */
class WatchedWriter extends TraceWriter {
  readonly #progress: () => void;

  constructor(options: WriterOptions, progress: () => void) {
    super(options);
    this.#progress = progress;
  }

  override goStart(m: number, t: number, g: number): void {
    this.#progress();
    super.goStart(m, t, g);
  }
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #writer: TraceWriter;
  readonly #resolver: Resolver;
  readonly #loops: Loop[] = [];
  readonly #progress: () => void;
  #start = Infinity;
  /** Time of the last cut. */
  #cutAt = Infinity;
  #announced = 0;
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
        write: (bytes) => {
          this.#cost.bytes += bytes.length;
          options.write(bytes);
        },
        snapshot,
      },
      this.#progress,
    );
    const { lookAheadNs } = options;
    this.#resolver = new Resolver(this.#writer, lookAheadNs === undefined ? {} : { lookAheadNs });
  }

  /** A further event loop, in the order of announcement: the procs 0, 1, 2, … of the trace. */
  addLoop(loop: LoopAnnouncement): void {
    const index = this.#loops.length;
    this.#start = Math.min(this.#start, loop.time);
    if (index === 0) this.#cutAt = loop.time;
    this.#loops.push({
      threadId: loop.threadId,
      source: { ring: loop.ring, reader: new RingReader(loop.ring) },
      dropped: 0,
    });
    const worker = loop.threadId === 0 ? {} : { workerThreadId: loop.threadId };
    this.#resolver.addLoop(index, { name: loop.name, file: loop.file || "node", time: loop.time, ...worker });
    if (index === 0) this.note(0, loop.time, { process: this.#options.process });
    // A Worker may be announced after a younger one; notes are in order of time.
    this.#announced = Math.max(this.#announced, loop.time);
    this.note(0, this.#announced, { process: { loops: [{ proc: index, name: loop.name }] } });
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

  samples(loop: number, samples: readonly Sample[]): void {
    for (const { time, frames } of samples) this.#resolver.cpuSample(loop, time, frames);
  }

  /** Drains every ring up to `until` and writes what can be decided by then. */
  cut(until: number): void {
    const slice = Math.max(SLICE_NS, (until - this.#cutAt) / MOST_SLICES);
    for (let to = this.#cutAt + slice; until - to >= slice; to += slice) this.#slice(to);
    this.#slice(until);
    this.#cutAt = until;
    this.#cost.cuts++;
  }

  #slice(until: number): void {
    this.#drainAll(until);
    this.#resolver.advance(until);
    // The look-ahead may not have reached the trace's beginning yet.
    if (this.#resolver.horizon >= this.#start) this.#writer.flush();
    this.#progress();
  }

  /** Begins a new generation where the last cut ended. */
  rotate(): void {
    if (this.#resolver.stats.facts > this.#costToldAt) this.#tellCost(this.#cutAt);
    this.#resolver.writeSamples();
    this.#writer.rotate(this.#resolver.horizon);
  }

  /** Takes what is left after a last cut, says what is missing, and ends the trace at `until`. */
  finish(until: number): void {
    this.#drainAll(until);
    for (const [loop, { source, dropped }] of this.#loops.entries()) {
      const facts = source === undefined ? dropped : droppedFacts(source.ring);
      if (facts > 0) this.note(0, until, { drops: { loop, facts } });
    }
    const { misuse } = this.#resolver.stats;
    if (misuse > 0) this.note(0, until, { misuse: { count: misuse } });
    this.#tellCost(until);
    this.#resolver.finish(until);
    this.#writer.end();
  }

  #tellCost(time: number): void {
    const { facts, activations } = this.#resolver.stats;
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
