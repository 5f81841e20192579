import type inspector from "node:inspector";
import { BroadcastChannel, isMainThread } from "node:worker_threads";
import { imitate, replace, undoAll } from "../probe/replace.ts";
import { toSamples } from "./cpu-samples.ts";
import { inspectorModule } from "./inspector.ts";
import { sampleChannel } from "./messages.ts";
import type { AskSamples, WorkerSamples } from "./messages.ts";
import type { Sample } from "./pipeline.ts";
import { otherProfiler, watchInspector } from "./profilers.ts";

/**
 * CPU samples of a Worker, which it takes of itself: the tracer thread asks for them, and the Worker answers when its
 * loop is free, and at its exit. So the samples of a long turn come at its end, and a Worker that is terminated in the
 * middle of one takes them with it.
 *
 * The inspector could be asked from outside, as for the main thread, and answers in the middle of a turn. But a Worker
 * that is terminated while it serves such a request is not terminated: it runs on for ever (seen in Node 20 to 26, about
 * each third time when asked every 7 ms). Profiles that are changed from inside never did that.
 *
 * Profiles overlap, for the reasons told in cpu.ts; to begin one and end one takes some 0.3 ms.
 */
export interface WorkerSampling {
  readonly hz: number;
  /** Of the recording. */
  readonly channel: string;
  readonly threadId: number;
  /** Begin of the recording of this Worker, in ns. */
  readonly time: number;
  tell(message: WorkerSamples): void;
  /** The samples end before the Worker does, since the program itself uses the inspector. */
  left(reason: string): void;
}

/**
 * Begins to sample this Worker; answers what ends that, or why it cannot be. To be called before the probe watches.
 */
export function sampleWorker(sampling: WorkerSampling): (() => void) | string {
  const refused = isMainThread ? "this is the main thread" : otherProfiler();
  if (inspectorModule === undefined || refused !== "") return refused;
  try {
    const sampler = new WorkerSampler(inspectorModule, sampling);
    return () => sampler.end();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

class WorkerSampler {
  readonly #sampling: WorkerSampling;
  readonly #console: typeof inspector.console;
  readonly #session: inspector.Session;
  readonly #channel: BroadcastChannel;
  readonly #undo: (() => void)[] = [];
  /** Time (us) up to which samples were taken. */
  #seen: number;
  #samples: Sample[] = [];
  #title = 0;
  #on = true;

  constructor(made: typeof inspector, sampling: WorkerSampling) {
    this.#sampling = sampling;
    this.#seen = sampling.time / 1e3;
    this.#console = made.console;
    this.#session = new made.Session();
    this.#session.connect();
    this.#session.on("Profiler.consoleProfileFinished", ({ params }) => {
      if (params.title?.startsWith(this.#titleOf("")) !== true) return;
      this.#samples.push(...toSamples(params.profile, this.#seen));
      this.#seen = Math.max(this.#seen, params.profile.endTime);
    });
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.setSamplingInterval", {
      interval: Math.max(100, Math.round(1e6 / sampling.hz)),
    });
    this.#console.profile(this.#titleOf(this.#title));
    this.#channel = new BroadcastChannel(sampleChannel(sampling.channel));
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the channel's only listener, and the typed form
    this.#channel.onmessage = (event: unknown) => this.#asked((event as { data: AskSamples }).data);
    this.#channel.unref();
    this.#undo.push(
      watchExit(() => this.end()),
      watchInspector(() => {
        if (!this.#on) return;
        this.end();
        sampling.left("the program uses the inspector");
      }),
    );
  }

  /** Tells the last samples and lets go of the inspector. */
  end(): void {
    if (!this.#on) return;
    this.#on = false;
    try {
      this.#console.profileEnd(this.#titleOf(this.#title));
      this.#tell(true);
      this.#session.disconnect();
    } catch {
      // No stack left, or no memory.
    }
    this.#channel.close();
    undoAll(this.#undo);
  }

  #asked({ end }: AskSamples): void {
    if (end) {
      this.end();
      return;
    }
    if (!this.#on) return;
    const last = this.#title++;
    this.#console.profile(this.#titleOf(this.#title));
    this.#console.profileEnd(this.#titleOf(last));
    this.#tell(false);
  }

  #tell(last: boolean): void {
    const samples = this.#samples;
    this.#samples = [];
    this.#sampling.tell({ type: "samples", threadId: this.#sampling.threadId, samples, last });
  }

  #titleOf(number: number | ""): string {
    return `${this.#sampling.channel} ${number}`;
  }
}

/** Calls `end` at the Worker's exit, after the program's own listeners. Answers what ends that. */
function watchExit(end: () => void): () => void {
  type Emit = (this: unknown, ...args: never[]) => unknown;
  const original = process.emit as unknown as Emit;
  const emit: Emit = function (...args) {
    try {
      return Reflect.apply(original, this, args);
    } finally {
      if (this === process && (args as unknown[])[0] === "exit") end();
    }
  };
  return replace(process, "emit", imitate(original, emit));
}
