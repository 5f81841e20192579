import assert from "node:assert/strict";
import { test } from "node:test";
import { quote } from "./quote.ts";

for (const [text, quoted] of [
  ["", '""'],
  ["plain text", '"plain text"'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ["\x07\b\f\n\r\t\v\0\x1b\x7f", '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x1b\\x7f"'],
  ["caf\u00e9 \u4e16 \u{1f600} \ufffd", '"caf\u00e9 \u4e16 \u{1f600} \ufffd"'],
  ["\u00a0\u00ad\u2028\ufeff\ue000", '"\\u00a0\\u00ad\\u2028\\ufeff\\ue000"'],
  ["\u{e0001}", '"\\U000e0001"'],
  ["\udcff\udc80", '"\\xff\\x80"'],
] as const) {
  test(`quote: ${quoted}`, () => assert.equal(quote(text), quoted));
}
