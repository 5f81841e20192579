import type { TraceModel } from "../../model/types.ts";
import { State } from "../../model/types.ts";
import { regionBounds } from "./trace-index.ts";

/** What a search hit is. */
export const HitKind = { Activation: 0, Span: 1, Region: 2, Task: 3, Log: 4 } as const;
export type HitKindCode = (typeof HitKind)[keyof typeof HitKind];

/** Hits in order of time: `row` of the table that `kind` names. */
export interface Hits {
  readonly count: number;
  readonly kind: Uint8Array;
  readonly row: Uint32Array;
  readonly time: Float64Array;
  /** There were more than `limit`: the earliest tables' hits are kept. */
  readonly more: boolean;
}

/** No hits. */
export const NO_HITS: Hits = {
  count: 0,
  kind: new Uint8Array(0),
  row: new Uint32Array(0),
  time: new Float64Array(0),
  more: false,
};

/**
 * Finds text, ignoring case: entry functions of activations, types of tasks and regions, categories and messages of
 * logs, reasons of waits, and functions on the stacks of waits. Works on string indexes, so its cost is one pass
 * over the strings and one over the tables.
 */
export function findText(model: TraceModel, query: string, limit = 100_000): Hits {
  const text = query.trim().toLowerCase();
  if (text === "") return NO_HITS;
  const matches = new Uint8Array(model.strings.length);
  for (const [i, value] of model.strings.entries()) if (value.toLowerCase().includes(text)) matches[i] = 1;
  const stacks = new Uint8Array(model.stacks.length);
  for (const [i, frames] of model.stacks.entries()) {
    if (frames.some((frame) => frame.func.toLowerCase().includes(text))) stacks[i] = 1;
  }

  const kinds: number[] = [];
  const rows: number[] = [];
  const times: number[] = [];
  const add = (kind: HitKindCode, row: number, time: number): void => {
    kinds.push(kind);
    rows.push(row);
    times.push(time);
  };
  const { tasks, regions, logs, activations, spans } = model;
  for (let i = 0; i < tasks.count && rows.length <= limit; i++) {
    if (matches[tasks.name[i]!] === 1) {
      add(HitKind.Task, i, Number.isNaN(tasks.start[i]!) ? model.startTime : tasks.start[i]!);
    }
  }
  for (let i = 0; i < activations.count && rows.length <= limit; i++) {
    if (matches[activations.name[i]!] === 1 && activations.firstSpan[i] !== activations.firstSpan[i + 1]) {
      add(HitKind.Activation, i, spans.start[activations.firstSpan[i]!]!);
    }
  }
  for (let i = 0; i < regions.count && rows.length <= limit; i++) {
    if (matches[regions.name[i]!] === 1) add(HitKind.Region, i, regionBounds(model, i).start);
  }
  for (let i = 0; i < logs.count && rows.length <= limit; i++) {
    if (matches[logs.message[i]!] === 1 || matches[logs.category[i]!] === 1)
      add(HitKind.Log, i, logs.time[i]!);
  }
  for (let i = 0; i < spans.count && rows.length <= limit; i++) {
    if (spans.state[i] === State.Running) continue;
    if (
      matches[spans.reason[i]!] === 1 ||
      (stacks[spans.stack[i]!] === 1 && spans.state[i] !== State.Runnable)
    ) {
      add(HitKind.Span, i, spans.start[i]!);
    }
  }

  const more = rows.length > limit;
  const order = Uint32Array.from({ length: Math.min(rows.length, limit) }, (_, i) => i);
  order.sort((a, b) => times[a]! - times[b]! || kinds[b]! - kinds[a]! || rows[a]! - rows[b]!);
  return {
    count: order.length,
    kind: Uint8Array.from(order, (i) => kinds[i]!),
    row: Uint32Array.from(order, (i) => rows[i]!),
    time: Float64Array.from(order, (i) => times[i]!),
    more,
  };
}
