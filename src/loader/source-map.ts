/** A place in an original text: index of the source, line and column, both counted from 0. */
export interface Origin {
  readonly source: number;
  readonly line: number;
  readonly column: number;
}

/** What a source map (version 3, sections included) says about places. */
export interface SourceMap {
  readonly sources: readonly string[];
  /** The origin of the text at a line and column, both counted from 0, or null. */
  origin(line: number, column: number): Origin | null;
}

interface Json {
  readonly version?: unknown;
  readonly sources?: readonly (string | null)[];
  readonly sourceRoot?: string | null;
  readonly mappings?: string;
  readonly sections?: readonly { readonly offset: { line: number; column: number }; readonly map: Json }[];
}

/** One line's segments, four numbers each: column, source (-1: none), line and column there. */
type Line = number[];

/** Reads the text of a source map; null where it is none. */
export function readSourceMap(text: string): SourceMap | null {
  try {
    const sources: string[] = [];
    const lines: Line[] = [];
    // A prefix that keeps scripts from reading it.
    add(JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, "")) as Json, 0, 0, sources, lines);
    return { sources, origin: (line, column) => find(lines[line], column) };
  } catch {
    return null;
  }
}

function add(map: Json, line: number, column: number, sources: string[], lines: Line[]): void {
  if (map.sections !== undefined) {
    for (const { offset, map: inner } of map.sections) {
      add(
        inner,
        line + offset.line,
        offset.line === 0 ? column + offset.column : offset.column,
        sources,
        lines,
      );
    }
    return;
  }
  const first = sources.length;
  const root = map.sourceRoot ? `${map.sourceRoot.replace(/\/$/, "")}/` : "";
  for (const source of map.sources ?? []) sources.push(source === null ? "" : `${root}${source}`);
  decode(map.mappings ?? "", { line, column, source: first }, lines);
}

function find(line: Line | undefined, column: number): Origin | null {
  if (line === undefined) return null;
  let low = 0;
  let high = line.length / 4;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line[middle * 4]! <= column) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return null;
  const at = (low - 1) * 4;
  return line[at + 1]! < 0 ? null : { source: line[at + 1]!, line: line[at + 2]!, column: line[at + 3]! };
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base-64 VLQ: segments behind commas, lines behind semicolons, every number relative to the one before. */
function decode(text: string, base: { line: number; column: number; source: number }, lines: Line[]): void {
  let line = base.line;
  let column = base.column;
  let source = 0;
  let originLine = 0;
  let originColumn = 0;
  let fields = 0;
  let value = 0;
  let shift = 0;
  let open = (lines[line] ??= []);
  for (let i = 0; i <= text.length; i++) {
    const c = text[i] ?? ",";
    if (c !== "," && c !== ";") {
      const digit = DIGITS.indexOf(c);
      if (digit < 0) throw new SyntaxError(`got ${c} in mappings, want a base-64 digit`);
      value |= (digit & 31) << shift;
      shift += 5;
      if ((digit & 32) !== 0) continue;
      const delta = (value & 1) === 1 ? -(value >>> 1) : value >>> 1;
      if (fields === 0) column += delta;
      else if (fields === 1) source += delta;
      else if (fields === 2) originLine += delta;
      else if (fields === 3) originColumn += delta;
      fields++;
      value = 0;
      shift = 0;
      continue;
    }
    if (fields > 0) open.push(column, fields >= 4 ? base.source + source : -1, originLine, originColumn);
    fields = 0;
    if (c === ";") {
      open = lines[++line] ??= [];
      column = 0;
    }
  }
}
