import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { TraceError } from "../base/error.ts";
import type { LivingGoroutine } from "../encode/writer.ts";
import { countChannels, hidePort, hidePortsOf } from "../probe/ports.ts";
import { undoAll } from "../probe/replace.ts";
import { watchProcess } from "./hooks.ts";
import { watchesHeap } from "./incidents.ts";
import { Isolate } from "./isolate.ts";
import { now } from "./messages.ts";
import type { FromTracer, OutletKind, OutletPlan, SinkPlan, ToTracer, TracerData } from "./messages.ts";
import type { RecordingOptions } from "./options.ts";
import { TRANSFER_WORDS } from "../probe/transfers.ts";
import { State, Word, createPage, transferWords, waitForState } from "./page.ts";
import { forgetProfiler, offerProfiler, otherProfiler, unreachable, watchInspector } from "./profilers.ts";
import { slot } from "./slot.ts";
import { unguard } from "./stoppable.ts";
import { VERSION } from "./version.ts";
import { recordWorkers } from "./workers.ts";

/** The class as Node made it: the tracer's thread must not be recorded. */
const PlainWorker = Worker;

/**
 * How long the end of the process waits for the trace to be complete: as long as the tracer shows progress, up to
 * `limitMs`; a tracer that shows none for `stallMs` is given up, and what it has written is the trace.
 */
const AT_EXIT: Patience = { limitMs: 60_000, stallMs: 10_000 };
const AT_SIGNAL: Patience = { limitMs: 5_000, stallMs: 1_500 };
/** How long a tracer that was given up has to let go of what it holds. */
const LET_GO_MS = 200;
const LEAVE_MS = 1_000;

interface Patience {
  readonly limitMs: number;
  readonly stallMs: number;
}

/** What takes a recording, as the main thread sees it. Nothing here throws. */
export interface Consumer {
  /** A name for messages about what it lacks. */
  readonly name: string;
  /** Some bytes for a stream sink; `atExit` when no callback runs any more. */
  chunk?(bytes: Uint8Array, atExit: boolean): void;
  /** Nothing is recorded any more. */
  ending?(): void;
  /** A file that it was to write by itself could not be written. */
  unwritten?(error: string): void;
  /** It has everything, or nothing more will come because of `error`. */
  over(error: Error | undefined): void;
}

/** What only the preload wants. */
export interface EngineExtras {
  /** This package is preloaded in the whole process: Workers have it as well. */
  readonly preloaded?: boolean;
}

/** What a snapshot's answers go to. */
interface Snapshot {
  part(bytes: Uint8Array): void;
  written(bytes: number, error: string | undefined): void;
}

let running: Engine | undefined;

/** The engine that records this process now. */
export function engine(): Engine | undefined {
  return running?.on === true ? running : undefined;
}

/** Begins to record for `consumer`, whose outlet is `plan`; nothing records yet. */
export function startEngine(
  consumer: Consumer,
  plan: OutletKind,
  options: RecordingOptions,
  extras: EngineExtras,
): Engine {
  return (running = new Engine(consumer, plan, options, extras));
}

/**
 * What records, whoever it is for: the probe and ring of the main thread, the Workers', the tracer thread, and the
 * hooks of the process's end. There is one at a time that is on; it begins with its first consumer, whose options it has, and ends
 * with its last.
 */
export class Engine {
  readonly options: RecordingOptions;
  readonly #page = createPage(TRANSFER_WORDS);
  readonly #channel = `runtrace:${process.pid}:${process.hrtime.bigint()}`;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #isolate: Isolate;
  readonly #undo: (() => void)[] = [];
  readonly #consumers = new Map<number, Consumer>();
  readonly #leaving = new Set<number>();
  #ids = 0;
  #on = true;
  #over = false;
  #unsampled = false;
  /** Those who wait, so that the process must not end before. */
  #holds = 0;
  #asked = 0;
  readonly #living = new Map<number, (activations: readonly LivingGoroutine[] | null) => void>();
  readonly #snapshots = new Map<number, Snapshot>();

  /** Made by `startEngine` only. */
  constructor(consumer: Consumer, plan: OutletKind, asked: RecordingOptions, extras: EngineExtras) {
    const other = asked.cpuHz > 0 ? otherProfiler() || unreachable() : "";
    const options = other === "" ? asked : { ...asked, cpuHz: 0 };
    this.options = options;
    const outlet = this.#add(consumer, plan);
    const { buffer } = options;
    const sampled = options.cpuHz > 0;
    this.#isolate = new Isolate({
      name: "main",
      file: process.argv[1] ?? "",
      threadId: 0,
      buffer,
      sampled,
      boot: extras.preloaded === true,
      http: options,
    });
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const channel = this.#channel;
    if (sampled) offerProfiler(channel, this.#page);
    const data: TracerData = {
      page: this.#page,
      port: port2,
      outlet,
      options,
      channel,
      main: this.#isolate.announcement,
      spent: slot().spent,
      process: {
        runtrace: VERSION,
        node: process.version,
        pid: process.pid,
        argv1: process.argv[1] ?? "",
        ...(sampled ? { cpuHz: options.cpuHz } : {}),
      },
    };
    // Nothing of the program's: no preloads, no standard streams, no environment.
    this.#worker = new PlainWorker(new URL("./tracer.cjs", import.meta.url), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
      env: {},
      stdout: true,
      stderr: true,
      name: "runtrace",
    });
    hidePort(port1);
    hidePortsOf(this.#worker);
    this.#worker.on("error", (error) => this.#ended(error));
    this.#worker.on("exit", () => this.#ended(undefined));
    port1.on("message", (message: FromTracer) => this.#hear(message, false));
    port1.unref();
    this.#worker.unref();
    this.#undo.push(
      watchProcess(
        { exiting: () => this.#finishNow(AT_EXIT), killed: () => this.#finishNow(AT_SIGNAL) },
        options.signalFlush,
      ),
      recordWorkers(
        {
          page: this.#page,
          channel,
          buffer,
          http: { http: options.http, traceparent: options.traceparent },
          cpuHz: options.cpuHz,
          hiddenThread: extras.preloaded === true ? this.#worker.threadId : 0,
          preloaded: extras.preloaded === true,
        },
        (message) => this.#post(message),
      ),
    );
    if (sampled) this.#undo.push(watchInspector(() => this.#endSamples()));
    if (extras.preloaded === true) runTicks();
    countChannels(transferWords(this.#page));
    this.#isolate.begin();
    if (other !== "") slot().probe?.note({ cpu: { off: other } });
  }

  /** False as soon as nothing is recorded any more. */
  get on(): boolean {
    return this.#on;
  }

  /** Another consumer takes what is recorded from now on. */
  join(consumer: Consumer, plan: OutletKind): void {
    this.#post({ type: "join", time: now(), outlet: this.#add(consumer, plan) });
    // What its growth is measured by.
    if (plan.kind === "memory" && watchesHeap(plan.watch?.triggers ?? {})) this.#isolate.lookAtHeap(true);
  }

  /** The consumer takes no more; it hears of it when it has everything. The last one ends the recording. */
  leave(consumer: Consumer): void {
    const id = this.#idOf(consumer);
    if (id === undefined || this.#over) return;
    this.#leaving.add(id);
    if (!this.#endWithout()) this.#post({ type: "leave", id, time: now() });
  }

  /** Ends the recording where all have left, or are about to; answers whether it has ended. */
  #endWithout(): boolean {
    if (!this.#on) return true;
    if ([...this.#consumers.keys()].some((id) => !this.#leaving.has(id))) return false;
    // Not in what is asynchronous: the hooks would tell of that.
    this.#quiet();
    this.#finish();
    return true;
  }

  /** The process must not end before `release`: somebody waits. */
  hold(): void {
    if (this.#holds++ > 0 || this.#over) return;
    this.#port.ref();
    this.#worker.ref();
  }

  release(): void {
    if (--this.#holds > 0 || this.#over) return;
    this.#port.unref();
    this.#worker.unref();
  }

  /** Has the memory of a consumer written as it is now. */
  snapshot(consumer: Consumer, to: SinkPlan, snapshot: Snapshot): void {
    const id = this.#idOf(consumer);
    if (id === undefined || !this.#on) {
      snapshot.written(0, "the recording has ended");
      return;
    }
    const request = ++this.#asked;
    this.#snapshots.set(request, snapshot);
    this.#post({ type: "snapshot", id, request, to });
  }

  /** KiB of a stream's chunks that it has taken. */
  taken(bytes: number): void {
    Atomics.sub(this.#page, Word.Queued, Math.ceil(bytes / 1024));
  }

  /** The consumer's flight recorder is to write a file because of a signal. */
  signal(consumer: Consumer, name: string): void {
    const id = this.#idOf(consumer);
    if (id !== undefined) this.#post({ type: "signal", id, name });
  }

  /** Activations that have not ended, as they were some 150 ms ago; null where the recording ends meanwhile. */
  living(): Promise<readonly LivingGoroutine[] | null> {
    if (!this.#on) return Promise.resolve(null);
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#living.set(id, resolve);
      this.#post({ type: "living", id });
    });
  }

  #add(consumer: Consumer, plan: OutletKind): OutletPlan {
    const id = ++this.#ids;
    this.#consumers.set(id, consumer);
    return { ...plan, id };
  }

  #idOf(consumer: Consumer): number | undefined {
    for (const [id, known] of this.#consumers) if (known === consumer) return id;
    return undefined;
  }

  /** No more facts: hooks away. */
  #quiet(ending = false): void {
    if (!this.#on) return;
    this.#on = false;
    this.#isolate.stop(ending);
    undoAll(this.#undo);
    for (const consumer of this.#consumers.values()) consumer.ending?.();
  }

  #post(message: ToTracer): void {
    this.#port.postMessage(message);
  }

  /** The program is about to use the inspector: waits a moment for the tracer thread to leave it. */
  #endSamples(): void {
    if (!this.#on || this.#unsampled) return;
    this.#unsampled = true;
    unguard(this.#page);
    this.#post({ type: "unsample", reason: "the program uses the inspector" });
    const limit = performance.now() + LEAVE_MS;
    // The disconnection is served between the waits.
    while (Atomics.load(this.#page, Word.Detach) !== 2 && performance.now() < limit) {
      Atomics.wait(this.#page, Word.Progress, Atomics.load(this.#page, Word.Progress), 1);
    }
  }

  #finish(): void {
    Atomics.store(this.#page, Word.Finish, 1);
    this.#post({ type: "finish", time: now() });
  }

  #hear(message: FromTracer, atExit: boolean): void {
    switch (message.type) {
      case "ping":
        Atomics.store(this.#page, Word.PongUs, Math.round((now() - message.time) / 1e3));
        Atomics.store(this.#page, Word.Pong, message.number);
        if (message.heap) this.#isolate.lookAtHeap(false);
        return;
      case "chunk":
        this.#consumers.get(message.id)?.chunk?.(message.bytes, atExit);
        return;
      case "left": {
        const consumer = this.#consumers.get(message.id);
        this.#consumers.delete(message.id);
        consumer?.over(failureOf(message.error));
        this.#endWithout();
        return;
      }
      case "part":
        this.#snapshots.get(message.request)?.part(message.bytes);
        return;
      case "written": {
        const { request, bytes, error } = message;
        const snapshot = this.#snapshots.get(request);
        this.#snapshots.delete(request);
        snapshot?.written(bytes, error);
        return;
      }
      case "unwritten":
        this.#consumers.get(message.id)?.unwritten?.(message.error);
        return;
      case "living":
        this.#living.get(message.id)?.(message.activations);
        this.#living.delete(message.id);
        return;
      case "ended":
        this.#ended(failureOf(message.error));
    }
  }

  /** The tracer thread has written the last byte, or died. */
  #ended(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    for (const resolve of this.#living.values()) resolve(null);
    this.#living.clear();
    for (const snapshot of this.#snapshots.values()) snapshot.written(0, "the recording has ended");
    this.#snapshots.clear();
    forgetProfiler(this.#channel);
    this.#quiet();
    this.#isolate.release();
    this.#post({ type: "bye" });
    this.#port.close();
    this.#worker.unref();
    this.#tellAll(error);
  }

  #tellAll(error: Error | undefined): void {
    for (const consumer of this.#consumers.values()) consumer.over(error);
    this.#consumers.clear();
  }

  /** The process ends: blocks until the trace is complete, or patience is over. */
  #finishNow({ limitMs, stallMs }: Patience): void {
    if (this.#over) return;
    this.#quiet(true);
    unguard(this.#page);
    this.#finish();
    const hear = (): void => {
      for (
        let got = receiveMessageOnPort(this.#port);
        got !== undefined;
        got = receiveMessageOnPort(this.#port)
      ) {
        this.#hear(got.message as FromTracer, true);
        if (this.#over) return;
      }
    };
    const begin = performance.now();
    waitForState(this.#page, State.Ended, limitMs, stallMs, () => !this.#over && hear());
    if (!this.#over) hear();
    if (this.#over) return;
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    for (const consumer of this.#consumers.values()) {
      consumer.over(
        new TraceError(
          "ERR_TRACE_SINK",
          `${consumer.name} lacks its end: it was not written within ${seconds} s`,
        ),
      );
    }
    this.#consumers.clear();
    Atomics.store(this.#page, Word.Finish, 2);
    waitForState(this.#page, State.Ended, LET_GO_MS, LET_GO_MS, () => !this.#over && hear());
    if (!this.#over) hear();
    this.#over = true;
  }
}

function failureOf(error: string | undefined): TraceError | undefined {
  return error === undefined ? undefined : new TraceError("ERR_TRACE_SINK", error);
}

/**
 * Runs the ticks that our own start has queued. Left over, they would change how Node runs the first reactions of the
 * program's main script, which shows in stacks.
 */
function runTicks(): void {
  (process as { _tickCallback?: () => void })._tickCallback?.();
}
