import assert from "node:assert/strict";
import { test } from "node:test";
import { toSamples } from "./cpu-samples.ts";

const frame = (functionName: string, url = "file:///app.js"): object => ({
  functionName,
  url,
  scriptId: "1",
  lineNumber: 4,
  columnNumber: 0,
});

test("a profile's samples have whole stacks, leaf first, without idleness and what is known already", () => {
  const own = new URL("./session.js", import.meta.url).href;
  const nodes = [
    { id: 1, callFrame: frame("(root)"), children: [2, 3, 6] },
    { id: 2, callFrame: frame("(idle)") },
    { id: 3, callFrame: frame("outer"), children: [4, 5] },
    { id: 4, callFrame: frame("", own), children: [7] },
    { id: 5, callFrame: frame("(garbage collector)", "") },
    { id: 6, callFrame: frame("(program)") },
    { id: 7, callFrame: frame("") },
  ];
  const profile = {
    nodes,
    startTime: 1000,
    endTime: 1600,
    samples: [3, 2, 7, 5, 6, 1],
    timeDeltas: [100, 100, 100, 100, 100, 100],
  };
  const line = 5;
  const file = "file:///app.js";
  const outer = { func: "outer", file, line };
  assert.deepEqual(toSamples(profile as Parameters<typeof toSamples>[0], 0), [
    { time: 1_100_000, frames: [outer] },
    { time: 1_300_000, frames: [{ func: "(anonymous)", file, line }, outer] },
    { time: 1_400_000, frames: [{ func: "(garbage collector)", file: "", line }, outer] },
  ]);
  assert.deepEqual(
    toSamples(profile as Parameters<typeof toSamples>[0], 1_300).map(({ time }) => time),
    [1_400_000],
  );
});
