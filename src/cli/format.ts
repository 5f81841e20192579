/** How numbers, text and tables look in output for people. */
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

/**
 * Lines of aligned columns: the first column to the left, numbers to the right. A column whose title starts with "<"
 * goes left too. Rows are indented by two spaces; there is no space at the end of a line.
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const left = titles.map((title, column) => column === 0 || title.startsWith("<"));
  const heads = titles.map((title) => title.replace(/^</, ""));
  // The first title stands two to the left of its column.
  const widths = heads.map((head, column) =>
    Math.max(length(head) - (column === 0 ? 2 : 0), ...rows.map((row) => length(row[column] ?? ""))),
  );
  const line = (cells: readonly string[], firstWidth: number): string =>
    cells
      .map((cell, column) => {
        const space = " ".repeat((column === 0 ? firstWidth : widths[column]!) - length(cell));
        return left[column] ? cell + space : space + cell;
      })
      .join("  ")
      .trimEnd();
  return [line(heads, widths[0]! + 2), ...rows.map((row) => `  ${line(row, widths[0]!)}`)];
}

function length(text: string): number {
  return [...text].length;
}
