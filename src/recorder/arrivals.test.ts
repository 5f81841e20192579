import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrivals } from "./arrivals.ts";
import type { LoopAnnouncement } from "./messages.ts";

const loop = (threadId: number): LoopAnnouncement => ({
  type: "loop",
  ring: new SharedArrayBuffer(8),
  name: `worker ${threadId}`,
  file: "",
  time: 1,
  threadId,
});

function arrivals(): { readonly names: string[]; readonly on: Arrivals } {
  const names: string[] = [];
  const live = new Set<number>();
  const admit = ({ name, file, threadId }: LoopAnnouncement): void => {
    live.add(threadId);
    names.push(`${name} (${file})`);
  };
  const end = (threadId: number, time: number): boolean => {
    if (!live.delete(threadId)) return false;
    names.push(`${threadId} ended at ${time}`);
    return true;
  };
  return { names, on: new Arrivals(admit, end) };
}

test("a Worker has its file's name whoever speaks first, itself or its maker", () => {
  const { names, on } = arrivals();
  on.made(1, "/app/first.js");
  on.announced(loop(1));
  on.announced(loop(2));
  on.cut(false);
  on.made(2, "/app/second.js");
  assert.deepEqual(names, ["worker 1: first.js (/app/first.js)", "worker 2: second.js (/app/second.js)"]);
});

test("a Worker whose maker says nothing is admitted at the second cut, at its end, or at the last cut", () => {
  const { names, on } = arrivals();
  on.announced(loop(1));
  on.cut(false);
  assert.deepEqual(names, []);
  on.cut(false);
  on.announced(loop(2));
  on.ended(2, 7);
  on.announced(loop(3));
  on.cut(true);
  on.cut(true);
  assert.deepEqual(names, ["worker 1 ()", "worker 2 ()", "2 ended at 7", "worker 3 ()"]);
});

test("a Worker that is heard of after its end has its name and its end", () => {
  const { names, on } = arrivals();
  on.made(1, "/app/first.js");
  on.ended(1, 7);
  on.announced(loop(1));
  on.cut(true);
  assert.deepEqual(names, ["worker 1: first.js (/app/first.js)", "1 ended at 7"]);
});
