import type { PromiseHook } from "./promise-hook.ts";
import { idOf, kindOf, setStamp } from "./stamp.ts";
import { unwritten } from "./writer.ts";

/** Kinds of the stamps of promises: nothing tells when it settles; that is asked for; it has settled. */
export const UNSEEN = 1;
const WATCHED = 2;
const SETTLED = 3;

/** So many promises of unknown making are watched at one place before one of them is seen to settle: most have before. */
const UNSEEN_OF_SITE = 8;

/**
 * When promises settle of which nothing else tells it: those of functions whose end is asked for, and those of unknown making
 * that are awaited. V8's hook tells it: a reaction of ours would make a rejection count as handled. It then runs for every
 * promise that settles, so it is used from the moment on when it is first needed, and no longer where all that was awaited so
 * had settled before.
 */
export class Settlements {
  readonly #hook: PromiseHook;
  readonly #settled: (id: number) => void;
  /** Younger ids belong to this recording. */
  #firstId = 0;
  /** Functions whose promise is to be known are running, inside of each other. */
  #calling = 0;
  /** It is not certain that the hook is of no use. */
  #isNeeded = false;
  /** Of the promises of unknown making that are watched: by their ids the places, and how many of each have not settled. */
  readonly #sites = new Map<number, number>();
  readonly #unsettled = new Map<number, number>();
  /** Places at which some have not settled, but not so many. */
  #open = 0;

  /** `settled`: a promise of that id has. */
  constructor(hook: PromiseHook, settled: (id: number) => void) {
    this.#hook = hook;
    this.#settled = settled;
  }

  start(firstId: number): void {
    this.#firstId = firstId;
  }

  stop(): void {
    this.#calling = 0;
    this.#isNeeded = false;
    this.#sites.clear();
    this.#unsettled.clear();
    this.#open = 0;
  }

  /** A function is called whose promise will be asked for. */
  calls(): void {
    this.#calling++;
  }

  /** It has returned or thrown. */
  called(): void {
    this.#calling--;
  }

  /** Whether the promise that such a function returned has settled. (What had before the hook was needed is not known to have.) */
  hasSettled(promise: object): boolean {
    return kindOf(promise) === SETTLED;
  }

  /** It is to be told when the promise settles, unless something else does. */
  asks(promise: object, id: number): void {
    if (kindOf(promise) === UNSEEN) this.watch(promise, id);
  }

  /** It is to be told when the promise settles. */
  watch(promise: object, id: number): void {
    this.#isNeeded = true;
    this.watchUnknown(promise, id);
  }

  /** The same of one of unknown making, which may have. */
  watchUnknown(promise: object, id: number): void {
    const { hooks } = this.#hook;
    if (hooks === undefined) return;
    setStamp(promise, id, WATCHED);
    if (hooks.settled === undefined) this.#hook.set({ ...hooks, settled: (it) => this.#settles(it) });
  }

  /** What is not known is about to be awaited there. Answers whether that is worth being watched. */
  isOpen(site: number): boolean {
    if (!this.#hook.isOn) return false;
    if ((this.#unsettled.get(site) ?? 0) < UNSEEN_OF_SITE) return true;
    const { hooks } = this.#hook;
    if (this.#isNeeded || this.#open > 0 || hooks?.settled === undefined) return false;
    const { settled: _, ...others } = hooks;
    this.#hook.set(others);
    return false;
  }

  /** What is awaited there has that id. */
  awaits(id: number, site: number): void {
    this.#sites.set(id, site);
    const unsettled = (this.#unsettled.get(site) ?? 0) + 1;
    this.#unsettled.set(site, unsettled);
    if (unsettled === 1) this.#open++;
    if (unsettled === UNSEEN_OF_SITE) this.#open--;
  }

  #reopens(site: number): void {
    const unsettled = this.#unsettled.get(site);
    if (unsettled !== undefined && unsettled < UNSEEN_OF_SITE) this.#open--;
    this.#unsettled.delete(site);
  }

  #settles(promise: Promise<unknown>): void {
    try {
      const kind = kindOf(promise);
      if (kind === WATCHED) {
        const id = idOf(promise);
        setStamp(promise, id, 0);
        this.#isNeeded = true;
        const site = this.#sites.get(id);
        if (site !== undefined) {
          this.#sites.delete(id);
          this.#reopens(site);
        }
        if (id >= this.#firstId) this.#settled(id);
      } else if (this.#calling > 0 && kind === -1) {
        setStamp(promise, 0, SETTLED);
      }
    } catch {
      unwritten.facts++;
    }
  }
}
