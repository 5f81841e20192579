import { TraceError } from "../base/error.ts";
import { readOrdered } from "../order/reader.ts";
import type { EventKind, OrderedEvent } from "../order/types.ts";
import { Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { openTrace } from "./open.ts";
import { firstLine, reportError } from "./report.ts";

/**
 * `runtrace check FILE…`: reads, orders and validates each trace, strictly, and writes a line for it to stdout:
 *
 *     FILE: ok, N events                    N as Go's own reader counts, Sync included
 *     FILE: error at offset O: MESSAGE      the first line of Go's error
 *     FILE: damaged at offset O: MESSAGE    what Go passes over in silence: lost ends, counted drops
 *
 * Returns the exit code, the worst of all files. A file that cannot be read is one line on stderr.
 */
export async function check(
  files: readonly string[],
  options: { readonly verbose: boolean },
  io: Io,
): Promise<number> {
  let worst: number = Exit.Done;
  for (const file of files) {
    try {
      const verdict = await verdictOf(file);
      io.stdout.write(`${file}: ${verdict.text}\n`);
      if (!verdict.isFine) worst = Math.max(worst, Exit.BrokenTrace);
    } catch (error) {
      worst = Math.max(worst, reportError(file, error, options.verbose, io));
    }
  }
  return worst;
}

const LOGS: ReadonlySet<EventKind> = new Set(["Log"]);

interface Verdict {
  readonly isFine: boolean;
  readonly text: string;
}

async function verdictOf(file: string): Promise<Verdict> {
  const source = await openTrace(file);
  let dropped = 0;
  try {
    const { events, bytes, damage } = readOrdered(source, (event) => (dropped += dropsOf(event)), LOGS);
    if (damage !== null)
      return { isFine: false, text: `damaged at offset ${damage.offset}: ${firstLine(damage.message)}` };
    if (dropped > 0)
      return {
        isFine: false,
        text: `damaged at offset ${bytes}: ${dropped} facts were dropped while recording`,
      };
    return { isFine: true, text: `ok, ${events} events` };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    const at = error.offset === undefined ? "" : ` at offset ${error.offset}`;
    return { isFine: false, text: `error${at}: ${firstLine(error.message)}` };
  } finally {
    source.close();
  }
}

/** How many facts the recorder says that it has dropped, 0 where the log is another one. */
function dropsOf({ name, message }: OrderedEvent): number {
  if (name !== "runtrace" || !message.startsWith('{"drops":')) return 0;
  try {
    const { drops } = JSON.parse(message) as { drops?: { facts?: unknown } };
    return typeof drops?.facts === "number" && drops.facts > 0 ? drops.facts : 0;
  } catch {
    return 0;
  }
}
