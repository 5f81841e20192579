import { signal } from "@preact/signals";
import { loaded, theme, lanes } from "../app/state.ts";
import { spanDetails, stateText, wakeOf, activationOfSpan } from "../core/details.ts";
import { duration, shortName, timestamp } from "../core/format.ts";
import type { Target } from "../core/hit.ts";
import { LaneKind } from "../core/lanes.ts";
import { activationLabel } from "../core/scene.ts";
import { regionBounds } from "../core/trace-index.ts";
import type { LoadedTrace } from "../protocol.ts";

/** What the pointer is over, where, and in how large an area; null for nothing. */
export const hover = signal<{
  readonly target: Target;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
} | null>(null);

interface Content {
  readonly title: string;
  readonly color: string | null;
  readonly lines: readonly (readonly [string, string])[];
}

/** The box beside the pointer. */
export function Tooltip() {
  const at = hover.value;
  const trace = loaded.value;
  if (at === null || trace === null) return null;
  const content = contentOf(trace, at.target);
  if (content === null) return null;
  const left = at.x + 16 + 320 > at.width ? Math.max(4, at.x - 16 - 320) : at.x + 16;
  const room = 40 + content.lines.length * 18;
  const top = at.y + 18 + room > at.height ? Math.max(2, at.y - room - 8) : at.y + 18;
  return (
    <div class="tooltip" role="tooltip" style={{ transform: `translate(${left}px, ${top}px)` }}>
      <div class="tooltip-title">
        {content.color !== null && <span class="swatch" style={{ background: content.color }} />}
        {content.title}
      </div>
      <dl>
        {content.lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function contentOf(trace: LoadedTrace, target: Target): Content | null {
  const { model, index } = trace;
  const at = (time: number): string => timestamp(time - model.startTime, 1000);
  if (target.kind === "span") return spanContent(trace, target.row);
  if (target.kind === "proc") {
    const { start, end, activation } = model.procSpans;
    const row = activation[target.row]!;
    const lines: [string, string][] = [
      ["length", duration(end[target.row]! - start[target.row]!)],
      ["at", at(start[target.row]!)],
    ];
    if (row < 0) return { title: "Overhead between activations", color: theme.value.named[1]!, lines };
    const code = index.procs.category[target.row]!;
    return { title: activationLabel(model, row), color: theme.value.named[code]!, lines };
  }
  if (target.kind === "region") {
    const { start, end } = regionBounds(model, target.row);
    const task = model.regions.task[target.row]!;
    return {
      title: `region ${model.strings[model.regions.name[target.row]!] ?? ""}`,
      color: null,
      lines: [
        ["length", duration(end - start)],
        ["at", at(start)],
        ["task", task < 0 ? "background" : taskLabel(trace, task)],
      ],
    };
  }
  if (target.kind === "log") {
    const { category, message, time } = model.logs;
    return {
      title: model.strings[message[target.row]!] ?? "",
      color: theme.value.log,
      lines: [
        ["category", model.strings[category[target.row]!] || "–"],
        ["at", at(time[target.row]!)],
      ],
    };
  }
  if (target.kind === "range") {
    const start = model.ranges.start[target.row]!;
    const end = model.ranges.end[target.row]!;
    return {
      title: model.strings[model.ranges.name[target.row]!] ?? "range",
      color: null,
      lines: [
        ["length", duration(end - start)],
        ["at", at(start)],
      ],
    };
  }
  return laneContent(trace, target.lane);
}

function spanContent(trace: LoadedTrace, row: number): Content {
  const { model, index } = trace;
  const details = spanDetails(model, index, row);
  const lines: [string, string][] = [
    ["state", stateText(details.category, details.reason)],
    ["length", duration(details.end - details.start)],
    ["at", timestamp(details.start - model.startTime, 1000)],
  ];
  const frame = model.stacks[details.stack]?.[0];
  if (frame !== undefined) lines.push(["in", `${shortName(frame.func)}:${frame.line}`]);
  const woken = wakeOf(model, index, row, activationOfSpan(model, row));
  if (woken !== null)
    lines.push([woken.created ? "created by" : "woken by", activationLabel(model, woken.by)]);
  return {
    title: activationLabel(model, details.activation),
    color: theme.value.states[details.category]!,
    lines,
  };
}

function laneContent(trace: LoadedTrace, lane: number): Content | null {
  const all = lanes.value;
  const { model } = trace;
  if (all === null || all.kind[lane] !== LaneKind.Activation) return null;
  const row = all.row[lane]!;
  const { name, id, created, ended, creator } = model.activations;
  const alive = (Number.isNaN(ended[row]!) ? model.endTime : ended[row]!) - created[row]!;
  const lines: [string, string][] = [["lived", duration(alive)]];
  if (creator[row]! >= 0) lines.push(["created by", activationLabel(model, creator[row]!)]);
  return { title: `${model.strings[name[row]!] || "(unknown)"} #${id[row]}`, color: null, lines };
}

/** "order #7". */
export function taskLabel(trace: LoadedTrace, row: number): string {
  const { name, id } = trace.model.tasks;
  return `${trace.model.strings[name[row]!] || "(no name)"} #${id[row]}`;
}
