import { promiseHooks } from "node:v8";
import { Fact, PromiseClass } from "../base/facts.ts";
import { undoAll } from "./replace.ts";
import type { Sites } from "./sites.ts";
import { idOf, setStamp } from "./stamp.ts";
import { aroundModules } from "./terminations.ts";
import { newId, now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** What the promise hooks know that others ask for. */
export interface PromiseSource {
  /** Id of the promise that `new Promise` made last, for linking what its executor starts. */
  lastNew(): number;
  stop(): void;
}

/** Writes every promise's making, reactions and settling, through v8.promiseHooks. */
export function watchPromises(facts: FactWriter, sites: Sites): PromiseSource {
  let lastNew = 0;
  let ended = false;

  function init(promise: Promise<unknown>, parent: Promise<unknown> | undefined): void {
    try {
      const id = newId();
      setStamp(promise, id, 0);
      const c = sites.classify(parent !== undefined, init);
      if ((c & 15) === PromiseClass.New) lastNew = id;
      facts.put(Fact.Promise, now(), id, parent === undefined ? 0 : idOf(parent), c);
    } catch {
      unwritten.facts++;
    }
  }
  function before(promise: Promise<unknown>): void {
    try {
      facts.put(Fact.ReactionBegin, now(), idOf(promise), 0, 0);
    } catch {
      unwritten.facts++;
    }
  }
  function after(promise: Promise<unknown>): void {
    try {
      facts.put(Fact.ReactionEnd, now(), idOf(promise), 0, 0);
    } catch {
      unwritten.facts++;
    }
  }
  function settled(promise: Promise<unknown>): void {
    try {
      facts.put(Fact.Settle, now(), idOf(promise), 0, 0);
    } catch {
      unwritten.facts++;
    }
  }

  const hooks = { init, before, after, settled } as Parameters<typeof promiseHooks.createHook>[0];
  const start = (): (() => void) => promiseHooks.createHook(hooks) as () => void;
  let stopHook: (() => void) | undefined = start();
  const pause = (): (() => void) => {
    const paused = stopHook;
    stopHook = undefined;
    paused?.();
    return () => {
      if (paused !== undefined && !ended) stopHook = start();
    };
  };
  const undo = aroundModules(pause);
  const stop = (): void => {
    ended = true;
    undoAll(undo);
    stopHook?.();
  };
  return { lastNew: () => lastNew, stop };
}
