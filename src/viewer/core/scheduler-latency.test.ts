import assert from "node:assert/strict";
import { test } from "node:test";
import { atOnce } from "../../analysis/aggregate.ts";
import { partOf } from "../../analysis/part.ts";
import { State } from "../../model/types.ts";
import { syntheticModel } from "../testdata/synthetic.ts";
import { ReadyWalk, longestReady, type ReadySpans } from "./scheduler-latency.ts";

const model = syntheticModel({ procs: 3, activations: 40, spansEach: 30 });

function readySpans(from: number, to: number, proc: number): ReadySpans {
  return atOnce(new ReadyWalk(model, partOf(model, from, to, { proc })));
}

test("ready spans are those that a run follows, on each loop or on all", () => {
  const all = readySpans(-Infinity, Infinity, -1);
  assert.ok(all.span.length > 10);
  for (const row of all.span) {
    assert.equal(model.spans.state[row], State.Runnable);
    assert.equal(model.spans.state[row + 1], State.Running);
  }
  let sum = 0;
  for (let proc = 0; proc < model.procs.count; proc++)
    sum += readySpans(-Infinity, Infinity, proc).span.length;
  assert.equal(sum, all.span.length);
  const middle = (model.startTime + model.endTime) / 2;
  const early = readySpans(model.startTime, middle, -1).span.length;
  assert.ok(early > 0 && early < all.span.length);
});

test("the longest of a bucket come first, up to a limit", () => {
  const ready = readySpans(-Infinity, Infinity, -1);
  const order = [...ready.latency.keys()].toSorted((a, b) => ready.latency[b]! - ready.latency[a]! || a - b);
  assert.deepEqual([...longestReady(ready, 0, Infinity, 7)], order.slice(0, 7));
  assert.deepEqual([...longestReady(ready, 0, Infinity, 1e6)], order);
  const [from, to] = [ready.latency[order[9]!]!, ready.latency[order[2]!]!];
  for (const place of longestReady(ready, from, to, 100))
    assert.ok(ready.latency[place]! >= from && ready.latency[place]! < to);
});
