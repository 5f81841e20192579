/** runtrace/node-test: node:test, with each test as a task of the trace. Without a recording it is node:test. */
import { recordNodeTests } from "./integrations/node-test.ts";

recordNodeTests();

// oxlint-disable-next-line import/no-default-export -- node:test has one
export { default } from "node:test";
// TypeScript cannot say so of a module that is a function.
// @ts-expect-error
export * from "node:test";
