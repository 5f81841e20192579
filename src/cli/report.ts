import { TraceError } from "../base/error.ts";
import { CommandError, Exit } from "./io.ts";
import type { Io } from "./io.ts";

/**
 * Tells of an error in one line on stderr, `runtrace: FILE: error at offset N: MESSAGE`, and returns its exit code.
 * `verbose` gives the whole message and the stack trace.
 */
export function reportError(file: string | null, error: unknown, verbose: boolean, io: Io): number {
  const message = error instanceof Error ? error.message : String(error);
  const where =
    error instanceof TraceError && error.offset !== undefined ? `error at offset ${error.offset}: ` : "";
  const subject = file === null || error instanceof CommandError ? "" : `${file}: `;
  io.stderr.write(`runtrace: ${subject}${where}${verbose ? message : firstLine(message)}\n`);
  if (verbose && error instanceof Error && error.stack !== undefined) io.stderr.write(`${error.stack}\n`);
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof TraceError ? Exit.BrokenTrace : Exit.Failed;
}

/** The first line of a text. */
export function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
