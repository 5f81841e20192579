import type { TraceModel } from "../../model/types.ts";
import { ticks } from "./axis.ts";
import { CATEGORIES, Category } from "./categories.ts";
import { palette, type Palette } from "./compose.ts";
import { duration, percent, shortName } from "./format.ts";
import {
  heapMetric,
  LaneKind,
  LANE_GAP,
  MAX_REGION_ROWS,
  REGION_HEIGHT,
  STRIP_HEIGHT,
  type Lanes,
} from "./lanes.ts";
import { ColumnCache, wideSpans, type Columns, type Lod } from "./lod.ts";
import { firstAbove, firstAtLeast } from "./search-sorted.ts";
import { textOn, type Theme } from "./theme.ts";
import type { Points, TraceIndex } from "./trace-index.ts";
import { grid, type View } from "./view.ts";

/**
 * One frame of the timeline as data: what a renderer draws, in this order: rectangles, strips, marks, labels. Building it
 * touches only the lanes on screen and needs no DOM.
 */
export interface Frame {
  /** Below the strips. */
  readonly rects: readonly Rect[];
  readonly strips: readonly Strip[];
  /** Above the strips. */
  readonly marks: readonly Rect[];
  readonly labels: readonly Label[];
}

/** A lane's columns, one a device pixel from `x` (CSS pixels) on, stretched over `height`. */
export interface Strip {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly columns: Columns;
  readonly colors: Palette;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly color: string;
}

export interface Label {
  readonly x: number;
  /** Middle of the text. */
  readonly y: number;
  readonly maxWidth: number;
  readonly text: string;
  readonly color: string;
  readonly font: "body" | "strong" | "small" | "right";
}

/** What of the trace is shown, and how. Sizes are CSS pixels, `ratio` device pixels each. */
export interface SceneInput {
  readonly model: TraceModel;
  readonly index: TraceIndex;
  readonly lanes: Lanes;
  readonly view: View;
  readonly scrollTop: number;
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly ratio: number;
  readonly theme: Theme;
  readonly highlight: ReadonlySet<number> | null;
  readonly selectedLane: number;
}

/** Text is drawn in slices at least this wide. */
const LABEL_WIDTH = 48;

/** Columns of the lanes seen, by table. One per timeline; `clear` when the trace changes. */
export class SceneCaches {
  readonly activations: ColumnCache = new ColumnCache();
  readonly procs: ColumnCache = new ColumnCache();
  readonly regions: ColumnCache = new ColumnCache();
  readonly ranges: ColumnCache = new ColumnCache();

  clear(): void {
    for (const cache of [this.activations, this.procs, this.regions, this.ranges]) cache.clear();
  }
}

/** Builds a frame. */
export function buildScene(input: SceneInput, caches: SceneCaches): Frame {
  return new SceneBuilder(input, caches).build();
}

class SceneBuilder {
  readonly #in: SceneInput;
  readonly #caches: SceneCaches;
  readonly #strips: Strip[] = [];
  readonly #rects: Rect[] = [];
  readonly #marks: Rect[] = [];
  readonly #labels: Label[] = [];
  readonly #step: number;
  readonly #k: number;
  readonly #origin: number;
  readonly #columns: number;
  readonly #from: number;
  readonly #to: number;
  readonly #states: Palette;
  readonly #named: Palette;
  readonly #regions: Palette;
  readonly #ranged: Palette;

  constructor(input: SceneInput, caches: SceneCaches) {
    this.#in = input;
    this.#caches = caches;
    this.#origin = input.model.startTime;
    const { step, k } = grid(input.view, this.#origin, input.ratio);
    this.#step = step;
    this.#k = k;
    this.#columns = Math.max(0, Math.round((input.width - input.gutter) * input.ratio));
    this.#from = this.#origin + k * step;
    this.#to = this.#from + this.#columns * step;
    this.#states = palette(input.theme.states, true, input.highlight);
    this.#named = palette(input.theme.named, false, null);
    this.#regions = palette(input.theme.regions, false, null);
    this.#ranged = palette(input.theme.ranges, false, null);
  }

  build(): Frame {
    const { lanes, scrollTop, height, theme, width, gutter, view } = this.#in;
    for (const { x } of ticks(view, width - gutter, this.#origin).major) {
      this.#rect(gutter + Math.round(x), 0, 1, height, theme.grid);
    }
    let lane = Math.max(0, firstAbove(lanes.top, scrollTop, 1, lanes.count + 1) - 1);
    for (; lane < lanes.count && lanes.top[lane]! < scrollTop + height; lane++) {
      const y = Math.round(lanes.top[lane]! - scrollTop);
      const bottom = Math.round(lanes.top[lane + 1]! - scrollTop);
      const row = lanes.row[lane]!;
      const kind = lanes.kind[lane]!;
      if (kind === LaneKind.Header) {
        this.#header(y, bottom - y, lanes.sections[row] ?? "", row);
        continue;
      }
      if (lane === this.#in.selectedLane) {
        this.#rect(0, y, this.#in.gutter, bottom - y, theme.header);
        this.#rect(0, y, 3, bottom - y, theme.accent);
      }
      if (kind === LaneKind.Proc) this.#proc(row, y);
      else if (kind === LaneKind.Activation) this.#activation(row, y);
      else if (kind === LaneKind.Ranges) this.#ranges(y);
      else this.#heap(y, bottom - y);
      this.#rect(0, bottom - 1, width, 1, theme.grid);
    }
    return { rects: this.#rects, strips: this.#strips, marks: this.#marks, labels: this.#labels };
  }

  #rect(x: number, y: number, width: number, height: number, color: string): void {
    this.#rects.push({ x, y, width, height, color });
  }

  #x(time: number): number {
    return this.#in.gutter + (time - this.#from) / (this.#step * this.#in.ratio);
  }

  #header(y: number, height: number, title: string, section: number): void {
    const { theme, width, model, lanes } = this.#in;
    this.#rect(0, y, width, height, theme.header);
    let total = model.procs.count;
    if (section > 0) {
      let lane = lanes.headers[section]! + 1;
      const first = lane;
      while (lane < lanes.count && lanes.kind[lane] === LaneKind.Activation) lane++;
      total = lane - first;
    }
    this.#labels.push({
      x: 10,
      y: y + height / 2,
      maxWidth: width - 20,
      text: `${title}  ${total}`,
      color: theme.text,
      font: "strong",
    });
  }

  #gutterLabel(y: number, text: string, right: string): void {
    const { gutter, theme } = this.#in;
    const middle = y + STRIP_HEIGHT / 2 + 1;
    const reserve = right === "" ? 0 : 46;
    this.#labels.push({
      x: 10,
      y: middle,
      maxWidth: gutter - 18 - reserve,
      text,
      color: theme.text,
      font: "body",
    });
    if (right !== "") {
      this.#labels.push({
        x: gutter - 8,
        y: middle,
        maxWidth: 46,
        text: right,
        color: theme.muted,
        font: "right",
      });
    }
  }

  #strip(cache: ColumnCache, lod: Lod, lane: number, y: number, height: number, colors: Palette): Columns {
    const columns = cache.get(lod, lane, this.#origin, this.#step, this.#k, this.#columns);
    this.#strips.push({ x: this.#in.gutter, y, height, columns, colors });
    return columns;
  }

  /** Labels of the slices that are wide enough. */
  #sliceLabels(
    lod: Lod,
    lane: number,
    y: number,
    fills: readonly string[],
    small: boolean,
    text: (span: number) => string,
  ): void {
    const { gutter, width, highlight, theme } = this.#in;
    const wide = wideSpans(lod, lane, this.#from, this.#to, LABEL_WIDTH * this.#step * this.#in.ratio);
    for (const span of wide) {
      const x = Math.max(gutter, this.#x(lod.start[span]!));
      const end = Math.min(width, this.#x(lod.end[span]!));
      if (end - x < LABEL_WIDTH - 8) continue;
      const code = lod.category[span]!;
      const faded = fills === theme.states && highlight !== null && !highlight.has(code);
      this.#labels.push({
        x: x + 5,
        y,
        maxWidth: end - x - 9,
        text: text(span),
        color: faded ? theme.muted : textOn(fills[code]!),
        font: small ? "small" : "body",
      });
    }
  }

  #proc(row: number, y: number): void {
    const { model, index, theme } = this.#in;
    const top = y + 3;
    const columns = this.#strip(this.#caches.procs, index.procs, row, top, STRIP_HEIGHT + 2, this.#named);
    let busy = 0;
    for (let x = 0; x < this.#columns; x++) busy += columns.coverage[x]!;
    const name = model.strings[model.procs.name[row]!] || `loop ${model.procs.id[row]}`;
    this.#gutterLabel(y + 2, name, this.#columns === 0 ? "" : percent(busy / 255 / this.#columns));
    this.#sliceLabels(index.procs, row, top + STRIP_HEIGHT / 2 + 1, theme.named, false, (span) => {
      const activation = model.procSpans.activation[span]!;
      return activation < 0 ? "overhead" : activationLabel(model, activation);
    });
  }

  #activation(row: number, y: number): void {
    const { model, index, theme } = this.#in;
    const top = y + 2;
    this.#gutterLabel(y + 1, activationLabel(model, row), "");
    this.#strip(this.#caches.activations, index.activations, row, top, STRIP_HEIGHT - 1, this.#states);
    this.#sliceLabels(index.activations, row, top + STRIP_HEIGHT / 2 - 0.5, theme.states, false, (span) => {
      const length = duration(model.spans.end[span]! - model.spans.start[span]!);
      const category = index.activations.category[span]!;
      const reason = category > Category.Syscall ? model.strings[model.spans.reason[span]!] : "";
      return `${reason || CATEGORIES[category]!.label} ${length}`;
    });
    const { firstLane, lod, row: regionRow } = index.regions;
    const rows = Math.min(MAX_REGION_ROWS, firstLane[row + 1]! - firstLane[row]!);
    for (let depth = 0; depth < rows; depth++) {
      const lane = firstLane[row]! + depth;
      const at = top + STRIP_HEIGHT + depth * REGION_HEIGHT;
      this.#strip(this.#caches.regions, lod, lane, at, REGION_HEIGHT - 2, this.#regions);
      this.#sliceLabels(lod, lane, at + REGION_HEIGHT / 2 - 1, theme.regions, true, (span) => {
        return model.strings[model.regions.name[regionRow[span]!]!] ?? "";
      });
    }
    this.#points(index.samples, row, top + STRIP_HEIGHT - 5, 4, theme.sample);
    this.#points(index.logs, row, top - 2, 6, theme.log);
  }

  /** Ticks of points, at most one every two pixels. */
  #points(points: Points, owner: number, y: number, height: number, color: string): void {
    const last = points.first[owner + 1]!;
    const gap = 2 * this.#step * this.#in.ratio;
    let i = firstAtLeast(points.time, this.#from, points.first[owner]!, last);
    while (i < last && points.time[i]! < this.#to) {
      this.#marks.push({ x: Math.round(this.#x(points.time[i]!)) - 0.5, y, width: 1.5, height, color });
      i = firstAtLeast(points.time, points.time[i]! + gap, i + 1, last);
    }
  }

  #ranges(y: number): void {
    const { model, index, theme } = this.#in;
    this.#gutterLabel(y + 1, "GC and stop-the-world", "");
    const top = y + 2;
    this.#strip(this.#caches.ranges, index.ranges, 0, top, STRIP_HEIGHT - 1, this.#ranged);
    this.#sliceLabels(index.ranges, 0, top + STRIP_HEIGHT / 2 - 0.5, theme.ranges, false, (span) => {
      const row = index.rangeRow[span]!;
      const length = duration(index.ranges.end[span]! - index.ranges.start[span]!);
      return `${model.strings[model.ranges.name[row]!] ?? ""} ${length}`;
    });
  }

  /** Heap in use: a step curve, one rectangle every two device pixels at most. */
  #heap(y: number, height: number): void {
    const { model, theme, gutter, width } = this.#in;
    const name = heapMetric(model);
    const { time, value, name: names, count } = model.metrics;
    let peak = 1;
    for (let i = 0; i < count; i++) if (names[i] === name) peak = Math.max(peak, value[i]!);
    this.#gutterLabel(y + 8, "Heap", `${(peak / 1e6).toFixed(peak < 1e7 ? 1 : 0)} MB`);
    const room = height - LANE_GAP - 4;
    let x = gutter;
    let level = -1;
    for (let i = 0; i < count; i++) {
      if (names[i] !== name) continue;
      const at = Math.round(Math.min(width, Math.max(gutter, this.#x(time[i]!))));
      if (at - x >= 2) {
        if (level >= 0) this.#area(x, at, y + 2, room, level / peak, theme);
        x = at;
      }
      level = x === gutter || at > x || level < 0 ? value[i]! : Math.max(level, value[i]!);
      if (at >= width) break;
    }
    const end = Math.round(Math.min(width, this.#x(model.endTime)));
    if (level >= 0 && end > x) this.#area(x, end, y + 2, room, level / peak, theme);
  }

  #area(x: number, end: number, y: number, room: number, part: number, theme: Theme): void {
    const tall = Math.max(1, Math.round(room * part));
    this.#rect(x, y + room - tall, end - x, tall, theme.heap);
    this.#rect(x, y + room - tall, end - x, 1, theme.accent);
  }
}

/** "handler #12": entry function without its path, and the goroutine's id. */
export function activationLabel(model: TraceModel, row: number): string {
  const name = model.strings[model.activations.name[row]!] || "(unknown)";
  return `${shortName(name)} #${model.activations.id[row]}`;
}
