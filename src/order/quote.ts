import { isBrokenByte } from "../decode/text.ts";

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** What Go leaves as it is: letters, marks, numbers, punctuation, symbols and the plain space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const PLAIN = /^[ !#-[\]-~]*$/u;

/** A text in double quotes, escaped as Go's %q does. A lone surrogate U+DC80 to U+DCFF is an invalid byte. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    const point = char.codePointAt(0)!;
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) out += short;
    else if (isBrokenByte(point)) out += `\\x${hex(point - 0xdc00, 2)}`;
    else if (PRINTABLE.test(char)) out += char;
    else if (point < 0x20 || point === 0x7f) out += `\\x${hex(point, 2)}`;
    else if (point < 0x10000) out += `\\u${hex(point, 4)}`;
    else out += `\\U${hex(point, 8)}`;
  }
  return `${out}"`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
