/// <reference lib="webworker" />
import { healthOf } from "../analysis/health.ts";
import { totalsOf } from "../analysis/span-totals.ts";
import { UtilizationRecorder } from "../analysis/utilization-log.ts";
import { bytesSource } from "../decode/source.ts";
import { buildModelInSteps, ModelBuilder } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import type { OrderedEvent } from "../order/types.ts";
import { buildIndex } from "./core/trace-index.ts";
import { buffersOf } from "./core/transfer.ts";
import type { Answer, LoadedTrace, Request } from "./protocol.ts";

/** Reads one trace off the page's thread: bytes, decompression, model, level of detail. */

/** From this size on (bytes) a file shows its first events before it is read. */
const LONG_FILE = 8e6;
/** How long those are collected. */
const PREVIEW_MS = 700;

/** Points of the overview's curves. */
const OVER_TIME = 120;

declare const self: DedicatedWorkerGlobalScope;

function say(answer: Answer, transfer: Transferable[] = []): void {
  self.postMessage(answer, transfer);
}

/** A trace that is not there, as opposed to one that cannot be read. */
class MissingError extends Error {}

interface Opened {
  readonly name: string;
  readonly total: number;
  readonly files: readonly string[];
  readonly hasSource: boolean;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

async function openRequest(request: Request): Promise<Opened> {
  if (request.kind === "file") {
    const { file } = request;
    return { name: file.name, total: file.size, files: [], hasSource: false, body: file.stream() };
  }
  const response = await fetch(request.url, { credentials: "same-origin" }).catch((error: unknown) => {
    throw new MissingError(`cannot reach ${request.url}: ${String(error)}`);
  });
  if (!response.ok || response.body === null) {
    throw new MissingError(`${request.url}: ${response.status} ${response.statusText}`);
  }
  const listed = response.headers.get("x-runtrace-files");
  const files = listed === null ? [] : listed.split(",").map(decodeURIComponent);
  const named = response.headers.get("x-runtrace-name");
  const name =
    named === null ? (new URL(request.url).pathname.split("/").pop() ?? "") : decodeURIComponent(named);
  const hasSource = response.headers.has("x-runtrace-source");
  const total = Number(response.headers.get("content-length") ?? 0);
  return { name, total, files, hasSource, body: response.body };
}

/** All pieces of a stream; progress at most every 50 ms. */
async function collect(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  progress: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = body.getReader();
  let bytes = 0;
  let told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
    bytes += value.length;
    const now = performance.now();
    if (now - told > 50) {
      told = now;
      progress(bytes);
    }
  }
}

function isGzip(pieces: readonly Uint8Array[]): boolean {
  const first = pieces[0];
  return first !== undefined && first[0] === 0x1f && first[1] === 0x8b;
}

async function run(request: Request): Promise<void> {
  const { name, total, files, hasSource, body } = await openRequest(request);
  let pieces = await collect(body, (bytes) => say({ kind: "progress", stage: "Reading", bytes, total }));
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (isGzip(pieces)) {
    const packed = new Blob(pieces).stream();
    pieces = await collect(packed.pipeThrough(new DecompressionStream("gzip")), (bytes) =>
      say({ kind: "progress", stage: "Unpacking", bytes, total: 0 }),
    );
  }
  const whole = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const ordering = (bytes: number): void =>
    say({ kind: "progress", stage: "Ordering events", bytes, total: whole });
  ordering(0);
  const file = { name, bytes: size, files, hasSource };
  const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve));
  const utilization = new UtilizationRecorder({ compat: false });
  let preview = whole < LONG_FILE ? null : new Preview();
  const began = performance.now();
  const model = await buildModelInSteps(bytesSource(...pieces), {
    pause,
    progress: (bytes) => {
      if (preview !== null && performance.now() - began > PREVIEW_MS) {
        tell("preview", file, preview.builder.finish(null, 0), preview.utilization);
        preview = null;
      }
      ordering(bytes);
    },
    also: (e) => {
      utilization.event(e);
      preview?.event(e);
    },
  });
  if (model.error !== null && model.activations.count === 0 && model.procs.count === 0) {
    say({
      kind: "failed",
      message: `${model.error.message} (at offset ${model.error.offset})`,
      missing: false,
    });
    return;
  }
  say({ kind: "progress", stage: "Preparing the picture", bytes: 0, total: 0 });
  tell("trace", file, model, utilization);
}

/** What has been read of a long file, built beside the whole. */
class Preview {
  readonly builder = new ModelBuilder();
  readonly utilization = new UtilizationRecorder({ compat: false });

  event(e: OrderedEvent): void {
    this.builder.event(e);
    this.utilization.event(e);
  }
}

/** Hands a model over with everything that the page wants of it. */
function tell(
  kind: "preview" | "trace",
  file: Pick<LoadedTrace, "name" | "bytes" | "files" | "hasSource">,
  model: TraceModel,
  recorder: UtilizationRecorder,
): void {
  const index = buildIndex(model);
  const health = healthOf(model, totalsOf(model), OVER_TIME);
  const utilization = recorder.finish();
  const buffers = buffersOf(utilization, buffersOf(index, buffersOf(model)));
  say({ kind, trace: { ...file, model, index, health, utilization } }, [...buffers]);
}

self.addEventListener("message", (event: MessageEvent<Request>) => {
  run(event.data).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", message, missing: error instanceof MissingError });
  });
});
