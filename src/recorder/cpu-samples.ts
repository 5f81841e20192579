import type inspector from "node:inspector";
import type { Frame } from "../wire/format.ts";
import type { Sample } from "./pipeline.ts";

/** The recorder's own code: its frames are left out of the program's stacks. Beside it there may be programs (the demo). */
const OWN = [new URL("./", import.meta.url).href, new URL("../loader/", import.meta.url).href];
const NOT_RUNNING = new Set(["(root)", "(idle)", "(program)"]);

/** A profile's samples after time `after` (us) on which JavaScript or the collector ran, with whole stacks. */
export function toSamples(profile: inspector.Profiler.Profile, after: number): Sample[] {
  const frames = new Map<number, readonly Frame[]>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const stackOf = (id: number): readonly Frame[] => {
    const known = frames.get(id);
    if (known !== undefined) return known;
    const { functionName, url, lineNumber } = nodes.get(id)!.callFrame;
    const parent = parents.get(id);
    let stack: readonly Frame[] = parent === undefined ? [] : stackOf(parent);
    if (!NOT_RUNNING.has(functionName) && !OWN.some((folder) => url.startsWith(folder))) {
      stack = [{ func: functionName || "(anonymous)", file: url, line: lineNumber + 1 }, ...stack];
    }
    frames.set(id, stack);
    return stack;
  };
  const samples: Sample[] = [];
  let time = profile.startTime;
  const ids = profile.samples ?? [];
  const deltas = profile.timeDeltas ?? [];
  for (const [i, id] of ids.entries()) {
    time += deltas[i] ?? 0;
    if (time <= after || NOT_RUNNING.has(nodes.get(id)?.callFrame.functionName ?? "(root)")) continue;
    samples.push({ time: time * 1000, frames: stackOf(id) });
  }
  return samples;
}
