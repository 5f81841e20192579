import type { AnyNode } from "./syntax.ts";

const WORDS =
  /\b(?:async|await|Promise|eval|with|arguments|nextTick|queueMicrotask)\b|\.\s*(?:then|catch|finally)\b/g;

const MAY_CONCERN =
  /\b(?:async|await|nextTick|queueMicrotask)\b|\bnew\s+Promise\b|\bPromise\s*\.|\.\s*then\b/;

/** Tells whether a file may have anything to transform, at the cost of one regular expression. */
export function mayConcern(source: string): boolean {
  return MAY_CONCERN.test(source);
}

/** Where a text has words that matter to the transform: what holds none of them need not be looked at. */
export class Words {
  readonly #positions: number[] = [];

  constructor(source: string) {
    for (const match of source.matchAll(WORDS)) this.#positions.push(match.index);
  }

  /** Tells whether a node holds one. That of an async method lies before its function. */
  concern(node: AnyNode): boolean {
    if (node.type === "FunctionExpression" && node.async) return true;
    const { start, end } = node;
    const positions = this.#positions;
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positions[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low < positions.length && positions[low]! < end;
  }
}

/** The text with its \u escapes spelled out, so that names written with them are found. */
export function unescaped(source: string): string {
  if (!source.includes("\\u")) return source;
  return source.replace(/\\u(?:\{([0-9a-f]+)\}|([0-9a-f]{4}))/gi, (escape, long?: string, short?: string) => {
    const code = parseInt(long ?? short ?? "", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : escape;
  });
}
