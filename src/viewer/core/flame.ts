import type { CallNode } from "../../analysis/call-tree.ts";

/** A function's place in a flame graph: shares of the width, from 0 to 1, and its row from the top. */
export interface Bar {
  readonly node: CallNode;
  readonly x: number;
  readonly width: number;
  readonly depth: number;
}

/**
 * Bars of a tree below and above `zoomed`, which has the whole width, as its ancestors have. Those narrower than `least`
 * (a share) are left out, with all above them.
 */
export function flameBars(zoomed: CallNode, least: number): Bar[] {
  const bars: Bar[] = [];
  const ancestors: CallNode[] = [];
  for (let node = zoomed.parent; node !== null; node = node.parent) ancestors.unshift(node);
  for (const [depth, node] of ancestors.entries()) bars.push({ node, x: 0, width: 1, depth });
  const open: Bar[] = [{ node: zoomed, x: 0, width: 1, depth: ancestors.length }];
  for (let bar = open.pop(); bar !== undefined; bar = open.pop()) {
    bars.push(bar);
    let { x } = bar;
    for (const child of bar.node.children) {
      const width = zoomed.total === 0 ? 0 : child.total / zoomed.total;
      if (width >= least) open.push({ node: child, x, width, depth: bar.depth + 1 });
      x += width;
    }
  }
  return bars;
}

/** The share of a tree that matches: nodes whose name contains the text, with all below them, once. */
export function matchedShare(root: CallNode, text: string): number {
  const wanted = text.toLowerCase();
  let matched = 0;
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node !== root && node.func.toLowerCase().includes(wanted)) matched += node.total;
    else open.push(...node.children);
  }
  return root.total === 0 ? 0 : matched / root.total;
}

/** A hue for a file, the same at every time. */
export function hueOf(file: string): number {
  let hash = 0;
  for (let i = 0; i < file.length; i++) hash = (Math.imul(hash, 31) + file.charCodeAt(i)) | 0;
  return (Math.imul(hash, 0x9e3779b1) >>> 0) % 360;
}
