import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import {
  announcement,
  extent,
  glideTo,
  highlight,
  lanes,
  loaded,
  measured,
  scrollTo,
  scrollTop,
  select,
  selection,
  activationOf,
  boundsOf,
  setView,
  showRange,
  stage,
  theme,
  view,
  type Selection,
} from "../app/state.ts";
import { duration } from "../core/format.ts";
import { hitTest, type Target } from "../core/hit.ts";
import { heightOf } from "../core/lanes.ts";
import { buildScene, SceneCaches } from "../core/scene.ts";
import { fit, pan, timeAt, zoomAt } from "../core/view.ts";
import type { LoadedTrace } from "../protocol.ts";
import { drawAxis } from "./axis.ts";
import { Canvas2DRenderer } from "./canvas2d.ts";
import { setPointer } from "./keys.ts";
import { drawOverlay } from "./overlay.ts";
import { hover, Tooltip } from "./tooltip.tsx";

/** Width of the lanes' names in CSS pixels. */
export const GUTTER = 232;
/** Height of the time axis. */
const AXIS = 26;

/** The lanes over time: axis, strips, overlay, scroll bar, and everything a pointer can do with them. */
export function Timeline() {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const timeline = new TimelineView(element);
    return () => timeline.close();
  }, []);
  return (
    <div class="timeline" ref={host}>
      <canvas class="axis" aria-hidden="true" />
      <div
        class="lanes"
        tabIndex={0}
        role="application"
        aria-roledescription="timeline"
        aria-label="Timeline. W and S zoom, A and D move, comma and full stop step through slices, question mark for help."
      >
        <canvas class="layer" aria-hidden="true" />
        <canvas class="layer overlay" aria-hidden="true" />
        <Tooltip />
      </div>
      <div class="scrollbar" tabIndex={-1} aria-hidden="true">
        <div />
      </div>
    </div>
  );
}

interface Drag {
  readonly mode: "move" | "range" | "measure";
  readonly x: number;
  readonly y: number;
  readonly startView: { start: number; perPixel: number };
  readonly startScroll: number;
  moved: boolean;
}

class TimelineView {
  readonly #lanes: HTMLElement;
  readonly #scrollbar: HTMLElement;
  readonly #axis: HTMLCanvasElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #renderer: Canvas2DRenderer;
  readonly #caches = new SceneCaches();
  readonly #stop: (() => void)[] = [];
  #trace: LoadedTrace | null = null;
  #drag: Drag | null = null;
  #range: readonly [number, number] | null = null;
  /** Fingers on the lanes, by pointer: where they are. */
  readonly #fingers = new Map<number, readonly [x: number, y: number]>();
  #cursor = -1;
  #width = 0;
  #height = 0;
  #ratio = 1;
  #frame = 0;
  #dirty = true;

  constructor(host: HTMLElement) {
    this.#lanes = host.querySelector<HTMLElement>(".lanes")!;
    this.#scrollbar = host.querySelector<HTMLElement>(".scrollbar")!;
    this.#axis = host.querySelector<HTMLCanvasElement>(".axis")!;
    const [base, overlay] = this.#lanes.querySelectorAll("canvas");
    this.#overlay = overlay!;
    this.#renderer = new Canvas2DRenderer(base!);
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.#lanes);
    this.#stop.push(() => observer.disconnect());
    this.#resize();
    this.#listen();
    this.#stop.push(
      effect(() => {
        const trace = loaded.value;
        if (trace !== this.#trace) {
          this.#trace = trace;
          this.#caches.clear();
        }
        void [lanes.value, view.value, scrollTop.value, theme.value, highlight.value, stage.value];
        // What the pointer was over has moved away from under it.
        hover.value = null;
        this.#schedule(true);
      }),
      effect(() => {
        void [selection.value, measured.value];
        this.#schedule(true);
      }),
      effect(() => this.#syncScrollbar()),
    );
  }

  close(): void {
    for (const stop of this.#stop) stop();
    cancelAnimationFrame(this.#frame);
  }

  #resize(): void {
    const box = this.#lanes.getBoundingClientRect();
    this.#width = Math.floor(box.width);
    this.#height = Math.floor(box.height);
    this.#ratio = devicePixelRatio;
    this.#renderer.resize(this.#width, this.#height, this.#ratio);
    this.#overlay.width = Math.round(this.#width * this.#ratio);
    this.#overlay.height = Math.round(this.#height * this.#ratio);
    this.#axis.width = Math.round(this.#width * this.#ratio);
    this.#axis.height = Math.round(AXIS * this.#ratio);
    const width = Math.max(1, this.#width - GUTTER);
    const before = stage.peek();
    stage.value = { width, height: this.#height };
    // The same times stay on screen; a change of height alone must not end a move under way.
    if (loaded.peek() !== null && before.width > 0 && before.width !== width) {
      const { start, perPixel } = view.peek();
      setView({ start, perPixel: (perPixel * before.width) / width });
    }
    // Drawn now, not in the next frame: a resized canvas is blank until then.
    this.#draw(true);
  }

  #schedule(base: boolean): void {
    this.#dirty ||= base;
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const dirty = this.#dirty;
      this.#dirty = false;
      this.#draw(dirty);
    });
  }

  #draw(base: boolean): void {
    const trace = loaded.peek();
    const all = lanes.peek();
    if (trace === null || all === null || this.#height === 0) return;
    const common = {
      lanes: all,
      view: view.peek(),
      scrollTop: scrollTop.peek(),
      width: this.#width,
      height: this.#height,
      gutter: GUTTER,
      ratio: this.#ratio,
      theme: theme.peek(),
    };
    const selected = selection.peek();
    if (base) {
      const activation = selected === null ? -1 : activationOf(selected);
      const frame = buildScene(
        {
          ...common,
          model: trace.model,
          index: trace.index,
          highlight: highlight.peek(),
          selectedLane: activation < 0 ? -1 : all.laneOfActivation[activation]!,
        },
        this.#caches,
      );
      this.#renderer.draw(frame, common.theme, GUTTER);
    }
    drawAxis(this.#axis.getContext("2d")!, {
      ...common,
      height: AXIS,
      origin: trace.model.startTime,
      cursor: this.#range === null && measured.peek() === null ? this.#cursor : -1,
      range: this.#range ?? this.#measuredPixels(),
    });
    drawOverlay(this.#overlay.getContext("2d")!, {
      ...common,
      trace,
      selection: selected,
      cursor: this.#cursor,
      drag: this.#range ?? this.#measuredPixels(),
    });
  }

  #measuredPixels(): readonly [number, number] | null {
    const range = measured.peek();
    if (range === null) return null;
    const { start, perPixel } = view.peek();
    return [GUTTER + (range.start - start) / perPixel, GUTTER + (range.end - start) / perPixel];
  }

  #syncScrollbar(): void {
    const all = lanes.value;
    const inner = this.#scrollbar.firstElementChild as HTMLElement;
    // Browsers refuse elements higher than about 30 million pixels.
    const total = Math.min(all === null ? 0 : heightOf(all), 15_000_000);
    inner.style.height = `${total}px`;
    const limit = all === null ? 0 : heightOf(all) - stage.value.height;
    const travel = total - this.#scrollbar.clientHeight;
    const top = limit <= 0 ? 0 : (scrollTop.value / limit) * travel;
    if (Math.abs(this.#scrollbar.scrollTop - top) > 1) this.#scrollbar.scrollTop = top;
  }

  #listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(
      target: HTMLElement,
      type: K,
      handler: (event: HTMLElementEventMap[K]) => void,
      options: AddEventListenerOptions = {},
    ): void => {
      target.addEventListener(type, handler, options);
      this.#stop.push(() => target.removeEventListener(type, handler, options));
    };
    on(this.#lanes, "wheel", (event) => this.#wheel(event), { passive: false });
    on(this.#axis, "wheel", (event) => this.#wheel(event), { passive: false });
    on(this.#lanes, "pointerdown", (event) => this.#down(event, false));
    on(this.#axis, "pointerdown", (event) => this.#down(event, true));
    for (const surface of [this.#lanes, this.#axis]) {
      on(surface, "pointermove", (event) => this.#move(event));
      on(surface, "pointerup", (event) => this.#up(event));
      on(surface, "pointercancel", (event) => {
        this.#fingers.delete(event.pointerId);
        this.#cancel();
      });
      on(surface, "pointerleave", () => this.#leave());
    }
    on(this.#lanes, "dblclick", (event) => this.#doubleClick(event));
    on(this.#scrollbar, "scroll", () => {
      const all = lanes.peek();
      if (all === null) return;
      const travel = this.#scrollbar.scrollHeight - this.#scrollbar.clientHeight;
      const limit = heightOf(all) - stage.peek().height;
      const top = travel <= 0 ? 0 : (this.#scrollbar.scrollTop / travel) * limit;
      if (Math.abs(top - scrollTop.peek()) > 1.5) scrollTo(top);
    });
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? 30
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? 400
          : 1;
    const x = event.clientX - this.#lanes.getBoundingClientRect().left - GUTTER;
    const { width } = stage.peek();
    if ((x < 0 || event.altKey) && !event.ctrlKey) {
      scrollTo(scrollTop.peek() + event.deltaY * unit);
      return;
    }
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (sideways !== 0 && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      setView(pan(view.peek(), sideways * unit, extent.peek(), width));
      return;
    }
    // A pinch comes as ctrl+wheel with small steps.
    const speed = event.ctrlKey ? 0.008 : 0.0022;
    const factor = Math.exp(Math.max(-240, Math.min(240, event.deltaY * unit)) * speed);
    setView(zoomAt(view.peek(), Math.max(0, x), factor, extent.peek(), width));
  }

  #down(event: PointerEvent, axis: boolean): void {
    if (event.button > 1 || loaded.peek() === null) return;
    const box = this.#lanes.getBoundingClientRect();
    const x = event.clientX - box.left;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, [x, event.clientY]);
      if (this.#fingers.size > 1) {
        this.#cancel();
        return;
      }
    }
    measured.value = null;
    this.#drag = {
      mode: event.altKey ? "measure" : axis || event.shiftKey ? "range" : "move",
      x,
      y: event.clientY,
      startView: view.peek(),
      startScroll: scrollTop.peek(),
      moved: false,
    };
    hover.value = null;
  }

  #move(event: PointerEvent): void {
    const box = this.#lanes.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    this.#cursor = x;
    setPointer(x - GUTTER);
    if (this.#fingers.has(event.pointerId)) {
      const others = this.#fingers.size > 1;
      if (others) this.#pinch(event.pointerId, x);
      this.#fingers.set(event.pointerId, [x, event.clientY]);
      if (others) return;
    }
    const drag = this.#drag;
    if (drag === null) {
      this.#hover(x, y);
      this.#schedule(false);
      return;
    }
    if (!drag.moved && Math.abs(x - drag.x) + Math.abs(event.clientY - drag.y) < 4) return;
    drag.moved = true;
    if (drag.mode !== "move") {
      this.#range = [Math.max(GUTTER, drag.x), Math.max(GUTTER, Math.min(x, this.#width))];
      this.#schedule(false);
      return;
    }
    this.#lanes.classList.add("dragging");
    const { width } = stage.peek();
    if (drag.x >= GUTTER) setView(pan(drag.startView, drag.x - x, extent.peek(), width));
    scrollTo(drag.startScroll + drag.y - event.clientY);
  }

  /** Two fingers: what was under each stays under it. */
  #pinch(moved: number, x: number): void {
    const [before] = this.#fingers.get(moved)!;
    const other = [...this.#fingers].find(([pointer]) => pointer !== moved)![1][0];
    const apart = Math.max(8, Math.abs(before - other));
    const factor = apart / Math.max(8, Math.abs(x - other));
    setView(zoomAt(view.peek(), Math.max(0, other - GUTTER), factor, extent.peek(), stage.peek().width));
  }

  #up(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    const drag = this.#drag;
    const range = this.#range;
    this.#cancel();
    if (drag === null) return;
    if (range !== null) {
      const a = timeAt(view.peek(), Math.min(...range) - GUTTER);
      const b = timeAt(view.peek(), Math.max(...range) - GUTTER);
      if (drag.mode === "measure") {
        measured.value = { start: a, end: b };
        announcement.value = `${duration(b - a)} measured`;
      } else if (Math.abs(range[1] - range[0]) > 3) glideTo(fit(a, b, stage.peek().width));
      return;
    }
    if (!drag.moved && event.currentTarget === this.#lanes) this.#click(event);
  }

  #cancel(): void {
    this.#drag = null;
    this.#range = null;
    this.#lanes.classList.remove("dragging");
    this.#schedule(false);
  }

  #leave(): void {
    if (this.#drag !== null) return;
    this.#cursor = -1;
    setPointer(-1);
    hover.value = null;
    this.#schedule(false);
  }

  #target(x: number, y: number): Target | null {
    const trace = loaded.peek();
    const all = lanes.peek();
    if (trace === null || all === null) return null;
    const time = timeAt(view.peek(), x - GUTTER);
    return hitTest(trace.model, trace.index, all, time, y + scrollTop.peek(), 4 * view.peek().perPixel);
  }

  #hover(x: number, y: number): void {
    const target = y < 0 ? null : this.#target(x, y);
    const inGutter = x < GUTTER;
    this.#lanes.classList.toggle("over", target !== null && target.kind !== "lane" && !inGutter);
    if (target === null || (target.kind === "lane" && !inGutter)) {
      hover.value = null;
      return;
    }
    hover.value = {
      target: inGutter ? { kind: "lane", lane: target.lane } : target,
      x,
      y,
      width: this.#width,
      height: this.#height,
    };
  }

  #selectionAt(event: MouseEvent): Selection | null {
    const box = this.#lanes.getBoundingClientRect();
    const x = event.clientX - box.left;
    const target = this.#target(x, event.clientY - box.top);
    if (target === null || target.kind === "lane") return null;
    const model = loaded.peek()!.model;
    if (target.kind === "proc") {
      const span = spanOfProcSpan(target.row);
      if (span >= 0) return { kind: "span", row: span };
    }
    if (target.kind === "range" && model.ranges.count === 0) return null;
    return { kind: target.kind, row: target.row };
  }

  #click(event: PointerEvent): void {
    const next = this.#selectionAt(event);
    select(next);
    announcement.value = next === null ? "Nothing selected" : "";
  }

  #doubleClick(event: MouseEvent): void {
    const target = this.#selectionAt(event);
    const bounds = target === null ? null : boundsOf(target);
    if (bounds !== null) showRange(bounds.start, bounds.end);
  }
}

/** The running span of the activation that a proc's slice shows, or -1. */
function spanOfProcSpan(row: number): number {
  const { model, index } = loaded.peek()!;
  const activation = model.procSpans.activation[row]!;
  if (activation < 0) return -1;
  const start = model.procSpans.start[row]!;
  for (
    let i = model.activations.firstSpan[activation]!;
    i < model.activations.firstSpan[activation + 1]!;
    i++
  ) {
    if (model.spans.start[i]! <= start && model.spans.end[i]! > start)
      return index.activations.category[i] === 1 ? i : -1;
  }
  return -1;
}
