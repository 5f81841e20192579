import path from "node:path";
import { fileURLToPath } from "node:url";
import { types } from "node:util";
import module, {
  BroadcastChannel,
  getEnvironmentData,
  setEnvironmentData,
  threadId,
} from "node:worker_threads";
import type { Worker, WorkerOptions } from "node:worker_threads";
import {
  Departure,
  arrive,
  birthKey,
  countChannels,
  countMessagesHere,
  countMessagesOf,
} from "../probe/ports.ts";
import { imitate, replace, shareReplaced, undoAll } from "../probe/replace.ts";
import { recordChildrenHere } from "./children.ts";
import { ENVIRONMENT_KEY, now } from "./messages.ts";
import type { Inheritance, ToTracer } from "./messages.ts";
import { Isolate } from "./isolate.ts";
import { State, Word, transferWords, waitForState } from "./page.ts";
import { preloadOptions } from "./environment.ts";
import { prepareWorker } from "./prepare.ts";
import { slot } from "./slot.ts";
import { sampleWorker } from "./worker-cpu.ts";

/**
 * Workers of a recorded process are recorded with it, each with a ring of its own. They inherit where to announce the
 * ring through worker_threads' environment data, and the preload from their maker; the makers that pass options of
 * their own (execArgv, env) get it added.
 */
const BOOT_MS = 1_000;

/** Makes the Workers that this isolate starts record themselves. Answers what ends that. */
export function recordWorkers(inheritance: Inheritance, tell: (message: ToTracer) => void): () => void {
  setEnvironmentData(ENVIRONMENT_KEY, inheritance as unknown as Parameters<typeof setEnvironmentData>[1]);
  const original = module.Worker;
  const ids = new WeakMap<Worker, number>();
  const traced = new Proxy(original, {
    construct(target, args: WorkerArguments, newTarget) {
      const leaving = leavingWith(args[1]);
      let worker: Worker | undefined;
      try {
        worker = construct(target, args, newTarget, inheritance.preloaded);
      } finally {
        if (worker === undefined) leaving?.stay(0);
      }
      try {
        // Read now: it is -1 when the Worker has ended.
        const id = worker.threadId;
        leaving?.leave(birthKey(id));
        ids.set(worker, id);
        countMessagesOf(worker, id);
        tell({ type: "worker", threadId: id, file: fileOf(args) });
      } catch {
        // No stack left: the Worker is made all the same.
      }
      return worker;
    },
  });
  const undo = [
    () => setEnvironmentData(ENVIRONMENT_KEY, undefined),
    replace(module, "Worker", traced),
    replace(original.prototype, "constructor", traced),
    hideThread(original, inheritance.hiddenThread),
    watchExits(original, (worker) => {
      const id = ids.get(worker);
      if (id !== undefined) tell({ type: "ended", threadId: id, time: now() });
    }),
    shareReplaced,
  ];
  shareReplaced();
  return () => undoAll(undo);
}

/** Ports that a Worker is made with. */
function leavingWith(options: WorkerOptions | undefined): Departure | null {
  try {
    if (typeof options !== "object" || types.isProxy(options)) return null;
    const [data, list] = ["workerData", "transferList"].map(
      (name): unknown => Reflect.getOwnPropertyDescriptor(options, name)?.value,
    );
    return Departure.of(data, list);
  } catch {
    // No stack left.
    return null;
  }
}

/** Calls `hear` at the end of each Worker, before the program hears of it. A listener of ours would be counted. */
function watchExits(made: typeof Worker, hear: (worker: Worker) => void): () => void {
  const { prototype } = made;
  const key = Object.getOwnPropertySymbols(prototype).find(({ description }) => description === "kOnExit");
  if (key === undefined) return () => {};
  const original = (prototype as unknown as Record<symbol, unknown>)[key] as (...args: never[]) => unknown;
  const onExit = function (this: Worker, ...args: never[]): unknown {
    hear(this);
    return Reflect.apply(original, this, args);
  };
  return replace(prototype, key, imitate(original, onExit));
}

type WorkerArguments = [string | URL, WorkerOptions?];

function construct(
  target: typeof Worker,
  args: WorkerArguments,
  newTarget: unknown,
  preloaded: boolean,
): Worker {
  const make = (options: WorkerOptions | undefined): Worker =>
    Reflect.construct(target, [args[0], options, ...args.slice(2)], newTarget as new () => unknown) as Worker;
  const options = args[1];
  const ownEnv = typeof options?.env === "object" && options.env !== null;
  const ownArgv = Array.isArray(options?.execArgv);
  if (ownArgv || ownEnv)
    return make({ ...options, execArgv: [...(options?.execArgv ?? []), ...preloadOptions()] });
  if (preloaded) return make(options);
  const inherited = (without: readonly string[]): Worker =>
    make({
      ...options,
      execArgv: [...process.execArgv.filter((word) => !without.includes(word)), ...preloadOptions()],
    });
  try {
    return inherited([]);
  } catch (error) {
    // Options of the whole process, which a Worker has anyway but may not be given: Node names them.
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_WORKER_INVALID_EXEC_ARGV") throw error;
    try {
      return inherited(message.slice(message.indexOf(":") + 2).split(", "));
    } catch {
      return make(options);
    }
  }
}

/** What a Worker runs, for people. */
function fileOf([script, options]: WorkerArguments): string {
  if (options?.eval === true || (script instanceof URL && script.protocol !== "file:")) return "eval";
  return script instanceof URL ? fileURLToPath(script) : path.resolve(String(script));
}

/** Undoes the shift of the thread ids that the tracer's thread causes, in what the program can see of them. */
function hideThread(worker: typeof Worker, hidden: number): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(worker.prototype, "threadId");
  const get = descriptor?.get;
  if (hidden === 0 || descriptor === undefined || get === undefined) return () => {};
  const shown = {
    get threadId(): number {
      const id = Reflect.apply(get, this, []) as number;
      return id > hidden ? id - 1 : id;
    },
  };
  const replacement = Object.getOwnPropertyDescriptor(shown, "threadId")!;
  if (!Reflect.defineProperty(worker.prototype, "threadId", { ...descriptor, get: replacement.get! })) {
    return () => {};
  }
  return () => Reflect.defineProperty(worker.prototype, "threadId", { get });
}

/** The same for the Worker's own number, which the program reads from the module; answers the number shown. */
function hideOwnThread(hidden: number): number {
  const shownId = hidden > 0 && threadId > hidden ? threadId - 1 : threadId;
  if (shownId !== module.threadId) {
    replace(module, "threadId", shownId);
    shareReplaced();
  }
  return shownId;
}

/** In a Worker of a recorded process: begins to record it. Answers false where the process is not recorded. */
export function joinRecording(): boolean {
  const inheritance = getEnvironmentData(ENVIRONMENT_KEY) as unknown as Inheritance | undefined;
  if (inheritance === undefined) return false;
  const { page, channel, buffer, hiddenThread, http, cpuHz } = inheritance;
  if (ended(page)) return false;
  // Recorded or not, its number is one higher than it would be.
  const shownId = hideOwnThread(hiddenThread);
  // A Worker started in the process's first moments: its announcement would find nobody.
  if (!waitForState(page, State.Ready, BOOT_MS, BOOT_MS) || ended(page)) {
    hideThread(module.Worker, hiddenThread);
    return false;
  }
  const tell = (message: ToTracer): void => {
    const port = new BroadcastChannel(channel);
    port.postMessage(message);
    port.close();
  };
  prepareWorker();
  recordChildrenHere();
  const isolate = new Isolate({
    name: `worker ${shownId}`,
    file: "",
    threadId: shownId,
    buffer,
    boot: true,
    http,
  });
  countChannels(transferWords(page));
  if (module.parentPort !== null) countMessagesHere(module.parentPort, shownId);
  arrive(module.workerData, birthKey(shownId));
  const undo = recordWorkers(inheritance, tell);
  const left = (off: string): void => slot().probe?.note({ cpu: { off } });
  // Not 0: the program has had an inspector for itself before.
  const isWanted = cpuHz > 0 && Atomics.load(page, Word.Detach) === 0;
  const { time } = isolate.announcement;
  const sampling = isWanted
    ? sampleWorker({ hz: cpuHz, channel, threadId: shownId, time, tell, left })
    : undefined;
  tell({ ...isolate.announcement, sampled: typeof sampling === "function" });
  isolate.begin(() => {
    if (!ended(page)) return;
    if (typeof sampling === "function") sampling();
    undo();
    isolate.stop();
  });
  if (typeof sampling === "string") left(sampling);
  return true;
}

function ended(page: Int32Array): boolean {
  return Atomics.load(page, Word.State) === State.Ended;
}
