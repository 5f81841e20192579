import { BroadcastChannel, receiveMessageOnPort, workerData } from "node:worker_threads";
import { Arrivals } from "./arrivals.ts";
import { Word, State, setState } from "./page.ts";
import { now } from "./messages.ts";
import { Flights } from "./flights.ts";
import type { AskSnapshot, FromTracer, OutletPlan, ToTracer, TracerData, WorkerSamples } from "./messages.ts";
import { Outlets } from "./outlets.ts";
import { LOOK_AHEAD_NS, Pipeline } from "./pipeline.ts";
import type { CpuSampler } from "./cpu.ts";
import { sinkError, writeFully } from "./sinks.ts";
import { SampledWorkers } from "./worker-samples.ts";

/**
 * The tracer thread: a Worker of our own that drains all rings, every 50 ms or as soon as the main thread asks it to
 * finish, and begins a new generation every second. It needs the main thread for nothing but stream sinks, so a trace
 * goes on while that thread is blocked, and is completed while it exits.
 *
 * What takes the recording (outlets.ts) joins and leaves where a generation ends. Who leaves, or wants to know what a
 * flight recorder remembers, asks for everything up to a time: that is answered one look-ahead later, when all of it is
 * written.
 */
const CUT_MS = 50;
const GENERATION_NS = 1e9;
/** How long a generation waits for a CPU profile that is late: its samples belong into the generation of their time. */
const LATE_GENERATION_NS = 5e9;
/** How long who asked for everything waits for it. */
const LATE_ANSWER_NS = 1e9;
/** Time between two files that are due at once. */
const APART_NS = 1e3;
/** How often the main thread is pinged: a tenth of the lag that matters, within these; for the heap alone less often. */
const LEAST_PING_MS = 10;
const MOST_PING_MS = 50;
const HEAP_PING_MS = 100;
/** How long the end of a generation, and the end of the trace, wait for a CPU profile. */
const PROFILE_MS = 100;
/** A ring that is fuller than this after a cut is drained again at once. */
const URGENT_FILL = 0.25;
/**
 * What a stream sink may leave lying about, in KiB: 8 MiB. While it does nothing more is made for it: the rings fill up, and
 * drop and count what comes then.
 */
const QUEUE_KIB = 8 * 1024;

/** Somebody waits until everything up to `time` (ns) is in complete generations. */
interface Ask {
  readonly time: number;
  readonly answer: () => void;
}

class Tracer {
  readonly #data: TracerData;
  readonly #pipeline: Pipeline;
  readonly #outlets: Outlets;
  readonly #flights = new Flights();
  /** In order of time. */
  readonly #asks: Ask[] = [];
  #pinger: NodeJS.Timeout | undefined;
  #pings = 0;
  #pingedAt = 0;
  readonly #channel: BroadcastChannel;
  #sampler: CpuSampler | undefined;
  #sampling = false;
  readonly #workers: SampledWorkers;
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
    this.#workers = new SampledWorkers(data.channel);
    const { version } = data.options;
    this.#outlets = new Outlets({
      version,
      post: (message) => this.#post(message),
      queued: (kib) => Atomics.add(data.page, Word.Queued, kib),
      givenUp: () => this.#givenUp,
    });
    this.#pipeline = new Pipeline({
      version,
      process: data.process,
      spent: data.spent,
      write: (bytes) => {
        this.#outlets.write(bytes);
        this.#progress();
      },
      progress: () => this.#progress(),
      observer: this.#flights,
    });
    this.#join(data.outlet, data.main.time);
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
      this.#sampler = new CpuSampler(this.#data.channel, this.#data.page);
      const isEnding = (): boolean => Atomics.load(this.#data.page, Word.Finish) !== 0;
      if (await this.#sampler.start(hz, () => isEnding() || this.#unsample !== undefined))
        this.#sampling = !isEnding();
      else if (this.#unsample !== undefined) {
        this.#sampler.close();
        this.#sampler = undefined;
        Atomics.store(this.#data.page, Word.Detach, 2);
      }
    } catch (error) {
      if (this.#ended) return;
      const off = error instanceof Error ? error.message : String(error);
      this.#pipeline.note(0, now(), { cpu: { off } });
    }
  }

  /** Hears what waits to be heard. */
  #hearAll(): void {
    for (let got = receiveMessageOnPort(this.#data.port); got !== undefined;) {
      this.#hear(got.message as ToTracer);
      got = receiveMessageOnPort(this.#data.port);
    }
  }

  #hear(message: ToTracer): void {
    if (message.type === "bye") this.#data.port.close();
    if (this.#ended) return;
    try {
      if (message.type === "loop") {
        if (message.sampled === true) this.#workers.began(message.threadId);
        this.#arrivals.announced(message);
      } else if (message.type === "samples") this.#hearSamples(message);
      else if (message.type === "worker") this.#arrivals.made(message.threadId, message.file);
      else if (message.type === "living")
        this.#post({ type: "living", id: message.id, activations: this.#pipeline.living() });
      else if (message.type === "ended") {
        this.#workers.ended(message.threadId);
        this.#arrivals.ended(message.threadId, message.time);
      } else if (message.type === "join") {
        this.#ask(message.time, () => this.#join(message.outlet, message.time));
      } else if (message.type === "leave") {
        this.#pipeline.tell(message.time);
        this.#ask(message.time, () => this.#leave(message.id));
      } else if (message.type === "snapshot") {
        // Later than whatever has joined before.
        const time = now();
        this.#pipeline.tell(time);
        this.#ask(time, () => this.#snapshot(message));
      } else if (message.type === "signal") this.#flights.signal(message.id, message.name);
      else if (message.type === "finish") {
        this.#finish ??= message.time;
        if (!this.#busy) this.#schedule(0);
      } else if (message.type === "unsample" && this.#unsample === undefined) {
        this.#unsample = message.reason;
        this.#workers.end();
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
      // What was asked for must be known before more is written than was recorded then.
      this.#hearAll();
      const finish = this.#finish;
      const begin = finish ?? now();
      const ask = this.#asks[0];
      const isDue = ask !== undefined && begin >= ask.time + LOOK_AHEAD_NS;
      const isAsked = finish !== undefined || isDue || (this.#unsample !== undefined && this.#sampling);
      if (!isAsked && this.#isHeld) {
        await this.#hold(begin);
        return;
      }
      this.#arrivals.cut(finish !== undefined);
      this.#pipeline.cut(isDue ? Math.min(begin, ask.time + LOOK_AHEAD_NS) : begin);
      if (finish !== undefined) {
        await this.#takeSamples(finish);
        this.#answerAll(finish);
        this.#end(undefined);
        return;
      }
      this.#watch(begin);
      if (isDue) await this.#answer(ask, begin);
      if (this.#unsample !== undefined && this.#sampling) {
        await this.#takeSamples(begin);
        this.#sampling = false;
        this.#sampler?.close();
        this.#sampler = undefined;
      }
      if (begin - this.#generationStart >= GENERATION_NS || this.#outlets.isLarge) await this.#rotate(begin);
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
    this.#newGeneration(time);
  }

  #newGeneration(time: number): void {
    this.#pipeline.rotate(this.#outlets.begin === "again");
    this.#outlets.rotated(this.#pipeline.horizon);
    this.#generationStart = time;
  }

  #ask(time: number, answer: () => void): void {
    const at = this.#asks.findIndex((ask) => ask.time > time);
    this.#asks.splice(at < 0 ? this.#asks.length : at, 0, { time, answer });
    if (!this.#busy) this.#schedule(this.#wait);
  }

  /** Ends the generation for who has waited for it, and for others that wait for the same time. */
  async #answer(ask: Ask, time: number): Promise<void> {
    const isOverdue = time - ask.time >= LATE_ANSWER_NS;
    if (this.#isLate && !isOverdue) return;
    await this.#takeSamples(undefined);
    if (this.#isLate && !isOverdue) return;
    this.#newGeneration(time);
    const { horizon } = this.#pipeline;
    while (this.#asks.length > 0 && this.#asks[0]!.time <= horizon) this.#asks.shift()!.answer();
  }

  /** Completes everything: each has what it asked for, and no more. */
  #answerAll(finish: number): void {
    for (const { time, answer } of this.#asks) {
      this.#pipeline.cut(time + LOOK_AHEAD_NS);
      this.#newGeneration(finish);
      answer();
    }
    this.#pipeline.finish(finish);
    this.#outlets.rotated(finish);
  }

  #join(plan: OutletPlan, time: number): void {
    this.#outlets.join(plan, time);
    this.#flights.join(plan);
    const isPinged = this.#flights.lagNs < Infinity || this.#flights.watchHeap;
    if (isPinged && this.#pinger === undefined) this.#ping();
  }

  #leave(id: number): void {
    this.#flights.leave(id);
    this.#outlets.leave(id);
  }

  /** Gives away what a flight recorder remembers. */
  #snapshot({ id, request, to }: AskSnapshot): void {
    const parts = this.#outlets.memory(id)?.parts() ?? [];
    let bytes = 0;
    let error: string | undefined;
    try {
      for (const part of parts) {
        if (to.kind === "file") writeFully(to.fd, part, () => this.#givenUp);
        else this.#post({ type: "part", request, bytes: part });
        bytes += part.length;
        this.#progress();
      }
    } catch (cause) {
      error = sinkError(to.kind === "file" ? to.name : "the stream", cause).message;
    }
    this.#post({ type: "written", request, bytes, error });
  }

  /**
   * Looks for what a flight recorder writes a file of by itself. Each has a time of its own, so that the last reason in its
   * file is the file's.
   */
  #watch(seen: number): void {
    let time = seen;
    for (const [id, incident] of this.#flights.due(seen)) {
      this.#pipeline.note(0, time, { flight: incident });
      this.#pipeline.tell(time);
      this.#ask(time, () => this.#writeFlight(id));
      time += APART_NS;
    }
  }

  #writeFlight(id: number): void {
    const parts = this.#outlets.memory(id)?.parts();
    if (parts === undefined) return;
    try {
      this.#flights.write(id, parts);
    } catch (error) {
      this.#post({ type: "unwritten", id, error: (error as Error).message });
    }
    this.#progress();
  }

  /** Sees how long the main thread takes to answer, and has it look at its heap, as long as that matters to somebody. */
  #ping(): void {
    const { page, port } = this.#data;
    const { lagNs, watchHeap: heap } = this.#flights;
    if (this.#ended || (lagNs === Infinity && !heap)) {
      clearTimeout(this.#pinger);
      this.#pinger = undefined;
      return;
    }
    const isAnswered = Atomics.load(page, Word.Pong) === this.#pings;
    if (this.#pings > 0) {
      const lag = isAnswered ? Atomics.load(page, Word.PongUs) * 1e3 : now() - this.#pingedAt;
      this.#flights.lag(lag, isAnswered);
    }
    if (isAnswered) {
      this.#pingedAt = now();
      const ping = { type: "ping", number: ++this.#pings, time: this.#pingedAt, heap } satisfies FromTracer;
      port.postMessage(ping);
    }
    const most = lagNs === Infinity ? HEAP_PING_MS : MOST_PING_MS;
    const wait = Math.min(most, Math.max(LEAST_PING_MS, lagNs / 1e7));
    this.#pinger = setTimeout(() => this.#ping(), wait);
  }

  get #isLate(): boolean {
    return this.#workers.areLate || (this.#sampling && this.#sampler?.isLate === true);
  }

  /** How long to wait for the next cut, in ms. */
  get #wait(): number {
    const ask = this.#asks[0];
    if (ask !== undefined) {
      const due = (ask.time + LOOK_AHEAD_NS - now()) / 1e6;
      if (due < CUT_MS) return this.#isLate ? LEAST_PING_MS : Math.max(0, Math.ceil(due));
    }
    const asked = this.#finish !== undefined || (this.#unsample !== undefined && this.#sampling);
    return asked || (!this.#isHeld && this.#pipeline.fill > URGENT_FILL) ? 0 : CUT_MS;
  }

  /** The stream has enough for the moment: of the CPU samples, too. */
  async #hold(time: number): Promise<void> {
    if (time - this.#generationStart < GENERATION_NS) return;
    this.#generationStart = time;
    const workers = this.#workers.ask(PROFILE_MS);
    if (this.#sampling) await this.#sampler?.take(false, PROFILE_MS);
    await workers;
  }

  get #isHeld(): boolean {
    return Atomics.load(this.#data.page, Word.Queued) > QUEUE_KIB;
  }

  async #takeSamples(finish: number | undefined): Promise<void> {
    const workers = this.#workers.ask(PROFILE_MS);
    if (this.#sampler !== undefined && this.#sampling) await this.#takeMain(this.#sampler, finish);
    await workers;
    this.#progress();
  }

  async #takeMain(sampler: CpuSampler, finish: number | undefined): Promise<void> {
    const samples = await sampler.take(finish !== undefined, PROFILE_MS);
    this.#pipeline.samples(
      0,
      samples.filter(({ time }) => finish === undefined || time <= finish),
    );
  }

  #hearSamples({ threadId, samples, last }: WorkerSamples): void {
    this.#workers.answered(threadId, last);
    const end = this.#finish ?? Infinity;
    if (!this.#isHeld)
      this.#pipeline.samples(
        threadId,
        samples.filter(({ time }) => time <= end),
      );
  }

  /** A sign of life: who waits for this thread gives up on one that shows none. Ends what nobody waits for. */
  #progress(): void {
    Atomics.add(this.#data.page, Word.Progress, 1);
    if (this.#givenUp) throw new Error("the process ends before the trace does");
  }

  get #givenUp(): boolean {
    return Atomics.load(this.#data.page, Word.Finish) === 2;
  }

  #post(message: FromTracer): void {
    this.#data.port.postMessage(message);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pinger);
    this.#channel.close();
    this.#workers.end();
    this.#sampler?.close();
    const reason = error instanceof Error ? error.message : String(error);
    this.#post({ type: "ended", error: error === undefined ? undefined : reason });
    setState(this.#data.page, State.Ended);
  }
}

export const tracer = new Tracer(workerData as TracerData);
