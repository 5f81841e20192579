import { MessageChannel, Worker, isMainThread, receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { countChannels, hidePort, hidePortsOf } from "../probe/ports.ts";
import { TraceError } from "../base/error.ts";
import { undoAll } from "../probe/replace.ts";
import { openTrace } from "./file.ts";
import type { OpenFile } from "./file.ts";
import { watchProcess } from "./hooks.ts";
import { Isolate } from "./isolate.ts";
import { now } from "./messages.ts";
import type { LivingGoroutine } from "../encode/writer.ts";
import type { FromTracer, SinkPlan, ToTracer, TracerData } from "./messages.ts";
import { completeOptions } from "./options.ts";
import { inspectorModule } from "./inspector.ts";
import { otherProfiler, watchInspector } from "./profilers.ts";
import type { RecordingOptions, StartOptions } from "./options.ts";
import { State, Word, createPage, transferWords, waitForState } from "./page.ts";
import { StreamPump, isNodeWritable, isWebWritable } from "./sinks.ts";
import type { Sink } from "./sinks.ts";
import { isSlotShared, slot } from "./slot.ts";
import type { Recording } from "./slot.ts";
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
const DETACH_MS = 50;
const LEAVE_MS = 1_000;

interface Patience {
  readonly limitMs: number;
  readonly stallMs: number;
}

/**
 * Starts recording the process into `sink`; recording is on when this returns. Throws TraceError:
 * ERR_TRACE_ALREADY_ENABLED, ERR_TRACE_SINK (a file that cannot be opened, or is no sink), ERR_TRACE_OPTION,
 * ERR_TRACE_WORKER (called in a Worker: Workers are recorded together with their process).
 */
export function start(sink: Sink, options: StartOptions = {}): void {
  const shared = slot();
  if (shared.recording?.on === true) {
    throw new TraceError("ERR_TRACE_ALREADY_ENABLED", "recording is already on: stop it first");
  }
  if (shared.start === undefined) shared.start = startHere;
  shared.start(sink, options);
}

/** Ends the recording; resolves after every write has reached the sink, rejects with the sink's error. */
export function stop(): Promise<void> {
  return slot().recording?.stop() ?? Promise.resolve();
}

/** Whether a recording is on, in the main thread and in each recorded Worker. */
export function isEnabled(): boolean {
  return slot().probe !== undefined;
}

function startHere(sink: Sink, options: StartOptions): void {
  if (!isMainThread) {
    throw new TraceError("ERR_TRACE_WORKER", "start: got a call in a Worker, want it on the main thread");
  }
  const complete = completeOptions(options, { cpu: "off" });
  if (isWebWritable(sink) && sink.locked) {
    throw new TraceError(
      "ERR_TRACE_SINK",
      "sink: got a locked WritableStream, want one that nobody else writes",
    );
  }
  if (typeof sink === "string" || sink instanceof URL) startSession(openTrace(sink), complete);
  else if (isNodeWritable(sink) || isWebWritable(sink)) startSession(sink, complete);
  else {
    throw new TraceError(
      "ERR_TRACE_SINK",
      `sink: got ${(sink as unknown) === null ? "null" : typeof sink}, want a file path, a Writable or a WritableStream`,
    );
  }
}

/** What only the preload wants of a session. */
export interface SessionExtras {
  /** Called once where the recording ends by a failure. */
  readonly failed?: (error: Error) => void;
  /** This package is preloaded in the whole process: Workers have it as well. */
  readonly preloaded?: boolean;
}

/** Starts a recording into an open file or a stream; takes the file over. */
export function startSession(
  sink: OpenFile | Exclude<Sink, string | URL>,
  options: RecordingOptions,
  extras: SessionExtras = {},
): void {
  slot().recording = new Session(sink, options, extras);
}

/**
 * A recording, seen from the main thread. It goes on -> stopping -> ended; a failing sink takes it from on to failed,
 * where nothing is recorded any more and stop() reports the failure once.
 */
class Session implements Recording {
  readonly #page = createPage();
  readonly #channel = `runtrace:${process.pid}:${process.hrtime.bigint()}`;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #file: OpenFile | undefined;
  readonly #pump: StreamPump | undefined;
  readonly #isolate: Isolate;
  readonly #undo: (() => void)[] = [];
  readonly #extras: SessionExtras;
  #on = true;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;
  #settle: () => void = () => {};
  #over = false;
  #unsampled = false;

  constructor(sink: OpenFile | Exclude<Sink, string | URL>, asked: RecordingOptions, extras: SessionExtras) {
    this.#extras = extras;
    const other = asked.cpuHz > 0 ? otherProfiler() || unreachable() : "";
    const options = other === "" ? asked : { ...asked, cpuHz: 0 };
    let plan: SinkPlan = { kind: "port" };
    if ("fd" in sink && "close" in sink && "name" in sink) {
      this.#file = sink as OpenFile;
      plan = { kind: "file", fd: this.#file.fd, name: this.#file.name };
    } else {
      const taken = (bytes: number): void => {
        Atomics.sub(this.#page, Word.Queued, Math.ceil(bytes / 1024));
      };
      this.#pump = new StreamPump(sink as Exclude<Sink, string | URL>, taken, (error) => this.#fail(error));
    }
    const { buffer } = options;
    const sampled = options.cpuHz > 0;
    this.#isolate = new Isolate({
      name: "main",
      file: process.argv[1] ?? "",
      threadId: 0,
      buffer,
      sampled,
      boot: extras.preloaded === true,
    });
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const channel = this.#channel;
    if (sampled) offerProfiler(channel, this.#page);
    const data: TracerData = {
      page: this.#page,
      port: port2,
      sink: plan,
      options,
      channel,
      main: this.#isolate.announcement,
      process: {
        runtrace: VERSION,
        node: process.version,
        pid: process.pid,
        argv1: process.argv[1] ?? "",
        ...(sampled ? { cpuHz: options.cpuHz } : {}),
      },
    };
    // Nothing of the program's: no preloads, no standard streams, no environment.
    this.#worker = new PlainWorker(new URL("./tracer.js", import.meta.url), {
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
    port1.on("message", (message: FromTracer) => this.#hear(message));
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

  #asked = 0;
  readonly #waiting = new Map<number, (activations: readonly LivingGoroutine[] | null) => void>();

  get on(): boolean {
    return this.#on;
  }

  stop(): Promise<void> {
    if (this.#stopped !== undefined) return this.#stopped;
    // Not in what is asynchronous: the hooks would tell of that.
    if (!this.#over) {
      this.#quiet();
      this.#finish();
    }
    return (this.#stopped = this.#end());
  }

  async #end(): Promise<void> {
    if (!this.#over) {
      const over = new Promise<void>((resolve) => (this.#settle = resolve));
      // The program waits for us now: its process must not end before.
      this.#port.ref();
      this.#worker.ref();
      await over;
    }
    await this.#pump?.finish();
    if (slot().recording === this) slot().recording = undefined;
    const failure = this.#failure ?? this.#pump?.failure;
    if (failure !== undefined) throw failure;
  }

  /** No more facts: hooks away. */
  #quiet(ending = false): void {
    if (!this.#on) return;
    this.#on = false;
    this.#isolate.stop(ending);
    undoAll(this.#undo);
  }

  #post(message: ToTracer): void {
    this.#port.postMessage(message);
  }

  /** The program is about to use the inspector: waits a moment for the tracer thread to leave it. */
  #endSamples(): void {
    if (!this.#on || this.#unsampled) return;
    this.#unsampled = true;
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

  /** Activations that have not ended, as they were some 150 ms ago; null where the recording ends meanwhile. */
  living(): Promise<readonly LivingGoroutine[] | null> {
    if (!this.#on) return Promise.resolve(null);
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ type: "living", id });
    });
  }

  #hear(message: FromTracer): void {
    if (message.type === "chunk") this.#pump?.write(message.bytes);
    else if (message.type === "living") {
      this.#waiting.get(message.id)?.(message.activations);
      this.#waiting.delete(message.id);
    } else
      this.#ended(message.error === undefined ? undefined : new TraceError("ERR_TRACE_SINK", message.error));
  }

  /** The sink has failed while recording. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#quiet();
    this.#finish();
    this.#extras.failed?.(error);
  }

  /** The tracer thread has written the last byte, or died. */
  #ended(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    for (const resolve of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
    sampledPages.delete(this.#channel);
    if (error !== undefined && this.#failure === undefined) {
      this.#failure = error;
      this.#extras.failed?.(error);
    }
    this.#quiet();
    this.#isolate.release();
    this.#file?.close();
    this.#post({ type: "bye" });
    this.#port.close();
    this.#worker.unref();
    this.#settle();
  }

  /** The process ends: blocks until the trace is complete, or patience is over. */
  #finishNow({ limitMs, stallMs }: Patience): void {
    if (this.#over) return;
    this.#quiet(true);
    this.#finish();
    const hear = (): void => {
      for (
        let got = receiveMessageOnPort(this.#port);
        got !== undefined;
        got = receiveMessageOnPort(this.#port)
      ) {
        const message = got.message as FromTracer;
        if (message.type === "chunk") this.#pump?.writeNow(message.bytes);
        else this.#hear(message);
        if (this.#over) return;
      }
    };
    const begin = performance.now();
    waitForState(this.#page, State.Ended, limitMs, stallMs, () => !this.#over && hear());
    if (!this.#over) hear();
    if (this.#over) return;
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const name = this.#file?.name ?? "the stream";
    this.#failure ??= new TraceError(
      "ERR_TRACE_SINK",
      `${name} lacks its end: it was not written within ${seconds} s`,
    );
    this.#extras.failed?.(this.#failure);
    Atomics.store(this.#page, Word.Finish, 2);
    waitForState(this.#page, State.Ended, LET_GO_MS, LET_GO_MS, () => !this.#over && hear());
    if (!this.#over) hear();
    this.#over = true;
  }
}

/** Why CPU profiles cannot be asked for, or could not be ended with the process; else "". */
function unreachable(): string {
  if (!Object.isExtensible(process)) return "the program has frozen process";
  return isSlotShared() ? "" : "the program has frozen globalThis";
}

/** Pages of the recordings whose tracer thread has not disconnected the inspector; the last one may still end. */
const sampledPages = new Map<string, Int32Array>();

/** Lets the tracer thread begin and end CPU profiles through V8's own console, whatever the program makes of its own. */
function offerProfiler(recording: string, page: Int32Array): void {
  const own = inspectorModule?.console;
  if (own === undefined) return;
  const shared = slot();
  shared.profile = (title) => own.profile(title);
  shared.profileEnd = (title) => own.profileEnd(title);
  sampledPages.set(recording, page);
  shared.detach = (asked) => {
    const its = sampledPages.get(asked);
    sampledPages.delete(asked);
    if (its === undefined) return;
    Atomics.store(its, Word.Detach, 1);
    Atomics.notify(its, Word.Detach);
    const limit = performance.now() + DETACH_MS;
    // Not Atomics.wait: the thread may be in one already.
    while (Atomics.load(its, Word.Detach) === 1 && performance.now() < limit);
  };
}

/**
 * Runs the ticks that our own start has queued. Left over, they would change how Node runs the first reactions of the
 * program's main script, which shows in stacks.
 */
function runTicks(): void {
  (process as { _tickCallback?: () => void })._tickCallback?.();
}
