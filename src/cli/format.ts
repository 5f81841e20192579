/** How numbers, text and tables look in output for people. */
import type { Distribution } from "../analysis/distribution.ts";
import { wellFormed } from "../analysis/text.ts";

const TIME_UNITS: readonly (readonly [name: string, nanoseconds: number])[] = [
  ["ns", 1],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["h", 3.6e12],
];

/** A duration in nanoseconds with three significant digits: "640 ns", "52.3 ms", "1.20 s". */
export function duration(nanoseconds: number): string {
  if (!Number.isFinite(nanoseconds)) return "";
  if (Math.abs(nanoseconds) < 1) return "0";
  for (const [i, [name, size]] of TIME_UNITS.entries()) {
    const next = TIME_UNITS[i + 1];
    const text = threeDigits(nanoseconds / size, i === 0);
    if (next === undefined || Math.abs(Number(text)) < next[1] / size) {
      // A value that rounds up to the next unit is shown in it; seconds hold four digits before hours take over.
      if (next === undefined || Math.abs(Number(text)) < 1000 || name === "s") return `${text} ${name}`;
    }
  }
  return "";
}

function threeDigits(value: number, whole: boolean): string {
  const size = Math.abs(value);
  if (whole || size >= 99.95) return value.toFixed(0);
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A whole number with thin groups of three: "1,951,718". */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share of 0 to 1: "43.2 %". */
export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** Text of a trace made safe for a terminal: control characters and broken UTF-8 do not get through. */
export function safeText(text: string): string {
  return wellFormed(text).replace(
    /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu,
    (c) => `\\x${c.codePointAt(0)!.toString(16).padStart(2, "0")}`,
  );
}

/** At most `width` characters of a text, cut in the middle: both ends of a function's name tell something. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return [
    ...characters.slice(0, head),
    "…",
    ...characters.slice(characters.length - (width - 1 - head)),
  ].join("");
}

/** Columns of a terminal that every table fits in. */
const TERMINAL = 80;
/** What a column of text keeps. */
const LEAST = 8;

/**
 * Lines of aligned columns: the first column to the left, numbers to the right. A column whose title starts with "<"
 * goes left too. Rows are indented by two spaces; there is no space at the end of a line. Columns of text are shortened,
 * the widest first, until a line has 80 characters.
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const left = titles.map((title, column) => column === 0 || title.startsWith("<"));
  const heads = titles.map((title) => title.replace(/^</, ""));
  // The first title stands two to the left of its column.
  const widths = heads.map((head, column) =>
    Math.max(length(head) - (column === 0 ? 2 : 0), ...rows.map((row) => length(row[column] ?? ""))),
  );
  shrink(widths, left);
  const line = (cells: readonly string[], firstWidth: number): string =>
    cells
      .map((cell, column) => {
        const width = column === 0 ? firstWidth : widths[column]!;
        const text = left[column] ? shorten(cell, width) : cell;
        const space = " ".repeat(Math.max(0, width - length(text)));
        return left[column] ? text + space : space + text;
      })
      .join("  ")
      .trimEnd();
  return [line(heads, widths[0]! + 2), ...rows.map((row) => `  ${line(row, widths[0]!)}`)];
}

/** Takes from the widest columns of text until a line fits, or each has its least width. */
function shrink(widths: number[], isText: readonly boolean[]): void {
  let over = widths.reduce((sum, width) => sum + width + 2, 0) - TERMINAL;
  while (over > 0) {
    let widest = -1;
    for (const [column, width] of widths.entries())
      if (isText[column] && (widest < 0 || width > widths[widest]!)) widest = column;
    if (widest < 0 || widths[widest]! <= LEAST) return;
    widths[widest]!--;
    over--;
  }
}

/** "1 file", "2 files". */
export function plural(value: number, one: string): string {
  return `${count(value)} ${value === 1 ? one : `${one}s`}`;
}

/** Most rows of a section; the rest is told as a number. */
export const ROWS = 12;

/** A table of at most 12 rows, which says how many there are beyond; no lines where there are none. */
export function section(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const lines = table(titles, rows.slice(0, ROWS));
  if (rows.length > ROWS) lines.push(`  and ${count(rows.length - ROWS)} more`);
  return lines;
}

/** Titles of the cells of `spread`. */
export const SPREAD_TITLES = ["p50", "p90", "p99", "max", "mean"] as const;

/** How durations are spread, a cell each; empty ones where there are none. */
export function spread(values: Distribution | null): string[] {
  return SPREAD_TITLES.map((title) => (values === null ? "" : duration(values[title])));
}

function length(text: string): number {
  return [...text].length;
}
