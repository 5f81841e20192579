/** runtrace/mocha: preloaded by mocha (`--require runtrace/mocha`), it makes each test a task of the trace. */
import { recordMocha } from "./integrations/mocha.ts";
import { isRecording } from "./recorder/api.ts";

interface Context {
  runnable(): object;
}

/** A hook of mocha's root suite, which comes before all tests; mocha finds it by this name. */
export const mochaHooks = {
  beforeAll(this: Context): void {
    // A hook's class and a test's have one parent.
    const prototype = Object.getPrototypeOf(Object.getPrototypeOf(this.runnable())) as object;
    if (isRecording()) recordMocha(prototype);
  },
};
