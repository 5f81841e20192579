import { isMainThread } from "node:worker_threads";
import { TraceError } from "../base/error.ts";
import { engine, startEngine } from "./engine.ts";
import type { Consumer, Engine, EngineExtras } from "./engine.ts";
import { openTrace } from "./file.ts";
import { completeFlight } from "./flight-options.ts";
import type { CompleteFlight, FlightOptions } from "./flight-options.ts";
import { StreamPump, isNodeWritable, isWebWritable, sinkError } from "./sinks.ts";
import type { Sink } from "./sinks.ts";
import { slot } from "./slot.ts";

/**
 * The last seconds of the program, in memory at a bounded size, to be written at any moment: after a slow request, say.
 * It records as `start` does, beside one, too, and beside other flight recorders; who comes first decides about CPU
 * samples, the buffer and the format's version. With triggers it writes files by itself, also while the event loop is
 * blocked.
 */
export class FlightRecorder {
  readonly #options: CompleteFlight;
  #flight: Flight | undefined;

  /** Throws TraceError ERR_TRACE_OPTION for options out of their range. */
  constructor(options: FlightOptions = {}) {
    this.#options = completeFlight(options);
  }

  /**
   * Begins to remember. Throws TraceError ERR_TRACE_ALREADY_ENABLED where it does already, ERR_TRACE_WORKER in a Worker,
   * ERR_TRACE_OPTION where a recording is on whose format has another version.
   */
  start(): void {
    if (this.enabled()) {
      throw new TraceError("ERR_TRACE_ALREADY_ENABLED", "the flight recorder is already on: stop it first");
    }
    const shared = slot();
    shared.flight ??= (flightOptions) => startFlight(flightOptions, {});
    this.#flight = shared.flight(this.#options);
  }

  /** Forgets everything, and ends the recording where nothing else is recorded. Does nothing where it is off. */
  stop(): void {
    this.#flight?.stop();
    this.#flight = undefined;
  }

  /** Whether it remembers. */
  enabled(): boolean {
    return this.#flight?.on === true;
  }

  /**
   * Writes what it remembers up to now, as a trace of its own, and goes on. A file is overwritten, a stream is not ended.
   * Resolves to the number of bytes; rejects with TraceError ERR_TRACE_NOT_ENABLED where it is off, ERR_TRACE_SINK where
   * the sink fails or is none.
   */
  writeTo(sink: Sink): Promise<number> {
    return this.#flight?.writeTo(sink) ?? Promise.reject(notEnabled());
  }
}

/** A flight recorder that is on, as each copy of the package sees it. */
export interface Flight {
  readonly on: boolean;
  stop(): void;
  writeTo(sink: Sink): Promise<number>;
}

/** Begins to remember; the preload tells in `extras` what it is, and where complaints go. */
export function startFlight(
  options: CompleteFlight,
  extras: EngineExtras & { readonly complain?: (error: Error) => void },
): Flight {
  if (!isMainThread) {
    throw new TraceError("ERR_TRACE_WORKER", "start: got a call in a Worker, want it on the main thread");
  }
  const running = engine();
  if (running !== undefined && running.options.version !== options.recording.version) {
    throw new TraceError(
      "ERR_TRACE_OPTION",
      `option version: got "1.${options.recording.version}", want "1.${running.options.version}", which the recording that is on has`,
    );
  }
  return new RunningFlight(options, running, extras);
}

function notEnabled(): TraceError {
  return new TraceError("ERR_TRACE_NOT_ENABLED", "writeTo: the flight recorder is off, want it started");
}

class RunningFlight implements Flight, Consumer {
  readonly name = "the flight recorder";
  readonly #engine: Engine;
  readonly #signal: NodeJS.Signals | undefined;
  readonly #complain: ((error: Error) => void) | undefined;
  #on = true;

  constructor(
    options: CompleteFlight,
    running: Engine | undefined,
    extras: EngineExtras & { readonly complain?: (error: Error) => void },
  ) {
    const { minAgeNs, maxBytes, watch, signal } = options;
    this.#complain = extras.complain;
    const plan = { kind: "memory", minAgeNs, maxBytes, watch } as const;
    this.#engine = running ?? startEngine(this, plan, options.recording, extras);
    running?.join(this, plan);
    this.#signal = signal;
    if (signal !== undefined) process.on(signal, this.#signalled);
  }

  get on(): boolean {
    return this.#on;
  }

  stop(): void {
    if (!this.#on) return;
    this.#engine.leave(this);
    this.#end();
  }

  async writeTo(sink: Sink): Promise<number> {
    if (!this.#on) throw notEnabled();
    this.#engine.hold();
    try {
      if (typeof sink === "string" || sink instanceof URL) return await this.#writeFile(sink);
      if (isNodeWritable(sink) || isWebWritable(sink)) return await this.#writeStream(sink);
      throw new TraceError(
        "ERR_TRACE_SINK",
        `sink: got ${(sink as unknown) === null ? "null" : typeof sink}, want a file path, a Writable or a WritableStream`,
      );
    } finally {
      this.#engine.release();
    }
  }

  async #writeFile(sink: string | URL): Promise<number> {
    const file = openTrace(sink);
    try {
      return await this.#snapshot({ kind: "file", fd: file.fd, name: file.name }, () => {});
    } finally {
      file.close();
    }
  }

  async #writeStream(sink: Exclude<Sink, string | URL>): Promise<number> {
    if (isWebWritable(sink) && sink.locked) {
      throw new TraceError(
        "ERR_TRACE_SINK",
        "sink: got a locked WritableStream, want one that nobody else writes",
      );
    }
    const pump = new StreamPump(
      sink,
      () => {},
      () => {},
    );
    const bytes = await this.#snapshot({ kind: "port" }, (part) => pump.write(part));
    await pump.finish();
    if (pump.failure !== undefined) throw pump.failure;
    return bytes;
  }

  #snapshot(
    to: { kind: "port" } | { kind: "file"; fd: number; name: string },
    part: (bytes: Uint8Array) => void,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const written = (bytes: number, error: string | undefined): void => {
        if (error === undefined) resolve(bytes);
        else reject(new TraceError("ERR_TRACE_SINK", error));
      };
      this.#engine.snapshot(this, to, { part, written });
    });
  }

  ending(): void {
    this.#end();
  }

  unwritten(error: string): void {
    this.#complain?.(sinkError("a file of the flight recorder", new Error(error)));
  }

  over(error: Error | undefined): void {
    this.#end();
    if (error !== undefined) this.#complain?.(error);
  }

  #end(): void {
    this.#on = false;
    if (this.#signal !== undefined) process.off(this.#signal, this.#signalled);
  }

  readonly #signalled = (signal: NodeJS.Signals): void => this.#engine.signal(this, signal);
}
