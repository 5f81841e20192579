import { State } from "../model/types.ts";
import type { TraceModel } from "../model/types.ts";
import { compareText } from "./text.ts";

/** Where activations of one entry function spent their time. All times are sums in nanoseconds. */
export interface ActivationGroup {
  /** Entry function; "" for activations that were never seen with a stack. */
  readonly name: string;
  readonly count: number;
  /** Time running. */
  readonly execution: number;
  /** Time runnable: ready, waiting for its turn. */
  readonly schedWait: number;
  /** Time in system calls while holding the event loop. */
  readonly syscall: number;
  /** Time in system calls after the proc was taken away. */
  readonly syscallBlock: number;
  /** Time waiting, by reason; "" where the wait began before the trace or gave no reason. */
  readonly blockByReason: ReadonlyMap<string, number>;
  /** Sum of `blockByReason`. */
  readonly block: number;
  /** From creation (or the trace's start) to end (or the trace's end). */
  readonly total: number;
}

interface Sums {
  count: number;
  execution: number;
  schedWait: number;
  syscall: number;
  syscallBlock: number;
  block: number;
  total: number;
  blockByReason: Map<string, number>;
}

/** Groups activations by entry function, most execution time first, then by name. */
export function activationGroups(model: TraceModel): ActivationGroup[] {
  const { activations, strings } = model;
  const groups = new Map<number, Sums>();
  for (let row = 0; row < activations.count; row++) {
    const name = activations.name[row]!;
    let sums = groups.get(name);
    if (sums === undefined) {
      sums = {
        count: 0,
        execution: 0,
        schedWait: 0,
        syscall: 0,
        syscallBlock: 0,
        block: 0,
        total: 0,
        blockByReason: new Map(),
      };
      groups.set(name, sums);
    }
    sums.count++;
    addSpans(sums, model, activations.firstSpan[row]!, activations.firstSpan[row + 1]!);
  }
  return [...groups]
    .map(([name, sums]) => ({ name: strings[name]!, ...sums }))
    .toSorted((a, b) => b.execution - a.execution || compareText(a.name, b.name));
}

function addSpans(sums: Sums, model: TraceModel, first: number, last: number): void {
  const { spans, strings } = model;
  for (let i = first; i < last; i++) {
    const time = spans.end[i]! - spans.start[i]!;
    sums.total += time;
    switch (spans.state[i]) {
      case State.Running:
        sums.execution += time;
        break;
      case State.Runnable:
        sums.schedWait += time;
        break;
      case State.Syscall:
        if (spans.by[i] === -1) sums.syscallBlock += time;
        else sums.syscall += time;
        break;
      default: {
        const reason = strings[spans.reason[i]!]!;
        sums.block += time;
        sums.blockByReason.set(reason, (sums.blockByReason.get(reason) ?? 0) + time);
      }
    }
  }
}
