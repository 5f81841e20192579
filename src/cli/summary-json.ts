import type { Health, Who } from "../analysis/health.ts";
import type { TraceSummary } from "../analysis/summary.ts";
import type { Tests } from "../analysis/tests.ts";
import type { TraceModel } from "../model/types.ts";

/** What was found in the model of a trace; stacks are those of that model. */
export interface Found<T> {
  readonly model: TraceModel;
  readonly found: T;
}

/**
 * A summary as JSON with a goroutine, task and region a line, ending in a line end. With what `healthOf` and `testsOf`
 * found in models of the same trace, under the keys `health` and `tests`; their stacks are written as frames.
 */
export function summaryJson(
  summary: TraceSummary,
  health: Found<Health> | null,
  tests: Found<Tests> | null,
): string {
  const entries: [string, unknown][] = Object.entries(summary);
  if (health !== null) entries.push(["health", healthWithFrames(health)]);
  if (tests !== null) entries.push(["tests", testsWithFrames(tests)]);
  const lines = entries.map(([key, value]) => `${JSON.stringify(key)}:${text(value)}`);
  return `{${lines.join(",\n")}}\n`;
}

function text(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((entry) => JSON.stringify(entry)).join(",\n")}]`;
}

function healthWithFrames({ model: { stacks }, found: health }: Found<Health>): unknown {
  return {
    ...health,
    turns: health.turns.map((turn) => ({
      ...turn,
      activation: named(turn.activation),
      stack: stacks[turn.stack],
    })),
    waits: health.waits.map((wait) => ({
      ...wait,
      activation: named(wait.activation),
      waker: wait.waker === null ? null : named(wait.waker),
      stack: stacks[wait.stack],
    })),
    notEnded: health.notEnded.map((group) => ({ ...group, ...stacksOf(group, stacks) })),
  };
}

function testsWithFrames({ model: { stacks }, found: tests }: Found<Tests>): unknown {
  return {
    ...tests,
    leftBehind: tests.leftBehind.map((one) => ({
      ...one,
      activation: named(one.activation),
      ...stacksOf(one, stacks),
    })),
  };
}

function stacksOf(
  { stack, creationStack }: { readonly stack: number; readonly creationStack: number },
  stacks: TraceModel["stacks"],
): Readonly<Record<"stack" | "creationStack", unknown>> {
  return { stack: stacks[stack], creationStack: stacks[creationStack] };
}

function named({ id, name }: Who): { readonly id: number; readonly name: string } {
  return { id, name };
}
