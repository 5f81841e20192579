import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { TraceError } from "../base/error.ts";
import { readOrdered } from "../order/reader.ts";
import { ProfileBuilder } from "../profile/build.ts";
import type { ProfileType } from "../profile/build.ts";
import type { ProfileFilter } from "../profile/filter.ts";
import { encodePprof } from "../profile/pprof.ts";
import { CommandError, Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { openTrace } from "./open.ts";
import { reportError } from "./report.ts";

export interface PprofOptions {
  /** The file to write, null for stdout. */
  readonly output: string | null;
  /** Go's numbers where Go is wrong, and its failures. */
  readonly compat: boolean;
  readonly filter: ProfileFilter;
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

/**
 * `runtrace pprof TYPE FILE`: writes a gzipped pprof profile. What could be read of a broken trace is in it all the same,
 * with the error on stderr and exit code 3. A filter that nothing in the trace matches is an error and exit code 1;
 * so is, with `compat`, a trace in which no goroutine does anything.
 */
export async function pprof(type: ProfileType, file: string, options: PprofOptions, io: Io): Promise<number> {
  let output: number | null = null;
  try {
    if (options.output !== null) output = openOutput(options.output, file);
    const { profile, error } = await profileOf(type, file, options);
    if (profile !== null) {
      if (output === null) io.stdout.write(profile);
      else writeAll(output, profile, options.output!);
    }
    return error === null ? Exit.Done : reportError(file, error, options.verbose, io);
  } catch (error) {
    return reportError(file, error, options.verbose, io);
  } finally {
    if (output !== null) closeSync(output);
  }
}

interface Profiled {
  /** Null where there is nothing to be written. */
  readonly profile: Uint8Array | null;
  readonly error: Error | null;
}

async function profileOf(type: ProfileType, file: string, options: PprofOptions): Promise<Profiled> {
  const source = await openTrace(file);
  const builder = new ProfileBuilder(type, options);
  let error: TraceError | null = null;
  let damage: TraceError | null = null;
  try {
    const lost = readOrdered(source, (event) => builder.event(event), builder.wanted).damage;
    if (lost !== null && !options.compat)
      damage = new TraceError("ERR_TRACE_DAMAGED", lost.message, { offset: lost.offset });
  } catch (cause) {
    if (!(cause instanceof TraceError)) throw cause;
    error = cause;
  } finally {
    source.close();
  }
  if (!builder.hasBegun) return { profile: null, error };
  const missing = whatIsMissing(builder, file, options);
  if (missing !== null) return { profile: null, error: options.compat ? missing : (error ?? missing) };
  return { profile: gzipSync(encodePprof(builder.finish(error !== null))), error: error ?? damage };
}

/** Says what the filter asks for and the trace does not have. */
function whatIsMissing(
  builder: ProfileBuilder,
  file: string,
  { compat, filter }: PprofOptions,
): CommandError | null {
  const { goroutine, region, task } = filter;
  const asked = goroutine ?? "";
  if (builder.matchedGoroutines() === 0 && (compat || goroutine !== undefined)) {
    const message = compat
      ? `failed to find matching goroutines for name: ${asked}`
      : `no goroutine has the name or id ${JSON.stringify(asked)}`;
    return new CommandError(Exit.Failed, `${file}: ${message}`);
  }
  if (builder.hasMatchedIntervals()) return null;
  const what = [
    ...(region === undefined ? [] : [`region of type ${JSON.stringify(region)}`]),
    ...(task === undefined ? [] : [`task with the name or id ${JSON.stringify(task)}`]),
  ];
  return new CommandError(Exit.Failed, `${file}: no ${what.join(" in a ")}`);
}

function openOutput(path: string, trace: string): number {
  const before = statSync(path, { throwIfNoEntry: false });
  const source = statSync(trace, { throwIfNoEntry: false });
  if (before !== undefined && before.ino === source?.ino && before.dev === source.dev)
    throw new CommandError(Exit.Failed, `cannot write ${path}: it is the trace`);
  try {
    return openSync(path, "w");
  } catch (error) {
    throw outputError(path, error);
  }
}

function writeAll(fd: number, bytes: Uint8Array, path: string): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } catch (error) {
    throw outputError(path, error);
  }
}

function outputError(path: string, error: unknown): CommandError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError(Exit.Failed, `cannot write ${path}: ${reason}`, error);
}
