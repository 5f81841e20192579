import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallNode } from "../../analysis/call-tree.ts";
import { flameBars, hueOf, matchedShare } from "./flame.ts";

type Plain = readonly [func: string, total: number, ...children: Plain[]];

function tree([func, total, ...children]: Plain, parent: CallNode | null = null): CallNode {
  const node = { func, file: `${func}.js`, line: 1, parent, total, self: 0, count: 1, sums: [] };
  const made: CallNode & { children: CallNode[] } = { ...node, children: [] };
  made.children = children.map((child) => tree(child, made));
  return made;
}

const root = tree(["all", 100, ["a", 60, ["b", 30], ["c", 1]], ["d", 40, ["b", 40]]]);

const text = (zoomed: CallNode, least: number): string[] =>
  flameBars(zoomed, least)
    .map(({ node, x, width, depth }) => `${depth} ${node.func} ${x.toFixed(2)}+${width.toFixed(2)}`)
    .toSorted();

test("children lie side by side over their caller, and what is narrow is left out", () => {
  assert.deepEqual(text(root, 0.05), [
    "0 all 0.00+1.00",
    "1 a 0.00+0.60",
    "1 d 0.60+0.40",
    "2 b 0.00+0.30",
    "2 b 0.60+0.40",
  ]);
});

test("what is zoomed into has the whole width, as those it is called from", () => {
  assert.deepEqual(text(root.children[0]!, 0.01), [
    "0 all 0.00+1.00",
    "1 a 0.00+1.00",
    "2 b 0.00+0.50",
    "2 c 0.50+0.02",
  ]);
});

test("a search tells its share, once where it is below itself", () => {
  assert.equal(matchedShare(root, "B"), 0.7);
  assert.equal(matchedShare(root, "a"), 0.6);
  assert.equal(matchedShare(root, "nothing"), 0);
  assert.equal(hueOf("x.js"), hueOf("x.js"));
});
