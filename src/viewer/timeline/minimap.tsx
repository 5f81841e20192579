import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { extent, glideTo, hits, loaded, setView, stage, theme, view } from "../app/state.ts";
import { fit } from "../core/view.ts";
import type { LoadedTrace } from "../protocol.ts";
import type { Theme } from "../core/theme.ts";

/** The whole trace at a glance: how many activations ran and how many had to wait for a loop, and what is shown. */
export function Minimap() {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return undefined;
    return attach(host.current);
  }, []);
  const overview = loaded.value?.index.overview;
  const peak = overview === undefined ? 0 : peakOf(overview.runnable);
  return (
    <div class="minimap" ref={host}>
      <div class="minimap-legend" aria-hidden="true">
        <div>
          <span class="swatch" style={{ background: theme.value.states[1]! }} />
          loops busy <span class="muted">of {loaded.value?.model.procs.count ?? 0}</span>
        </div>
        <div>
          <span class="swatch" style={{ background: theme.value.states[2]! }} />
          runnable <span class="muted">up to {peak < 10 ? Number(peak.toFixed(1)) : Math.round(peak)}</span>
        </div>
      </div>
      <canvas
        role="img"
        aria-label="Overview of the whole trace: activations running and runnable over time"
      />
    </div>
  );
}

function peakOf(values: Float64Array): number {
  let peak = 0;
  for (const value of values) peak = Math.max(peak, value);
  return peak;
}

function attach(host: HTMLElement): () => void {
  const canvas = host.querySelector("canvas")!;
  const context = canvas.getContext("2d")!;
  let width = 0;
  let height = 0;
  let drag: { x: number; grab: number | null; now: number } | null = null;
  let frame = 0;

  const draw = (): void => {
    frame = 0;
    const trace = loaded.peek();
    const ratio = devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = theme.peek().gutter;
    context.fillRect(0, 0, width, height);
    if (trace === null) return;
    drawCurves(context, trace, theme.peek(), width, height);
    const { start, end } = extent.peek();
    const x = (time: number): number => ((time - start) / (end - start)) * width;
    context.fillStyle = theme.peek().accent;
    const { time, count } = hits.peek();
    for (let i = 0, last = -2; i < count; i++) {
      const at = x(time[i]!);
      if (at - last < 1.5) continue;
      last = at;
      context.fillRect(at, 0, 1.5, 5);
    }
    const from = drag !== null && drag.grab === null ? Math.min(drag.x, drag.now) : x(view.peek().start);
    const to =
      drag !== null && drag.grab === null
        ? Math.max(drag.x, drag.now)
        : x(view.peek().start + view.peek().perPixel * stage.peek().width);
    context.fillStyle = theme.peek().dark ? "rgba(8,10,14,.58)" : "rgba(236,239,244,.72)";
    context.fillRect(0, 0, Math.max(0, from), height);
    context.fillRect(to, 0, Math.max(0, width - to), height);
    context.fillStyle = theme.peek().accent;
    context.fillRect(from, 0, 1.5, height);
    context.fillRect(Math.max(from + 1.5, to - 1.5), 0, 1.5, height);
  };
  const schedule = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const resize = (): void => {
    width = canvas.clientWidth;
    height = host.clientHeight;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    draw();
  };
  const timeAt = (at: number): number =>
    extent.peek().start + (at / Math.max(1, width)) * (extent.peek().end - extent.peek().start);
  const observer = new ResizeObserver(resize);
  observer.observe(host);

  const down = (event: PointerEvent): void => {
    if (event.button !== 0 || loaded.peek() === null) return;
    canvas.setPointerCapture(event.pointerId);
    const { start, perPixel } = view.peek();
    const shown = perPixel * stage.peek().width;
    const time = timeAt(event.offsetX);
    const whole = shown > (extent.peek().end - extent.peek().start) * 0.9;
    const inside = !whole && time >= start && time <= start + shown && !event.shiftKey;
    drag = { x: event.offsetX, grab: inside ? time - start : null, now: event.offsetX };
  };
  const move = (event: PointerEvent): void => {
    if (drag === null) return;
    drag.now = event.offsetX;
    if (drag.grab !== null)
      setView({ start: timeAt(event.offsetX) - drag.grab, perPixel: view.peek().perPixel });
    schedule();
  };
  const up = (event: PointerEvent): void => {
    const done = drag;
    drag = null;
    if (done === null || done.grab !== null) return;
    const a = timeAt(Math.min(done.x, event.offsetX));
    const b = timeAt(Math.max(done.x, event.offsetX));
    if (Math.abs(done.x - event.offsetX) > 3) glideTo(fit(a, b, stage.peek().width));
    else {
      const { perPixel } = view.peek();
      glideTo({ start: a - (perPixel * stage.peek().width) / 2, perPixel });
    }
    schedule();
  };
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  const stop = effect(() => {
    void [loaded.value, view.value, theme.value, hits.value, stage.value];
    schedule();
  });
  resize();
  return () => {
    stop();
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
}

/** Two bands, one column a pixel: the share of event loops that is busy (with GC beneath), and how many wait for one. */
function drawCurves(
  context: CanvasRenderingContext2D,
  trace: LoadedTrace,
  colors: Theme,
  width: number,
  height: number,
): void {
  const { running, runnable, collecting } = trace.index.overview;
  const columns = Math.max(1, Math.floor(width));
  const band = Math.floor(height / 2);
  const loops = Math.max(1, trace.model.procs.count, peakOf(running));
  const queue = Math.max(1, peakOf(runnable));
  for (let x = 0; x < columns; x++) {
    const busy = (average(running, x, columns) / loops) * (band - 4);
    const waiting = (average(runnable, x, columns) / queue) * (band - 4);
    const collect = average(collecting, x, columns);
    if (collect > 0.01) {
      context.globalAlpha = Math.min(1, 0.25 + collect);
      context.fillStyle = colors.ranges[2]!;
      context.fillRect(x, 0, 1, band);
      context.globalAlpha = 1;
    }
    context.fillStyle = colors.states[1]!;
    context.fillRect(x, band - busy, 1, busy);
    context.fillStyle = colors.states[2]!;
    context.fillRect(x, height - waiting, 1, waiting);
  }
  context.fillStyle = colors.line;
  context.fillRect(0, band, width, 1);
}

/** Mean of the buckets under column x of `columns`. */
function average(values: Float64Array, x: number, columns: number): number {
  const from = Math.floor((x * values.length) / columns);
  const to = Math.max(from + 1, Math.floor(((x + 1) * values.length) / columns));
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]!;
  return sum / (to - from);
}
