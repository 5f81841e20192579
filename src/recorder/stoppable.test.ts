/** Scripts that Node may stop are stopped, whatever the sampling of the CPU does meanwhile. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import vm from "node:vm";
import { Word, answered, createPage } from "./page.ts";
import { contents, runNode, runRecorded, scratch } from "./program.test.util.ts";
import { guardScripts } from "./stoppable.ts";

const folder = scratch();
after(() => folder.remove());

const HANG_MS = 60_000;

test("scripts with a timeout end at it, and have samples", async () => {
  const { code, signal, stdout, out } = await runRecorded(
    folder,
    "timeouts",
    `const vm = require("node:vm");
    const end = Date.now() + 5_000;
    const scripts = [new vm.Script("while (true);"), new vm.Script("inner()")];
    globalThis.inner = () => scripts[0].runInThisContext({ timeout: 50 });
    let stopped = 0;
    for (let i = 0; Date.now() < end; i++) {
      try { scripts[i % 2].runInThisContext({ timeout: 2 }); } catch (error) { stopped += error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"; }
    }
    console.log(stopped > 100);`,
    { killAfter: HANG_MS, signal: "SIGKILL" },
  );
  assert.deepEqual([code, signal, stdout], [0, null, "true\n"]);
  const samples = contents(out).text.match(/ StackSample /g)?.length ?? 0;
  assert.ok(samples > 50, `${samples} samples in 5 s`);
});

const FLAGS = ["--no-warnings", "--experimental-vm-modules"];

test("modules with a timeout end at it", async () => {
  const { code, signal, stdout, stderr, out } = await runRecorded(
    folder,
    "modules",
    `const vm = require("node:vm");
    const evaluate = async (code, options) => {
      const module = new vm.SourceTextModule(code);
      await module.link(() => {});
      return module.evaluate(options);
    };
    (async function main() {
      const end = Date.now() + 3_000;
      let stopped = 0;
      while (Date.now() < end) {
        try { await evaluate("while (true);", { timeout: 2 }); } catch (error) { stopped += error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"; }
      }
      await evaluate("await 1; globalThis.done = true", { timeout: 1_000 });
      console.log(stopped > 50, globalThis.done);
    })();`,
    { killAfter: HANG_MS, signal: "SIGKILL", flags: FLAGS },
  );
  assert.deepEqual([code, signal, stdout, stderr], [0, null, "true true\n", ""]);
  const samples = contents(out).text.match(/ StackSample /g)?.length ?? 0;
  assert.ok(samples > 30, `${samples} samples in 3 s`);
});

test("a module with a timeout ends at it where the recording began in the middle", async () => {
  const { code, stdout, stderr } = await runNode([
    ...FLAGS,
    "--input-type=module",
    "--eval",
    `import vm from "node:vm";
    import { start, stop } from ${JSON.stringify(new URL("../index.js", import.meta.url))};
    start(${JSON.stringify(folder.path("middle.out"))});
    for (let i = 0; i < 20; i++) {
      const module = new vm.SourceTextModule("for (;;);");
      await module.link(() => {});
      await module.evaluate({ timeout: 2 }).catch(({ code }) => console.log(code));
    }
    await stop();`,
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(stdout, "ERR_SCRIPT_EXECUTION_TIMEOUT\n".repeat(20));
  contents(folder.path("middle.out"));
});

test("what a module runs at once counts as a script that may be stopped", async () => {
  const { stdout, stderr } = await runNode([
    ...FLAGS,
    "--input-type=module",
    "--eval",
    `import vm from "node:vm";
    import { aroundStoppable } from ${JSON.stringify(new URL("../probe/terminations.js", import.meta.url))};
    globalThis.inside = 0;
    const undo = aroundStoppable(() => (inside++, () => inside--));
    const told = [];
    const evaluate = async (code, options) => {
      const module = new vm.SourceTextModule(code);
      await module.link(() => {});
      await module.evaluate(options).catch(({ code, message }) => told.push(code ?? message));
      told.push(globalThis.at, inside);
    };
    await evaluate("globalThis.at = inside; await 1;", { timeout: 1_000 });
    await evaluate("globalThis.at = inside", { breakOnSigint: true });
    await evaluate("globalThis.at = inside; throw new Error('mine')", { timeout: 1_000 });
    await evaluate("globalThis.at = inside; for (;;);", { timeout: 10 });
    await evaluate("globalThis.at = inside", { timeout: "never" });
    await evaluate("globalThis.at = inside");
    for (const one of undo) one();
    await evaluate("globalThis.at = inside", { timeout: 1_000 });
    console.log(told.join(" "));`,
  ]);
  assert.equal(stderr, "");
  assert.equal(
    stdout,
    "1 0 1 0 mine 1 0 ERR_SCRIPT_EXECUTION_TIMEOUT 1 0 ERR_INVALID_ARG_TYPE 1 0 0 0 0 0\n",
  );
});

test("an exit in the middle of such a script, and an inspector of its own, do not wait", async () => {
  for (const last of [
    "process.exit(3)",
    'new (require("node:inspector").Session)().connect(); process.exit(3)',
  ]) {
    const { code, signal } = await runRecorded(
      folder,
      "exits",
      `globalThis.last = () => { const end = Date.now() + 1_500; while (Date.now() < end); ${last}; };
      require("node:vm").runInThisContext("last()", { timeout: 50_000 });`,
      { killAfter: HANG_MS, signal: "SIGKILL" },
    );
    assert.deepEqual([code, signal], [3, null], last);
  }
});

test("a script waits for requests that are under way, but not for ever, and is counted while it runs", () => {
  const page = createPage(0);
  const undo = guardScripts(() => [page]);
  const inside = (): number => Atomics.load(page, Word.Stoppable);
  const run = (code: string, options?: object): unknown =>
    vm.runInContext(code, vm.createContext({ inside, run }), options);
  try {
    assert.equal(run("inside()", { timeout: 1_000 }), 1);
    assert.equal(run("run('inside()', { timeout: 1_000 })", { breakOnSigint: true }), 2);
    assert.equal(run("inside()"), 0);
    assert.throws(() => run("throw new Error('mine')", { timeout: 1_000 }), /mine/);
    assert.equal(inside(), 0);
    Atomics.store(page, Word.Asked, 2);
    const waits = (): boolean => {
      const begin = performance.now();
      assert.equal(run("inside()", { timeout: 1_000 }), 1);
      return performance.now() - begin > 90;
    };
    assert.ok(waits());
    assert.ok(waits(), "nobody has answered yet");
    answered(page);
    answered(page);
    assert.ok(!waits());
    Atomics.add(page, Word.Asked, 1);
    assert.ok(waits(), "the next request counts as the first did");
    answered(page);
  } finally {
    undo();
  }
  assert.equal(run("inside()", { timeout: 1_000 }), 0);
});
