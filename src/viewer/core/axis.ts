import { tickStep } from "d3-array";
import { timestamp } from "./format.ts";
import type { View } from "./view.ts";

/** A tick of the time axis. `x` in CSS pixels; minor ticks have no label. */
export interface Tick {
  readonly x: number;
  readonly label: string;
}

/** Ticks at 1, 2 or 5 times a power of ten, at least `spacing` pixels apart, labelled relative to `origin`. */
export function ticks(
  view: View,
  width: number,
  origin: number,
  spacing = 110,
): { major: Tick[]; minor: number[] } {
  const span = view.perPixel * width;
  const step = Math.max(1, tickStep(0, span, Math.max(2, Math.floor(width / spacing))));
  const from = view.start - origin;
  const major: Tick[] = [];
  const minor: number[] = [];
  const firstIndex = Math.ceil(from / step);
  const lastIndex = Math.floor((from + span) / step);
  for (let i = firstIndex; i <= lastIndex; i++) {
    const time = i * step;
    major.push({ x: (time - from) / view.perPixel, label: i === 0 ? "0" : timestamp(time, step) });
  }
  const parts = 5;
  for (let i = Math.ceil((from / step) * parts); i <= ((from + span) / step) * parts; i++) {
    if (i % parts !== 0) minor.push(((i / parts) * step - from) / view.perPixel);
  }
  return { major, minor };
}
