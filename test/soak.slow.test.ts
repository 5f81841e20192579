/** A long recording: every request is in the trace, memory stays flat, nothing is dropped, Go accepts it all. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { accepted } from "#dist/testing/go.js";
import { projectRoot } from "#dist/testing/project.js";
import { activationsNamed, withRecording } from "#dist/testing/record.js";

/**
 * The tracer's heap takes a minute or two to settle (its tables are bounded, and full only then): the short soak is too
 * short to judge memory, and the long one judges it by its last third. At a third of the run it may still grow, and so
 * would say nothing of a leak.
 */
const IS_SHORT = process.env["RUNTRACE_SOAK"] === "short";
const SECONDS = IS_SHORT ? 20 : 1_200;

test(`${SECONDS} s of recorded load`, async () => {
  const program = join(projectRoot(), "test", "fixtures", "programs", "soak.mjs");
  // The long one at a rate at which its trace can still be held in memory by this test.
  await withRecording(["node", program, String(SECONDS), IS_SHORT ? "3" : "40"], (recording) => {
    assert.equal(recording.code, 0, recording.stderr);
    const { asked, early, late } = JSON.parse(recording.stdout) as {
      asked: number;
      early: number;
      late: number;
    };
    const { model } = recording;
    assert.ok(asked > SECONDS * 50, `${asked} requests`);
    // The request's own, and the one that the program makes in it.
    assert.equal(model.tasks.count, 2 * asked);
    assert.equal(activationsNamed(model, "request GET").length, asked);
    assert.ok(
      model.tasks.end.subarray(0, 2 * asked).every((end) => end > 0),
      "every task has ended",
    );
    assert.deepEqual(
      model.notes.filter(({ message }) => "drops" in message || "misuse" in message),
      [],
    );
    const grown = (late - early) / 2 ** 20;
    assert.ok(
      IS_SHORT || grown < 40,
      `memory grew by ${grown.toFixed(1)} MiB from two thirds of the run to its end`,
    );
    accepted(recording.file);
  });
});
