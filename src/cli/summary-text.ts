/** The report of `summary` for people. Words are Node's for our own traces and Go's for Go's. */
import { regionTypes, taskTypes } from "../analysis/annotations.ts";
import type { AnnotationType } from "../analysis/annotations.ts";
import { rangeSummaries } from "../analysis/gc.ts";
import { activationGroups } from "../analysis/groups.ts";
import { healthOf } from "../analysis/health.ts";
import { functionSamples } from "../analysis/samples.ts";
import { blockingSites, loopUse, schedulerLatency, waitReasons } from "../analysis/scheduling.ts";
import type { BlockingSite } from "../analysis/scheduling.ts";
import type { Totals } from "../analysis/span-totals.ts";
import { readNotes } from "../model/notes.ts";
import type { FlightNote, Notes } from "../model/notes.ts";
import type { TraceModel } from "../model/types.ts";
import {
  ROWS,
  SPREAD_TITLES,
  count,
  duration,
  percent,
  plural,
  safeText,
  section,
  spread,
} from "./format.ts";
import { SPARK_WIDTH, healthSections } from "./health-text.ts";
import { location, place } from "./place.ts";

interface Words {
  readonly loop: string;
  readonly loops: string;
  readonly activations: string;
}

const NODE_WORDS: Words = { loop: "event loop", loops: "Event loops", activations: "Activations" };
const GO_WORDS: Words = { loop: "proc", loops: "Procs", activations: "Goroutines" };

/** The report, without a line end at its end. `file` is the name to show, `totals` the sums of the spans, `tests` sections that tell of tests. */
export function summaryText(
  file: string,
  model: TraceModel,
  totals: Totals,
  tests: readonly (readonly string[])[] = [],
): string {
  const notes = readNotes(model.notes);
  const words = notes.process === null ? GO_WORDS : NODE_WORDS;
  const sites = blockingSites(model, totals);
  const sections = [
    header(file, model, notes),
    warnings(notes, words),
    loops(model, totals, words),
    activations(model, totals, words),
    ...tests,
    annotations("Tasks", taskTypes(model)),
    annotations("Regions", regionTypes(model)),
    waits(sites),
    blocking(model, sites),
    ...healthSections(
      model,
      healthOf(model, totals, SPARK_WIDTH),
      schedulerLatency(totals),
      notes.process !== null,
    ),
    collections(model),
    cpu(model),
    recording(notes, words, model.endTime - model.startTime),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function header(file: string, model: TraceModel, notes: Notes): string[] {
  const facts = [
    duration(model.endTime - model.startTime),
    `${count(model.events)} events`,
    `go 1.${model.version} trace`,
  ];
  const lines = [`${safeText(file)}: ${facts.join(", ")}`];
  const { process } = notes;
  if (process !== null) {
    const details = [
      process.pid === null ? "" : `pid ${process.pid}`,
      process.node === null ? "" : `node ${process.node}`,
      process.runtrace === null ? "" : `runtrace ${process.runtrace}`,
    ].filter((detail) => detail !== "");
    lines.push(safeText(`${process.argv1 ?? "unnamed program"} (${details.join(", ")})`));
  }
  if (notes.flight !== null)
    lines.push(safeText(`written by the flight recorder: ${incident(notes.flight)}`));
  return lines;
}

function incident({ trigger, ms, bytes: size, name }: FlightNote): string {
  const lasted = ms === null ? "" : ` ${duration(ms * 1e6)}`;
  if (trigger === "lag") return `the event loop was${lasted} late`;
  if (trigger === "task") return `task "${name ?? ""}" had lasted${lasted}`;
  if (trigger === "heap") return `the heap had${size === null ? "" : ` ${bytes(size)}`}`;
  return trigger === "signal" ? `the process got ${name ?? "a signal"}` : trigger;
}

function warnings(notes: Notes, words: Words): string[] {
  const lines: string[] = [];
  for (const [loop, facts] of notes.drops) {
    lines.push(
      `warning: ${count(facts)} facts of ${words.loop} ${loop} were lost to a full buffer; the trace has gaps`,
    );
  }
  for (const [kind, times] of notes.misuse) {
    lines.push(`warning: ${count(times)} wrong uses of the annotation API (${safeText(kind)})`);
  }
  if (notes.skippedLooks > 0) {
    lines.push(
      `warning: ${count(notes.skippedLooks)} promises were recorded without their place (too many at once); forks among them are not shown`,
    );
  }
  const { lostPauses } = notes;
  if (lostPauses.count > 0) {
    lines.push(
      `note: ${plural(lostPauses.count, "pause")} of garbage collection (${duration(lostPauses.ns)}) fell in long turns, not shown`,
    );
  }
  return lines;
}

function loops(model: TraceModel, totals: Totals, words: Words): string[] {
  const rows = loopUse(model, totals).map((use) => [
    safeText(use.name),
    percent(use.utilization),
    duration(use.busy),
    duration(use.overhead),
    duration(use.idle),
  ]);
  return section([words.loops, "utilization", "running", "overhead", "idle"], rows);
}

function activations(model: TraceModel, totals: Totals, words: Words): string[] {
  const groups = activationGroups(model, totals);
  const withSyscalls = groups.some((group) => group.syscall + group.syscallBlock > 0);
  const rows = groups.map((group) => [
    group.name === "" ? "(no stack seen)" : safeText(group.name),
    count(group.count),
    duration(group.execution),
    duration(group.schedWait),
    duration(group.block),
    ...(withSyscalls ? [duration(group.syscall + group.syscallBlock)] : []),
  ]);
  const titles = [words.activations, "count", "running", "runnable", "waiting"];
  return section(withSyscalls ? [...titles, "syscall"] : titles, rows);
}

function annotations(title: string, types: readonly AnnotationType[]): string[] {
  const told = types.filter((type) => type.type !== "" || type.complete > 0);
  const rows = told.map((type) => [
    safeText(type.type),
    count(type.count),
    count(type.count - type.complete),
    ...spread(type.latency),
  ]);
  return section([title, "count", "open", ...SPREAD_TITLES], rows);
}

function waits(sites: readonly BlockingSite[]): string[] {
  const rows = waitReasons(sites).map((wait) => [
    wait.reason === "" ? "(began before the trace)" : safeText(wait.reason),
    count(wait.count),
    duration(wait.total),
    duration(wait.longest),
  ]);
  return section(["Waits by reason", "count", "total", "longest"], rows);
}

/** Waits with a reason and a stack, merged where reason and place read the same. */
function blocking(model: TraceModel, sites: readonly BlockingSite[]): string[] {
  const places = new Map<string, BlockingPlace>();
  for (const site of sites) {
    if (site.reason === "" || site.stack === 0) continue;
    const where = place(model.stacks[site.stack]!);
    const key = `${site.reason}\0${where}`;
    const known = places.get(key);
    if (known === undefined) {
      places.set(key, {
        reason: site.reason,
        where,
        count: site.count,
        total: site.total,
        longest: site.longest,
      });
    } else {
      known.count += site.count;
      known.total += site.total;
      known.longest = Math.max(known.longest, site.longest);
    }
  }
  const rows = [...places.values()]
    .toSorted((a, b) => b.total - a.total)
    .map((at) => [safeText(at.reason), count(at.count), duration(at.total), duration(at.longest), at.where]);
  return section(["Waits by place", "count", "total", "longest", "<where"], rows);
}

interface BlockingPlace {
  readonly reason: string;
  readonly where: string;
  count: number;
  total: number;
  longest: number;
}

function collections(model: TraceModel): string[] {
  const rows = rangeSummaries(model).map((range) => [
    safeText(range.name),
    count(range.count),
    duration(range.total),
    duration(range.longest),
  ]);
  return section(["GC and stop-the-world", "count", "total", "longest"], rows);
}

function cpu(model: TraceModel): string[] {
  const samples = model.samples.count;
  const rows = functionSamples(model, ROWS).map((func) => [
    safeText(func.func),
    count(func.self),
    percent(func.self / samples),
    count(func.total),
    safeText(location(func.file, func.line)),
  ]);
  return section(["CPU samples", "self", "share", "total", "<where"], rows);
}

/** What the recording itself has cost. */
function recording({ cost }: Notes, words: Words, elapsed: number): string[] {
  if (cost === null) return [];
  const share = (ns: number | null): string =>
    ns === null ? "" : `${duration(ns)} (${percent(ns / Math.max(1, elapsed))})`;
  const whole = (value: number | null, text: (value: number) => string): string =>
    value === null ? "" : text(value);
  const lines = section(
    ["Recording", "facts", "lost", `in the ${words.loop}s`, "tracer thread", "written"],
    [
      [
        "cost",
        whole(cost.facts, count),
        whole(cost.lost, count),
        share(cost.hooksNs),
        share(cost.tracerNs),
        whole(cost.bytes, bytes),
      ],
    ],
  );
  const { transformed, transformNs } = cost;
  if (transformed !== null && transformNs !== null)
    lines.push(`  loading: ${duration(transformNs)} for the transform of ${plural(transformed, "file")}`);
  return lines;
}

function bytes(value: number): string {
  return `${(value / 1e6).toFixed(1)} MB`;
}
