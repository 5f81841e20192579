/// <reference lib="webworker" />
import { healthOf } from "../analysis/health.ts";
import { totalsOf } from "../analysis/span-totals.ts";
import { UtilizationRecorder } from "../analysis/utilization-log.ts";
import { bytesSource } from "../decode/source.ts";
import { buildModelInSteps } from "../model/build.ts";
import { buildIndex } from "./core/trace-index.ts";
import { buffersOf } from "./core/transfer.ts";
import type { Answer, Request } from "./protocol.ts";

/** Reads one trace off the page's thread: bytes, decompression, model, level of detail. */

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
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

async function openRequest(request: Request): Promise<Opened> {
  if (request.kind === "file") {
    const { file } = request;
    return { name: file.name, total: file.size, files: [], body: file.stream() };
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
  return { name, total: Number(response.headers.get("content-length") ?? 0), files, body: response.body };
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
  const { name, total, files, body } = await openRequest(request);
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
  const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve));
  const utilization = new UtilizationRecorder({ compat: false });
  const model = await buildModelInSteps(bytesSource(...pieces), {
    pause,
    progress: ordering,
    also: (e) => utilization.event(e),
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
  const index = buildIndex(model);
  const health = healthOf(model, totalsOf(model), OVER_TIME);
  const log = utilization.finish();
  const buffers = buffersOf(log, buffersOf(index, buffersOf(model)));
  say({ kind: "trace", trace: { name, bytes: size, files, model, index, health, utilization: log } }, [
    ...buffers,
  ]);
}

self.addEventListener("message", (event: MessageEvent<Request>) => {
  run(event.data).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", message, missing: error instanceof MissingError });
  });
});
