/**
 * Scripts that Node may stop at any moment (the options `timeout` and `breakOnSigint` of node:vm), and the inspector.
 *
 * Node stops a script by V8's termination, which a request through the inspector that is served at the same moment
 * swallows: the script then runs on for ever (seen under the recorder on Node 20, with a thread that only asks on 20 to
 * 26). So the tracer thread asks nothing of the main thread while such a script runs, and none begins while it asks. Both
 * announce what they are about to do before they look at what the other does, so one of them always sees the other. It
 * is the main thread that steps back: the tracer (`announce` in cpu.ts) may have waited long for the end of a script.
 */

import { aroundStoppable } from "../probe/terminations.ts";
import { undoAll } from "../probe/replace.ts";
import { Word } from "./page.ts";

/** How long a script waits for requests that are under way: the tracer thread may have stopped for a while. */
const MOST_MS = 100;

/** Main thread: from here on such scripts and the requests of these recordings, by their pages, keep out of each other's way. */
export function guardScripts(pages: () => Iterable<Int32Array>): () => void {
  const undo = aroundStoppable(() => {
    const entered = [...pages()].map((page) => ({ page, depth: Atomics.load(page, Word.Stoppable) }));
    for (const { page } of entered) enter(page);
    return () => {
      // Those inside of it that were stopped with it have not left.
      for (const { page, depth } of entered) Atomics.store(page, Word.Stoppable, depth);
    };
  });
  return () => undoAll(undo);
}

function enter(page: Int32Array): void {
  const limit = performance.now() + MOST_MS;
  for (;;) {
    const depth = Atomics.add(page, Word.Stoppable, 1);
    // One that runs inside of another has nothing to wait for.
    if (depth > 0 || !isAsked(page) || performance.now() >= limit) return;
    Atomics.sub(page, Word.Stoppable, 1);
    // V8 serves the requests in this loop.
    while (isAsked(page) && performance.now() < limit);
  }
}

function isAsked(page: Int32Array): boolean {
  return Atomics.load(page, Word.Asked) !== Atomics.load(page, Word.Answered);
}

/** Main thread: it is about to end, and waits for the tracer thread. No script is stopped any more. */
export function unguard(page: Int32Array): void {
  Atomics.store(page, Word.Stoppable, 0);
}
