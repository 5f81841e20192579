import fs from "node:fs";
import type { Writable } from "node:stream";
import type { WritableStream } from "node:stream/web";
import { TraceError } from "../base/error.ts";

/** Where a trace goes: a file path, a Node Writable, or a WritableStream. Streams are written, never ended. */
export type Sink = string | URL | Writable | WritableStream<Uint8Array>;

/** The sink's own failure, as stop() rejects with it and `run` prints it. */
export function sinkError(name: string, cause: unknown): TraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TraceError("ERR_TRACE_SINK", `cannot write ${name}: ${reason}`, { cause });
}

/** How long a pipe may stay full. */
const FULL_MS = 2_000;

/**
 * Writes all of `bytes` at the file's end, in as few calls as the system allows. A pipe that is full for the moment is
 * tried again for two seconds, unless it is `givenUp` before. Throws the system's error.
 */
export function writeFully(fd: number, bytes: Uint8Array, givenUp: () => boolean = () => false): void {
  let done = 0;
  let waited = 0;
  while (done < bytes.length) {
    try {
      done += fs.writeSync(fd, bytes, done, bytes.length - done);
      waited = 0;
    } catch (error) {
      const full = (error as NodeJS.ErrnoException).code === "EAGAIN";
      if (!full || waited >= FULL_MS || givenUp()) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      waited += 10;
    }
  }
}

/** How long stop() waits for a stream that takes nothing. */
const STALL_MS = 30_000;

/**
 * The main thread's end of a stream sink: chunks come from the tracer thread and go into the stream one at a time, as
 * it takes them. Neither rejects nor throws: `failed` tells.
 */
export class StreamPump {
  readonly #sink: (bytes: Uint8Array) => Promise<void>;
  readonly #taken: (bytes: number) => void;
  readonly #release: () => void;
  readonly #writeNow: ((bytes: Uint8Array) => void) | undefined;
  readonly #fail: (error: unknown) => void;
  #queue: Promise<void> = Promise.resolve();
  /** Ends the wait for the chunk that the stream has now. */
  #settle: () => void = () => {};
  /** Chunks that have left the queue. */
  #done = 0;
  #failure: Error | undefined;

  /** `taken` hears of each chunk that left the queue; `failed` is called at most once. */
  constructor(
    sink: Writable | WritableStream<Uint8Array>,
    taken: (bytes: number) => void,
    failed: (e: Error) => void,
  ) {
    this.#taken = taken;
    const fail = (error: unknown): void => {
      if (this.#failure !== undefined) return;
      this.#failure = sinkError("the stream", error);
      failed(this.#failure);
      // A destroyed stream may never call back.
      this.#settle();
    };
    if (isNodeWritable(sink)) {
      const onClose = (): void => fail(new Error("it was closed"));
      sink.on("error", fail);
      sink.on("close", onClose);
      this.#release = () => {
        sink.off("close", onClose);
        sink.off("error", fail);
      };
      this.#writeNow = (bytes) => sink.write(bytes);
      this.#sink = (bytes) =>
        new Promise((resolve) => {
          this.#settle = resolve;
          if (sink.destroyed || sink.writableEnded) fail(sink.errored ?? new Error("it was closed"));
          if (this.#failure !== undefined) return resolve();
          sink.write(bytes, (error) => {
            if (error) fail(error);
            resolve();
          });
        });
    } else {
      const writer = sink.getWriter();
      let released = false;
      this.#release = () => {
        released = true;
        writer.releaseLock();
      };
      this.#writeNow = undefined;
      writer.closed.catch((error: unknown) => {
        if (!released) fail(error);
      });
      const put = async (bytes: Uint8Array): Promise<void> => {
        await writer.ready;
        await writer.write(bytes);
      };
      this.#sink = (bytes) =>
        new Promise((resolve) => {
          this.#settle = resolve;
          if (this.#failure !== undefined) return resolve();
          put(bytes).catch(fail).finally(resolve);
        });
    }
    this.#fail = fail;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  write(bytes: Uint8Array): void {
    this.#queue = this.#queue
      .then(() => this.#sink(bytes))
      .catch(this.#fail)
      .then(() => {
        this.#done++;
        this.#taken(bytes.length);
      });
  }

  /** At the process's exit, when no callback runs any more: streams that write synchronously still take it. */
  writeNow(bytes: Uint8Array): void {
    try {
      if (this.#failure === undefined) this.#writeNow?.(bytes);
    } catch (error) {
      this.#fail(error);
    }
    this.#taken(bytes.length);
  }

  /**
   * Resolves when every chunk was taken or the sink has failed, as it has when it takes none for `stallMs`; lets go of
   * the stream.
   */
  async finish(stallMs = STALL_MS): Promise<void> {
    let seen = this.#done;
    const watch = setInterval(() => {
      if (this.#done === seen) this.#fail(new Error(`it took nothing for ${stallMs / 1000} s`));
      seen = this.#done;
    }, stallMs);
    await this.#queue;
    clearInterval(watch);
    this.#release();
  }
}

export function isNodeWritable(sink: unknown): sink is Writable {
  const it = sink as { write?: unknown; on?: unknown; off?: unknown } | null;
  return (
    typeof it === "object" && it !== null && [it.write, it.on, it.off].every((f) => typeof f === "function")
  );
}

export function isWebWritable(sink: unknown): sink is WritableStream<Uint8Array> {
  return typeof (sink as { getWriter?: unknown } | null)?.getWriter === "function";
}
