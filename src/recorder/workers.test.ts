/** Workers of a recorded process, from the inside. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Inheritance } from "./messages.ts";
import { createPage } from "./page.ts";
import { recordWorkers } from "./workers.ts";

test("a Worker that is there before the tracer is not recorded, and its number is as without us", async () => {
  // As if a tracer thread, which takes the number one, never got ready.
  const inheritance: Inheritance = {
    page: createPage(),
    channel: "runtrace-test",
    buffer: 1 << 16,
    hiddenThread: 1,
    preloaded: true,
  };
  await once(new Worker("", { eval: true }), "exit");
  const undo = recordWorkers(inheritance, () => {});
  const source = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(new URL("./workers.js", import.meta.url).href)}).then(({ joinRecording }) => {
      const joined = joinRecording();
      const { threadId, Worker } = require("node:worker_threads");
      const nested = new Worker("", { eval: true });
      parentPort.postMessage([joined, threadId, nested.threadId]);
    });`;
  try {
    const worker = new Worker(source, { eval: true });
    const id = worker.threadId;
    const ended = once(worker, "exit");
    const [said] = (await once(worker, "message")) as [unknown];
    assert.deepEqual(said, [false, id, id + 1]);
    assert.deepEqual(await ended, [0]);
  } finally {
    undo();
  }
});
