/** CPU samples of Workers: where they are, and that the Worker does not notice. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { activationsNamed, spansOf, withRecording } from "../testing/record.ts";
import type { Recording } from "../testing/record.ts";
import { accepted } from "../testing/go.ts";
import { scratch } from "./program.test.util.ts";

const folder = scratch();
after(() => folder.remove());

const GRIND = `function grind(ms) {
  const end = Date.now() + ms;
  let x = 0;
  while (Date.now() < end) x += Math.sqrt(x);
  return x;
}
`;

/** Records a program whose Worker runs `worker` and whose main thread runs `main`, where `worker` is that Worker. */
async function recorded(
  name: string,
  main: string,
  worker: string,
  look: (recording: Recording) => void,
  options: readonly string[] = [],
): Promise<void> {
  const program = folder.path(`${name}.mjs`);
  writeFileSync(
    program,
    `import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { once } from "node:events";
import inspector from "node:inspector";
${GRIND}
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  ${main}
} else {
  ${worker}
}
`,
  );
  await withRecording(
    [program],
    (recording) => {
      accepted(recording.file);
      assert.equal(recording.stderr, "");
      look(recording);
    },
    options,
  );
}

interface Found {
  readonly proc: number;
  readonly name: string;
  readonly time: number;
  readonly frames: readonly string[];
}

/** Samples in `grind`. */
function grinding(model: Recording["model"]): Found[] {
  const { samples, activations, strings, stacks } = model;
  return Array.from({ length: samples.count }, (_, row) => ({
    proc: samples.proc[row]!,
    name: samples.activation[row]! < 0 ? "" : strings[activations.name[samples.activation[row]!]!]!,
    time: samples.time[row]!,
    frames: (stacks[samples.stack[row]!] ?? []).map(({ func }) => func),
  })).filter(({ frames }) => frames.includes("grind"));
}

test("a Worker's samples are on its loop and on what ran in it, up to its own end", async () => {
  const main = `for (let i = 0; i < 3; i++) {
    worker.postMessage(600);
    await once(worker, "message");
  }
  worker.postMessage(0);
  console.log(...(await once(worker, "exit")));`;
  const worker = `parentPort.on("message", (ms) => {
    if (ms === 0) process.exit(3, grind(400));
    grind(ms);
    parentPort.postMessage(0);
  });`;
  await recorded("handler", main, worker, ({ stdout, model }) => {
    assert.equal(stdout, "3\n");
    const found = grinding(model);
    assert.ok(found.length > 60 && found.length < 300, `${found.length} samples in 2.2 s`);
    assert.deepEqual(new Set(found.map(({ proc }) => proc)), new Set([1]));
    assert.deepEqual(new Set(found.map(({ name }) => name)), new Set(["message callback"]));
    const handlers = activationsNamed(model, "message callback");
    const ends = handlers.flatMap((row) => spansOf(model, row)).map(({ start, ms }) => start + ms);
    const last = Math.max(...ends);
    assert.ok(
      found.some(({ time }) => time / 1e6 > last - 200),
      "also those of the turn that exits",
    );
  });
});

test("a Worker in a long turn tells its samples at its end", async () => {
  const main = `console.log(...(await once(worker, "exit")));`;
  await recorded("long", main, "grind(2_500);", ({ stdout, model }) => {
    assert.equal(stdout, "0\n");
    const found = grinding(model);
    assert.ok(found.length > 80, `${found.length} samples in 2.5 s`);
    assert.deepEqual(new Set(found.map(({ name }) => name)), new Set(["worker main"]));
  });
});

test("a Worker that is terminated in the middle of a turn ends at once, as without us", async () => {
  const main = `await once(worker, "message");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  console.log(await worker.terminate());`;
  await recorded("terminated", main, `parentPort.postMessage(0); grind(1e6);`, ({ stdout, model }) => {
    assert.equal(stdout, "1\n");
    assert.deepEqual(grinding(model), [], "it takes them with it");
  });
});

test("a Worker that profiles itself has the inspector for itself, and the trace says so", async () => {
  const main = `console.log(...(await once(worker, "message")), ...(await once(worker, "exit")));`;
  const worker = `grind(300);
  const session = new inspector.Session();
  session.connect();
  const heard = [];
  session.on("Profiler.consoleProfileFinished", ({ params }) => heard.push(params.title));
  session.post("Profiler.enable");
  setTimeout(() => {
    grind(100);
    parentPort.postMessage(heard.length);
  }, 1_200);`;
  await recorded("inspector", main, worker, ({ stdout, model }) => {
    assert.equal(stdout, "0 0\n");
    assert.ok(grinding(model).length > 5, "those from before");
    const off = model.notes.filter(({ message }) => "cpu" in message).map(({ message }) => message);
    assert.deepEqual(off, [{ cpu: { off: "the program uses the inspector" } }]);
  });
});

test("without CPU samples a Worker has none", async () => {
  const main = `await once(worker, "exit");`;
  const look = ({ model }: Recording): void => assert.equal(model.samples.count, 0);
  await recorded("off", main, "grind(300);", look, ["--cpu", "off"]);
});
