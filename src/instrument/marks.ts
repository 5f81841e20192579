/**
 * How insertions are told from the program's own text.
 *
 * Every insertion lies within one line, begins with a comment that holds a control character and ends at the next
 * empty comment; inserted code holds no comments. So whole lines, and texts of functions, can be freed of them without
 * knowing where they came from. The text of an arrow function whose body was an expression ends inside an insertion. A
 * file that holds the control characters' comments already is never transformed.
 */

const OPEN = "/*\u0001*/";
/** For an insertion behind a slash, which would make a line comment of the slash and OPEN. */
const OPEN_APART = " /*\u0002*/";
const CLOSE = "/**/";
const INSERTION = new RegExp(`(?:${quoted(OPEN)}|${quoted(OPEN_APART)}).*?(?:${quoted(CLOSE)}|$)`, "g");

/** Tells whether a program's text holds what marks an insertion. */
export function isMarked(source: string): boolean {
  return source.includes(OPEN) || source.includes(OPEN_APART);
}

/** Removes every insertion again: the original text of a function or of whole lines of a transformed file. */
export function strip(text: string): string {
  return isMarked(text) ? text.replace(INSERTION, "") : text;
}

/**
 * Column in the original of a column in a line of the transformed text, both counted from 1 as in stacks; the line's
 * number does not change. A column inside an insertion becomes that of the text behind it.
 */
export function originalColumn(line: string, column: number): number {
  let inserted = 0;
  for (const match of line.matchAll(INSERTION)) {
    if (match.index >= column - 1) break;
    inserted += Math.min(match[0].length, column - 1 - match.index);
  }
  return column - inserted;
}

function quoted(text: string): string {
  return text.replaceAll("*", "\\*");
}

/** Insertions into a text, made from its beginning to its end. */
export class Insertions {
  readonly #source: string;
  readonly #pieces: string[] = [];
  #at = 0;
  #pending = "";

  constructor(source: string) {
    this.#source = source;
  }

  get isEmpty(): boolean {
    return this.#at === 0 && this.#pending === "";
  }

  /** Inserts code before the character at `at`, behind what was inserted there before. `at` never goes back. */
  add(at: number, code: string): void {
    if (at < this.#at) throw new Error(`got an insertion at ${at}, want one at ${this.#at} or behind`);
    if (at > this.#at) {
      this.#flush();
      this.#pieces.push(this.#source.slice(this.#at, at));
      this.#at = at;
    }
    this.#pending += code;
  }

  /** The text with all insertions and one more, before all others, at `at`; `from` is where its code begins. */
  finish(at: number, code: string): { text: string; from: number } {
    this.#flush();
    const open = this.#open(at);
    const rest = `${this.#pieces.join("")}${this.#source.slice(this.#at)}`;
    const text = `${rest.slice(0, at)}${open}${code}${CLOSE}${rest.slice(at)}`;
    return { text, from: at + open.length };
  }

  #flush(): void {
    if (this.#pending === "") return;
    this.#pieces.push(this.#open(this.#at), this.#pending, CLOSE);
    this.#pending = "";
  }

  #open(at: number): string {
    return at > 0 && this.#source[at - 1] === "/" ? OPEN_APART : OPEN;
  }
}

/** A text as a JavaScript string that can stand in an insertion. */
export function literal(text: string): string {
  return JSON.stringify(text)
    .replaceAll("*/", "*\\/")
    .replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text with code inserted at `at`, or on a line of its own behind its last where `at` is its end. */
export function withInsertion(text: string, at: number, code: string): string {
  const line = at === text.length ? "\n" : "";
  return `${text.slice(0, at)}${line}${OPEN}${code}${CLOSE}${text.slice(at)}`;
}

/** Code of a transformed file with the name of the file in it: what is to be run. */
export function named({ code, nameAt }: { code: string; nameAt: number }, file: string): string {
  return `${code.slice(0, nameAt)}${literal(file)}${code.slice(nameAt)}`;
}
