/** Tables of goroutines, tasks, regions and logs for people, within 80 columns. */
import { distributionOf } from "../analysis/distribution.ts";
import { latencyBuckets } from "../analysis/latency-buckets.ts";
import type { GoroutineSummary, Integer, RegionSummary, TaskSummary } from "../analysis/summary.ts";
import { blockTime, groupByLog, taskTree } from "../analysis/trace-tables.ts";
import type { LogGroup, LogRow, TraceTables } from "../analysis/trace-tables.ts";
import { count, duration, plural, safeText, shorten, table } from "./format.ts";

const NAME_WIDTH = 26;
const BAR_WIDTH = 40;

/** What rows are grouped by instead of their names: the logs written in them. */
export type By = "category" | "message" | null;

/** Goroutines by entry function or log, or where `each` is set each of them, most time running first. */
export function goroutinesText(
  { summary, logs, isNode }: TraceTables,
  limit: number,
  each: boolean,
  by: By,
): string {
  const { goroutines, startTime } = summary;
  const title = isNode ? "Activations" : "Goroutines";
  if (goroutines.length === 0) return `No ${title.toLowerCase()}.`;
  const waits = reasons(goroutines, limit);
  if (!each || by !== null) {
    const named =
      by === null
        ? [...grouped(goroutines, ({ name }) => name)]
        : groupByLog(goroutines, logs, by, "goroutine").map(
            (group) => [groupName(group), group.members] as const,
          );
    const groups = named
      .map(([name, members]) => ({ name, members, exec: sum(members, (g) => g.exec) }))
      .toSorted((a, b) => b.exec - a.exec);
    const rows = groups.map(({ name, members, exec }) => [
      nameOf(name, "(no stack seen)"),
      count(members.length),
      duration(exec),
      duration(sum(members, (g) => g.schedWait)),
      duration(sum(members, blockTime)),
      duration(sum(members, (g) => g.syscall + g.syscallBlock)),
    ]);
    const titles = [title, "count", "running", "runnable", "waiting", "syscall"];
    return [limited(titles, rows, limit), waits].join("\n\n");
  }
  const rows = goroutines
    .toSorted((a, b) => b.exec - a.exec || a.id - b.id)
    .map((g) => [
      String(g.id),
      duration(g.creation - startTime),
      duration(g.total) + (g.end === 0 ? "+" : ""),
      duration(g.exec),
      duration(g.schedWait),
      duration(blockTime(g)),
      duration(g.syscall + g.syscallBlock),
      duration(g.unknown),
    ]);
  const titles = [title, "created", "total", "running", "runnable", "waiting", "syscall", "unknown"];
  const totals = goroutines.map((g) => g.total);
  return [
    limited(titles, rows, limit, "+: alive at the trace's end"),
    waits,
    latencies("Lifetime", totals),
    histogram(totals),
  ].join("\n\n");
}

/** Tasks by type or log, or where `each` is set each of them with its tree, regions and logs, the slowest first. */
export function tasksText(
  shown: TraceTables,
  all: TraceTables,
  limit: number,
  each: boolean,
  by: By,
): string {
  const { tasks, startTime } = shown.summary;
  const told = tasks.filter((task) => task.name !== "" || task.start !== null || task.end !== null);
  if (told.length === 0) return "No tasks.";
  if (by !== null) {
    const groups = groupByLog(told, shown.logs, by, "task");
    return typeTable("Tasks", new Map(groups.map((group) => [groupName(group), group.members])), limit);
  }
  const types = typeTable(
    "Tasks",
    grouped(told, ({ name }) => name),
    limit,
  );
  if (!each) return types;
  const regions = grouped(all.summary.regions, ({ task }) => task);
  const logs = grouped(all.logs, ({ task }) => task);
  const byId = new Map(all.summary.tasks.map((task) => [task.id, task]));
  const lines: string[] = [];
  const slowest = told.toSorted((a, b) => b.duration - a.duration);
  for (const root of slowest.slice(0, limit)) {
    for (const { task, depth } of taskTree(family(root, byId))) {
      const indent = "  ".repeat(Math.min(depth, 12));
      const state = task.complete ? "" : ", not complete";
      const goroutines = plural(task.goroutines.length, shown.isNode ? "activation" : "goroutine");
      lines.push(
        `${indent}${nameOf(task.name, "(began before the trace)")} ${task.id}: ` +
          `${duration(task.duration)} from ${offset(task.start, startTime)}, ${goroutines}${state}`,
      );
      const parts = [
        ...(regions.get(task.id) ?? [])
          .filter(({ startKind }) => startKind !== "StateTransition")
          .map((region) => ({ time: region.start ?? startTime, text: regionLine(region) })),
        ...(logs.get(task.id) ?? []).map((log) => ({ time: log.time, text: logText(log) })),
      ].toSorted((a, b) => a.time - b.time);
      for (const { time, text } of parts.slice(0, limit))
        lines.push(shorten(`${indent}  ${offset(time, startTime)}  ${text}`, 80));
      if (parts.length > limit) lines.push(`${indent}  and ${count(parts.length - limit)} more`);
    }
  }
  if (slowest.length > limit) lines.push(`and ${count(slowest.length - limit)} more`);
  const complete = told.filter((task) => task.complete).map((task) => task.duration);
  return [types, histogram(complete), lines.join("\n")].filter((part) => part !== "").join("\n\n");
}

/** Regions by type, or where `each` is set each of them and where its time went, the longest first. */
export function regionsText({ summary }: TraceTables, limit: number, each: boolean): string {
  // What a goroutine inherits of its maker's task has no name and is no region of anybody.
  const regions = summary.regions.filter(({ startKind }) => startKind !== "StateTransition");
  if (regions.length === 0) return "No regions.";
  const told = regions.map((region) => ({
    ...region,
    complete: region.start !== null && region.endKind === "RegionEnd",
  }));
  const types = typeTable(
    "Regions",
    grouped(told, ({ type }) => type),
    limit,
  );
  if (!each) return types;
  const rows = told
    .toSorted((a, b) => b.duration - a.duration)
    .map((region) => [
      offset(region.start, summary.startTime),
      String(region.goroutine),
      String(region.task),
      duration(region.duration) + (region.complete ? "" : "+"),
      duration(region.exec),
      duration(region.schedWait),
      duration(blockTime(region)),
      duration(region.syscall + region.syscallBlock),
    ]);
  const titles = ["start", "on", "task", "total", "running", "runnable", "waiting", "syscall"];
  const complete = told.filter((region) => region.complete).map((region) => region.duration);
  return [
    types,
    histogram(complete),
    limited(titles, rows, limit, "+: not ended by its own end"),
    reasons(told, limit),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Logs in order of time, or their number by category or message with the tasks and goroutines that wrote them. */
export function logsText({ summary, logs, isNode }: TraceTables, limit: number, by: By): string {
  if (logs.length === 0) return "No logs.";
  if (by === null) {
    const rows = logs.map((log) => [
      offset(log.time, summary.startTime),
      String(log.goroutine),
      String(log.task),
      shorten(logText(log), 46),
    ]);
    return limited(["Logs", isNode ? "activation" : "goroutine", "task", "<text"], rows, limit);
  }
  const rows = [
    ...grouped(logs, (log) => (by === "category" ? log.category : `${log.category}\0${log.message}`)),
  ]
    .map(([, members]) => members)
    .toSorted((a, b) => b.length - a.length)
    .map((members) => [
      shorten(by === "category" ? safeText(members[0]!.category) || "(none)" : logText(members[0]!), 40),
      count(members.length),
      count(new Set(members.map((log) => log.task)).size),
      count(new Set(members.map((log) => log.goroutine)).size),
    ]);
  return limited(["Logs", "count", "tasks", isNode ? "activations" : "goroutines"], rows, limit);
}

/** A task and all below it. */
function family(root: TaskSummary, byId: ReadonlyMap<Integer, TaskSummary>): TaskSummary[] {
  const members = new Map<Integer, TaskSummary>([[root.id, root]]);
  for (const task of members.values()) {
    for (const id of task.children) {
      const child = byId.get(id);
      if (child !== undefined) members.set(id, child);
    }
  }
  return [...members.values()];
}

function typeTable<T extends { readonly duration: number; readonly complete: boolean }>(
  title: string,
  groups: ReadonlyMap<string, readonly T[]>,
  limit: number,
): string {
  const types = [...groups]
    .map(([type, members]) => ({ type, members, total: sum(members, (row) => row.duration) }))
    .toSorted((a, b) => b.total - a.total)
    .map(({ type, members }) => {
      const complete = members.filter((row) => row.complete);
      const spread = distributionOf(Float64Array.from(complete, (row) => row.duration));
      const times = spread === null ? [] : [spread.p50, spread.p90, spread.p99, spread.max];
      return [
        nameOf(type, "(no name)"),
        count(members.length),
        count(members.length - complete.length),
        ...times.map(duration),
      ];
    });
  return limited([title, "count", "open", "p50", "p90", "p99", "max"], types, limit);
}

function latencies(title: string, values: readonly number[]): string {
  const spread = distributionOf(Float64Array.from(values));
  if (spread === null) return "";
  const { min, p50, p90, p99, max, mean } = spread;
  return table(
    [title, "min", "p50", "p90", "p99", "max", "mean"],
    [["", ...[min, p50, p90, p99, max, mean].map(duration)]],
  ).join("\n");
}

/** Go's buckets, a bar each. */
function histogram(durations: readonly number[]): string {
  const buckets = latencyBuckets(durations);
  const most = Math.max(...buckets.map((bucket) => bucket.count));
  const rows = buckets.map((bucket) => [
    `from ${duration(bucket.from)}`,
    count(bucket.count),
    "#".repeat(Math.ceil((bucket.count / most) * BAR_WIDTH)),
  ]);
  return rows.length === 0 ? "" : table(["Latency", "count", "<"], rows).join("\n");
}

function reasons(rows: readonly Pick<GoroutineSummary, "blockByReason">[], limit: number): string {
  const times = new Map<string, number>();
  for (const { blockByReason } of rows) {
    for (const [reason, time] of Object.entries(blockByReason))
      times.set(reason, (times.get(reason) ?? 0) + time);
  }
  if (times.size === 0) return "No waits.";
  const sorted = [...times].toSorted(([, a], [, b]) => b - a);
  return limited(
    ["Waits by reason", "total"],
    sorted.map(([reason, time]) => [nameOf(reason, "(began before the trace)"), duration(time)]),
    limit,
  );
}

function regionLine(region: RegionSummary): string {
  const open = region.start === null || region.endKind !== "RegionEnd" ? ", not complete" : "";
  return `region ${safeText(region.type)}: ${duration(region.duration)} on ${region.goroutine}${open}`;
}

function logText({ category, message }: LogRow): string {
  return safeText(category === "" ? message : `[${category}] ${message}`);
}

/** How a group by log is called. */
function groupName({ category, message }: LogGroup<unknown>): string {
  if (category === null) return "(no logs)";
  if (message === null) return category === "" ? "(no category)" : category;
  return category === "" ? message : `[${category}] ${message}`;
}

function offset(time: number | null, startTime: number): string {
  return time === null ? "before" : `${duration(time - startTime)}`;
}

function nameOf(name: string, empty: string): string {
  return name === "" ? empty : shorten(safeText(name), NAME_WIDTH);
}

function limited(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  limit: number,
  legend = "",
): string {
  const lines = table(titles, rows.slice(0, limit));
  if (rows.length > limit) lines.push(`  and ${count(rows.length - limit)} more (--limit)`);
  if (legend !== "" && rows.some((row) => row.some((cell) => cell.endsWith("+")))) lines.push(`  ${legend}`);
  return lines.join("\n");
}

function grouped<T, K>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

function sum<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
