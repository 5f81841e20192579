import { promiseHooks } from "node:v8";

/** What runs when V8 makes, runs and settles promises. */
export interface PromiseHooks {
  init(promise: Promise<unknown>, parent?: Promise<unknown>): void;
  before?(): void;
  after?(): void;
  settled?(promise: Promise<unknown>): void;
}

/** V8's promise hook, one at a time, which can be turned off for a while. */
export class PromiseHook {
  #hooks: PromiseHooks | undefined;
  #stop: (() => void) | undefined;
  #isBlind = false;

  /** These run from here on, instead of the others. */
  set(hooks: PromiseHooks): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#hooks = hooks;
    if (this.#isBlind) return;
    this.#stop = promiseHooks.createHook(
      hooks as Parameters<typeof promiseHooks.createHook>[0],
    ) as () => void;
  }

  /** What was set last, undefined where nothing is. */
  get hooks(): PromiseHooks | undefined {
    return this.#hooks;
  }

  /** Whether promises are seen. */
  get isOn(): boolean {
    return this.#stop !== undefined;
  }

  /** Nothing runs until `sees`. Answers whether that is new. */
  blinds(): boolean {
    if (this.#isBlind) return false;
    this.#isBlind = true;
    this.#stop?.();
    this.#stop = undefined;
    return true;
  }

  sees(): void {
    this.#isBlind = false;
    if (this.#hooks !== undefined) this.set(this.#hooks);
  }

  /** Nothing runs any more. */
  clear(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#hooks = undefined;
  }
}
