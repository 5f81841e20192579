import { PerformanceObserver, performance } from "node:perf_hooks";
import type { PerformanceEntry } from "node:perf_hooks";
import v8 from "node:v8";
import { Fact } from "../base/facts.ts";
import type { Probe } from "./probe.ts";

/** Least time between two heap facts, in ns. */
const HEAP_NS = 100_000_000n;
/** By how much a heap grows between two heap facts where there is no collection. */
const GROWTH = 2 ** 20;

/** What ends the watching, and what looks at the heap meanwhile. */
export interface GcWatch {
  readonly stop: () => void;
  /**
   * The heap's size without its young generation, which may be garbage: V8 lets the old one grow by many times without a
   * collection. A fact where it has grown, and `always` one.
   */
  readonly look: (always: boolean) => void;
}

/**
 * Garbage collections and the heap's size, as V8 reports them some milliseconds later. `delivered` is called after
 * each report.
 */
export function watchGc(probe: Pick<Probe, "put">, delivered: () => void = () => {}): GcWatch {
  const origin = performanceOrigin();
  let nextHeap = 0n;
  let told = 0;
  const put = (time: bigint, used: number, limit: number): void => {
    nextHeap = time + HEAP_NS;
    told = used;
    probe.put(Fact.Heap, time, used, limit, 0);
  };
  const heap = (): void => {
    const time = process.hrtime.bigint();
    if (time < nextHeap) return;
    const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
    put(time, used, limit);
  };
  const look = (always: boolean): void => {
    const time = process.hrtime.bigint();
    if (!always && time < nextHeap) return;
    const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
    if (!always && used < told + GROWTH) return;
    const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const old = used - (young?.space_used_size ?? 0);
    if (always || old >= told + GROWTH) put(time, old, limit);
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
  const stop = (): void => {
    const rest = observer.takeRecords();
    observer.disconnect();
    if (rest.length > 0) report(rest);
  };
  return { stop, look };
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
