import { closeSync, openSync, writeSync } from "node:fs";
import { TraceWriter } from "../encode/writer.ts";

const THREADS = 4;
/** Goroutines a thread: they take turns, block and are unblocked. */
const GOROUTINES = 250;
const GENERATION_NS = 1e9;

/**
 * Writes a trace of `size` bytes or a little more: goroutines that block and are unblocked, with stacks, an event each 500 ns
 * or so on each thread, in generations of a second.
 */
export function writeLargeTrace(file: string, size: number): void {
  const fd = openSync(file, "w");
  const written = { size: 0 };
  let now = 1_000;
  const writer = new TraceWriter({
    version: 25,
    write: (bytes) => {
      written.size += writeSync(fd, bytes);
    },
    snapshot: () => ({ mono: now, wallSec: 1_700_000_000, wallNsec: 5 }),
    strict: true,
  });
  const stacks = Array.from({ length: 300 }, (_, i) =>
    writer.stack(
      Array.from({ length: 3 + (i % 20) }, (_frame, depth) => ({
        func: `main.f${i % 50}.${depth}`,
        file: `/src/f${i % 50}.go`,
        line: i + depth,
      })),
    ),
  );
  const first = (thread: number): number => 1 + thread * GOROUTINES;
  for (let thread = 0; thread < THREADS; thread++) {
    writer.procStart(thread + 1, ++now, thread);
    for (let i = 0; i < GOROUTINES; i++) writer.goCreate(thread + 1, ++now, first(thread) + i, stacks[i]!, 0);
    writer.goStart(thread + 1, ++now, first(thread));
  }
  let begun = now;
  for (let turn = 0; written.size < size; turn++) {
    for (let thread = 0; thread < THREADS; thread++) {
      const next = first(thread) + ((turn + 1) % GOROUTINES);
      const stack = stacks[(turn * 7 + thread) % stacks.length]!;
      now += 400 + (turn % 97);
      if (turn >= GOROUTINES - 1) writer.goUnblock(thread + 1, now - 100, next, stack);
      writer.goBlock(thread + 1, now - 50, "chan receive", stack);
      writer.goStart(thread + 1, now, next);
    }
    if (now - begun > GENERATION_NS) {
      writer.rotate(now);
      begun = now;
    } else if (turn % 10_000 === 0) writer.flush();
  }
  writer.end();
  closeSync(fd);
}
