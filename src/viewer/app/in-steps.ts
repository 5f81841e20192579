import { useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import type { InSteps } from "../../analysis/aggregate.ts";

/** What was made last, and how far what is being made is, of 1. */
export interface Made<T> {
  readonly value: T | null;
  readonly progress: number;
}

/** How long the page's thread is held at a time, and how many spans or samples lie between two looks at the clock. */
const SLICE_MS = 8;
const STEP = 20_000;

/**
 * Makes what `begin` begins, a slice at a time, so that the page stays alive; anew when a signal changes that `begin` reads. What
 * one slice can do is there at once.
 */
export function useInSteps<T>(begin: () => InSteps<T> | null): ReadonlySignal<Made<T>> {
  const made = useSignal<Made<T>>({ value: null, progress: 1 });
  useSignalEffect(() => {
    const steps = begin();
    let timer = 0;
    const goOn = (): void => {
      const until = performance.now() + SLICE_MS;
      let isDone = steps === null;
      while (!isDone && performance.now() < until) isDone = steps!.step(STEP);
      if (isDone) {
        made.value = { value: steps?.take() ?? null, progress: 1 };
        return;
      }
      made.value = { value: made.peek().value, progress: steps!.progress };
      timer = setTimeout(goOn, 0);
    };
    goOn();
    return () => clearTimeout(timer);
  });
  return made;
}
