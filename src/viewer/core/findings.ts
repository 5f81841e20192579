import { rangeSummaries } from "../../analysis/gc.ts";
import type { Health, Who } from "../../analysis/health.ts";
import { programFrame } from "../../analysis/program-frame.ts";
import type { TraceModel } from "../../model/types.ts";
import type { Frame } from "../../wire/format.ts";
import { CATEGORIES, Category } from "./categories.ts";
import { duration, percent, plural, shortName } from "./format.ts";
import type { TraceIndex } from "./trace-index.ts";

/** Where a finding is to be seen. `time` is absolute. */
export type Place =
  | { readonly kind: "activation"; readonly row: number; readonly time: number }
  | { readonly kind: "task"; readonly row: number }
  | { readonly kind: "tab"; readonly tab: "activations" | "tasks" | "trace" };

/** Something worth knowing about a trace, in a plain sentence, and where to look at it. */
export interface Finding {
  readonly text: string;
  readonly place: Place;
}

/** Below these a trace is as it should be. Nanoseconds; shares of one. */
const LONG_TURN = 50e6;
const LATE = 10e6;
const BUSY = 0.9;
const COLLECTING = 0.05;
const BLOCKED = 0.02;
/** An activation that has waited for this share of the trace, and more of its kind, look forgotten. */
const FORGOTTEN = 0.5;
const MANY = 3;

/** What strikes in a trace, the most telling first. `isNode`: in Node's words. */
export function findings(model: TraceModel, index: TraceIndex, health: Health, isNode: boolean): Finding[] {
  const found: Finding[] = [];
  const loop = isNode ? "event loop" : "proc";
  const length = Math.max(1, model.endTime - model.startTime);

  const slowest = slowestTasks(model, 1)[0];
  if (slowest !== undefined) {
    const main = mainParts(model, index, slowest).slice(0, 2);
    const why = main.map(([category, time]) => `${duration(time)} ${label(category)}`).join(", ");
    found.push({
      text: `The slowest task, ${taskName(model, slowest)}, took ${duration(taskLength(model, slowest))}${why === "" ? "" : `: ${why}`}.`,
      place: { kind: "task", row: slowest },
    });
  }

  const [turn] = health.turns;
  if (isNode && turn !== undefined && turn.duration >= LONG_TURN) {
    const frame = programFrame(model.stacks[turn.stack] ?? []);
    const inside = frame === undefined ? "" : `, mostly in ${frameText(frame)}`;
    const others = health.turns.filter((one) => one.duration >= LONG_TURN).length;
    const more = others > 1 ? ` (${plural(others, "turn")} of over ${duration(LONG_TURN)})` : "";
    found.push({
      text: `${nameOf(turn.activation)} kept the ${loop} ${turn.loop} for ${duration(turn.duration)} without a break${inside}${more}.`,
      place: { kind: "activation", row: turn.activation.row, time: turn.start + model.startTime },
    });
  }

  for (const { name, utilization } of health.loops) {
    if (!isNode || utilization < BUSY) continue;
    found.push({
      text: `The ${loop} ${name} was busy ${percent(utilization)} of the time: what is ready has to wait for it.`,
      place: { kind: "tab", tab: "activations" },
    });
  }

  for (const { loop: name, delay } of health.delays) {
    if (delay.p99 < LATE) continue;
    found.push({
      text: `1 % of what was ready for ${loop} ${name} waited over ${duration(delay.p99)} for it, at most ${duration(delay.max)}.`,
      place: { kind: "tab", tab: "activations" },
    });
  }

  const wait = health.waits.find(({ activation }) => !isService(activation.name));
  if (wait !== undefined && wait.duration >= LATE) {
    const by = wait.waker === null ? "" : `, until ${nameOf(wait.waker)} woke it`;
    found.push({
      text: `The longest wait was ${duration(wait.duration)} for ${wait.reason} in ${nameOf(wait.activation)}${by}.`,
      place: { kind: "activation", row: wait.activation.row, time: wait.start + model.startTime },
    });
  }

  const syscalls = timeOf(model, index, Category.Syscall);
  if (isNode && syscalls / length >= BLOCKED) {
    found.push({
      text: `Synchronous calls of the system kept event loops for ${duration(syscalls)}.`,
      place: { kind: "tab", tab: "activations" },
    });
  }

  let stopped = 0;
  for (const { name, total } of rangeSummaries(model))
    if (name.startsWith("stop-the-world")) stopped += total;
  if (stopped / length >= COLLECTING) {
    found.push({
      text: `The program stood still for ${duration(stopped)} (${percent(stopped / length)}) while the collector or the runtime stopped it.`,
      place: { kind: "tab", tab: "trace" },
    });
  }

  for (const group of health.notEnded) {
    if (isService(group.name) || group.count < MANY || group.longest < length * FORGOTTEN) continue;
    found.push({
      text: `${plural(group.count, `activation`)} ${group.name} never ended; one has waited for ${group.reason || "its turn"} for ${duration(group.longest)}.`,
      place: { kind: "tab", tab: "activations" },
    });
  }
  return found;
}

/** The runtime's own, and connections, which wait for the other end as long as they are kept alive. */
export function isService(name: string): boolean {
  return /^runtime[./]/.test(name) || name === "connection";
}

/** A frame in few words: "brew cappuccino.ts:12". */
export function frameText({ func, file, line }: Pick<Frame, "func" | "file" | "line">): string {
  const base = file.split(/[\\/]/).at(-1) ?? "";
  return base === "" || line === 0 ? shortName(func) : `${shortName(func)} ${base}:${line}`;
}

/** "GET /users #12". */
export function nameOf({ id, name }: Who): string {
  return name === "" ? `activation ${id}` : `${shortName(name)} #${id}`;
}

function taskName(model: TraceModel, row: number): string {
  return `${model.strings[model.tasks.name[row]!] || "(no name)"} #${model.tasks.id[row]}`;
}

function taskLength({ tasks }: TraceModel, row: number): number {
  return tasks.end[row]! - tasks.start[row]!;
}

/** Rows of whole tasks, the slowest first. */
export function slowestTasks(model: TraceModel, limit: number): number[] {
  return Array.from({ length: model.tasks.count }, (_, row) => row)
    .filter((row) => taskLength(model, row) > 0)
    .toSorted((a, b) => taskLength(model, b) - taskLength(model, a))
    .slice(0, limit);
}

/** Where the time of a task went, by category, on the activation that began it; the most first. */
export function mainParts(
  model: TraceModel,
  index: TraceIndex,
  row: number,
): [category: number, time: number][] {
  const activation = model.tasks.activation[row]!;
  if (activation < 0) return [];
  const [from, to] = [model.tasks.start[row]!, model.tasks.end[row]!];
  const times = new Float64Array(CATEGORIES.length);
  const { firstSpan } = model.activations;
  for (let i = firstSpan[activation]!; i < firstSpan[activation + 1]!; i++) {
    const time = Math.min(to, model.spans.end[i]!) - Math.max(from, model.spans.start[i]!);
    if (time > 0) times[index.activations.category[i]!]! += time;
  }
  return [...times.entries()].filter(([, time]) => time > 0).toSorted(([, a], [, b]) => b - a);
}

function label(category: number): string {
  const { label: name } = CATEGORIES[category]!;
  return category <= Category.Syscall ? name : `waiting (${name})`;
}

function timeOf(model: TraceModel, index: TraceIndex, category: number): number {
  let time = 0;
  for (let i = 0; i < model.spans.count; i++)
    if (index.activations.category[i] === category) time += model.spans.end[i]! - model.spans.start[i]!;
  return time;
}
