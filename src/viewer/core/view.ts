/** The part of the time axis on screen: [start, start + perPixel * width). Times are the trace's nanoseconds. */
export interface View {
  readonly start: number;
  /** Nanoseconds a CSS pixel. */
  readonly perPixel: number;
}

/** Bounds of the whole trace. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Closest zoom: a pixel is a fiftieth of a nanosecond, well under what clocks resolve. */
const MIN_PER_PIXEL = 0.02;

/** Shows [start, end) with `margin` (a share of it) on both sides. */
export function fit(start: number, end: number, width: number, margin = 0): View {
  const length = Math.max(end - start, 1);
  const perPixel = Math.max((length * (1 + 2 * margin)) / Math.max(1, width), MIN_PER_PIXEL);
  return { start: (start + end) / 2 - (perPixel * width) / 2, perPixel };
}

/** Keeps the view inside the trace, a quarter of a screen beyond its ends at most, and not wider than 1.2 of it. */
export function clamp(view: View, extent: Extent, width: number): View {
  const length = Math.max(extent.end - extent.start, 1);
  const perPixel = Math.min(Math.max(view.perPixel, MIN_PER_PIXEL), (length * 1.2) / Math.max(1, width));
  const slack = (perPixel * width) / 4;
  const shown = perPixel * width;
  const low = extent.start - slack;
  const high = Math.max(low, extent.end + slack - shown);
  return { start: Math.min(Math.max(view.start, low), high), perPixel };
}

/** Zooms by `factor` (below 1 is closer), the time under pixel `x` staying where it is. */
export function zoomAt(view: View, x: number, factor: number, extent: Extent, width: number): View {
  const scaled = clamp({ start: view.start, perPixel: view.perPixel * factor }, extent, width);
  const time = view.start + x * view.perPixel;
  return clamp({ start: time - x * scaled.perPixel, perPixel: scaled.perPixel }, extent, width);
}

/** Moves by CSS pixels; positive shows later times. */
export function pan(view: View, pixels: number, extent: Extent, width: number): View {
  return clamp({ start: view.start + pixels * view.perPixel, perPixel: view.perPixel }, extent, width);
}

/** Time under a pixel. */
export function timeAt(view: View, x: number): number {
  return view.start + x * view.perPixel;
}

/** Pixel of a time. */
export function xOf(view: View, time: number): number {
  return (time - view.start) / view.perPixel;
}

/**
 * The view on the grid of device pixels: columns of equal index then cover equal times in every view of one scale.
 * `step` is nanoseconds a device pixel, `k` the index of the first column counted from `origin`.
 */
export function grid(view: View, origin: number, ratio: number): { step: number; k: number } {
  const step = view.perPixel / ratio;
  return { step, k: Math.round((view.start - origin) / step) };
}
