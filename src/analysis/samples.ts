import type { TraceModel } from "../model/types.ts";
import { compareText } from "./text.ts";

/** CPU samples of one function. */
export interface FunctionSamples {
  readonly func: string;
  /** File and line of the function's sample seen first. */
  readonly file: string;
  readonly line: number;
  /** Samples that found it at the leaf. */
  readonly self: number;
  /** Samples that found it anywhere in the stack, once a sample. */
  readonly total: number;
}

/** Functions by self samples, most first, at most `limit` of them; those never at a leaf are left out. */
export function functionSamples(model: TraceModel, limit: number): FunctionSamples[] {
  const perStack = new Map<number, number>();
  for (let row = 0; row < model.samples.count; row++) {
    const stack = model.samples.stack[row]!;
    perStack.set(stack, (perStack.get(stack) ?? 0) + 1);
  }
  const functions = new Map<
    string,
    { func: string; file: string; line: number; self: number; total: number }
  >();
  for (const [stack, count] of perStack) {
    const seen = new Set<string>();
    let leaf = true;
    for (const frame of model.stacks[stack]!) {
      const key = `${frame.func}\0${frame.file}`;
      let sum = functions.get(key);
      if (sum === undefined) {
        sum = { func: frame.func, file: frame.file, line: frame.line, self: 0, total: 0 };
        functions.set(key, sum);
      }
      if (leaf) sum.self += count;
      if (!seen.has(key)) sum.total += count;
      seen.add(key);
      leaf = false;
    }
  }
  return [...functions.values()]
    .filter((sum) => sum.self > 0)
    .toSorted((a, b) => b.self - a.self || b.total - a.total || compareText(a.func, b.func))
    .slice(0, limit);
}
