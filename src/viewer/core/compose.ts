import type { Columns } from "./lod.ts";
import { rgb } from "./theme.ts";

/**
 * Columns to pixels, one row: the colour of the dominant category, paler where the column is partly empty, drawn
 * towards the primary category (running) by its share, so that short work inside a long wait stays visible.
 */

/** Fills as three bytes a category, and the background. */
export interface Palette {
  readonly red: Uint8Array;
  readonly green: Uint8Array;
  readonly blue: Uint8Array;
  /** Whether category 1 shines through where it does not dominate. */
  readonly primary: boolean;
}

/** Palette of fills by category; 0 is the background. Categories outside of `highlight` fade into it. */
export function palette(
  fills: readonly string[],
  primary: boolean,
  highlight: ReadonlySet<number> | null,
): Palette {
  const red = new Uint8Array(fills.length);
  const green = new Uint8Array(fills.length);
  const blue = new Uint8Array(fills.length);
  const ground = rgb(fills[0]!);
  for (const [i, fill] of fills.entries()) {
    const color = rgb(fill);
    const fade = highlight === null || highlight.has(i) ? 1 : 0.12;
    red[i] = ground[0] + (color[0] - ground[0]) * fade;
    green[i] = ground[1] + (color[1] - ground[1]) * fade;
    blue[i] = ground[2] + (color[2] - ground[2]) * fade;
  }
  return { red, green, blue, primary: primary && (highlight === null || highlight.has(1)) };
}

/** Writes the row's pixels (little-endian RGBA) to `out` from `at`; empty columns are transparent. */
export function composeRow(
  columns: Columns,
  colors: Palette,
  width: number,
  out: Uint32Array,
  at: number,
): void {
  const { dominant, coverage, primary, starts } = columns;
  const { red, green, blue } = colors;
  for (let x = 0; x < width; x++) {
    const code = dominant[x]!;
    if (code === 0) {
      out[at + x] = 0;
      continue;
    }
    let r = red[code]!;
    let g = green[code]!;
    let b = blue[code]!;
    const work = primary[x]!;
    if (colors.primary && code !== 1 && work > 0) {
      const part = 0.3 + (0.7 * work) / 255;
      r += (red[1]! - r) * part;
      g += (green[1]! - g) * part;
      b += (blue[1]! - b) * part;
    }
    const cover = coverage[x]!;
    let alpha = cover === 255 ? 255 : 70 + ((cover * 185) >> 8);
    // A hairline where a slice begins, unless slices are too narrow to be told apart.
    if (
      starts[x] === 1 &&
      x > 0 &&
      starts[x - 1] === 0 &&
      x + 2 < width &&
      starts[x + 1] === 0 &&
      starts[x + 2] === 0
    ) {
      if (dominant[x - 1] !== 0) alpha = (alpha * 150) >> 8;
    }
    out[at + x] = ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
}
