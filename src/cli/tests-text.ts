/** What `summary` tells people of the tests in a trace. */
import type { LeftBehind, Tests } from "../analysis/tests.ts";
import type { TraceModel } from "../model/types.ts";
import { count, duration, safeText, section } from "./format.ts";
import { place } from "./place.ts";

/** Sections: how the tests of each file ended, and what they left behind. */
export function testSections(model: TraceModel, { files, leftBehind }: Tests): string[][] {
  const outcomes = files.map(
    ({ file, outcomes: { passed, failed, "timed out": timedOut, skipped, todo } }) => [
      file === "" ? "(file not known)" : safeText(file),
      ...[passed, failed, timedOut, skipped, todo].map(count),
    ],
  );
  const left = leftBehind.map((one) => [
    safeText(one.test),
    one.activation.name === one.test ? "" : `${safeText(one.activation.name)} ${one.activation.id}`,
    `${one.isOpen ? ">" : ""}${duration(one.livedOn)}`,
    safeText(one.reason),
    where(model, one),
  ]);
  return [
    section(["Tests", "passed", "failed", "timed out", "skipped", "todo"], outcomes),
    section(["Left behind by tests", "<activation", "lives on", "<waits for", "<where"], left),
  ];
}

/** Where it waits. Of a callback that a test left behind nothing is known but the test, which its runner has called. */
function where({ stacks }: TraceModel, { stack, creationStack, file, test, activation }: LeftBehind): string {
  const frames = stacks[stack]!;
  if (activation.name === test && frames.length <= 1) return safeText(file);
  return place(frames) || place(stacks[creationStack]!);
}
