import fs from "node:fs";
import { Fact } from "../base/facts.ts";
import { RingReader, RingWriter, createRing } from "../base/ring.ts";

/** What recording has cost so far, as the trace says it (schema: model/README.md). */
export interface OwnCost {
  /** Facts that were written and read, and facts that were lost to a full buffer. */
  readonly facts: number;
  readonly lost: number;
  readonly activations: number;
  /** Time of the program's threads in the hooks, in ns: the facts at the price of writing one, measured here. */
  readonly hooksNs: number;
  /** Files that were transformed since the process began, and the time that took in the threads that load them, in ns. */
  readonly transformed?: number;
  readonly transformNs?: number;
  /** CPU time of the tracer thread, in ns. */
  readonly tracerNs: number;
  readonly cuts: number;
  /** Bytes written. */
  readonly bytes: number;
}

const RING_BYTES = 2 ** 16;
const BATCH = 1_000;
const MOST_TRIED = 21 * BATCH;

/**
 * The time that writing one fact takes here, in ns: the median of the later batches. Not more facts are tried than the
 * `written` ones, so that a short recording does not wait for code to be compiled that had no time for it either.
 */
export function factPrice(clock: () => bigint, written: number): number {
  const ring = createRing(RING_BYTES);
  const writer = new RingWriter(ring, clock, process.arch === "x64");
  const reader = new RingReader(ring);
  const nobody = { fact: () => {}, text: () => {} };
  const prices: number[] = [];
  for (let left = Math.min(written, MOST_TRIED); left > 0; left -= BATCH) {
    const batch = Math.min(left, BATCH);
    const begin = clock();
    for (let i = 0; i < batch; i++) writer.now(Fact.FrameEnd, i, 0, 0);
    prices.push(Number(clock() - begin) / batch);
    reader.drain(Infinity, nobody);
  }
  const late = prices.slice(prices.length >> 1).sort((a, b) => a - b);
  return late[late.length >> 1] ?? 0;
}

/** CPU time of the calling thread since it began, in ns; undefined where the system does not tell. */
export function threadCpu(): number | undefined {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };
  try {
    if (threadCpuUsage !== undefined) {
      const { user, system } = threadCpuUsage.call(process);
      return (user + system) * 1000;
    }
    return Number(fs.readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]);
  } catch {
    return undefined;
  }
}
