import { composeRow } from "../core/compose.ts";
import type { Frame, Label, Rect } from "../core/scene.ts";
import type { Theme } from "../core/theme.ts";
import type { Renderer } from "./renderer.ts";

const BODY = '11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const SMALL = BODY.replace("11px", "9px");
const STRONG = `600 ${BODY}`;

/**
 * Canvas 2D: every strip is one row of pixels in an off-screen image, stretched over the lane's height without
 * smoothing. Without a GPU that is the fastest way there is, and with one it is fast enough.
 */
export class Canvas2DRenderer implements Renderer {
  readonly element: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #rows: HTMLCanvasElement;
  readonly #rowsContext: CanvasRenderingContext2D;
  #image: ImageData | null = null;
  #pixels: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #width = 0;
  #height = 0;
  #ratio = 1;
  /** Widths of texts by font and text, so that none is measured twice. */
  readonly #widths = new Map<string, number>();

  constructor(canvas: HTMLCanvasElement) {
    this.element = canvas;
    this.#context = canvas.getContext("2d", { alpha: false })!;
    this.#rows = document.createElement("canvas");
    this.#rowsContext = this.#rows.getContext("2d")!;
  }

  resize(width: number, height: number, ratio: number): void {
    this.#width = width;
    this.#height = height;
    this.#ratio = ratio;
    this.element.width = Math.round(width * ratio);
    this.element.height = Math.round(height * ratio);
  }

  draw(frame: Frame, theme: Theme, gutter: number): void {
    const context = this.#context;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, this.#width, this.#height);
    context.fillStyle = theme.gutter;
    context.fillRect(0, 0, gutter, this.#height);
    this.#rects(frame.rects);
    this.#strips(frame);
    this.#rects(frame.marks);
    context.fillStyle = theme.line;
    context.fillRect(gutter - 1, 0, 1, this.#height);
    this.#labels(frame.labels);
  }

  #rects(rects: readonly Rect[]): void {
    const context = this.#context;
    for (const { x, y, width, height, color } of rects) {
      context.fillStyle = color;
      context.fillRect(x, y, width, height);
    }
  }

  #strips(frame: Frame): void {
    const { strips } = frame;
    const first = strips[0];
    if (first === undefined) return;
    const width = first.columns.dominant.length;
    if (width === 0) return;
    if (this.#rows.width !== width || this.#rows.height < strips.length) {
      this.#rows.width = width;
      this.#rows.height = Math.max(strips.length, 64);
      this.#image = this.#rowsContext.createImageData(width, this.#rows.height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
    }
    for (const [i, strip] of strips.entries())
      composeRow(strip.columns, strip.colors, width, this.#pixels, i * width);
    this.#rowsContext.putImageData(this.#image!, 0, 0, 0, 0, width, strips.length);
    const context = this.#context;
    context.imageSmoothingEnabled = false;
    for (const [i, { x, y, height }] of strips.entries()) {
      context.drawImage(this.#rows, 0, i, width, 1, x, y, width / this.#ratio, height);
    }
  }

  #labels(labels: readonly Label[]): void {
    const context = this.#context;
    context.textBaseline = "middle";
    for (const label of labels) {
      const font = label.font === "small" ? SMALL : label.font === "strong" ? STRONG : BODY;
      if (context.font !== font) context.font = font;
      const text = this.#fit(label.text, label.maxWidth, font);
      if (text === "") continue;
      context.fillStyle = label.color;
      context.textAlign = label.font === "right" ? "right" : "left";
      context.fillText(text, label.x, label.y);
    }
    context.textAlign = "left";
  }

  /** The text, or as much of it as fits with an ellipsis; "" where not even three letters do. */
  #fit(text: string, maxWidth: number, font: string): string {
    const width = this.#measure(text, font);
    if (width <= maxWidth) return text;
    const letters = Math.floor((text.length * (maxWidth - 8)) / width);
    return letters < 3 ? "" : `${text.slice(0, letters)}…`;
  }

  #measure(text: string, font: string): number {
    const key = `${font === SMALL ? "s" : "b"}${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      if (this.#widths.size > 20_000) this.#widths.clear();
      width = this.#context.measureText(text).width;
      this.#widths.set(key, width);
    }
    return width;
  }
}
