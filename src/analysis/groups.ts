import type { TraceModel } from "../model/types.ts";
import { Sum } from "./span-totals.ts";
import type { SpanTotals, Totals } from "./span-totals.ts";
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
export function activationGroups(model: TraceModel, { spans }: Totals): ActivationGroup[] {
  const { activations, strings } = model;
  const groups = new Map<number, Sums>();
  const { place } = spans;
  for (let row = 0; row < place.length; row++) {
    const name = activations.name[place[row]!]!;
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
    addSums(sums, spans, row, strings);
  }
  return [...groups]
    .map(([name, sums]) => ({ name: strings[name]!, ...sums }))
    .toSorted((a, b) => b.execution - a.execution || compareText(a.name, b.name));
}

function addSums(sums: Sums, spans: SpanTotals, row: number, strings: readonly string[]): void {
  const execution = spans.sum(row, Sum.Execution);
  const schedWait = spans.sum(row, Sum.SchedWait);
  const syscall = spans.sum(row, Sum.Syscall);
  const syscallBlock = spans.sum(row, Sum.SyscallBlock);
  const block = spans.sum(row, Sum.Block);
  sums.count++;
  sums.execution += execution;
  sums.schedWait += schedWait;
  sums.syscall += syscall;
  sums.syscallBlock += syscallBlock;
  sums.block += block;
  sums.total += execution + schedWait + syscall + syscallBlock + block;
  spans.blocked(row, (reason, time) => {
    const text = strings[reason]!;
    sums.blockByReason.set(text, (sums.blockByReason.get(text) ?? 0) + time);
  });
}
