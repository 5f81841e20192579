import { BroadcastChannel, workerData } from "node:worker_threads";
import { Arrivals } from "./arrivals.ts";
import { Word, State, setState } from "./page.ts";
import { now } from "./messages.ts";
import type { FromTracer, ToTracer, TracerData } from "./messages.ts";
import { Pipeline } from "./pipeline.ts";
import type { CpuSampler } from "./cpu.ts";
import { sinkError, writeFully } from "./sinks.ts";

/**
 * The tracer thread: a Worker of our own that drains all rings, every 50 ms or as soon as the main thread asks it to
 * finish, and begins a new generation every second. It needs the main thread for nothing but stream sinks, so a trace
 * goes on while that thread is blocked, and is completed while it exits.
 */
const CUT_MS = 50;
const GENERATION_NS = 1e9;
/** How long a generation waits for a CPU profile that is late: its samples belong into the generation of their time. */
const LATE_GENERATION_NS = 5e9;
/** How long the end of a generation, and the end of the trace, wait for a CPU profile. */
const PROFILE_MS = 100;
/** A ring that is fuller than this after a cut is drained again at once. */
const URGENT_FILL = 0.25;
/**
 * What a stream sink may leave lying about, in KiB: 8 MiB. While it does nothing more is made for it: the rings fill up, and
 * drop and count what comes then.
 */
const QUEUE_KIB = 8 * 1024;

class Tracer {
  readonly #data: TracerData;
  readonly #pipeline: Pipeline;
  readonly #channel: BroadcastChannel;
  #sampler: CpuSampler | undefined;
  #sampling = false;
  /** Why CPU samples are to end before the recording does. */
  #unsample: string | undefined;
  #generationStart: number;
  readonly #arrivals = new Arrivals(
    (loop) => this.#pipeline.addLoop(loop),
    (threadId, time) => this.#pipeline.endLoop(threadId, time),
  );
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  /** When the recording ended, in ns; undefined while it goes on. */
  #finish: number | undefined;
  #ended = false;

  constructor(data: TracerData) {
    this.#data = data;
    this.#generationStart = data.main.time;
    this.#pipeline = new Pipeline({
      version: data.options.version,
      process: data.process,
      write: (bytes) => this.#write(bytes),
      progress: () => this.#progress(),
    });
    this.#pipeline.addLoop(data.main);
    data.port.on("message", (message: ToTracer) => this.#hear(message));
    this.#channel = new BroadcastChannel(data.channel);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the channel's only listener, and the typed form
    this.#channel.onmessage = (event: unknown) => this.#hear((event as { data: ToTracer }).data);
    setState(data.page, State.Ready);
    if (data.options.cpuHz > 0) void this.#sample(data.options.cpuHz);
    this.#schedule(CUT_MS);
  }

  async #sample(hz: number): Promise<void> {
    try {
      const { CpuSampler } = await import("./cpu.ts");
      if (this.#ended || this.#unsample !== undefined || Atomics.load(this.#data.page, Word.Finish) !== 0)
        return;
      this.#sampler = new CpuSampler(this.#data.channel);
      await this.#sampler.start(hz, this.#data.page);
      this.#sampling = Atomics.load(this.#data.page, Word.Finish) === 0;
    } catch (error) {
      if (this.#ended) return;
      const off = error instanceof Error ? error.message : String(error);
      this.#pipeline.note(0, now(), { cpu: { off } });
    }
  }

  #hear(message: ToTracer): void {
    if (message.type === "bye") this.#data.port.close();
    if (this.#ended) return;
    try {
      if (message.type === "loop") this.#arrivals.announced(message);
      else if (message.type === "worker") this.#arrivals.made(message.threadId, message.file);
      else if (message.type === "living")
        this.#post({ type: "living", id: message.id, activations: this.#pipeline.living() });
      else if (message.type === "ended") this.#arrivals.ended(message.threadId, message.time);
      else if (message.type === "finish") {
        this.#finish ??= message.time;
        if (!this.#busy) this.#schedule(0);
      } else if (message.type === "unsample" && this.#unsample === undefined) {
        this.#unsample = message.reason;
        this.#pipeline.note(0, now(), { cpu: { off: message.reason } });
        // Nobody to disconnect yet, and from now on nobody who connects.
        if (this.#sampler === undefined) Atomics.store(this.#data.page, Word.Detach, 2);
        if (!this.#busy) this.#schedule(0);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #schedule(ms: number): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#step(), ms);
  }

  /** One cut, and what is due with it. Never two at a time; whatever goes wrong ends the recording, nothing else. */
  async #step(): Promise<void> {
    this.#busy = true;
    try {
      const finish = this.#finish;
      const begin = finish ?? now();
      const isAsked = finish !== undefined || (this.#unsample !== undefined && this.#sampling);
      if (!isAsked && this.#isHeld) {
        await this.#hold(begin);
        return;
      }
      this.#arrivals.cut(finish !== undefined);
      this.#pipeline.cut(begin);
      if (finish !== undefined) {
        await this.#takeSamples(finish);
        this.#pipeline.finish(finish);
        this.#end(undefined);
        return;
      }
      if (this.#unsample !== undefined && this.#sampling) {
        await this.#takeSamples(begin);
        this.#sampling = false;
        this.#sampler?.close(this.#data.page);
        this.#sampler = undefined;
      }
      if (begin - this.#generationStart >= GENERATION_NS) await this.#rotate(begin);
    } catch (error) {
      this.#end(error);
      return;
    } finally {
      this.#busy = false;
      this.#schedule(this.#wait);
    }
  }

  async #rotate(time: number): Promise<void> {
    const isOverdue = time - this.#generationStart >= LATE_GENERATION_NS;
    if (this.#isLate && !isOverdue) return;
    await this.#takeSamples(undefined);
    if (this.#isLate && !isOverdue) return;
    this.#pipeline.rotate();
    this.#generationStart = time;
  }

  get #isLate(): boolean {
    return this.#sampling && this.#sampler?.isLate === true;
  }

  /** How long to wait for the next cut, in ms. */
  get #wait(): number {
    const asked = this.#finish !== undefined || (this.#unsample !== undefined && this.#sampling);
    return asked || (!this.#isHeld && this.#pipeline.fill > URGENT_FILL) ? 0 : CUT_MS;
  }

  /** The stream has enough for the moment: of the CPU samples, too. */
  async #hold(time: number): Promise<void> {
    if (time - this.#generationStart < GENERATION_NS) return;
    this.#generationStart = time;
    if (this.#sampling) await this.#sampler?.take(false, PROFILE_MS);
  }

  get #isHeld(): boolean {
    return Atomics.load(this.#data.page, Word.Queued) > QUEUE_KIB;
  }

  async #takeSamples(finish: number | undefined): Promise<void> {
    if (this.#sampler === undefined || !this.#sampling) return;
    const samples = await this.#sampler.take(finish !== undefined, PROFILE_MS);
    this.#pipeline.samples(
      0,
      samples.filter(({ time }) => finish === undefined || time <= finish),
    );
    this.#progress();
  }

  /** A sign of life: who waits for this thread gives up on one that shows none. Ends what nobody waits for. */
  #progress(): void {
    Atomics.add(this.#data.page, Word.Progress, 1);
    if (this.#givenUp) throw new Error("the process ends before the trace does");
  }

  get #givenUp(): boolean {
    return Atomics.load(this.#data.page, Word.Finish) === 2;
  }

  #write(bytes: Uint8Array): void {
    const { sink, page } = this.#data;
    if (sink.kind === "file") {
      try {
        writeFully(sink.fd, bytes, () => this.#givenUp);
      } catch (error) {
        throw sinkError(sink.name, error);
      }
    } else {
      Atomics.add(page, Word.Queued, Math.ceil(bytes.length / 1024));
      this.#post({ type: "chunk", bytes: bytes.slice() });
    }
    this.#progress();
  }

  #post(message: FromTracer): void {
    this.#data.port.postMessage(message);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#channel.close();
    this.#sampler?.close(this.#data.page);
    const reason = error instanceof Error ? error.message : String(error);
    this.#post({ type: "ended", error: error === undefined ? undefined : reason });
    setState(this.#data.page, State.Ended);
  }
}

export const tracer = new Tracer(workerData as TracerData);
