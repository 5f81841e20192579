/** Workers of a recorded process, from the inside. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { judged } from "../testing/go.ts";
import { runCommand } from "../testing/record.ts";
import type { Inheritance } from "./messages.ts";
import { TRANSFER_WORDS } from "../probe/transfers.ts";
import { createPage } from "./page.ts";
import { scratch } from "./program.test.util.ts";
import { recordWorkers } from "./workers.ts";

test("a Worker that is there before the tracer is not recorded, and its number is as without us", async () => {
  // As if a tracer thread, which takes the number one, never got ready.
  const inheritance: Inheritance = {
    http: { http: true, traceparent: false },
    cpuHz: 0,
    page: createPage(TRANSFER_WORDS),
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

const REGISTER = new URL("../register.js", import.meta.url).href;
const INDEX = new URL("../index.js", import.meta.url).href;

test("a Worker that lives through two recordings has no messages that nobody handles", async () => {
  const folder = scratch();
  const program = folder.path("two.mjs");
  writeFileSync(
    program,
    `import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { start, stop } from ${JSON.stringify(INDEX)};
if (isMainThread) {
  let worker;
  const ask = async (times) => {
    for (let i = 0; i < times; i++) { worker.postMessage(i); await once(worker, "message"); }
  };
  start(process.argv[2]);
  worker = new Worker(new URL(import.meta.url));
  await ask(3);
  // Handled when nothing records any more.
  for (let i = 0; i < 3; i++) worker.postMessage(i);
  await stop();
  await once(worker, "message");
  await ask(4);
  start(process.argv[3]);
  await ask(2);
  await stop();
  await worker.terminate();
} else parentPort.on("message", (value) => parentPort.postMessage(value));
`,
  );
  const files = [folder.path("one.out"), folder.path("two.out")];
  const { code, stderr } = await runCommand(process.execPath, ["--import", REGISTER, program, ...files], {
    env: { RUNTRACE_MODE: "dormant", NODE_OPTIONS: "" },
  });
  assert.equal(code, 0, stderr);
  const [first, second] = files.map((file) => messages(judged(file)));
  assert.ok(first!.made >= 6, `${first!.made} messages`);
  assert.ok(second!.made > 0 && second!.made <= 4, `${second!.made} messages`);
  assert.equal(second!.ran, second!.made);
  folder.remove();
});

/** Activations for messages, and those of them that ran. */
function messages(text: string): { made: number; ran: number } {
  const events = text.split(/\n(?=M=)/);
  const idOf = (event: string): string => / GoID=(\d+) /.exec(event)?.[1] ?? "";
  const made = new Set(
    events
      .filter((event) => / NotExist->Runnable /.test(event) && /^\tmessage callback @/m.test(event))
      .map(idOf),
  );
  const ran = new Set(events.filter((event) => / Runnable->Running /.test(event)).map(idOf));
  return { made: made.size, ran: [...made].filter((id) => ran.has(id)).length };
}
