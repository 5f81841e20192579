import type { HttpOptions } from "../probe/requests.ts";
import type { MessagePort } from "node:worker_threads";
import type { LivingGoroutine } from "../encode/writer.ts";
import type { RecordingOptions } from "./options.ts";

/** How a recording's sink reaches the tracer thread: an open file, or chunks posted to the main thread. */
export type SinkPlan =
  | { readonly kind: "file"; readonly fd: number; readonly name: string }
  | { readonly kind: "port" };

/** What the tracer thread is born with. */
export interface TracerData {
  readonly page: Int32Array;
  readonly port: MessagePort;
  readonly sink: SinkPlan;
  readonly options: RecordingOptions;
  /** Name of the channel on which Workers announce their rings. */
  readonly channel: string;
  readonly main: LoopAnnouncement;
  /** What is known of the process, for the first note. */
  readonly process: Readonly<Record<string, unknown>>;
}

/** An event loop says that it writes facts from now on. Times are ns of hrtime. */
export interface LoopAnnouncement {
  readonly type: "loop";
  readonly ring: SharedArrayBuffer;
  /** What the event loop is called; a Worker's name has its file added. */
  readonly name: string;
  /** Its main script, "" where that is not known. */
  readonly file: string;
  readonly time: number;
  /** As the program sees it; 0 for the main thread. */
  readonly threadId: number;
}

/** A Worker was made; comes before or after its own announcement, which cannot know its file. */
export interface WorkerMade {
  readonly type: "worker";
  readonly threadId: number;
  /** Its file, or "eval". */
  readonly file: string;
}

/** A Worker ended, by itself or by terminate(). */
export interface LoopEnded {
  readonly type: "ended";
  readonly threadId: number;
  readonly time: number;
}

/** Nothing after `time` (ns) belongs to the recording any more. */
export interface Finish {
  readonly type: "finish";
  readonly time: number;
}

/** CPU samples end; `reason` goes into the trace. */
export interface EndSamples {
  readonly type: "unsample";
  readonly reason: string;
}

/** Asks for the activations that have not ended; the answer has the same `id`. */
export interface AskLiving {
  readonly type: "living";
  readonly id: number;
}

/** Main thread to tracer thread. `bye` answers `ended`: the thread may go. */
export type ToTracer =
  | LoopAnnouncement
  | WorkerMade
  | LoopEnded
  | Finish
  | EndSamples
  | AskLiving
  | { readonly type: "bye" };

/** Tracer thread to main thread. `ended` comes last; `error` is the sink's or the recorder's own failure. */
export type FromTracer =
  | { readonly type: "chunk"; readonly bytes: Uint8Array }
  | { readonly type: "living"; readonly id: number; readonly activations: readonly LivingGoroutine[] }
  | { readonly type: "ended"; readonly error: string | undefined };

/** What a Worker inherits, by worker_threads' environment data, under `ENVIRONMENT_KEY`. */
export interface Inheritance {
  readonly page: Int32Array;
  readonly channel: string;
  readonly buffer: number;
  readonly http: HttpOptions;
  /** Thread ids above this one are one higher than they would be without the tracer thread; 0 where they stay. */
  readonly hiddenThread: number;
  /** Workers load the preload by themselves, unless they are made with options of their own. */
  readonly preloaded: boolean;
}

export const ENVIRONMENT_KEY = "runtrace:recording";

/** Now, in ns of hrtime. */
export function now(): number {
  return Number(process.hrtime.bigint());
}
