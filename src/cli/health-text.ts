/** What `summary` tells people of the health of loops and waits. */
import type { Distribution } from "../analysis/distribution.ts";
import type { Health, Who } from "../analysis/health.ts";
import type { TraceModel } from "../model/types.ts";
import { SPREAD_TITLES, count, duration, safeText, section, spread, table } from "./format.ts";
import { place } from "./place.ts";

/** Parts of the time that a curve of text shows, a character each. */
export const SPARK_WIDTH = 48;
const BARS = [..." ▁▂▃▄▅▆▇█"];
/** Turns and waits told: the longest say it all. */
const LONGEST = 8;

/** Entry functions of the runtime itself. */
const RUNTIME = /^runtime[./]/;

/** Sections: latency, curves over time, the longest turns and waits, and what never ended. `isNode`: in Node's words. */
export function healthSections(
  model: TraceModel,
  health: Health,
  latency: Distribution | null,
  isNode: boolean,
): string[][] {
  return [
    latencies(health, latency),
    overTime(health, isNode),
    turns(model, health, isNode),
    waits(model, health, isNode),
    notEnded(model, health),
  ];
}

function latencies(health: Health, all: Distribution | null): string[] {
  if (all === null) return [];
  const rows = [["runnable to running", count(all.count), ...spread(all)]];
  if (health.delays.length > 1)
    for (const { loop, delay } of health.delays)
      rows.push([`on ${safeText(loop)}`, count(delay.count), ...spread(delay)]);
  return section(["Scheduler latency", "count", ...SPREAD_TITLES], rows);
}

function overTime({ overTime: { width, runnable, awake } }: Health, isNode: boolean): string[] {
  if (runnable.length === 0) return [];
  const row = (title: string, values: readonly number[]): string[] => [
    title,
    curve(values),
    (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2),
    Math.max(...values).toFixed(2),
  ];
  return table(
    ["Over time", `<${duration(width)} a column`, "mean", "peak"],
    [row("run queue", runnable), row(isNode ? "busy loops" : "busy procs", awake)],
  );
}

/** A bar a value, of eight heights up to the largest; what is more than nothing shows. */
function curve(values: readonly number[]): string {
  const peak = Math.max(...values);
  if (peak === 0) return BARS[0]!.repeat(values.length);
  return values.map((value) => BARS[Math.ceil((value / peak) * (BARS.length - 1))]!).join("");
}

function turns(model: TraceModel, health: Health, isNode: boolean): string[] {
  const severalLoops = model.procs.count > 1;
  const rows = health.turns
    .slice(0, LONGEST)
    .map((turn) => [
      duration(turn.duration),
      duration(turn.start),
      ...(severalLoops ? [safeText(turn.loop)] : []),
      named(turn.activation),
      turn.samples === 0 ? "" : `${turn.stackSamples}/${turn.samples}`,
      turn.samples === 0 ? "" : place(model.stacks[turn.stack]!),
    ]);
  const loop = severalLoops ? [isNode ? "<loop" : "<proc"] : [];
  const titles = ["Longest turns", "at", ...loop, isNode ? "<activation" : "<goroutine"];
  return section([...titles, "samples", "<mostly in"], rows);
}

function waits(model: TraceModel, health: Health, isNode: boolean): string[] {
  // What the runtime itself waits for says nothing of the program.
  const rows = health.waits
    .filter(({ activation }) => !RUNTIME.test(activation.name))
    .slice(0, LONGEST)
    .map((wait) => [
      duration(wait.duration),
      duration(wait.start),
      safeText(wait.reason),
      named(wait.activation),
      wait.waker === null ? "" : named(wait.waker),
      place(model.stacks[wait.stack]!),
    ]);
  const titles = [
    "Longest waits",
    "at",
    "<for",
    isNode ? "<activation" : "<goroutine",
    "<woken by",
    "<where",
  ];
  return section(titles, rows);
}

function notEnded(model: TraceModel, health: Health): string[] {
  const rows = health.notEnded
    .filter(({ name }) => !RUNTIME.test(name))
    .map((group) => [
      safeText(group.name),
      count(group.count),
      duration(group.longest),
      group.reason === "" ? "its turn" : safeText(group.reason),
      place(model.stacks[group.creationStack]!),
    ]);
  return section(["Never ended", "count", "waits since", "<for", "<made at"], rows);
}

function named({ id, name }: Who): string {
  return `${name === "" ? "" : `${safeText(name)} `}${id}`;
}
