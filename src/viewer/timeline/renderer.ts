import type { Frame } from "../core/scene.ts";
import type { Theme } from "../core/theme.ts";

/** Draws frames on a surface of its own. Sizes are CSS pixels; `ratio` is device pixels a CSS pixel. */
export interface Renderer {
  readonly element: HTMLElement;
  resize(width: number, height: number, ratio: number): void;
  draw(frame: Frame, theme: Theme, gutter: number): void;
}
