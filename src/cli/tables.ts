import type { Integer } from "../analysis/summary.ts";
import { filterTables, groupByLog, TablesBuilder } from "../analysis/trace-tables.ts";
import type { LogGroup, TableFilter, TraceTables } from "../analysis/trace-tables.ts";
import { TraceError } from "../base/error.ts";
import type { ByteSource } from "../decode/source.ts";
import { readOrdered } from "../order/reader.ts";
import { Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { openTrace } from "./open.ts";
import { firstLine, reportError } from "./report.ts";
import { goroutinesText, logsText, regionsText, tasksText } from "./tables-text.ts";
import type { By } from "./tables-text.ts";

export interface TablesOptions {
  readonly kind: "goroutines" | "tasks" | "regions" | "logs";
  readonly filter: TableFilter;
  /** All rows as JSON instead of text for people. */
  readonly json: boolean;
  /** Go's numbers where Go is wrong. */
  readonly compat: boolean;
  /** Most rows of a table of the text; 0: all. */
  readonly limit: number;
  /** Logs, or goroutines and tasks by their logs, grouped by this. */
  readonly by: By;
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

/**
 * `runtrace goroutines|tasks|regions|logs FILE`. What could be read of a broken trace is shown all the same. Returns the
 * exit code. JSON: an object with a key of the table's name, rows with the keys of `summary --json`; for goroutines and tasks
 * by log `groups`, too, with the ids of their members.
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

function json(shown: TraceTables, { kind, by }: TablesOptions): string {
  const parts = [list(kind, kind === "logs" ? shown.logs : shown.summary[kind])];
  if (by !== null && kind === "goroutines")
    parts.push(list("groups", withIds(groupByLog(shown.summary.goroutines, shown.logs, by, "goroutine"))));
  if (by !== null && kind === "tasks")
    parts.push(list("groups", withIds(groupByLog(shown.summary.tasks, shown.logs, by, "task"))));
  return `{${parts.join(",\n")}}\n`;
}

function list(key: string, rows: readonly object[]): string {
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  return `"${key}":[${lines === "" ? "" : `\n${lines}`}]`;
}

function withIds(groups: readonly LogGroup<{ readonly id: Integer }>[]): object[] {
  return groups.map(({ members, ...names }) => ({ ...names, ids: members.map(({ id }) => id) }));
}

function text(all: TraceTables, shown: TraceTables, options: TablesOptions): string {
  const { filter } = options;
  const limit = options.limit === 0 ? Infinity : options.limit;
  switch (options.kind) {
    case "goroutines":
      return goroutinesText(shown, limit, filter.goroutine !== undefined, options.by);
    case "tasks":
      return tasksText(shown, all, limit, filter.task !== undefined, options.by);
    case "regions":
      return regionsText(shown, limit, filter.region !== undefined);
    case "logs":
      return logsText(shown, limit, options.by);
  }
}
