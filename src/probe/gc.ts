import { PerformanceObserver, performance } from "node:perf_hooks";
import type { PerformanceEntry } from "node:perf_hooks";
import v8 from "node:v8";
import { Fact } from "../base/facts.ts";
import type { Probe } from "./probe.ts";

/** Least time between two heap facts, in ns. */
const HEAP_NS = 100_000_000n;

/**
 * Garbage collections and the heap's size, as V8 reports them some milliseconds later. `delivered` is called after
 * each report. Answers what ends it.
 */
export function watchGc(probe: Pick<Probe, "put">, delivered: () => void = () => {}): () => void {
  const origin = performanceOrigin();
  let nextHeap = 0n;
  const heap = (): void => {
    const time = process.hrtime.bigint();
    if (time < nextHeap) return;
    nextHeap = time + HEAP_NS;
    const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
    probe.put(Fact.Heap, time, used, limit, 0);
  };
  const report = (entries: readonly PerformanceEntry[]): void => {
    for (const entry of entries) {
      const start = origin + BigInt(Math.round(entry.startTime * 1e6));
      const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
      probe.put(Fact.Gc, start, Math.round(entry.duration * 1e6), 0, kind);
    }
    heap();
  };
  const observer = new PerformanceObserver((list) => {
    report(list.getEntries());
    delivered();
  });
  observer.observe({ entryTypes: ["gc"] });
  heap();
  return () => {
    const rest = observer.takeRecords();
    observer.disconnect();
    if (rest.length > 0) report(rest);
  };
}

/** hrtime (ns) at performance.now() === 0: both are one clock, so the tightest of some readings is right to well under 1 us. */
export function performanceOrigin(): bigint {
  let best = 0n;
  let width = 1n << 62n;
  for (let i = 0; i < 8; i++) {
    const before = process.hrtime.bigint();
    const now = BigInt(Math.round(performance.now() * 1e6));
    const after = process.hrtime.bigint();
    if (after - before < width) {
      width = after - before;
      best = before + width / 2n - now;
    }
  }
  return best;
}
