/**
 * The sites of a transformed file as text: what the load-time transform writes into the file's first line, and whoever
 * names a site reads again. It depends on nothing but the file's content, so that it can be kept with the code.
 *
 * `VERSION:COUNT:JSON`, where the JSON is `[names, files, numbers]`: names of functions and callees, each once; names
 * of original files; and seven numbers a site: kind + 16 × waits, function, file, line, column, `of`, callee. A name is
 * its index, -1 where there is none; a file too, and -1 is the transformed file itself. A reader that meets another
 * version knows the count and nothing else.
 */

/** A place in a file that transformed code names by its number: the first of the file plus its index in the list. */
export interface Site {
  readonly kind: SiteKind;
  /** Name of the function that holds it: its own, or `outer.(anonymous:12)` with the line where it begins. */
  readonly func: string;
  /** The original file where the code was compiled from another, relative to the folder of the loaded file, or "". */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, as in stacks. */
  readonly column: number;
  /** Of await and tail: what is waited for. */
  readonly waits?: Waits;
  /** Of await and tail, where a call is waited for: the last name of what is called, `find` of `this.repo.find(x)`. */
  readonly callee?: string;
  /** Index in the list of the site of kind call, generator or module that begins the frame; -1 outside of frames. */
  readonly of: number;
}

/** The beginning of an async function is a call, that of an async generator a generator; `at` is a call that is not awaited. */
const KINDS = [
  "call",
  "await",
  "forAwait",
  "yield",
  "tail",
  "executor",
  "module",
  "generator",
  "at",
] as const;
const WAITS = ["call", "all", "race", "promise", "other"] as const;

export type SiteKind = (typeof KINDS)[number];

/**
 * What an await waits for, as far as the text says: what a call returns (the frames that the call begins belong to the
 * awaiting activation), all or the first of several promises, a promise made on the spot, something else.
 */
export type Waits = (typeof WAITS)[number];

const VERSION = 2;
const NUMBERS = 7;

/** The text form of a file's sites. */
export function writeSites(sites: readonly Site[]): string {
  const names = new Map<string, number>();
  const files = new Map<string, number>();
  const numbers: number[] = [];
  for (const { kind, func, file, line, column, waits, callee, of } of sites) {
    const word = KINDS.indexOf(kind) + 16 * (waits === undefined ? 0 : WAITS.indexOf(waits) + 1);
    numbers.push(word, indexIn(names, func), file === "" ? -1 : indexIn(files, file), line, column, of);
    numbers.push(callee === undefined ? -1 : indexIn(names, callee));
  }
  return `${VERSION}:${sites.length}:${JSON.stringify([[...names.keys()], [...files.keys()], numbers])}`;
}

function indexIn(table: Map<string, number>, text: string): number {
  const known = table.get(text);
  if (known !== undefined) return known;
  table.set(text, table.size);
  return table.size - 1;
}

/** How many sites a text form has, without reading them; 0 where it is no text form. */
export function countSites(text: string): number {
  const match = /^\d+:(\d+):/.exec(text);
  return match === null ? 0 : Number(match[1]);
}

/** The sites of a text form; none where it is of another version or damaged. */
export function readSites(text: string): Site[] {
  const head = `${VERSION}:${countSites(text)}:`;
  if (!text.startsWith(head)) return [];
  const sites: Site[] = [];
  try {
    const [names, files, numbers] = JSON.parse(text.slice(head.length)) as [string[], string[], number[]];
    for (let at = 0; at + NUMBERS <= numbers.length; at += NUMBERS) {
      const [word, func, file, line, column, of, callee] = numbers.slice(at, at + NUMBERS) as SiteNumbers;
      const waits = WAITS[(word >> 4) - 1];
      const name = names[callee];
      sites.push({
        kind: KINDS[word & 15]!,
        func: names[func] ?? "",
        file: files[file] ?? "",
        line,
        column,
        of,
        ...(waits !== undefined && { waits }),
        ...(name !== undefined && { callee: name }),
      });
    }
  } catch {
    return [];
  }
  return sites;
}

type SiteNumbers = [
  word: number,
  func: number,
  file: number,
  line: number,
  column: number,
  of: number,
  callee: number,
];
