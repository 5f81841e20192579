import type { Health, Who } from "../analysis/health.ts";
import type { TraceSummary } from "../analysis/summary.ts";
import type { TraceModel } from "../model/types.ts";

/**
 * A summary as JSON with a goroutine, task and region a line, ending in a line end. `healthy`: what `healthOf` found in
 * the model of the same trace, under the key `health`; its stacks are written as frames.
 */
export function summaryJson(
  summary: TraceSummary,
  healthy: { readonly model: TraceModel; readonly health: Health } | null,
): string {
  const entries: [string, unknown][] = Object.entries(summary);
  if (healthy !== null) entries.push(["health", withFrames(healthy.model, healthy.health)]);
  const lines = entries.map(([key, value]) => `${JSON.stringify(key)}:${text(value)}`);
  return `{${lines.join(",\n")}}\n`;
}

function text(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((entry) => JSON.stringify(entry)).join(",\n")}]`;
}

function withFrames({ stacks }: TraceModel, health: Health): unknown {
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
    notEnded: health.notEnded.map((group) => ({
      ...group,
      stack: stacks[group.stack],
      creationStack: stacks[group.creationStack],
    })),
  };
}

function named({ id, name }: Who): { readonly id: number; readonly name: string } {
  return { id, name };
}
