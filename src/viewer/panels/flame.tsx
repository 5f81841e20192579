import { useSignal } from "@preact/signals";
import type { CallNode } from "../../analysis/call-tree.ts";
import { theme } from "../app/state.ts";
import { categoryOfReason } from "../core/categories.ts";
import { frameText } from "../core/findings.ts";
import { flameBars, hueOf, matchedShare } from "../core/flame.ts";
import { percent, shortName } from "../core/format.ts";
import { textOn } from "../core/theme.ts";

const ROW = 19;
/** Bars narrower than this share of the width are not drawn. */
const LEAST = 1 / 700;

/** A flame graph, the root at the top. A click zooms into a function and marks where it occurs. */
export function Flame(props: {
  readonly root: CallNode;
  readonly wanted: string;
  readonly show: (value: number) => string;
  readonly mark: (sums: readonly number[]) => void;
}) {
  const { root, wanted, show, mark } = props;
  const zoomed = useSignal<CallNode>(root);
  const at = topOf(zoomed.value) === root ? zoomed.value : root;
  const bars = flameBars(at, LEAST);
  const text = wanted.toLowerCase();
  const depth = bars.reduce((most, bar) => Math.max(most, bar.depth), 0) + 1;
  return (
    <>
      {text !== "" && (
        <p class="muted">{percent(matchedShare(root, text))} of the sum is in functions that match.</p>
      )}
      <div class="flame" role="tree" aria-label="Flame graph" style={{ height: `${depth * ROW}px` }}>
        {bars.map(({ node, x, width, depth: row }, i) => {
          const said = `${frameText(node)}: ${show(node.total)}, ${percent(node.total / root.total)}; itself ${show(node.self)}`;
          const isFaded = text !== "" && !node.func.toLowerCase().includes(text);
          return (
            <button
              key={i}
              type="button"
              role="treeitem"
              aria-level={row + 1}
              aria-label={said}
              title={said}
              class={isFaded ? "bar faded" : "bar"}
              style={{
                left: `${x * 100}%`,
                width: `${width * 100}%`,
                top: `${row * ROW}px`,
                ...colours(node),
              }}
              onClick={() => {
                zoomed.value = node;
                mark(node.sums);
              }}
            >
              {width > 0.025 ? shortName(node.func) : ""}
            </button>
          );
        })}
      </div>
    </>
  );
}

function topOf(node: CallNode): CallNode {
  let top = node;
  while (top.parent !== null) top = top.parent;
  return top;
}

/** Reasons have the colour of their state, functions one of their file. */
function colours(node: CallNode): Record<string, string> {
  if (node.file === "" && node.func.startsWith("(")) {
    const background = theme.value.states[categoryOfReason(node.func.slice(1, -1))]!;
    return { background, color: textOn(background) };
  }
  return { "--hue": String(hueOf(node.file)) };
}
