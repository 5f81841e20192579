import { ticks } from "../core/axis.ts";
import { duration, timestamp } from "../core/format.ts";
import type { Theme } from "../core/theme.ts";
import { timeAt, type View } from "../core/view.ts";

/** What the axis needs; sizes in CSS pixels. */
export interface AxisInput {
  readonly view: View;
  readonly origin: number;
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly ratio: number;
  readonly theme: Theme;
  readonly cursor: number;
  readonly range: readonly [number, number] | null;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Draws ticks, the time under the pointer, or the length of the range being dragged. */
export function drawAxis(context: CanvasRenderingContext2D, input: AxisInput): void {
  const { view, width, height, gutter, ratio, theme, origin } = input;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = theme.gutter;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  const { major, minor } = ticks(view, width - gutter, origin);
  context.fillStyle = theme.line;
  for (const x of minor) context.fillRect(gutter + Math.round(x), height - 5, 1, 4);
  for (const { x, label } of major) {
    const at = gutter + Math.round(x);
    context.fillStyle = theme.muted;
    context.fillRect(at, height - 10, 1, 9);
    if (at + 4 < width) context.fillText(label, at + 4, height / 2 - 1);
  }
  context.fillStyle = theme.gutter;
  context.fillRect(0, 0, gutter, height);
  context.fillStyle = theme.muted;
  context.fillText(`${duration(view.perPixel * (width - gutter))} shown`, 10, height / 2);
  context.fillStyle = theme.line;
  context.fillRect(gutter - 1, 0, 1, height);
  context.fillRect(0, height - 1, width, 1);
  if (input.range !== null) {
    const [a, b] = input.range;
    flag(context, input, (a + b) / 2, duration(Math.abs(b - a) * view.perPixel));
  } else if (input.cursor >= gutter) {
    flag(
      context,
      input,
      input.cursor,
      timestamp(timeAt(view, input.cursor - gutter) - origin, view.perPixel),
    );
  }
}

function flag(context: CanvasRenderingContext2D, input: AxisInput, x: number, text: string): void {
  const { theme, width, gutter, height } = input;
  const wide = context.measureText(text).width + 12;
  const left = Math.min(Math.max(gutter, x - wide / 2), width - wide);
  context.fillStyle = theme.accent;
  context.beginPath();
  context.roundRect(left, 3, wide, height - 7, 4);
  context.fill();
  context.fillStyle = theme.dark ? "#0b1220" : "#ffffff";
  context.fillText(text, left + 6, height / 2);
}
