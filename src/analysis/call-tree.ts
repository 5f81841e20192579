/** Sums of stacks as a tree of functions, from the entry down or, inverted, from the innermost up. */
import type { TraceModel } from "../model/types.ts";
import type { StackSum } from "./aggregate.ts";

/** A function in its place of the tree. Values are those of what was summed. */
export interface CallNode {
  readonly func: string;
  /** "" for what is no function: a reason in parentheses, or the root. */
  readonly file: string;
  readonly line: number;
  readonly parent: CallNode | null;
  /** The most first. */
  readonly children: readonly CallNode[];
  /** In itself, and with all that is below. */
  readonly self: number;
  readonly total: number;
  readonly count: number;
  /** Indexes of the sums that end in it or below. */
  readonly sums: readonly number[];
}

interface Growing {
  readonly func: string;
  readonly file: string;
  readonly line: number;
  readonly parent: Growing | null;
  children: Growing[];
  readonly byKey: Map<string, Growing>;
  self: number;
  total: number;
  count: number;
  readonly sums: number[];
}

interface Step {
  readonly func: string;
  readonly file: string;
  readonly line: number;
}

/** Builds the tree. `inverted`: the innermost functions are its first level. */
export function callTree(model: TraceModel, sums: readonly StackSum[], inverted: boolean): CallNode {
  const root = grow({ func: "all", file: "", line: 0 }, null);
  const entries = entryFrames(model);
  for (const [i, sum] of sums.entries()) {
    let node = root;
    put(node, sum, i);
    for (const step of stepsOf(model, sum, inverted, entries)) {
      // One function may be left at several lines: the tree is of functions.
      const key = `${step.func}\0${step.file}`;
      let next = node.byKey.get(key);
      if (next === undefined) {
        next = grow(step, node);
        node.byKey.set(key, next);
        node.children.push(next);
      }
      node = next;
      put(node, sum, i);
    }
    node.self += sum.value;
  }
  sort(root);
  return root;
}

/** Frames from the root of the tree to its leaf; waits end in their reason. */
function stepsOf(
  model: TraceModel,
  sum: StackSum,
  inverted: boolean,
  entries: ReadonlyMap<string, Step>,
): Step[] {
  const entry = model.strings[sum.entry] || "(no stack)";
  // Leaf first, as stacks are.
  const stack: Step[] =
    sum.stack === 0
      ? [entries.get(entry) ?? { func: entry, file: "", line: 0 }]
      : [...model.stacks[sum.stack]!];
  if (sum.reason !== 0) stack.unshift({ func: `(${model.strings[sum.reason]!})`, file: "", line: 0 });
  return inverted ? stack : stack.toReversed();
}

/** The outermost frames of all stacks, by function: what an entry function that has no stack of its own is. */
function entryFrames({ stacks }: TraceModel): Map<string, Step> {
  const frames = new Map<string, Step>();
  for (const stack of stacks) {
    const outermost = stack.at(-1);
    if (outermost !== undefined && !frames.has(outermost.func)) frames.set(outermost.func, outermost);
  }
  return frames;
}

function grow({ func, file, line }: Step, parent: Growing | null): Growing {
  return { func, file, line, parent, children: [], byKey: new Map(), self: 0, total: 0, count: 0, sums: [] };
}

function put(node: Growing, { value, count }: StackSum, sum: number): void {
  node.total += value;
  node.count += count;
  node.sums.push(sum);
}

function sort(root: Growing): void {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    node.children = node.children.toSorted((a, b) => b.total - a.total || (a.func < b.func ? -1 : 1));
    open.push(...node.children);
  }
}

/** A function wherever it is in a tree that is not inverted: recursion counts once. */
export interface FunctionSum {
  readonly func: string;
  readonly file: string;
  readonly line: number;
  readonly self: number;
  readonly total: number;
  readonly count: number;
  readonly sums: readonly number[];
}

/** Functions by what is in them, the most first. */
export function functionSums(model: TraceModel, sums: readonly StackSum[]): FunctionSum[] {
  const functions = new Map<
    string,
    { -readonly [Key in keyof FunctionSum]: FunctionSum[Key] } & { sums: number[] }
  >();
  const entries = entryFrames(model);
  for (const [i, sum] of sums.entries()) {
    const seen = new Set<string>();
    for (const [depth, { func, file, line }] of stepsOf(model, sum, true, entries).entries()) {
      const key = `${func}\0${file}`;
      let known = functions.get(key);
      if (known === undefined) {
        known = { func, file, line, self: 0, total: 0, count: 0, sums: [] };
        functions.set(key, known);
      }
      if (depth === 0) known.self += sum.value;
      if (seen.has(key)) continue;
      seen.add(key);
      known.total += sum.value;
      known.count += sum.count;
      known.sums.push(i);
    }
  }
  return [...functions.values()].toSorted(
    (a, b) => b.self - a.self || b.total - a.total || (a.func < b.func ? -1 : 1),
  );
}
