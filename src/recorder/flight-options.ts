import os from "node:os";
import path from "node:path";
import { TraceError } from "../base/error.ts";
import type { WatchPlan } from "./messages.ts";
import { completeOptions } from "./options.ts";
import type { RecordingOptions, StartOptions } from "./options.ts";

/** What a program may say about a flight recorder. */
export interface FlightOptions extends Omit<StartOptions, "signalFlush"> {
  /** So many milliseconds are remembered at least, unless `maxBytes` is too little for them. Default 10,000. */
  readonly minAgeMs?: number;
  /** Bytes that the trace in memory may take. Default 10 MiB. */
  readonly maxBytes?: number;
  /** When it writes files by itself. */
  readonly triggers?: FlightTriggers;
}

/** What makes a flight recorder write a file, and which. CPU samples, by default 100 a second, name the culprit of a lag. */
export interface FlightTriggers {
  /** The event loop answers so many milliseconds late. */
  readonly lagMs?: number;
  /** A task lasts so many milliseconds, whether it has ended or not. */
  readonly taskMs?: number;
  /** V8's heap has so many bytes. */
  readonly heapBytes?: number;
  /** V8's heap has grown by so many bytes within `minAgeMs`. */
  readonly heapGrowth?: number;
  /** The process gets this signal, which then does not end it. */
  readonly signal?: NodeJS.Signals;
  /** At most one file in so many milliseconds. Default 60,000. */
  readonly everyMs?: number;
  /** So many of its files are kept, the newest ones. Default 10. */
  readonly keep?: number;
  /** Name of the files; %p is the pid, %n their number. Default "flight-%p-%n.out". */
  readonly out?: string;
}

/** The same, complete and checked. */
export interface CompleteFlight {
  readonly minAgeNs: number;
  readonly maxBytes: number;
  readonly recording: RecordingOptions;
  readonly watch: WatchPlan | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

const MIN_AGE_MS = 10_000;
const MAX_BYTES = 10 * 2 ** 20;
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 2 ** 30;
const MOST_MS = 3_600_000;
const EVERY_MS = 60_000;
const KEEP = 10;
const OUT = "flight-%p-%n.out";

/** Completes options; throws TraceError ERR_TRACE_OPTION for a value out of its range. */
export function completeFlight(options: FlightOptions): CompleteFlight {
  if (typeof options !== "object" || options === null) {
    throw new TraceError("ERR_TRACE_OPTION", `options: got ${String(options)}, want an object`);
  }
  const { minAgeMs = MIN_AGE_MS, maxBytes = MAX_BYTES, triggers } = options;
  within("minAgeMs", minAgeMs, 0, MOST_MS, "milliseconds");
  within("maxBytes", maxBytes, LEAST_BYTES, MOST_BYTES, "bytes");
  return {
    minAgeNs: (minAgeMs || MIN_AGE_MS) * 1e6,
    maxBytes,
    recording: completeOptions(options, { cpu: 100 }),
    ...completeTriggers(triggers),
  };
}

function completeTriggers(triggers: FlightTriggers | undefined): Pick<CompleteFlight, "watch" | "signal"> {
  if (triggers === undefined) return { watch: undefined, signal: undefined };
  if (typeof triggers !== "object" || triggers === null) {
    throw new TraceError("ERR_TRACE_OPTION", `option triggers: got ${String(triggers)}, want an object`);
  }
  const { lagMs, taskMs, heapBytes, heapGrowth, signal } = triggers;
  const { everyMs = EVERY_MS, keep = KEEP, out = OUT } = triggers;
  if (lagMs !== undefined) within("lagMs", lagMs, 20, MOST_MS, "milliseconds");
  if (taskMs !== undefined) within("taskMs", taskMs, 1, MOST_MS, "milliseconds");
  if (heapBytes !== undefined) within("heapBytes", heapBytes, 1, Number.MAX_SAFE_INTEGER, "bytes");
  if (heapGrowth !== undefined) within("heapGrowth", heapGrowth, 1, Number.MAX_SAFE_INTEGER, "bytes");
  within("everyMs", everyMs, 0, 24 * MOST_MS, "milliseconds");
  within("keep", keep, 1, 10_000, "files");
  if (typeof out !== "string" || out === "") throw wrong("out", out, "a file name");
  if (signal !== undefined && !isUsable(signal))
    throw wrong("signal", signal, "a signal that can be listened to");
  return {
    signal,
    watch: {
      triggers: {
        ...(lagMs === undefined ? {} : { lagNs: lagMs * 1e6 }),
        ...(taskMs === undefined ? {} : { taskNs: taskMs * 1e6 }),
        ...(heapBytes === undefined ? {} : { heapBytes }),
        ...(heapGrowth === undefined ? {} : { heapGrowth }),
      },
      everyNs: everyMs * 1e6,
      keep,
      // The program may go elsewhere.
      out: path.resolve(out),
    },
  };
}

function isUsable(signal: string): boolean {
  return Object.hasOwn(os.constants.signals, signal) && signal !== "SIGKILL" && signal !== "SIGSTOP";
}

function within(name: string, value: number, least: number, most: number, unit: string): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  throw wrong(name, value, `${least} to ${most} ${unit}`);
}

function wrong(name: string, got: unknown, want: string): TraceError {
  return new TraceError("ERR_TRACE_OPTION", `option ${name}: got ${String(got)}, want ${want}`);
}

/** Milliseconds and bytes as RUNTRACE_FLIGHT has them. */
const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/**
 * Options of a flight recorder as the environment variable RUNTRACE_FLIGHT has them: words with commas between, such as
 * `lag:200ms,task:1s,heap:+50MB,signal:SIGUSR2,every:60s,keep:10,out:flight-%p-%n.out,age:10s,size:10MiB,cpu:100`.
 * Throws TraceError ERR_TRACE_OPTION.
 */
export function flightFromText(text: string): FlightOptions {
  const options: { -readonly [K in keyof FlightOptions]: FlightOptions[K] } = {};
  const triggers: { -readonly [K in keyof FlightTriggers]: FlightTriggers[K] } = {};
  for (const word of text.split(",")) {
    const colon = word.indexOf(":");
    const name = (colon < 0 ? word : word.slice(0, colon)).trim();
    const value = colon < 0 ? "" : word.slice(colon + 1).trim();
    switch (name) {
      case "":
        break;
      case "lag":
        triggers.lagMs = amount(word, value, MS);
        break;
      case "task":
        triggers.taskMs = amount(word, value, MS);
        break;
      case "heap":
        if (value.startsWith("+")) triggers.heapGrowth = amount(word, value.slice(1), BYTES);
        else triggers.heapBytes = amount(word, value, BYTES);
        break;
      case "signal":
        triggers.signal = value as NodeJS.Signals;
        break;
      case "every":
        triggers.everyMs = amount(word, value, MS);
        break;
      case "keep":
        triggers.keep = Number(value);
        break;
      case "out":
        triggers.out = value;
        break;
      case "age":
        options.minAgeMs = amount(word, value, MS);
        break;
      case "size":
        options.maxBytes = amount(word, value, BYTES);
        break;
      case "cpu":
        options.cpu = value === "off" ? "off" : Number(value);
        break;
      default:
        throw new TraceError(
          "ERR_TRACE_OPTION",
          `RUNTRACE_FLIGHT: got ${word.trim()}, want lag, task, heap, signal, every, keep, out, age, size or cpu`,
        );
    }
  }
  return { ...options, triggers };
}

function amount(word: string, value: string, units: Readonly<Record<string, number>>): number {
  const [, number = "", unit = ""] = /^([\d.]+)\s*([A-Za-z]*)$/.exec(value) ?? [];
  const factor = unit === "" ? 1 : units[unit];
  if (number === "" || factor === undefined || !Number.isFinite(Number(number))) {
    throw new TraceError(
      "ERR_TRACE_OPTION",
      `RUNTRACE_FLIGHT: got ${word.trim()}, want a number with ${Object.keys(units).join(", ")}`,
    );
  }
  return Number(number) * factor;
}
