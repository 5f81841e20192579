/** Sums by stack as a tree of calls, from the entry or from the leaf, and as a table of functions. */
import type { TraceModel } from "../model/types.ts";
import { Label } from "./stack-sums.ts";
import type { StackCode, StackSums } from "./stack-sums.ts";
import { compareText } from "./text.ts";

/** How stacks become paths of frames. */
export interface Framing {
  /** Frames of one function at different lines are different. */
  readonly lines: boolean;
  /** What was done (running, ready, waiting for a reason) is a frame of its own, called by the stack's leaf. */
  readonly labels: boolean;
}

/** A frame of a tree or a table. */
export interface TreeFrame {
  /** Function; of a label: the reason of a wait, else "". */
  readonly func: string;
  readonly file: string;
  /** 0 where lines are not told apart. */
  readonly line: number;
  /** `Label` or reason of a frame that says what was done; null of a function. */
  readonly label: number | null;
}

/** The frame of a stack that nobody told. */
export const UNKNOWN = "(unknown)";

/** What is summed: time in nanoseconds, or the number of spans or samples. */
export type Weight = "time" | "times";

/**
 * Nodes in preorder, siblings by total, most first. Node 0 is the root: it stands for everything and has no frame.
 * The subtree of node n is [n, end[n]).
 */
export interface CallTree {
  readonly count: number;
  /** -1 of the root. */
  readonly parent: Int32Array;
  /** Number of nodes above; 0 of the root. */
  readonly depth: Int32Array;
  readonly end: Int32Array;
  /** Row of `frames`; -1 of the root. */
  readonly frame: Int32Array;
  /** Weight with this node as the last of the path, and with it anywhere on the path. */
  readonly self: Float64Array;
  readonly total: Float64Array;
  /** Number of spans or samples below. */
  readonly times: Float64Array;
  readonly frames: readonly TreeFrame[];
}

/** A function, or a label, over all paths. */
export interface FrameSum {
  readonly frame: TreeFrame;
  /** Row of `Frames`, by which it is asked for again. */
  readonly row: number;
  readonly self: number;
  /** With it anywhere on the path, once a path however deep the recursion. */
  readonly total: number;
  readonly times: number;
}

/** The distinct frames of a model under one framing, and the paths of its stacks. Kept while a trace is looked at. */
export class Frames {
  readonly frames: TreeFrame[] = [];
  readonly #model: TraceModel;
  readonly #framing: Framing;
  readonly #rows = new Map<string, number>();
  readonly #paths = new Map<StackCode, Int32Array>();
  readonly #labels = new Map<number, number>();

  constructor(model: TraceModel, framing: Framing) {
    this.#model = model;
    this.#framing = framing;
  }

  /** Rows of frames from the entry to the leaf, without the label. Never empty. */
  path(stack: StackCode): Int32Array {
    let path = this.#paths.get(stack);
    if (path === undefined) {
      path = this.#makePath(stack);
      this.#paths.set(stack, path);
    }
    return path;
  }

  /** The row of a label's frame; -1 where labels are no frames. */
  label(label: number): number {
    if (!this.#framing.labels) return -1;
    let row = this.#labels.get(label);
    if (row === undefined) {
      const func = label >= 0 ? this.#model.strings[label]! : "";
      row = this.frames.push({ func, file: "", line: 0, label }) - 1;
      this.#labels.set(label, row);
    }
    return row;
  }

  #makePath(stack: StackCode): Int32Array {
    if (stack < 0) return Int32Array.of(this.#row(this.#model.strings[~stack]! || UNKNOWN, "", 0));
    const frames = this.#model.stacks[stack]!;
    if (frames.length === 0) return Int32Array.of(this.#row(UNKNOWN, "", 0));
    const path = new Int32Array(frames.length);
    for (const [i, { func, file, line }] of frames.entries())
      path[frames.length - 1 - i] = this.#row(func, file, this.#framing.lines ? line : 0);
    return path;
  }

  #row(func: string, file: string, line: number): number {
    const key = `${func}\0${file}\0${line}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.frames.push({ func, file, line, label: null }) - 1;
      this.#rows.set(key, row);
    }
    return row;
  }
}

/** The tree of the sums; `inverted`: from the leaf (the label, where labels are frames) to the entry. */
export function callTree(frames: Frames, sums: StackSums, weight: Weight, inverted: boolean): CallTree {
  const builder = new TreeBuilder();
  for (let row = 0; row < sums.count; row++) {
    const path = frames.path(sums.stack[row]!);
    const label = frames.label(sums.label[row]!);
    let node = 0;
    if (inverted) {
      if (label >= 0) node = builder.child(node, label);
      for (let i = path.length - 1; i >= 0; i--) node = builder.child(node, path[i]!);
    } else {
      for (const frame of path) node = builder.child(node, frame);
      if (label >= 0) node = builder.child(node, label);
    }
    builder.add(node, sums[weight][row]!, sums.times[row]!);
  }
  return builder.finish(frames.frames);
}

/** The tree as it grows: children come behind their parents. */
class TreeBuilder {
  readonly #parent = [-1];
  readonly #frame = [-1];
  readonly #self = [0];
  readonly #times = [0];
  readonly #children: (Map<number, number> | null)[] = [null];

  child(parent: number, frame: number): number {
    const children = (this.#children[parent] ??= new Map<number, number>());
    let node = children.get(frame);
    if (node === undefined) {
      node = this.#parent.push(parent) - 1;
      this.#frame.push(frame);
      this.#self.push(0);
      this.#times.push(0);
      this.#children.push(null);
      children.set(frame, node);
    }
    return node;
  }

  add(node: number, weight: number, times: number): void {
    this.#self[node]! += weight;
    this.#times[node]! += times;
  }

  finish(frames: readonly TreeFrame[]): CallTree {
    const count = this.#parent.length;
    const total = this.#self.slice();
    const times = this.#times;
    for (let node = count - 1; node > 0; node--) {
      total[this.#parent[node]!]! += total[node]!;
      times[this.#parent[node]!]! += times[node]!;
    }
    const order = this.#preorder(total, frames);
    const place = new Int32Array(count);
    for (const [i, node] of order.entries()) place[node] = i;
    const tree = {
      count,
      parent: Int32Array.from(order, (node) => (node === 0 ? -1 : place[this.#parent[node]!]!)),
      depth: new Int32Array(count),
      end: Int32Array.from(order, (_, i) => i + 1),
      frame: Int32Array.from(order, (node) => this.#frame[node]!),
      self: Float64Array.from(order, (node) => this.#self[node]!),
      total: Float64Array.from(order, (node) => total[node]!),
      times: Float64Array.from(order, (node) => times[node]!),
      frames,
    };
    for (let i = 1; i < count; i++) tree.depth[i] = tree.depth[tree.parent[i]!]! + 1;
    for (let i = count - 1; i > 0; i--) {
      const parent = tree.parent[i]!;
      tree.end[parent] = Math.max(tree.end[parent]!, tree.end[i]!);
    }
    return tree;
  }

  #preorder(total: readonly number[], frames: readonly TreeFrame[]): number[] {
    const order: number[] = [];
    const waiting = [0];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      order.push(node);
      const children = this.#children[node];
      if (children === null || children === undefined) continue;
      const heaviest = [...children.values()].sort(
        (a, b) => total[b]! - total[a]! || compareFrames(frames[this.#frame[a]!]!, frames[this.#frame[b]!]!),
      );
      for (let i = heaviest.length - 1; i >= 0; i--) waiting.push(heaviest[i]!);
    }
    return order;
  }
}

function compareFrames(a: TreeFrame, b: TreeFrame): number {
  return (
    compareText(a.func, b.func) ||
    compareText(a.file, b.file) ||
    a.line - b.line ||
    (a.label ?? -Infinity) - (b.label ?? -Infinity)
  );
}

/** The sums by frame, most self first, then most total. */
export function frameSums(frames: Frames, sums: StackSums, weight: Weight): FrameSum[] {
  const rows = new Map<number, { self: number; total: number; times: number; seenAt: number }>();
  const add = (frame: number, isLast: boolean, row: number): void => {
    let sum = rows.get(frame);
    if (sum === undefined) {
      sum = { self: 0, total: 0, times: 0, seenAt: -1 };
      rows.set(frame, sum);
    }
    if (isLast) sum.self += sums[weight][row]!;
    if (sum.seenAt === row) return;
    sum.seenAt = row;
    sum.total += sums[weight][row]!;
    sum.times += sums.times[row]!;
  };
  for (let row = 0; row < sums.count; row++) {
    const path = frames.path(sums.stack[row]!);
    const label = frames.label(sums.label[row]!);
    // The label says how the leaf spent its own time: the time stays the leaf's.
    for (let i = 0; i < path.length; i++) add(path[i]!, i === path.length - 1, row);
    if (label >= 0) add(label, true, row);
  }
  return [...rows]
    .map(([row, { self, total, times }]) => ({ frame: frames.frames[row]!, row, self, total, times }))
    .sort((a, b) => b.self - a.self || b.total - a.total || compareFrames(a.frame, b.frame));
}

/** Which stacks a node of a tree or a row of a table stands for. */
export type Place =
  | {
      /** Rows of `Frames` from the tree's root to the node. */
      readonly path: readonly number[];
      readonly inverted: boolean;
    }
  | { readonly frame: number };

/** Rows of `Frames` from the root (which has none) to a node. */
export function pathTo(tree: CallTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at > 0; at = tree.parent[at]!) path.push(tree.frame[at]!);
  return path.toReversed();
}

/** Tells whether a stack with its label belongs to a place. Answers are remembered. */
export class PlaceTest {
  readonly #frames: Frames;
  readonly #place: Place;
  readonly #known = new Map<number, boolean>();

  constructor(frames: Frames, place: Place) {
    this.#frames = frames;
    this.#place = place;
  }

  holds(stack: StackCode, label: number): boolean {
    // Both fit 26 bits in any trace that fits in memory.
    const key = stack * 0x400_0000 + label;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#test(stack, label);
      this.#known.set(key, known);
    }
    return known;
  }

  #test(stack: StackCode, label: number): boolean {
    const place = this.#place;
    const path = this.#frames.path(stack);
    const labelled = this.#frames.label(label);
    if ("frame" in place) return place.frame === labelled || path.includes(place.frame);
    const whole = labelled < 0 ? [...path] : [...path, labelled];
    if (place.inverted) whole.reverse();
    return place.path.every((frame, i) => whole[i] === frame);
  }
}

/** Words for a frame that says what was done. */
export function labelText(label: number, reason: string): string {
  if (label === Label.Running) return "running";
  if (label === Label.Runnable) return "runnable";
  if (label === Label.Syscall) return "syscall";
  if (label === Label.Sample) return "CPU sample";
  return `waiting: ${reason === "" ? "unspecified" : reason}`;
}
