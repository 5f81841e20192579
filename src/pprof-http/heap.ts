import type { ServerResponse } from "node:http";
import type { Session } from "node:inspector";
import { inspectorModule } from "../recorder/inspector.ts";
import type { HeapKind, HeapSamples } from "./profile-format.ts";
import { asFile, refuse, waitFor } from "./refuse.ts";

/** Mean bytes between two samples: V8's own, and what it costs is not to be felt. */
const INTERVAL = 32_768;

/** Heap sampling that goes on from the program's start, so that a profile has what was allocated long before it is asked for. */
interface Standing {
  readonly session: Session;
  readonly startMs: number;
}

let standing: Standing | undefined;
let isBusy = false;

/** Samples the heap from now on (`heapSampling`). Where that cannot be, profiles are of the seconds that are asked for. */
export function sampleAlways(): void {
  if (standing !== undefined || isBusy || inspectorModule === undefined) return;
  const session = new inspectorModule.Session();
  try {
    session.connect();
    session.post("HeapProfiler.startSampling", { samplingInterval: INTERVAL });
    standing = { session, startMs: Date.now() };
  } catch {
    session.disconnect();
  }
}

/**
 * Answers with a profile of V8's sampling heap profiler, gzipped, for `go tool pprof`. `inuse`: what was allocated and is
 * still alive; `alloc`: all that was allocated. Of `seconds` seconds; undefined: since the start where the heap is sampled
 * always, else of 5. One at a time.
 */
export async function serveHeap(
  kind: HeapKind,
  seconds: number | undefined,
  response: ServerResponse,
): Promise<void> {
  if (inspectorModule === undefined || isBusy) {
    const reason = isBusy ? "heap profiling already in use" : "this Node has no inspector";
    refuse(response, 500, `Could not enable heap profiling: ${reason}`);
    return;
  }
  if (standing !== undefined && kind === "inuse") {
    // V8 has one sampling a heap: what is alive of a few seconds cannot be told from what was before.
    const { profile } = (await post(standing.session, "HeapProfiler.getSamplingProfile")) as Sampled;
    await send(response, kind, profile, standing.startMs);
    return;
  }
  isBusy = true;
  const paused = standing;
  const startMs = Date.now();
  const session = paused?.session ?? new inspectorModule.Session();
  try {
    if (paused === undefined) session.connect();
    else await post(session, "HeapProfiler.stopSampling");
    await post(session, "HeapProfiler.startSampling", {
      samplingInterval: INTERVAL,
      includeObjectsCollectedByMajorGC: kind === "alloc",
      includeObjectsCollectedByMinorGC: kind === "alloc",
    });
    const stayed = await waitFor(seconds ?? 5, response);
    const { profile } = (await post(session, "HeapProfiler.stopSampling")) as Sampled;
    if (stayed) await send(response, kind, profile, startMs);
  } catch (error) {
    refuse(response, 500, `Could not enable heap profiling: ${(error as Error).message}`);
  } finally {
    if (paused === undefined) session.disconnect();
    else {
      session.post("HeapProfiler.startSampling", { samplingInterval: INTERVAL });
      standing = { session, startMs: Date.now() };
    }
    isBusy = false;
  }
}

interface Sampled {
  readonly profile: HeapSamples;
}

async function send(
  response: ServerResponse,
  kind: HeapKind,
  profile: HeapSamples,
  startMs: number,
): Promise<void> {
  const { encodeHeap } = await import("./profile-format.ts");
  const durationMs = Date.now() - startMs;
  const bytes = await encodeHeap(profile, kind, { startMs, durationMs, interval: INTERVAL });
  asFile(response, kind === "alloc" ? "allocs" : "heap");
  response.end(bytes);
}

function post(session: Session, method: string, params: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
