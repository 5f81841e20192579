/** The rows behind the tables of goroutines, tasks, regions and logs, and the filters over them. */
import type { OrderedEvent } from "../order/types.ts";
import { SummaryBuilder } from "./summary.ts";
import type { GoroutineSummary, Integer, RegionSummary, TaskSummary, TraceSummary } from "./summary.ts";
import { wellFormed } from "./text.ts";

/** The category in which the recorder speaks of itself. */
const RESERVED = "runtrace";

/** A log of the program. Time in nanoseconds; `task` 0 is none. */
export interface LogRow {
  readonly time: number;
  readonly goroutine: number;
  readonly task: Integer;
  readonly category: string;
  readonly message: string;
}

export interface TraceTables {
  readonly summary: TraceSummary;
  /** In order of time, without those of the reserved category. */
  readonly logs: readonly LogRow[];
  /** Whether runtrace recorded the trace: its words are Node's. */
  readonly isNode: boolean;
}

/** Collects the tables: hand every ordered event to `event`, then call `finish` once. */
export class TablesBuilder {
  readonly #summary: SummaryBuilder;
  readonly #logs: LogRow[] = [];
  #isNode = false;

  constructor(options: { readonly compat: boolean }) {
    this.#summary = new SummaryBuilder(options);
  }

  event(e: OrderedEvent): void {
    this.#summary.event(e);
    if (e.kind !== "Log") return;
    if (e.name === RESERVED) {
      if (e.message.startsWith('{"process":')) this.#isNode = true;
      return;
    }
    this.#logs.push({
      time: e.time,
      goroutine: e.goroutine,
      task: e.task <= Number.MAX_SAFE_INTEGER ? Number(e.task) : e.task.toString(),
      category: wellFormed(e.name),
      message: wellFormed(e.message),
    });
  }

  /** `error` is the reader's first line, where the file broke. */
  finish(error: string | null): TraceTables {
    return { summary: this.#summary.finish(error), logs: this.#logs, isNode: this.#isNode };
  }
}

/** What to show. Absent: everything. */
export interface TableFilter {
  /** Entry function or id. */
  readonly goroutine?: string;
  /** Type or id. */
  readonly task?: string;
  readonly region?: string;
  /** A category, or CATEGORY=TEXT: its messages that contain the text. */
  readonly log?: string;
  /** Nanoseconds since the trace's start: what overlaps [from, to]. */
  readonly from?: number;
  readonly to?: number;
}

/**
 * The rows that a filter lets through. Each filter narrows each table by what belongs together: a task's goroutines and
 * regions, a goroutine's tasks and logs, the goroutines and tasks in which a log was written.
 */
export function filterTables(tables: TraceTables, filter: TableFilter): TraceTables {
  const { summary } = tables;
  const goroutineIds = new Set(
    summary.goroutines.filter(({ id, name }) => matches(filter.goroutine, id, name)).map(({ id }) => id),
  );
  const taskIds = new Set(
    summary.tasks.filter(({ id, name }) => matches(filter.task, id, name)).map(({ id }) => id),
  );
  const isInTime = (start: number, end: number): boolean =>
    end - summary.startTime >= (filter.from ?? -Infinity) &&
    start - summary.startTime <= (filter.to ?? Infinity);

  const logs = tables.logs.filter(
    (log) =>
      (filter.goroutine === undefined || goroutineIds.has(log.goroutine)) &&
      (filter.task === undefined || taskIds.has(log.task)) &&
      isLog(filter.log, log) &&
      isInTime(log.time, log.time),
  );
  const logged = {
    goroutines: new Set(logs.map((log) => log.goroutine)),
    tasks: new Set(logs.map((log) => log.task)),
  };
  const start = (region: RegionSummary): number => region.start ?? summary.startTime;
  const end = (region: RegionSummary): number => region.end ?? summary.endTime;
  const timesOf = new Map<number, number[]>();
  for (const { goroutine, time } of logs) {
    const times = timesOf.get(goroutine);
    if (times === undefined) timesOf.set(goroutine, [time]);
    else times.push(time);
  }
  const regions = summary.regions.filter(
    (region) =>
      (filter.region === undefined || region.type === filter.region) &&
      (filter.goroutine === undefined || goroutineIds.has(region.goroutine)) &&
      (filter.task === undefined || taskIds.has(region.task)) &&
      (filter.log === undefined ||
        timesOf.get(region.goroutine)?.some((time) => time >= start(region) && time <= end(region)) ===
          true) &&
      isInTime(start(region), end(region)),
  );
  const inRegions = {
    goroutines: new Set(regions.map((region) => region.goroutine)),
    tasks: new Set(regions.map((region) => region.task)),
  };
  const ofTasks = new Set<number>();
  for (const task of summary.tasks) {
    if (taskIds.has(task.id)) for (const id of task.goroutines) ofTasks.add(id);
  }
  const goroutines = summary.goroutines.filter(
    (goroutine) =>
      goroutineIds.has(goroutine.id) &&
      (filter.task === undefined || ofTasks.has(goroutine.id)) &&
      (filter.region === undefined || inRegions.goroutines.has(goroutine.id)) &&
      (filter.log === undefined || logged.goroutines.has(goroutine.id)) &&
      isInTime(goroutine.creation, goroutine.end === 0 ? summary.endTime : goroutine.end),
  );
  const tasks = summary.tasks.filter(
    (task) =>
      taskIds.has(task.id) &&
      (filter.goroutine === undefined || task.goroutines.some((id) => goroutineIds.has(id))) &&
      (filter.region === undefined || inRegions.tasks.has(task.id)) &&
      (filter.log === undefined || logged.tasks.has(task.id)) &&
      isInTime(task.start ?? summary.startTime, task.end ?? summary.endTime),
  );
  return { ...tables, logs, summary: { ...summary, goroutines, tasks, regions } };
}

/** Goroutines or tasks in which one log, or one category of logs, was written. */
export interface LogGroup<T> {
  /** Both null: those without logs. `message` is null where categories are grouped by. */
  readonly category: string | null;
  readonly message: string | null;
  readonly members: readonly T[];
}

/**
 * Groups goroutines or tasks by the logs that were written in them, in the order of the logs; those without come last.
 * A member with several logs is in each of their groups, once. `of`: what a log belongs to, by its id.
 */
export function groupByLog<T extends { readonly id: Integer }>(
  members: readonly T[],
  logs: readonly LogRow[],
  by: "category" | "message",
  of: "goroutine" | "task",
): LogGroup<T>[] {
  const known = new Map<Integer, T>(members.map((member) => [member.id, member]));
  const groups = new Map<string, { category: string; message: string | null; found: Set<T> }>();
  const logged = new Set<T>();
  for (const log of logs) {
    const member = known.get(log[of]);
    if (member === undefined) continue;
    logged.add(member);
    const message = by === "message" ? log.message : null;
    const key = JSON.stringify([log.category, message]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { category: log.category, message, found: new Set([member]) });
    else group.found.add(member);
  }
  const found: LogGroup<T>[] = [...groups.values()].map((group) => ({
    category: group.category,
    message: group.message,
    members: [...group.found],
  }));
  const others = members.filter((member) => !logged.has(member));
  return others.length === 0 ? found : [...found, { category: null, message: null, members: others }];
}

/** Time blocked for any reason. */
export function blockTime({ blockByReason }: Pick<GoroutineSummary, "blockByReason">): number {
  return Object.values(blockByReason).reduce((sum, time) => sum + time, 0);
}

/** A task with its depth below the first of its tree that is among the given; children follow their parent. */
export interface TaskNode {
  readonly task: TaskSummary;
  readonly depth: number;
}

/** Tasks as trees, the roots in the given order. A loop of parents, as a broken program may write, is cut. */
export function taskTree(tasks: readonly TaskSummary[]): TaskNode[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  const seen = new Set<Integer>();
  const nodes: TaskNode[] = [];
  const open: TaskNode[] = [];
  const visit = (root: TaskSummary): void => {
    open.push({ task: root, depth: 0 });
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node.task.id)) continue;
      seen.add(node.task.id);
      nodes.push(node);
      for (const id of node.task.children.toReversed()) {
        const child = known.get(id);
        if (child !== undefined) open.push({ task: child, depth: node.depth + 1 });
      }
    }
  };
  for (const task of tasks) if (task.parent === null || !known.has(task.parent)) visit(task);
  for (const task of tasks) if (!seen.has(task.id)) visit(task);
  return nodes;
}

function matches(wanted: string | undefined, id: Integer, name: string): boolean {
  return wanted === undefined || wanted === name || wanted === String(id);
}

function isLog(wanted: string | undefined, { category, message }: LogRow): boolean {
  if (wanted === undefined || wanted === category) return true;
  const at = wanted.indexOf("=");
  return at >= 0 && category === wanted.slice(0, at) && message.includes(wanted.slice(at + 1));
}
