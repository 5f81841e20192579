import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { LIGHT, DARK } from "../core/theme.ts";
import { activationOfSpan, spanOfActivationAt, taskBounds, wakeOf } from "../core/details.ts";
import { findText, HitKind, NO_HITS, type Hits } from "../core/find.ts";
import {
  activationsIn,
  heightOf,
  laneAt,
  LaneKind,
  layoutLanes,
  orderActivations,
  type Lanes,
  type Order,
} from "../core/lanes.ts";
import { activationsOfTask } from "../core/stats.ts";
import { regionBounds } from "../core/trace-index.ts";
import { clamp, fit, type Extent, type View } from "../core/view.ts";
import type { LoadedTrace } from "../protocol.ts";

/** The state of the page and everything that changes it. Components read the signals and call the actions. */

/** What is selected. `proc` is a row of procSpans; the other kinds are rows of the table they name. */
export type Selection =
  | { readonly kind: "span"; readonly row: number }
  | { readonly kind: "proc"; readonly row: number }
  | { readonly kind: "region"; readonly row: number }
  | { readonly kind: "range"; readonly row: number }
  | { readonly kind: "log"; readonly row: number }
  | { readonly kind: "task"; readonly row: number };

/** The tables and texts of the lower part, in their order. */
export const TABS = [
  ["overview", "Overview"],
  ["details", "Details"],
  ["tasks", "Tasks"],
  ["regions", "Regions"],
  ["activations", "Activations"],
  ["logs", "Logs"],
  ["stacks", "Stacks"],
  ["latency", "Latency"],
  ["gc", "GC"],
  ["trace", "Trace"],
] as const;
export type Tab = (typeof TABS)[number][0];

/** Progress of a load; `total` 0 where the size is not known. */
export interface Progress {
  readonly stage: string;
  readonly bytes: number;
  readonly total: number;
}

/** The trace that is shown; while `progress` is there, its first events. */
export const loaded = signal<LoadedTrace | null>(null);
/** Reading was stopped: what is loaded is not all of the file. */
export const isPartial = signal(false);
export const progress = signal<Progress | null>({ stage: "Opening", bytes: 0, total: 0 });
export const failure = signal<{ readonly message: string; readonly missing: boolean } | null>(null);
export const view = signal<View>({ start: 0, perPixel: 1 });
/** Width of the lanes without their names, and height, in CSS pixels. */
export const stage = signal({ width: 0, height: 0 });
export const scrollTop = signal(0);
export const selection = signal<Selection | null>(null);
export const tab = signal<Tab>("overview");
export const order = signal<Order>("creation");
export const onlyTask = signal(-1);
/** Show only the lanes of activations that live in what is shown; they change when the view comes to rest. */
export const onlyInView = signal(true);
export const highlight = signal<ReadonlySet<number> | null>(null);
export const query = signal("");
export const hits = signal<Hits>(NO_HITS);
export const hitIndex = signal(-1);
/** A range that was measured by dragging; shown with its length until the next click. */
export const measured = signal<{ readonly start: number; readonly end: number } | null>(null);
export const helpOpen = signal(false);
export const paletteOpen = signal(false);
export const panelHeight = signal(300);
export const announcement = signal("");

const darkQuery = matchMedia("(prefers-color-scheme: dark)");
const dark = signal(darkQuery.matches);
darkQuery.addEventListener("change", () => (dark.value = darkQuery.matches));
export const theme = computed(() => (dark.value ? DARK : LIGHT));

const ordered = computed(() => {
  const trace = loaded.value;
  return trace === null ? new Uint32Array(0) : orderActivations(trace.model, trace.index, order.value);
});

/** The view as it was when it last came to rest. */
export const restedView = signal<View>(view.value);
/** The same, for lanes: it does not change where all lanes are shown. */
export const restingView = signal<View>(view.value);
let rest: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  const now = view.value;
  const isFiltered = onlyInView.value;
  clearTimeout(rest);
  rest = setTimeout(() => {
    restedView.value = now;
    if (isFiltered) restingView.value = now;
  }, 120);
});

const ofTask = computed(() => {
  const model = loaded.value?.model;
  return model === undefined || onlyTask.value < 0 ? null : activationsOfTask(model, onlyTask.value);
});

/** Activations that the filters leave, or null for all. */
const shown = computed(() => {
  const model = loaded.value?.model;
  if (model === undefined || !onlyInView.value) return ofTask.value;
  const { start, perPixel } = restingView.value;
  const rows = activationsIn(model, start, start + perPixel * stage.value.width);
  const task = ofTask.value;
  // Everything lives: the same lanes as without the filter.
  if (task === null && rows.size === model.activations.count) return null;
  return task === null ? rows : new Set([...rows].filter((row) => task.has(row)));
});

/** Lanes of the loaded trace, or null. */
export const lanes = computed(() => {
  const trace = loaded.value;
  return trace === null ? null : layoutLanes(trace.model, trace.index, ordered.value, shown.value);
});

/** Start and end of the loaded trace. */
export const extent = computed<Extent>(() => {
  const model = loaded.value?.model;
  return model === undefined
    ? { start: 0, end: 1 }
    : { start: model.startTime, end: Math.max(model.endTime, model.startTime + 1) };
});

let animation = 0;

/** Moves the view at once. */
export function setView(next: View): void {
  cancelAnimationFrame(animation);
  view.value = clamp(next, extent.value, stage.value.width);
}

/** Moves the view over an eighth of a second, or at once where people ask for less motion. */
export function glideTo(next: View): void {
  const target = clamp(next, extent.value, stage.value.width);
  cancelAnimationFrame(animation);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    view.value = target;
    return;
  }
  const from = view.value;
  const width = stage.value.width;
  const began = performance.now();
  const move = (now: number): void => {
    const part = Math.min(1, Math.max(0, (now - began) / 140));
    if (part === 1) {
      view.value = target;
      return;
    }
    const eased = 1 - (1 - part) ** 3;
    const perPixel = from.perPixel * (target.perPixel / from.perPixel) ** eased;
    // The centre moves in step with the scale, so that the target does not swing through the screen.
    const share =
      Math.abs(target.perPixel - from.perPixel) < 1e-9 * from.perPixel
        ? eased
        : (perPixel - from.perPixel) / (target.perPixel - from.perPixel);
    const first = from.start + (from.perPixel * width) / 2;
    const last = target.start + (target.perPixel * width) / 2;
    view.value = { start: first + (last - first) * share - (perPixel * width) / 2, perPixel };
    animation = requestAnimationFrame(move);
  };
  animation = requestAnimationFrame(move);
}

/** Shows the whole trace. */
export function showAll(): void {
  glideTo(fit(extent.value.start, extent.value.end, stage.value.width, 0.01));
}

/** Shows [start, end) with some room around. */
export function showRange(start: number, end: number, margin = 0.15): void {
  glideTo(fit(start, end, stage.value.width, margin));
}

/** Scrolls by lanes' pixels, within bounds. */
export function scrollTo(top: number): void {
  const all = lanes.value;
  const limit = all === null ? 0 : Math.max(0, heightOf(all) - stage.value.height);
  scrollTop.value = Math.round(Math.min(Math.max(0, top), limit));
}

let before: Lanes | null = null;

// Other lanes or a larger window must not leave the lanes scrolled out of sight, nor move what one looks at.
effect(() => {
  const now = lanes.value;
  void stage.value;
  untracked(() => {
    const top = scrollTop.value;
    const anchor = before === null || now === null || top === 0 ? -1 : anchorOf(before, now, top);
    if (anchor < 0) scrollTo(top);
    else
      scrollTo(
        now!.top[now!.laneOfActivation[anchor]!]! - (before!.top[before!.laneOfActivation[anchor]!]! - top),
      );
    before = now;
  });
});

/** The topmost activation on screen that has a lane before and after a change, or -1. */
function anchorOf(old: Lanes, now: Lanes, top: number): number {
  if (old.laneOfActivation.length !== now.laneOfActivation.length) return -1;
  for (
    let lane = Math.max(0, laneAt(old, top));
    lane < old.count && old.top[lane]! < top + stage.value.height;
    lane++
  ) {
    const row = old.row[lane]!;
    if (old.kind[lane] === LaneKind.Activation && now.laneOfActivation[row] !== -1) return row;
  }
  return -1;
}

/** Scrolls so that a lane can be seen. */
export function revealLane(lane: number): void {
  const all = lanes.value;
  if (all === null || lane < 0) return;
  const top = all.top[lane]!;
  const bottom = all.top[lane + 1]!;
  if (top < scrollTop.value || bottom > scrollTop.value + stage.value.height) {
    scrollTo((top + bottom) / 2 - stage.value.height / 2);
  }
}

/** Lane of an activation, leaving the filters when they hide it. */
function laneFor(activation: number): number {
  if (lanes.value?.laneOfActivation[activation] === -1) onlyTask.value = -1;
  if (lanes.value?.laneOfActivation[activation] === -1) onlyInView.value = false;
  return lanes.value?.laneOfActivation[activation] ?? -1;
}

/** Bounds of what is selected, or null. */
export function boundsOf(target: Selection): { start: number; end: number } | null {
  const model = loaded.value?.model;
  if (model === undefined) return null;
  const { kind, row } = target;
  if (kind === "span") return { start: model.spans.start[row]!, end: model.spans.end[row]! };
  if (kind === "proc") return { start: model.procSpans.start[row]!, end: model.procSpans.end[row]! };
  if (kind === "region") return regionBounds(model, row);
  if (kind === "task") return taskBounds(model, row);
  if (kind === "log") return { start: model.logs.time[row]!, end: model.logs.time[row]! };
  const start = model.ranges.start[row]!;
  const end = model.ranges.end[row]!;
  return {
    start: Number.isNaN(start) ? model.startTime : start,
    end: Number.isNaN(end) ? model.endTime : end,
  };
}

/** Activation that a selection belongs to, or -1. */
export function activationOf(target: Selection): number {
  const model = loaded.value?.model;
  if (model === undefined) return -1;
  const { kind, row } = target;
  if (kind === "span") return activationOfSpan(model, row);
  if (kind === "proc") return model.procSpans.activation[row]!;
  if (kind === "region") return model.regions.activation[row]!;
  if (kind === "task") return model.tasks.activation[row]!;
  if (kind === "log") return model.logs.activation[row]!;
  return model.ranges.scope[row] === 1 ? model.ranges.of[row]! : -1;
}

/** Selects without moving the view. */
export function select(target: Selection | null): void {
  batch(() => {
    selection.value = target;
    if (target !== null) tab.value = "details";
  });
}

/** Selects and brings into view: the lane by scrolling, the time by moving; zooms only when it is far off in size. */
export function goTo(target: Selection): void {
  batch(() => {
    select(target);
    const activation = activationOf(target);
    if (activation >= 0) revealLane(laneFor(activation));
    else if (target.kind === "proc") revealLane(procLane(target.row));
    const bounds = boundsOf(target);
    if (bounds === null) return;
    const { start, perPixel } = view.value;
    const visible = perPixel * stage.value.width;
    const length = bounds.end - bounds.start;
    if (length > visible || (length > 0 && length < visible / 300)) {
      showRange(bounds.start, bounds.end, length > visible ? 0.15 : 12);
    } else if (bounds.start < start || bounds.end > start + visible) {
      glideTo({ start: (bounds.start + bounds.end) / 2 - visible / 2, perPixel });
    }
  });
}

function procLane(procSpan: number): number {
  const model = loaded.value?.model;
  if (model === undefined) return -1;
  for (let p = 0; p < model.procs.count; p++) {
    if (procSpan < model.procs.firstSpan[p + 1]!) return lanes.value?.laneOfProc[p] ?? -1;
  }
  return -1;
}

/** Goes to what an activation does at a time (its first span by default). */
export function goToActivation(activation: number, time = -Infinity): void {
  const trace = loaded.value;
  if (trace === null) return;
  const span = spanOfActivationAt(trace.model, trace.index, activation, time);
  if (span >= 0) goTo({ kind: "span", row: span });
}

/** Goes from the selected slice to who woke or made its activation, at that time; and so on, again and again. */
export function goToWaker(): void {
  const trace = loaded.value;
  const target = selection.value;
  if (trace === null || target === null) return;
  const activation = activationOf(target);
  const bounds = boundsOf(target);
  if (activation < 0 || bounds === null) return;
  const span =
    target.kind === "span"
      ? target.row
      : spanOfActivationAt(trace.model, trace.index, activation, bounds.start);
  const wake = span < 0 ? null : wakeOf(trace.model, trace.index, span, activation);
  if (wake === null) announcement.value = "Nobody is known to have woken it";
  else goToActivation(wake.by, wake.time);
}

/** Fits a task on screen, its activations only where `only`. */
export function goToTask(row: number, only: boolean): void {
  batch(() => {
    onlyTask.value = only ? row : -1;
    selection.value = { kind: "task", row };
    if (only) scrollTo(0);
    else {
      const activation = activationOf({ kind: "task", row });
      if (activation >= 0) revealLane(laneFor(activation));
    }
    const bounds = boundsOf({ kind: "task", row });
    if (bounds !== null) showRange(bounds.start, bounds.end);
  });
}

/** Selects the next (1) or previous (-1) slice of the selected lane. */
export function stepSlice(direction: 1 | -1): void {
  const model = loaded.value?.model;
  const current = selection.value;
  if (model === undefined || current?.kind !== "span") return;
  const activation = activationOfSpan(model, current.row);
  const next = current.row + direction;
  if (
    next >= model.activations.firstSpan[activation]! &&
    next < model.activations.firstSpan[activation + 1]!
  ) {
    goTo({ kind: "span", row: next });
  }
}

/** Searches the trace and goes to the first hit that is not before the view. */
export function search(text: string): void {
  const trace = loaded.value;
  batch(() => {
    query.value = text;
    hits.value = trace === null ? NO_HITS : findText(trace.model, text);
    hitIndex.value = -1;
  });
}

/** Makes spans the hits, as a search does: marked on the overview, and to be stepped through. */
export function markSpans(rows: readonly number[]): void {
  const model = loaded.value?.model;
  if (model === undefined) return;
  const { start } = model.spans;
  const row = Uint32Array.from(rows).toSorted((a, b) => start[a]! - start[b]!);
  batch(() => {
    query.value = "";
    hitIndex.value = -1;
    hits.value = {
      count: row.length,
      kind: new Uint8Array(row.length).fill(HitKind.Span),
      row,
      time: Float64Array.from(row, (span) => start[span]!),
      more: false,
    };
    announcement.value = `${row.length} places marked`;
  });
}

/** Goes to another hit, around the ends. The first step starts from what the view shows. */
export function stepHit(direction: 1 | -1): void {
  const { count, time, kind, row } = hits.value;
  if (count === 0) return;
  let next = hitIndex.value + direction;
  if (hitIndex.value < 0) {
    next = direction === 1 ? time.findIndex((at) => at >= view.value.start) : -1;
    if (next < 0) next = direction === 1 ? 0 : count - 1;
  }
  next = (next + count) % count;
  hitIndex.value = next;
  const target = row[next]!;
  switch (kind[next]) {
    case HitKind.Activation:
      goToActivation(target);
      break;
    case HitKind.Span:
      goTo({ kind: "span", row: target });
      break;
    case HitKind.Region:
      goTo({ kind: "region", row: target });
      break;
    case HitKind.Task:
      goTo({ kind: "task", row: target });
      break;
    default:
      goTo({ kind: "log", row: target });
  }
}
