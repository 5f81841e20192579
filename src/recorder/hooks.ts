import { constants } from "node:os";
import { isMainThread } from "node:worker_threads";
import { imitate, replace, undoAll } from "../probe/replace.ts";

/**
 * The process's end, seen without a trace: `process.emit` is wrapped, so that an exit is seen after all of the
 * program's own listeners, `process.reallyExit`, for a listener that exits itself, and `process.execve`. For signals there
 * is one listener of ours, since without one the signal kills at once; listeners, rawListeners, listenerCount and eventNames
 * leave it out. It acts only while the program has none of its own.
 */
export interface EndOfProcess {
  /** The process exits: everything must be written when this returns. May be called twice. */
  exiting(): void;
  /** A signal is about to kill the process. */
  killed(): void;
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

type AnyFunction = (this: unknown, ...args: never[]) => unknown;

/** Signals that do not end a process that listens to none. */
const HARMLESS = new Set([
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGWINCH",
  "SIGUSR1",
]);

/** Whether the signal, by name or number, ends this process at once. */
function isFatal(signal: unknown): boolean {
  const entry = Object.entries(constants.signals).find(
    ([name, number]) => name === signal || number === signal,
  );
  return entry !== undefined && !HARMLESS.has(entry[0]) && process.rawListeners(entry[0]).length === 0;
}

/** Whether Node would take these arguments of `process.execve`; it throws otherwise, and the program goes on. */
function isExecutable([file, args = [], env = process.env]: readonly unknown[]): boolean {
  const isText = (value: unknown): boolean => typeof value === "string" && !value.includes("\0");
  return (
    isText(file) &&
    Array.isArray(args) &&
    args.every(isText) &&
    typeof env === "object" &&
    env !== null &&
    Object.entries(env).every((pair) => pair.every(isText))
  );
}

/** Installs the hooks and answers what takes them away again. `signals`: listen for SIGINT and SIGTERM. */
export function watchProcess(end: EndOfProcess, signals: boolean): () => void {
  const undo: (() => void)[] = [];
  /** Replaces a method of process by one of the same name and length that `make` builds around it. */
  const wrap = (name: string, make: (original: AnyFunction) => AnyFunction): void => {
    const original = (process as unknown as Record<string, AnyFunction>)[name]!;
    undo.push(replace(process, name, imitate(original, make(original))));
  };

  let active = true;
  /** True while we are the ones who change the list of listeners. */
  let arming = false;
  const onSignal = (): void => {};
  const isOurs = (listener: unknown): boolean => listener === onSignal;
  const { rawListeners } = process;
  const count = (signal: string): number =>
    (Reflect.apply(rawListeners, process, [signal]) as unknown[]).filter((l) => !isOurs(l)).length;
  // Without our emit a listener of ours would swallow the signal.
  const listening = signals && Object.isExtensible(process);
  const isSignal = (event: unknown): event is NodeJS.Signals =>
    listening && SIGNALS.includes(event as NodeJS.Signals);
  /** Listens, as the only one of ours. */
  const arm = (signal: NodeJS.Signals): void => {
    const before = arming;
    arming = true;
    try {
      process.off(signal, onSignal);
      process.on(signal, onSignal);
    } catch {
      // The program has frozen process: then nobody begins to listen.
    } finally {
      arming = before;
    }
  };
  /** Ends that, so that the signal does again what it does by itself. */
  const disarm = (signal: NodeJS.Signals): void => {
    try {
      process.off(signal, onSignal);
    } catch {
      // Of a frozen process no listener can be taken. Node stops to listen when it hears that the last one has gone.
      Reflect.apply(process.emit, process, ["removeListener", signal, onSignal]);
    }
  };

  wrap(
    "reallyExit",
    (original) =>
      function (...args) {
        if (active) end.exiting();
        return Reflect.apply(original, this, args);
      },
  );
  // The process goes on as another program's, without an exit event (Node 22.15 and later).
  if (typeof (process as { execve?: unknown }).execve === "function" && isMainThread) {
    wrap(
      "execve",
      (original) =>
        function (...args) {
          if (active && isExecutable(args)) end.exiting();
          return Reflect.apply(original, this, args);
        },
    );
  }
  // A handler of uncaught exceptions that throws ends the process without an exit event.
  if (typeof (process as { _fatalException?: unknown })._fatalException === "function") {
    wrap(
      "_fatalException",
      (original) =>
        function (...args) {
          // Not caught: what is thrown again would be printed as thrown here.
          let threw = true;
          try {
            const handled = Reflect.apply(original, this, args);
            threw = false;
            return handled;
          } finally {
            if (threw && active) end.exiting();
          }
        },
    );
  }
  // A process that kills itself goes through Node's exit at once.
  wrap(
    "kill",
    (original) =>
      function (...args) {
        const [pid, signal = "SIGTERM"] = args as unknown[];
        if (active && Math.abs(Number(pid)) === process.pid && isFatal(signal)) end.killed();
        return Reflect.apply(original, this, args);
      },
  );
  wrap(
    "emit",
    (original) =>
      function (...args) {
        const [event, detail] = args as unknown[];
        if (!active || this !== process) return Reflect.apply(original, this, args);
        if (event === "exit" && (process as { _exiting?: boolean })._exiting === true) {
          try {
            return Reflect.apply(original, this, args);
          } finally {
            end.exiting();
          }
        }
        if (isSignal(event) && count(event) === 0) {
          // Node passes the number; a program that emits the event itself finds nobody listening.
          if (!args.includes(constants.signals[event] as never)) return false;
          end.killed();
          active = false;
          disarm(event);
          // Inactive, so this goes straight to Node.
          process.kill(process.pid, event);
          return true;
        }
        const result = Reflect.apply(original, this, args);
        // Node stops to listen for a signal with the program's last listener, and removeAllListeners takes ours as well.
        if (event === "removeListener" && isSignal(detail) && !arming && count(detail) === 0) arm(detail);
        return result;
      },
  );
  if (listening) {
    for (const signal of SIGNALS) arm(signal);
    /** Lets `shown` change what a method of process answers; of other emitters, on which it may be called, nothing changes. */
    const show = (
      name: string,
      shown: (result: unknown, event: unknown, listener: unknown) => unknown,
    ): void =>
      wrap(
        name,
        (original) =>
          function (...args) {
            const result = Reflect.apply(original, this, args);
            return this === process ? shown(result, args[0], args[1]) : result;
          },
      );
    const others = (list: unknown): unknown => (list as unknown[]).filter((listener) => !isOurs(listener));
    show("listeners", others);
    show("rawListeners", others);
    show("listenerCount", (result, event, listener) =>
      isSignal(event) && listener === undefined ? count(event) : result,
    );
    show("eventNames", (names) =>
      (names as unknown[]).filter((event) => !isSignal(event) || count(event) > 0),
    );
    undo.push(() => undoAll(SIGNALS.map((signal) => () => disarm(signal))));
  }
  return () => {
    active = false;
    // The last first: the listeners go while they are still hidden.
    undoAll(undo.toReversed());
  };
}
