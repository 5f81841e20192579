import type { ServerResponse } from "node:http";
import type { LivingGoroutine } from "../encode/writer.ts";
import { engine } from "../recorder/engine.ts";
import { slot } from "../recorder/slot.ts";
import type { Frame } from "../wire/format.ts";
import { asFile } from "./refuse.ts";

/**
 * Activations that have not ended, as Go's goroutine profile: `debug` 1, counted by state and stack; 2, each of them; 0, as
 * pprof. Where nothing records nobody knows them: then what keeps the process busy is counted by kind, and that is said.
 */
export async function serveGoroutines(debug: 0 | 1 | 2, response: ServerResponse): Promise<void> {
  const living = (await engine()?.living()) ?? (await slot().recording?.living?.()) ?? null;
  if (debug === 0) {
    const { encodeCounts } = await import("./profile-format.ts");
    const bytes = await encodeCounts("goroutine", living === null ? resources() : byStack(living));
    asFile(response, "goroutine");
    response.end(bytes);
    return;
  }
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  if (living === null) response.end(resourcesText());
  else response.end(debug === 1 ? countedText(living) : eachText(living));
}

interface Counted {
  readonly stack: readonly Frame[];
  count: number;
  readonly what: string;
}

/** Kinds of what is still to come, the most first. */
function resources(): Counted[] {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [...kinds]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => ({ stack: [{ func: kind, file: "node", line: 0 }], count, what: kind }));
}

function resourcesText(): string {
  const kinds = resources();
  const total = kinds.reduce((sum, { count }) => sum + count, 0);
  return [
    `active resources: total ${total}`,
    "# Nothing records, so activations and their stacks are not known: ask again while a trace is taken.",
    ...kinds.map(({ what, count }) => `${count} ${what}`),
    "",
  ].join("\n");
}

function byStack(living: readonly LivingGoroutine[]): Counted[] {
  const places = new Map<string, Counted>();
  for (const one of living) {
    const what = stateOf(one);
    const key = JSON.stringify([what, one.stack]);
    const known = places.get(key);
    if (known === undefined) places.set(key, { stack: one.stack, count: 1, what });
    else known.count++;
  }
  return [...places.values()].toSorted((a, b) => b.count - a.count);
}

function stateOf({ state, reason }: LivingGoroutine): string {
  return reason === "" ? state : reason;
}

function countedText(living: readonly LivingGoroutine[]): string {
  const lines = [`goroutine profile: total ${living.length}`];
  for (const { count, what, stack } of byStack(living)) {
    lines.push(`${count} @ [${what}]`);
    for (const frame of stack) lines.push(`#\t${frame.func}\t${place(frame)}`);
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}

function eachText(living: readonly LivingGoroutine[]): string {
  const now = Number(process.hrtime.bigint());
  return living
    .map((one) => {
      const minutes = Math.floor((now - one.since) / 60e9);
      const since = minutes > 0 ? `, ${minutes} minutes` : "";
      const frames = one.stack.map((frame) => `${frame.func}()\n\t${place(frame)}`);
      return [`goroutine ${one.id} [${stateOf(one)}${since}]:`, ...frames, ""].join("\n");
    })
    .join("\n");
}

function place({ file, line }: Frame): string {
  return line > 0 ? `${file}:${line}` : file;
}
