import { CATEGORIES, HUES } from "./categories.ts";

/** Colours of the drawn parts, for one scheme. Text and surfaces of the frame are in style.css. */
export interface Theme {
  readonly dark: boolean;
  readonly background: string;
  readonly gutter: string;
  readonly header: string;
  readonly line: string;
  readonly grid: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly log: string;
  readonly sample: string;
  readonly collect: string;
  readonly heap: string;
  /** Fill by category code of activations. */
  readonly states: readonly string[];
  /** Fill by code of named lanes. */
  readonly named: readonly string[];
  /** Fill by code of the lane of global ranges. */
  readonly ranges: readonly string[];
  /** Same hues, quieter, for regions. */
  readonly regions: readonly string[];
}

/** `#rrggbb` to its three bytes. */
export function rgb(color: string): readonly [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function hex(red: number, green: number, blue: number): string {
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** OKLCH to sRGB, clipped: equal lightness looks equally light in every hue. Hue in degrees. */
function oklch(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const gamma = (value: number): number => {
    const clipped = Math.min(1, Math.max(0, value));
    return 255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055);
  };
  return hex(
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  );
}

/** Mix of two colours, `part` of the second. */
export function mix(first: string, second: string, part: number): string {
  const a = rgb(first);
  const b = rgb(second);
  return hex(a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part);
}

/** Black or white text, whichever reads better on a fill. */
export function textOn(fill: string): string {
  const [r, g, b] = rgb(fill).map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.25 ? "#15181e" : "#ffffff";
}

function named(background: string, overhead: string, lightness: number, chroma: number): string[] {
  const fills = [background, overhead];
  for (let i = 0; i < HUES; i++) {
    // Steps of 5 of 12 part neighbours; two levels of lightness part hues that are near.
    fills.push(oklch(lightness + (i % 2 === 0 ? 0.03 : -0.04), chroma, ((i * 5) % HUES) * (360 / HUES) + 20));
  }
  return fills;
}

function states(background: string, byKey: Record<string, string>): string[] {
  return CATEGORIES.map(({ key }) => byKey[key] ?? background);
}

const LIGHT_BACKGROUND = "#ffffff";
const DARK_BACKGROUND = "#14171c";

/** Colours on white. */
export const LIGHT: Theme = {
  dark: false,
  background: LIGHT_BACKGROUND,
  gutter: "#f7f8fa",
  header: "#eef0f4",
  line: "#e4e7ec",
  grid: "#eceef2",
  text: "#1c2128",
  muted: "#5b6472",
  accent: "#0b63ce",
  log: "#b42318",
  sample: "#3f4753",
  collect: "#d6409f",
  heap: "#cfe2fa",
  states: states(LIGHT_BACKGROUND, {
    running: "#1c9a55",
    runnable: "#f59a0c",
    syscall: "#0e7f9b",
    sleep: "#d3dae4",
    network: "#a3ccf7",
    pool: "#8be0d3",
    channel: "#cbbdf6",
    select: "#f5b5d8",
    sync: "#e3c39c",
    preempted: "#c3e6ae",
    system: "#f4b3ad",
    other: "#dedede",
  }),
  named: named(LIGHT_BACKGROUND, "#e3e6eb", 0.72, 0.125),
  ranges: [LIGHT_BACKGROUND, LIGHT_BACKGROUND, "#f2b8dc", "#c2257d"],
  regions: named(LIGHT_BACKGROUND, "#c3c9d3", 0.84, 0.085),
};

/** Colours on near black. */
export const DARK: Theme = {
  dark: true,
  background: DARK_BACKGROUND,
  gutter: "#191d23",
  header: "#20252d",
  line: "#272d36",
  grid: "#1d2229",
  text: "#e4e8ee",
  muted: "#98a2b3",
  accent: "#6cb1ff",
  log: "#ff8a7d",
  sample: "#c4ccd8",
  collect: "#ff77c8",
  heap: "#22456f",
  states: states(DARK_BACKGROUND, {
    running: "#37c47c",
    runnable: "#f8a530",
    syscall: "#25a7c7",
    sleep: "#36404f",
    network: "#2b5a94",
    pool: "#1b6f67",
    channel: "#56468f",
    select: "#85396a",
    sync: "#745632",
    preempted: "#3c5f2c",
    system: "#86403a",
    other: "#43464d",
  }),
  named: named(DARK_BACKGROUND, "#2c333d", 0.66, 0.115),
  ranges: [DARK_BACKGROUND, DARK_BACKGROUND, "#7a2f60", "#ff6fc3"],
  regions: named(DARK_BACKGROUND, "#4a525f", 0.48, 0.08),
};
