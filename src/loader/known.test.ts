import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, run } from "./program.test.util.ts";

const ASYNC = "const f = async () => { await 1; };";

/** What differs, as docs/transparency.md says: what a program prints alone and through the loader. */
const TABLE: Readonly<Record<string, readonly [text: string, alone: RegExp, loaded: RegExp]>> = {
  "the limit of stacks inside of a module's body": [
    "console.log(Error.stackTraceLimit); setTimeout(() => console.log(Error.stackTraceLimit));",
    /^10\n10\n$/,
    /^13\n10\n$/,
  ],
  "a limit set inside of a module's body": [
    "Error.stackTraceLimit = 4; console.log(new Error('x').stack.split('\\n').length);",
    /^5\n$/,
    /^4\n$/,
  ],
  "functions printed by another realm": [
    `${ASYNC} console.log(require("vm").runInNewContext("Function.prototype.toString.call(f)", { f }));`,
    /^async \(\) => \{ await 1; \}\n$/,
    /__runtrace/,
  ],
  "the line of a value that is no error": [
    `${ASYNC} throw 5;`,
    /^\s*\S+\nconst f = async \(\) => \{ await 1; \}; throw 5;\n/,
    /__runtrace/,
  ],
  "the line of an error that is thrown elsewhere than it was made": [
    `const e = new Error("x");\n${ASYNC} throw e;`,
    /^\S+\nconst f = async \(\) => \{ await 1; \}; throw e;\n/m,
    /__runtrace/,
  ],
  "what the formatter of stacks is": [
    "const mine = () => 1; Error.prepareStackTrace = mine; console.log(Error.prepareStackTrace === mine);",
    /^true\n$/,
    /^false\n$/,
  ],
  "the formatter of stacks when there is none": [
    "Error.prepareStackTrace = undefined; console.log(typeof Error.prepareStackTrace);",
    /^undefined\n$/,
    /^function\n$/,
  ],
  "the position of a call": [
    `Error.prepareStackTrace = (e, trace) => trace[0].getPosition(); ${ASYNC} console.log(new Error().stack < 200);`,
    /^true\n$/,
    /^false\n$/,
  ],
  "the message of a loop over what is not iterable": [
    `(async () => { for (const x of await 1); })().catch((e) => console.log(e.message));`,
    /^\(intermediate value\) is not iterable\n$/,
    /is not iterable\n$/,
  ],
};

for (const [what, [text, alone, loaded]] of Object.entries(TABLE)) {
  test(`known to differ: ${what}`, async (t) => {
    const folder = folderOf(t, { "main.cjs": text });
    const plain = await run(folder, ["main.cjs"], null);
    assert.match(plain.stdout + plain.stderr, alone);
    const got = await run(folder, ["main.cjs"], { mode: "quiet" });
    assert.match(got.stdout + got.stderr, loaded);
    assert.equal(got.end, plain.end);
  });
}
