import { AsyncResource } from "node:async_hooks";
import { wrap } from "../probe/wrap.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { newTask, withTask } from "../recorder/api.ts";

/**
 * node:test as it is, but for this: each test is a task, named by its full title ("suite > test"), from the beginning of
 * its function to its end. What the test starts belongs to the task.
 *
 * Node runs every test through a method of a public class that its own Test inherits, so nothing that a test file sees
 * changes: places of tests in reports, contexts and stacks are Node's. Where a release of Node does otherwise tests run
 * as ever and are no tasks.
 */
interface NodesTest {
  readonly name?: unknown;
  readonly fn?: unknown;
  readonly skipped?: unknown;
  readonly parent?: NodesTest | null;
  readonly constructor?: { readonly name?: unknown };
}

interface Context {
  readonly signal?: AbortSignal;
}

let isInstalled = false;

/** From here on each test of node:test is a task. */
export function recordNodeTests(): void {
  if (isInstalled) return;
  isInstalled = true;
  wrap(AsyncResource.prototype, "runInAsyncScope", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const title = titleOf(this, args[0]);
      if (title === "") return Reflect.apply(original, this, args);
      return asTask(title, args, () => Reflect.apply(original, this, args));
    };
  });
}

/** The full title of a test whose function `fn` is; "" where it is none or skipped, a suite, a hook or somebody else's resource. */
function titleOf(resource: unknown, fn: unknown): string {
  const test = resource as NodesTest | null | undefined;
  if (typeof fn !== "function" || test?.fn !== fn || test.constructor?.name !== "Test") return "";
  if (test.skipped === true) return "";
  const names: string[] = [];
  for (let at: NodesTest = test; at.parent != null; at = at.parent) names.unshift(String(at.name));
  return names.join(" > ");
}

/** Runs a test with what its function is given (`args`: the function, `this`, the context and perhaps a callback). */
function asTask(title: string, args: unknown[], run: () => unknown): unknown {
  const done = args[3];
  if (typeof done !== "function") return withTask(title, run);
  const task = newTask(title);
  const end = (): void => task.end();
  // A test that takes too long is over, whatever its function still does.
  (args[2] as Context | undefined)?.signal?.addEventListener("abort", end, { once: true });
  args[3] = (...results: unknown[]): unknown => {
    end();
    return Reflect.apply(done as AnyFunction, undefined, results);
  };
  try {
    return task.run(run);
  } catch (error) {
    end();
    throw error;
  }
}
