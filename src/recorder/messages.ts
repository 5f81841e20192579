import type { HttpOptions } from "../probe/requests.ts";
import type { MessagePort } from "node:worker_threads";
import type { LivingGoroutine } from "../encode/writer.ts";
import type { Triggers } from "./incidents.ts";
import type { MemoryLimits } from "./memory.ts";
import type { RecordingOptions } from "./options.ts";
import type { Sample } from "./pipeline.ts";

/** Where bytes go that the tracer thread gives away: an open file that it writes itself, or chunks posted to the main thread. */
export type SinkPlan =
  | { readonly kind: "file"; readonly fd: number; readonly name: string }
  | { readonly kind: "port" };

/** Something that takes a recording: a sink, or a flight recorder's memory. */
export type OutletKind =
  | SinkPlan
  | ({ readonly kind: "memory"; readonly watch: WatchPlan | undefined } & MemoryLimits);

/** The same with its id among those of one tracer thread. */
export type OutletPlan = OutletKind & { readonly id: number };

/** Files that a flight recorder writes by itself. */
export interface WatchPlan {
  readonly triggers: Triggers;
  /** At most one file in so many ns. */
  readonly everyNs: number;
  /** So many files are kept, the newest ones. */
  readonly keep: number;
  /** Name of the files: %p is the pid, %n their number. */
  readonly out: string;
}

/** What the tracer thread is born with. */
export interface TracerData {
  readonly page: Int32Array;
  readonly port: MessagePort;
  /** What takes the recording from its beginning on. */
  readonly outlet: OutletPlan;
  readonly options: RecordingOptions;
  /** Name of the channel on which Workers announce their rings. */
  readonly channel: string;
  readonly main: LoopAnnouncement;
  /** What transforming the program's files costs (loader's `Spent`); undefined where they are not. */
  readonly spent: Int32Array | undefined;
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
  /** It is a Worker that samples itself, and answers `AskSamples`. */
  readonly sampled?: boolean;
}

/** CPU samples of a Worker since those that it told before; `last`: there will be no more. */
export interface WorkerSamples {
  readonly type: "samples";
  readonly threadId: number;
  readonly samples: readonly Sample[];
  readonly last: boolean;
}

/** The tracer thread asks all Workers for their CPU samples, on a channel of its own; `end`: not to take any more. */
export interface AskSamples {
  readonly end: boolean;
}

/** The name of that channel, from the name of the one on which Workers announce themselves. */
export function sampleChannel(channel: string): string {
  return `${channel}:samples`;
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

/** Something takes what comes after `time` (ns). */
export interface Join {
  readonly type: "join";
  readonly time: number;
  readonly outlet: OutletPlan;
}

/** It takes nothing after `time` (ns). */
export interface Leave {
  readonly type: "leave";
  readonly id: number;
  readonly time: number;
}

/** What a flight recorder remembers now is wanted; the answers have the same `request`. */
export interface AskSnapshot {
  readonly type: "snapshot";
  readonly id: number;
  readonly request: number;
  readonly to: SinkPlan;
}

/** The program got a signal for which a flight recorder writes a file. */
export interface Signalled {
  readonly type: "signal";
  readonly id: number;
  readonly name: string;
}

/** Main thread to tracer thread. `bye` answers `ended`: the thread may go. */
export type ToTracer =
  | LoopAnnouncement
  | WorkerMade
  | WorkerSamples
  | LoopEnded
  | Finish
  | EndSamples
  | AskLiving
  | Join
  | Leave
  | AskSnapshot
  | Signalled
  | { readonly type: "bye" };

/**
 * Tracer thread to main thread. A `chunk` is for the outlet of that id, a `part` for the snapshot of that request, which
 * ends with `written`. `ping` is answered in the control page, and with `heap` by a look at the heap. `ended` comes last; `error` is the sink's or the recorder's
 * own failure.
 */
export type FromTracer =
  | { readonly type: "chunk"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: "left"; readonly id: number; readonly error: string | undefined }
  | { readonly type: "part"; readonly request: number; readonly bytes: Uint8Array }
  | {
      readonly type: "written";
      readonly request: number;
      readonly bytes: number;
      readonly error: string | undefined;
    }
  | { readonly type: "unwritten"; readonly id: number; readonly error: string }
  | { readonly type: "ping"; readonly number: number; readonly time: number; readonly heap: boolean }
  | { readonly type: "living"; readonly id: number; readonly activations: readonly LivingGoroutine[] }
  | { readonly type: "ended"; readonly error: string | undefined };

/** What a Worker inherits, by worker_threads' environment data, under `ENVIRONMENT_KEY`. */
export interface Inheritance {
  readonly page: Int32Array;
  readonly channel: string;
  readonly buffer: number;
  readonly http: HttpOptions;
  /** CPU samples a second, 0 for none. */
  readonly cpuHz: number;
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
