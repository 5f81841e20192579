/** Tables as data: sorting them, and writing them out. */

/** A value of a cell: numbers are sorted and written as such, times in nanoseconds. NaN: unknown, always last. */
export type Cell = number | string;

export interface Sorting {
  readonly column: number;
  readonly descending: boolean;
}

/** What a click on a column's head makes of the sorting: numbers begin with the largest, the same column turns around. */
export function nextSorting(now: Sorting | null, column: number, isNumber: boolean): Sorting {
  if (now?.column === column) return { column, descending: !now.descending };
  return { column, descending: isNumber };
}

/** Indexes from 0 to `count` in the order of their cells; equal ones as they were. */
export function sorted(count: number, cell: (index: number) => Cell, descending: boolean): Uint32Array {
  const cells = Array.from({ length: count }, (_, i) => cell(i));
  const sign = descending ? -1 : 1;
  return Uint32Array.from(cells.keys()).sort((a, b) => {
    const [x, y] = [cells[a]!, cells[b]!];
    if (typeof x === "number" && typeof y === "number") {
      if (Number.isNaN(x) || Number.isNaN(y))
        return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b;
      return sign * (x - y) || a - b;
    }
    const [left, right] = [String(x), String(y)];
    return left === right ? a - b : sign * (left < right ? -1 : 1);
  });
}

/** Comma-separated values with a line of titles, as RFC 4180 has them; an unknown number is empty. */
export function toCsv(titles: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [titles.map(field).join(",")];
  for (const row of rows) lines.push(row.map(field).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function field(value: Cell): string {
  if (typeof value === "number") return Number.isNaN(value) ? "" : String(value);
  // A spreadsheet takes text that begins so for a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** An array of objects, a row a line, with the titles as keys; an unknown number is null. */
export function toJson(titles: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines: string[] = [];
  for (const row of rows)
    lines.push(JSON.stringify(Object.fromEntries(titles.map((title, i) => [title, row[i] ?? null]))));
  return `[\n${lines.join(",\n")}\n]\n`;
}
