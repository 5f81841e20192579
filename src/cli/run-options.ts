import { InvalidArgumentError } from "commander";

/** What the command line says about a recording: `run(argv, options)` gets it, complete. */
export interface RunOptions {
  /** File to write; `%p` in it is the pid. */
  readonly output: string;
  /** Version of the trace format. */
  readonly version: "1.25" | "1.23";
  /** CPU samples a second, or "off". */
  readonly cpu: number | "off";
  /** Bytes of the ring of one event loop. */
  readonly buffer: number;
  /** False: install no handler for SIGINT and SIGTERM. */
  readonly signalFlush: boolean;
  /** False: incoming HTTP requests are no tasks, and outgoing ones no regions. Undefined: as the environment says. */
  readonly http?: boolean;
  /** True: outgoing HTTP requests carry a traceparent where the program gives them none. Undefined: as above. */
  readonly traceparent?: boolean;
  /** Node children of the program are recorded, too, into FILE.1, FILE.2, … */
  readonly children: boolean;
  /** Tests are tasks. */
  readonly tests: boolean;
  /** Only traces of failed tests are kept. */
  readonly onFailure: boolean;
  /** Globs of files that are transformed; none means all. */
  readonly include: readonly string[];
  /** Globs of files that are not. */
  readonly exclude: readonly string[];
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};
const MIN_BUFFER = 64 * 2 ** 10;
const MAX_BUFFER = 2 ** 30;
const MAX_HZ = 10_000;
const MOST_SECONDS = 86_400;

/** Parses a size: a number of bytes, or with a unit ("16MiB", "64 KiB", "4MB"). */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const unit = match === null ? undefined : UNITS[match[2]!];
  if (match === null || unit === undefined) {
    throw new InvalidArgumentError("want a number of bytes, such as 16777216 or 16MiB.");
  }
  const bytes = Math.round(Number(match[1]) * unit);
  if (bytes < MIN_BUFFER || bytes > MAX_BUFFER) throw new InvalidArgumentError("want 64KiB to 1GiB.");
  return bytes;
}

/** Parses a rate of CPU samples: "off", or a number of Hz. */
export function parseRate(text: string): number | "off" {
  if (text === "off") return "off";
  const hz = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(hz > 0 && hz <= MAX_HZ))
    throw new InvalidArgumentError(`want a number of Hz up to ${MAX_HZ}, or off.`);
  return hz;
}

/** Parses the number of a process. */
export function parsePid(text: string): number {
  const pid = /^\d+$/.test(text) ? Number(text) : 0;
  if (!(pid > 0 && pid < 2 ** 31)) throw new InvalidArgumentError("want the number of a process.");
  return pid;
}

/** Parses a time in seconds; fractions are fine. */
export function parseSeconds(text: string): number {
  const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (!(seconds > 0 && seconds <= MOST_SECONDS))
    throw new InvalidArgumentError(`want a number of seconds up to ${MOST_SECONDS}.`);
  return seconds;
}
