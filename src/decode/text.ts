/**
 * Strings of a trace are bytes, mostly UTF-8, but cut anywhere (a limit of 1,024 bytes). They are kept as JavaScript
 * strings without loss: a byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte (U+DC80 to
 * U+DCFF). UTF-8 never decodes to a surrogate, so the two directions are exact inverses, and equal bytes are equal
 * strings. For people, `String.prototype.toWellFormed` turns what was invalid into U+FFFD.
 */
const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** Bytes to text; never fails. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length < 64) {
    let ascii = "";
    let i = 0;
    for (; i < bytes.length && bytes[i]! < 128; i++) ascii += String.fromCharCode(bytes[i]!);
    if (i === bytes.length) return ascii;
  }
  try {
    return STRICT.decode(bytes);
  } catch {
    return decodeBroken(bytes);
  }
}

/** The bytes that `decodeText` was given. */
export function encodeText(text: string): Uint8Array {
  if (!/[\udc80-\udcff]/u.test(text)) return ENCODER.encode(text);
  const out: number[] = [];
  for (const char of text) {
    const point = char.codePointAt(0)!;
    if (isBrokenByte(point)) out.push(point - 0xdc00);
    else out.push(...ENCODER.encode(char));
  }
  return Uint8Array.from(out);
}

/** Whether a code point of a decoded text stands for one invalid byte (the point minus U+DC00). */
export function isBrokenByte(point: number): boolean {
  return point >= 0xdc80 && point <= 0xdcff;
}

function decodeBroken(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const length = runeLength(bytes, i);
    if (length === 0) text += String.fromCharCode(0xdc00 + bytes[i++]!);
    else text += STRICT.decode(bytes.subarray(i, (i += length)));
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `i`, 0 where there is none. */
function runeLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0 || i + length > bytes.length) return 0;
  const second = bytes[i + 1]!;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  return length;
}
