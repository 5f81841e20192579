/** Text of a trace keeps bytes that are not UTF-8 as lone surrogates; for output each becomes U+FFFD, as in Go. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\uFFFD");
}

/** Order of text that does not depend on the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
