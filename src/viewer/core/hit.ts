import type { TraceModel } from "../../model/types.ts";
import { laneAt, LaneKind, REGION_HEIGHT, STRIP_HEIGHT, type Lanes } from "./lanes.ts";
import { spanAt, spanNear } from "./lod.ts";
import type { TraceIndex } from "./trace-index.ts";

/** What lies under a point of the timeline. Rows are the model's. */
export type Target =
  | { readonly kind: "span"; readonly row: number; readonly lane: number }
  | { readonly kind: "proc"; readonly row: number; readonly lane: number }
  | { readonly kind: "region"; readonly row: number; readonly lane: number }
  | { readonly kind: "range"; readonly row: number; readonly lane: number }
  | { readonly kind: "log"; readonly row: number; readonly lane: number }
  | { readonly kind: "lane"; readonly lane: number };

/**
 * Finds what is at a time and a distance from the top of the lanes; `reach` is how far (ns) from a thin slice the
 * pointer may be. Null above and below the lanes and on headers.
 */
export function hitTest(
  model: TraceModel,
  index: TraceIndex,
  lanes: Lanes,
  time: number,
  y: number,
  reach: number,
): Target | null {
  const lane = laneAt(lanes, y);
  if (lane < 0 || lanes.kind[lane] === LaneKind.Header) return null;
  const row = lanes.row[lane]!;
  const within = y - lanes.top[lane]!;
  const kind = lanes.kind[lane]!;
  if (kind === LaneKind.Proc) {
    const span = spanNear(index.procs, row, time, reach);
    return span < 0 ? { kind: "lane", lane } : { kind: "proc", row: span, lane };
  }
  if (kind === LaneKind.Ranges) {
    const span = spanNear(index.ranges, 0, time, reach);
    return span < 0 ? { kind: "lane", lane } : { kind: "range", row: index.rangeRow[span]!, lane };
  }
  if (kind !== LaneKind.Activation) return { kind: "lane", lane };
  if (within < 7) {
    const { first, time: times, rows } = index.logs;
    let best = -1;
    for (let i = first[row]!; i < first[row + 1]!; i++) {
      const distance = Math.abs(times[i]! - time);
      if (distance <= reach && (best < 0 || distance < Math.abs(times[best]! - time))) best = i;
    }
    if (best >= 0) return { kind: "log", row: rows[best]!, lane };
  }
  if (within >= STRIP_HEIGHT + 2) {
    const depth = Math.floor((within - STRIP_HEIGHT - 2) / REGION_HEIGHT);
    const region = index.regions.firstLane[row]! + depth;
    if (region < index.regions.firstLane[row + 1]!) {
      const span = spanNear(index.regions.lod, region, time, reach);
      if (span >= 0) return { kind: "region", row: index.regions.row[span]!, lane };
    }
    return { kind: "lane", lane };
  }
  let span = spanAt(index.activations, row, time);
  if (span < 0) span = spanNear(index.activations, row, time, reach);
  // A thin running slice beside the pointer is what one means to hit, not the long wait around it.
  if (span >= 0 && index.activations.category[span] !== 1)
    span = thinNear(model, index, row, span, time, reach);
  return span < 0 ? { kind: "lane", lane } : { kind: "span", row: span, lane };
}

function thinNear(
  model: TraceModel,
  index: TraceIndex,
  row: number,
  span: number,
  time: number,
  reach: number,
): number {
  const { start, end } = model.spans;
  if (end[span]! - start[span]! < 4 * reach) return span;
  const last = model.activations.firstSpan[row + 1]!;
  for (let i = span + 1; i < Math.min(last, span + 3) && start[i]! - time <= reach; i++) {
    if (index.activations.category[i] === 1) return i;
  }
  for (
    let i = span - 1;
    i >= Math.max(model.activations.firstSpan[row]!, span - 2) && time - end[i]! <= reach;
    i--
  ) {
    if (index.activations.category[i] === 1) return i;
  }
  return span;
}
