import { filterTables, TablesBuilder } from "../analysis/trace-tables.ts";
import type { TableFilter, TraceTables } from "../analysis/trace-tables.ts";
import { TraceError } from "../base/error.ts";
import type { ByteSource } from "../decode/source.ts";
import { readOrdered } from "../order/reader.ts";
import { Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { openTrace } from "./open.ts";
import { firstLine, reportError } from "./report.ts";
import { goroutinesText, logsText, regionsText, tasksText } from "./tables-text.ts";

export interface TablesOptions {
  readonly kind: "goroutines" | "tasks" | "regions" | "logs";
  readonly filter: TableFilter;
  /** All rows as JSON instead of text for people. */
  readonly json: boolean;
  /** Go's numbers where Go is wrong. */
  readonly compat: boolean;
  /** Most rows of a table of the text; 0: all. */
  readonly limit: number;
  /** Logs: grouped by this. */
  readonly by: "category" | "message" | null;
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

/**
 * `runtrace goroutines|tasks|regions|logs FILE`. What could be read of a broken trace is shown all the same. Returns the
 * exit code. JSON: an object with the one key of the table's name, rows with the keys of `summary --json`.
 */
export async function tables(file: string, options: TablesOptions, io: Io): Promise<number> {
  try {
    const source = await openTrace(file);
    try {
      const { tables: all, error } = read(source, options.compat);
      const shown = filterTables(all, options.filter);
      io.stdout.write(options.json ? json(shown, options) : `${text(all, shown, options)}\n`);
      return error === null ? Exit.Done : reportError(file, error, options.verbose, io);
    } finally {
      source.close();
    }
  } catch (error) {
    return reportError(file, error, options.verbose, io);
  }
}

function read(
  source: ByteSource,
  compat: boolean,
): { readonly tables: TraceTables; readonly error: TraceError | null } {
  const builder = new TablesBuilder({ compat });
  try {
    const lost = readOrdered(source, (e) => builder.event(e)).damage;
    const error =
      lost === null || compat
        ? null
        : new TraceError("ERR_TRACE_DAMAGED", lost.message, { offset: lost.offset });
    return { tables: builder.finish(null), error };
  } catch (cause) {
    if (!(cause instanceof TraceError)) throw cause;
    return { tables: builder.finish(firstLine(cause.message)), error: cause };
  }
}

function json(shown: TraceTables, { kind }: TablesOptions): string {
  const rows: readonly object[] = kind === "logs" ? shown.logs : shown.summary[kind];
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  return `{"${kind}":[${lines === "" ? "" : `\n${lines}`}]}\n`;
}

function text(all: TraceTables, shown: TraceTables, options: TablesOptions): string {
  const { filter } = options;
  const limit = options.limit === 0 ? Infinity : options.limit;
  switch (options.kind) {
    case "goroutines":
      return goroutinesText(shown, limit, filter.goroutine !== undefined);
    case "tasks":
      return tasksText(shown, all, limit, filter.task !== undefined);
    case "regions":
      return regionsText(shown, limit, filter.region !== undefined);
    case "logs":
      return logsText(shown, limit, options.by);
  }
}
