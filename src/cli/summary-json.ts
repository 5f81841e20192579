import type { TraceSummary } from "../analysis/summary.ts";

/** A summary as JSON with a goroutine, task and region a line, ending in a line end. */
export function summaryJson(summary: TraceSummary): string {
  const lines = Object.entries(summary).map(([key, value]) => `${JSON.stringify(key)}:${text(value)}`);
  return `{${lines.join(",\n")}}\n`;
}

function text(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((entry) => JSON.stringify(entry)).join(",\n")}]`;
}
