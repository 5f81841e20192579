import { TraceError } from "../base/error.ts";

/** What a program may say about a recording. */
export interface StartOptions {
  /** Version of the trace format: "1.25" (default), or "1.23" for gotraceui and for Go before 1.25. */
  readonly version?: "1.25" | "1.23";
  /** CPU samples a second, or "off". Default: off for `start`, 100 under `run` and `register`. */
  readonly cpu?: number | "off";
  /** Bytes of the ring of one event loop. Default 16 MiB. */
  readonly buffer?: number;
  /** False: install no handler for SIGINT and SIGTERM; such a signal then loses the last moments. */
  readonly signalFlush?: boolean;
  /** False: incoming HTTP requests are no tasks, and outgoing ones no regions. Default: RUNTRACE_HTTP_TASKS is not `off`. */
  readonly http?: boolean;
  /** True: outgoing HTTP requests carry a W3C traceparent where the program gives them none. Default: RUNTRACE_TRACEPARENT is 1. */
  readonly traceparent?: boolean;
}

/** The same, complete and checked; it is sent to the tracer thread and to Workers. */
export interface RecordingOptions {
  readonly version: 23 | 25;
  /** 0 is off. */
  readonly cpuHz: number;
  readonly buffer: number;
  readonly signalFlush: boolean;
  readonly http: boolean;
  readonly traceparent: boolean;
}

const DEFAULT_BUFFER = 16 * 1024 * 1024;
const MIN_BUFFER = 64 * 1024;
const MAX_BUFFER = 1024 * 1024 * 1024;
const MAX_HZ = 10_000;

/** Completes options; throws TraceError ERR_TRACE_OPTION for a value out of its range, and for what is no object. */
export function completeOptions(options: StartOptions, defaults: { cpu: number | "off" }): RecordingOptions {
  if (typeof options !== "object" || options === null) {
    throw new TraceError("ERR_TRACE_OPTION", `options: got ${String(options)}, want an object`);
  }
  const { version = "1.25", cpu = defaults.cpu, buffer = DEFAULT_BUFFER, signalFlush = true } = options;
  if (version !== "1.25" && version !== "1.23") throw wrong("version", version, '"1.25" or "1.23"');
  if (cpu !== "off" && !(Number.isFinite(cpu) && cpu > 0 && cpu <= MAX_HZ)) {
    throw wrong("cpu", cpu, `a number of Hz up to ${MAX_HZ}, or "off"`);
  }
  if (!(Number.isFinite(buffer) && buffer >= MIN_BUFFER && buffer <= MAX_BUFFER)) {
    throw wrong("buffer", buffer, `${MIN_BUFFER} to ${MAX_BUFFER} bytes`);
  }
  const { env } = process;
  const { http = env["RUNTRACE_HTTP_TASKS"] !== "off" } = options;
  const { traceparent = env["RUNTRACE_TRACEPARENT"] === "1" } = options;
  for (const [name, value] of Object.entries({ signalFlush, http, traceparent })) {
    if (typeof value !== "boolean") throw wrong(name, value, "true or false");
  }
  return {
    version: version === "1.23" ? 23 : 25,
    cpuHz: cpu === "off" ? 0 : cpu,
    buffer,
    signalFlush,
    http,
    traceparent,
  };
}

function wrong(name: string, got: unknown, want: string): TraceError {
  return new TraceError("ERR_TRACE_OPTION", `option ${name}: got ${String(got)}, want ${want}`);
}
