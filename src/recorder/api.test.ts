import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectRoot } from "../testing/project.ts";
import * as api from "./api.ts";
import { contents, scratch } from "./program.test.util.ts";
import { start, stop } from "./session.ts";
import { VERSION } from "./version.ts";

const trace = { ...api, start, stop };
const folder = scratch();
after(() => folder.remove());

/** Uses everything, rightly and wrongly. */
async function useAll(): Promise<void> {
  trace.log("a", "b");
  trace.log("runtrace", '{"drops":{}}');
  trace.log(
    { toString: () => assert.fail("no text") } as unknown as string,
    Symbol("s") as unknown as string,
  );
  assert.equal(
    trace.withRegion("r", () => 1),
    1,
  );
  assert.equal(await trace.withRegion("r", async () => 2), 2);
  assert.equal(
    trace.withTask("t", () => 3),
    3,
  );
  assert.equal(await trace.withTask("t", async () => 4), 4);
  assert.equal(
    trace.go(() => 5),
    5,
  );
  assert.equal(
    trace.go(() => 6, "name"),
    6,
  );
  assert.equal(
    trace.go(() => 7, 8 as unknown as string),
    7,
  );
  const failure = new Error("mine");
  const fail = (): never => {
    throw failure;
  };
  for (const call of [trace.withRegion, trace.withTask]) assert.throws(() => call("x", fail), failure);
  assert.throws(() => trace.go(fail), failure);
  await assert.rejects(
    trace.withTask("x", async () => fail()),
    failure,
  );
  const regions = [trace.startRegion("one"), trace.startRegion("two"), trace.startRegion("never ended")];
  regions[0]!.end();
  regions[0]!.end();
  regions[1]![Symbol.dispose]();
  const task = trace.newTask("task");
  assert.equal(
    task.run(() => 8),
    8,
  );
  assert.throws(() => task.run(fail), failure);
  task.end();
  task.end();
  assert.equal(
    task.run(() => 9),
    9,
  );
  task[Symbol.dispose]();
}

test("everything works, and nothing throws by itself, while nothing records", useAll);

test("the same while recording makes a legal trace, in which the reserved category is ours", async () => {
  const file = folder.path("all.out");
  trace.start(file);
  await useAll();
  await trace.stop();
  const found = contents(file);
  assert.deepEqual(found.logs, ["a: b", 'program.runtrace: {"drops":{}}', ": Symbol(s)"]);
});

test("what began before a recording, or in an earlier one, is left out", async () => {
  const before = trace.newTask("before");
  const region = trace.startRegion("before");
  trace.start(folder.path("first.out"));
  const first = trace.newTask("first");
  region.end();
  assert.equal(
    before.run(() => 1),
    1,
  );
  await trace.stop();
  trace.start(folder.path("second.out"));
  assert.equal(
    first.run(() => 2),
    2,
  );
  first.end();
  before.end();
  await trace.stop();
  first.end();
  const found = contents(folder.path("second.out"));
  assert.doesNotMatch(found.text, / (?:Task|Region)(?:Begin|End) /);
});

test("a second copy of the package reaches the same recorder", async () => {
  const copy = (await import(`${new URL("./api.js", import.meta.url).href}?copy`)) as typeof api;
  const file = folder.path("copy.out");
  trace.start(file);
  copy.log("test", "from the copy");
  await trace.stop();
  const found = contents(file);
  assert.deepEqual(found.logs, ["test: from the copy"]);
});

test("nothing of it shows on the global object", () => {
  assert.equal(Object.getOwnPropertyDescriptor(globalThis, Symbol.for("runtrace"))?.enumerable, false);
  assert.equal(
    Object.keys(globalThis).some((key) => key.includes("runtrace")),
    false,
  );
});

test("VERSION is the package's", () => {
  const manifest = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  assert.equal(VERSION, manifest.version);
});
