import { spanDetails } from "../core/details.ts";
import { LANE_GAP, MAX_REGION_ROWS, REGION_HEIGHT, STRIP_HEIGHT, type Lanes } from "../core/lanes.ts";
import type { Theme } from "../core/theme.ts";
import { xOf, type View } from "../core/view.ts";
import type { LoadedTrace } from "../protocol.ts";
import type { Selection } from "../app/state.ts";

/** What lies over the lanes: cursor, range being dragged, outline of the selection, flows from and to it. */
export interface OverlayInput {
  readonly trace: LoadedTrace;
  readonly lanes: Lanes;
  readonly view: View;
  readonly scrollTop: number;
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly ratio: number;
  readonly theme: Theme;
  readonly selection: Selection | null;
  /** Pixel of the pointer, or -1. */
  readonly cursor: number;
  /** Pixels of a range being dragged, or null. */
  readonly drag: readonly [number, number] | null;
}

const MAX_FLOWS = 60;

/** Draws the overlay; cheap enough for every move of the pointer. */
export function drawOverlay(context: CanvasRenderingContext2D, input: OverlayInput): void {
  const { ratio, width, height, gutter, theme } = input;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(gutter, 0, width - gutter, height);
  context.clip();
  if (input.selection !== null) drawSelection(context, input, input.selection);
  if (input.drag !== null) {
    const [a, b] = input.drag;
    context.fillStyle = theme.dark ? "rgba(108,177,255,.18)" : "rgba(11,99,206,.14)";
    context.fillRect(Math.min(a, b), 0, Math.abs(b - a), height);
    context.fillStyle = theme.accent;
    context.fillRect(a, 0, 1, height);
    context.fillRect(b, 0, 1, height);
  } else if (input.cursor >= gutter) {
    context.fillStyle = theme.dark ? "rgba(228,232,238,.35)" : "rgba(28,33,40,.35)";
    context.fillRect(Math.round(input.cursor), 0, 1, height);
  }
  context.restore();
}

function drawSelection(context: CanvasRenderingContext2D, input: OverlayInput, selection: Selection): void {
  const { model, index } = input.trace;
  const { lanes, height, theme } = input;
  const { kind, row } = selection;
  if (kind === "task") {
    const start = model.tasks.start[row]!;
    const end = model.tasks.end[row]!;
    const a = xAt(input, Number.isNaN(start) ? model.startTime : start);
    const b = xAt(input, Number.isNaN(end) ? model.endTime : end);
    context.fillStyle = theme.dark ? "rgba(108,177,255,.10)" : "rgba(11,99,206,.07)";
    context.fillRect(a, 0, b - a, height);
    context.fillStyle = theme.accent;
    context.fillRect(a, 0, 1, height);
    context.fillRect(b, 0, 1, height);
    return;
  }
  if (kind === "log") {
    const lane = lanes.laneOfActivation[model.logs.activation[row]!] ?? -1;
    if (lane < 0) return;
    const x = xAt(input, model.logs.time[row]!);
    outline(context, input, x - 3, x + 3, laneTop(input, lane), STRIP_HEIGHT);
    return;
  }
  if (kind === "proc") {
    const proc = procOf(input, row);
    outlineProc(context, input, proc, model.procSpans.start[row]!, model.procSpans.end[row]!);
    return;
  }
  if (kind === "region") {
    const lane = lanes.laneOfActivation[model.regions.activation[row]!] ?? -1;
    if (lane < 0) return;
    const span = index.regions.row.indexOf(row);
    const depth = Math.min(model.regions.depth[row]!, MAX_REGION_ROWS - 1);
    const y = laneTop(input, lane) + 2 + STRIP_HEIGHT + depth * REGION_HEIGHT;
    const { start, end } = index.regions.lod;
    outline(context, input, xAt(input, start[span]!), xAt(input, end[span]!), y - 1, REGION_HEIGHT);
    return;
  }
  if (kind !== "span") return;
  const details = spanDetails(model, index, row);
  const lane = lanes.laneOfActivation[details.activation] ?? -1;
  if (lane >= 0) {
    const y = laneTop(input, lane) + 1;
    outline(context, input, xAt(input, details.start), xAt(input, details.end), y, STRIP_HEIGHT + 1);
  }
  if (details.proc >= 0) outlineProc(context, input, details.proc, details.start, details.end);
  const { woken } = details;
  if (woken !== null) flow(context, input, woken.by, details.activation, woken.time, theme.accent);
  for (const span of details.woke.slice(0, MAX_FLOWS).toReversed()) {
    const to = ownerOf(model.activations.firstSpan, span);
    flow(context, input, details.activation, to, model.spans.start[span]!, theme.states[2]!);
  }
}

function ownerOf(first: Uint32Array, span: number): number {
  let low = 0;
  let high = first.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (first[middle + 1]! > span) high = middle;
    else low = middle + 1;
  }
  return low;
}

function procOf(input: OverlayInput, procSpan: number): number {
  return ownerOf(input.trace.model.procs.firstSpan, procSpan);
}

function xAt(input: OverlayInput, time: number): number {
  return input.gutter + xOf(input.view, time);
}

function laneTop(input: OverlayInput, lane: number): number {
  return Math.round(input.lanes.top[lane]! - input.scrollTop);
}

function outlineProc(
  context: CanvasRenderingContext2D,
  input: OverlayInput,
  proc: number,
  start: number,
  end: number,
): void {
  const lane = input.lanes.laneOfProc[proc] ?? -1;
  if (lane < 0) return;
  outline(context, input, xAt(input, start), xAt(input, end), laneTop(input, lane) + 2, STRIP_HEIGHT + 4);
}

function outline(
  context: CanvasRenderingContext2D,
  input: OverlayInput,
  from: number,
  to: number,
  y: number,
  height: number,
): void {
  const left = Math.max(from, -10);
  const width = Math.max(3, Math.min(to, input.width + 10) - left);
  context.lineWidth = 4;
  context.strokeStyle = input.theme.background;
  context.strokeRect(left, y, width, height);
  context.lineWidth = 2;
  context.strokeStyle = input.theme.text;
  context.strokeRect(left, y, width, height);
}

/** An arrow between two activations' lanes at one time, bowed to the right so that it can be seen. */
function flow(
  context: CanvasRenderingContext2D,
  input: OverlayInput,
  from: number,
  to: number,
  time: number,
  color: string,
): void {
  const { lanes, theme } = input;
  const a = lanes.laneOfActivation[from] ?? -1;
  const b = lanes.laneOfActivation[to] ?? -1;
  if (a < 0 || b < 0 || a === b) return;
  const x = xAt(input, time);
  const down = b > a;
  const y1 = laneTop(input, a) + 2 + (down ? STRIP_HEIGHT - LANE_GAP : 2);
  const y2 = laneTop(input, b) + (down ? 1 : STRIP_HEIGHT + 2);
  const tip = down ? -5 : 5;
  const bow = Math.min(26, 12 + Math.abs(y2 - y1) / 30);
  for (const [width, stroke] of [
    [3, theme.background],
    [1.5, color],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.fillStyle = stroke;
    context.beginPath();
    context.moveTo(x, y1);
    context.bezierCurveTo(x - bow, y1 + tip * -3, x - bow, y2 + tip * 4, x, y2 + tip);
    context.stroke();
    context.beginPath();
    context.moveTo(x, y2);
    context.lineTo(x - 4.5, y2 + tip * 1.6);
    context.lineTo(x + 4.5, y2 + tip * 1.6);
    context.fill();
    context.beginPath();
    context.arc(x, y1, width + 0.5, 0, 7);
    context.fill();
  }
}
