import { TraceError } from "../base/error.ts";
import { Ev, EVENTS, type EventSpec } from "../wire/events.ts";

const SPEC_BY_NAME = new Map<string, EventSpec>(EVENTS.map((spec) => [spec.name, spec]));
const FRAME_ARGS = ["pc", "func", "file", "line"];
const ENCODER = new TextEncoder();

const UNKNOWN_SIZE = "size=?";

/**
 * Reads the text form of a trace (a first line `Trace Go1.NN`, then the grammar of `-d=wire`) back into the bytes of a
 * trace file. Nothing is checked beyond the grammar, sizes are written as given and numbers in their shortest form, so
 * any broken trace can be spelled out. Beyond Go's grammar, an EventBatch may say `size=?`: its payload is then what
 * follows up to the next batch or end of generation. Throws ERR_TRACE_TEXT with the line number.
 */
export function parseWireText(text: string): Uint8Array {
  return new WireTextParser(text).parse();
}

class WireTextParser {
  readonly #lines: readonly string[];
  #out: number[] = [];
  #line = 0;

  constructor(text: string) {
    this.#lines = text.split("\n");
  }

  parse(): Uint8Array {
    const first = this.#nextLine();
    const version = /^Trace\s+Go1\.(\d+)$/u.exec(first ?? "")?.[1];
    if (version === undefined) throw this.#error(`got ${first ?? "nothing"}, want Trace Go1.NN`);
    this.#out.push(...ENCODER.encode(`go 1.${version} trace`.padEnd(16, "\0")));
    for (let line = this.#nextLine(); line !== null; line = this.#nextLine()) this.#record(line);
    return Uint8Array.from(this.#out);
  }

  #record(line: string): void {
    const [name, ...tokens] = line.split(/\s+/u);
    const spec = SPEC_BY_NAME.get(name!);
    if (spec === undefined) throw this.#error(`got ${name}, want the name of an event`);
    this.#out.push(spec.type);
    if (spec.type === Ev.EventBatch && tokens.at(-1) === UNKNOWN_SIZE)
      return this.#measuredBatch(tokens, spec.args);
    const values = this.#arguments(tokens, spec.timed ? ["dt", ...spec.args] : spec.args);
    if (spec.type === Ev.Stack) {
      for (let i = 0n; i < values[1]!; i++) {
        const frame = this.#nextLine();
        if (frame === null) throw this.#error(`got ${i} frames, want ${values[1]}`);
        this.#arguments(frame.split(/\s+/u), FRAME_ARGS);
      }
    } else if (spec.type === Ev.String || spec.type === Ev.ExperimentalBatch) {
      const bytes = this.#data();
      this.#uvarint(BigInt(bytes.length));
      for (const byte of bytes) this.#out.push(byte);
    }
  }

  /** A batch without a size: its payload is read first. */
  #measuredBatch(tokens: readonly string[], names: readonly string[]): void {
    this.#arguments(tokens.slice(0, -1), names.slice(0, -1));
    const before = this.#out;
    this.#out = [];
    for (;;) {
      const start = this.#line;
      const line = this.#nextLine();
      if (line === null || NEW_BATCH.test(line)) {
        this.#line = start;
        break;
      }
      this.#record(line);
    }
    const payload = this.#out;
    this.#out = before;
    this.#uvarint(BigInt(payload.length));
    for (const byte of payload) this.#out.push(byte);
  }

  /** The data line of a record; where there is none the data is empty. */
  #data(): Uint8Array {
    const before = this.#line;
    const data = /^data=(".*")$/u.exec(this.#nextLine() ?? "");
    if (data !== null) return this.#unquote(data[1]!);
    this.#line = before;
    return new Uint8Array(0);
  }

  #arguments(tokens: readonly string[], names: readonly string[]): bigint[] {
    if (tokens.length !== names.length)
      throw this.#error(`got ${tokens.length} arguments, want ${names.length}`);
    return names.map((name, i) => {
      const match = /^(\w+)=(\d+)$/u.exec(tokens[i]!);
      if (match?.[1] !== name) throw this.#error(`got ${tokens[i]}, want ${name}=NUMBER`);
      const value = BigInt(match[2]!);
      if (value >= 2n ** 64n) throw this.#error(`got ${value}, want less than 2^64`);
      this.#uvarint(value);
      return value;
    });
  }

  #uvarint(value: bigint): void {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.#out.push(Number(rest & 0x7fn) | 0x80);
    this.#out.push(Number(rest));
  }

  #unquote(quoted: string): Uint8Array {
    const out: number[] = [];
    const body = quoted.slice(1, -1);
    for (let i = 0; i < body.length;) {
      ESCAPE.lastIndex = i;
      const match = ESCAPE.exec(body);
      if (match === null) throw this.#error(`got ${quoted}, want a Go-quoted string`);
      i = ESCAPE.lastIndex;
      const [whole, short, byte, octal, point] = match;
      if (short !== undefined) out.push(SHORT[short]!);
      else if (byte !== undefined) out.push(Number.parseInt(byte, 16));
      else if (octal !== undefined) out.push(Number.parseInt(octal, 8) & 255);
      else if (point !== undefined) out.push(...ENCODER.encode(this.#character(point.slice(1))));
      else out.push(...ENCODER.encode(whole));
    }
    return Uint8Array.from(out);
  }

  #character(digits: string): string {
    const point = Number.parseInt(digits, 16);
    if (point > 0x10ffff) throw this.#error(`got ${digits}, want a code point`);
    return String.fromCodePoint(point);
  }

  /** The next line that holds something, without its comment and surrounding space; null at the end. */
  #nextLine(): string | null {
    while (this.#line < this.#lines.length) {
      const line = this.#lines[this.#line++]!.trim();
      const content = line.startsWith("data=") ? line : line.replace(/#.*$/u, "").trim();
      if (content !== "") return content;
    }
    return null;
  }

  #error(message: string): TraceError {
    return new TraceError("ERR_TRACE_TEXT", `line ${this.#line}: ${message}`);
  }
}

const NEW_BATCH = /^(?:EventBatch|ExperimentalBatch|EndOfGeneration)\b/u;

/** One character of a quoted string, or one escape. */
const ESCAPE = /\\([abfnrtv\\"])|\\x([\da-fA-F]{2})|\\([0-7]{3})|\\(u[\da-fA-F]{4}|U[\da-fA-F]{8})|[^\\"]/guy;

const SHORT: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  '"': 34,
};
