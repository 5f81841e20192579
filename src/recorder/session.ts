import { isMainThread } from "node:worker_threads";
import { TraceError } from "../base/error.ts";
import type { LivingGoroutine } from "../encode/writer.ts";
import { engine, startEngine } from "./engine.ts";
import type { Consumer, Engine, EngineExtras } from "./engine.ts";
import { openTrace } from "./file.ts";
import type { OpenFile } from "./file.ts";
import { completeOptions } from "./options.ts";
import type { RecordingOptions, StartOptions } from "./options.ts";
import { StreamPump, isNodeWritable, isWebWritable } from "./sinks.ts";
import type { Sink } from "./sinks.ts";
import { slot } from "./slot.ts";
import type { Recording } from "./slot.ts";

/**
 * Starts recording the process into `sink`; recording is on when this returns. Beside a flight recorder, which has begun
 * before, CPU samples and the buffer are as that one has them. Throws TraceError:
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
  const recorded = engine()?.options.version ?? complete.version;
  if (recorded !== complete.version) {
    throw new TraceError(
      "ERR_TRACE_OPTION",
      `option version: got "1.${complete.version}", want "1.${recorded}", which a flight recorder is using`,
    );
  }
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
export interface SessionExtras extends EngineExtras {
  /** Called once where the recording ends by a failure. */
  readonly failed?: (error: Error) => void;
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
 * A recording into a sink. It goes on -> stopping -> ended; a failing sink takes it from on to failed, where nothing is
 * recorded for it any more and stop() reports the failure once.
 */
class Session implements Recording, Consumer {
  readonly name: string;
  readonly #engine: Engine;
  readonly #file: OpenFile | undefined;
  readonly #pump: StreamPump | undefined;
  readonly #failed: ((error: Error) => void) | undefined;
  #on = true;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;
  #settle: () => void = () => {};
  #over = false;

  constructor(
    sink: OpenFile | Exclude<Sink, string | URL>,
    options: RecordingOptions,
    extras: SessionExtras,
  ) {
    this.#failed = extras.failed;
    const isFile = "fd" in sink && "close" in sink && "name" in sink;
    if (isFile) {
      this.#file = sink as OpenFile;
      this.name = this.#file.name;
    } else {
      this.name = "the stream";
      const taken = (bytes: number): void => this.#engine.taken(bytes);
      this.#pump = new StreamPump(sink as Exclude<Sink, string | URL>, taken, (error) => this.#fail(error));
    }
    const plan =
      this.#file === undefined
        ? ({ kind: "port" } as const)
        : ({ kind: "file", fd: this.#file.fd, name: this.#file.name } as const);
    const running = engine();
    if (running === undefined) this.#engine = startEngine(this, plan, options, extras);
    else {
      this.#engine = running;
      running.join(this, plan);
    }
  }

  get on(): boolean {
    return this.#on;
  }

  living(): Promise<readonly LivingGoroutine[] | null> {
    return this.#on ? this.#engine.living() : Promise.resolve(null);
  }

  stop(): Promise<void> {
    if (this.#stopped !== undefined) return this.#stopped;
    if (!this.#over) {
      this.#on = false;
      this.#engine.leave(this);
    }
    return (this.#stopped = this.#end());
  }

  async #end(): Promise<void> {
    if (!this.#over) {
      const over = new Promise<void>((resolve) => (this.#settle = resolve));
      this.#engine.hold();
      await over;
      this.#engine.release();
    }
    await this.#pump?.finish();
    if (slot().recording === this) slot().recording = undefined;
    const failure = this.#failure ?? this.#pump?.failure;
    if (failure !== undefined) throw failure;
  }

  chunk(bytes: Uint8Array, atExit: boolean): void {
    if (atExit) this.#pump?.writeNow(bytes);
    else this.#pump?.write(bytes);
  }

  ending(): void {
    this.#on = false;
  }

  over(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#on = false;
    if (error !== undefined && this.#failure === undefined) {
      this.#failure = error;
      this.#failed?.(error);
    }
    this.#file?.close();
    this.#settle();
  }

  /** The sink has failed while recording. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    if (this.#on) {
      this.#on = false;
      this.#engine.leave(this);
    }
    this.#failed?.(error);
  }
}
