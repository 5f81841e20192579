import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makeSite } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import { withWaiter, withoutWaiter } from "./waiters.ts";
import type { Waiters } from "./waiters.ts";

const frames = Array.from({ length: 30 }, (_, i) =>
  makeScope("frame", null, "fork", 0, { site: makeSite({ func: "f", file: "app.js", line: i }, i, 0) }),
);

test("waiters stay in the order in which they came, few or many, whoever leaves", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(frames.length - 1)), { maxLength: 120 });
  fc.assert(
    fc.property(steps, (all) => {
      let waiters: Waiters | null = null;
      let want: number[] = [];
      for (const [comes, i] of all) {
        if (comes === want.includes(i)) continue;
        waiters = comes ? withWaiter(waiters, frames[i]!) : withoutWaiter(waiters, frames[i]!);
        want = comes ? [...want, i] : want.filter((other) => other !== i);
        assert.deepEqual(
          [...(waiters ?? [])].map((frame) => frames.indexOf(frame)),
          want,
        );
        assert.equal(waiters === null, want.length === 0);
      }
    }),
  );
});
