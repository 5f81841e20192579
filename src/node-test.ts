/** runtrace/node-test: node:test, with each test as a task of the trace. Without a recording it is node:test. */
import real from "node:test";
import { withTasks } from "./integrations/node-test.ts";
import type { TestModule } from "./integrations/node-test.ts";

const wrapped = withTasks(real as unknown as TestModule) as unknown as typeof real;

// oxlint-disable-next-line import/no-default-export -- node:test has one
export default wrapped;
export const { test, it, only, todo, skip, describe, before, after, beforeEach, afterEach, mock, run } =
  wrapped;
// Whatever else this release of Node has; TypeScript cannot say so of a module that is a function.
// @ts-expect-error
export * from "node:test";
