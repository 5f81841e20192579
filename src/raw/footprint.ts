import { SPEC_BY_TYPE } from "../wire/events.ts";
import type { WireSource, WireValue } from "./wire-input.ts";
import { WireReader } from "./wire-records.ts";

/** How much of a trace one event type takes. */
export interface FootprintRow {
  readonly name: string;
  /** Bytes of its records, every number counted in its shortest form. */
  bytes: number;
  count: number;
}

/** What a whole trace is made of. */
export interface Footprint {
  /** One row for each of the 256 event numbers, in their order. */
  readonly rows: FootprintRow[];
  /** Size of the file. */
  readonly bytes: number;
}

/** Reads a trace to its end. Throws what WireReader throws. */
export function footprint(source: WireSource): Footprint {
  const reader = new WireReader(source);
  const rows = Array.from({ length: 256 }, (_, type) => {
    const name = type > reader.lastType ? `<unknown (${type})>` : (SPEC_BY_TYPE[type]?.name ?? "");
    return { name, bytes: 0, count: 0 };
  });
  for (let record = reader.next(); record !== null; record = reader.next()) {
    const row = rows[record.type]!;
    row.count++;
    row.bytes++;
    for (const value of record.args) row.bytes += varintSize(value);
    for (const value of record.frames) row.bytes += varintSize(value);
    if (record.data !== null) row.bytes += varintSize(record.data.length) + record.data.length;
  }
  return { rows, bytes: reader.bytes };
}

/** The table of `go tool trace -d=footprint`, its lines in the order of `rows`; shares of bytes are of the file. */
export function footprintText({ rows, bytes }: Footprint): string {
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  const cells = [
    ["Event", "Bytes", "%", "Count", "%"],
    ["-", "-", "-", "-", "-"],
    ...rows.map((row) => [
      row.name,
      `${row.bytes}`,
      share(row.bytes, bytes),
      `${row.count}`,
      share(row.count, count),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)) + 2);
  return cells.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("")}\n`).join("");
}

function share(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(2)}%`;
}

function varintSize(value: WireValue): number {
  let size = 1;
  if (typeof value === "bigint") {
    for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size++;
  } else {
    for (let limit = 128; limit <= value; limit *= 128) size++;
  }
  return size;
}
