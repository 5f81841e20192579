import type { Frame } from "../wire/format.ts";
import type { Activation } from "./graph.ts";
import type { Scope } from "./scopes.ts";
import type { SchedulerOut } from "./out.ts";

const MAX_FRAMES = 128;
/** Distinct stacks and beginnings of stacks that are known at the most; then they are asked for anew. */
const MAX_NODES = 50_000;

/** A stack, leaf first, of which `frame` is the outermost so far. */
class StackNode {
  readonly frame: Frame;
  /** What the trace calls it, -1 where it was never asked for. */
  id = -1;
  /** The stacks with one more frame: the one that was asked for last, and all where there are several. */
  recent: StackNode | null = null;
  all: Map<Frame, StackNode> | null = null;

  constructor(frame: Frame) {
    this.frame = frame;
  }
}

/**
 * The logical stacks of activations: the place `leaf` where it is known, then the innermost frame's place and those of
 * the frames that await it, down to the activation's entry and never past it.
 *
 * They are few and asked for all the time, so the trace's id of each is found by walking a tree of frames.
 */
export class Stacks {
  readonly #out: SchedulerOut;
  #root = new StackNode({ func: "", file: "", line: 0 });
  #nodes = 0;
  /** The stack that is being looked for. */
  readonly #frames: Frame[] = [];

  constructor(out: SchedulerOut) {
    this.#out = out;
  }

  /** The id of the stack of `scope` on an activation. */
  of(scope: Scope | null, activation: Activation, leaf: Frame | null): number {
    const frames = this.#frames;
    let count = 0;
    if (leaf !== null) frames[count++] = leaf;
    for (let at = scope; at !== null && count < MAX_FRAMES - 1; at = at.parent) {
      if (at.kind === "frame" && !at.over) {
        const frame = at.site === null ? at.entry : at.site.frame;
        const isLeaf = leaf !== null && count === 1 && leaf.func === frame.func && leaf.file === frame.file;
        if (!isLeaf) frames[count++] = frame;
      }
      if (at.decision === "fork") break;
    }
    if (count === 0 || frames[count - 1]!.func !== activation.entry.func) frames[count++] = activation.entry;
    return this.#id(count);
  }

  /** The id of the stack of one frame. */
  one(frame: Frame): number {
    this.#frames[0] = frame;
    return this.#id(1);
  }

  #id(count: number): number {
    let node = this.#root;
    for (let i = 0; i < count; i++) {
      const frame = this.#frames[i]!;
      const { recent } = node;
      node = recent !== null && recent.frame === frame ? recent : this.#longer(node, frame);
    }
    if (node.id < 0) node.id = this.#out.stack(this.#frames.slice(0, count));
    return node.id;
  }

  #longer(node: StackNode, frame: Frame): StackNode {
    let next = node.all?.get(frame);
    if (next === undefined) {
      if (++this.#nodes > MAX_NODES) {
        this.#nodes = 0;
        this.#root = new StackNode(this.#root.frame);
      }
      next = new StackNode(frame);
      if (node.recent !== null) {
        node.all ??= new Map([[node.recent.frame, node.recent]]);
        node.all.set(frame, next);
      }
    }
    node.recent = next;
    return next;
  }
}
