/**
 * Runs the tests: set-up, format, lint, then every *.test.js of the build; with --all the *.slow.test.js and the
 * recorder's tests on other releases of Node.js; with --nodes only the latter.
 * Prints what failed and, last, a plain line "N passed, N failed" (", N skipped" where something was skipped).
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { testOnNodes } from "./nodes.js";
import { installIn, ROOT, setUp } from "./setup.js";

const all = process.argv.includes("--all");
const nodesOnly = process.argv.includes("--nodes");
const only = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const counts = { passed: 0, failed: 0, skipped: 0 };

setUp();
// Where they cannot be installed, their tests count as skipped.
if (all) installIn(join(ROOT, "test", "packages"));
if (only.length === 0 && !all && !nodesOnly) {
  check("format", ["node_modules/oxfmt/bin/oxfmt", "--check", "."]);
  check("lint", ["node_modules/oxlint/bin/oxlint", "--deny-warnings"]);
}

const files = readdirSync(join(ROOT, "dist"), { recursive: true, encoding: "utf8" })
  .filter((name) => !nodesOnly && (all ? /\.slow\.test\.js$/ : /(?<!\.slow)\.test\.js$/).test(name))
  .filter((name) => only.length === 0 || only.some((part) => name.includes(part)))
  .map((name) => join(ROOT, "dist", name))
  .sort();

if (files.length > 0) {
  const stream = run({ files, concurrency: 2, timeout: all ? 1_800_000 : 180_000 });
  stream.on("test:pass", (event) => count(event, "passed"));
  stream.on("test:fail", (event) => {
    if (!count(event, "failed")) return;
    const error = event.details.error;
    const cause = error?.cause ?? error;
    process.stdout.write(
      `\nFAILED ${event.file ?? ""}\n  ${event.name}\n${indent(String(cause?.stack ?? cause))}\n`,
    );
  });
  await new Promise((resolve) => {
    stream.on("end", resolve);
    stream.resume();
  });
}
if (nodesOnly || (all && only.length === 0)) {
  for (const [key, number] of Object.entries(await testOnNodes())) counts[key] += number;
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
process.exitCode = counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0;

/** Counts a test; suites, and files that only wrap their tests, are not tests. */
function count(event, result) {
  const wraps = files.includes(event.name) || event.details.type === "suite";
  const subtestsFailed = event.details.error?.failureType === "subtestsFailed";
  if (wraps && (result === "passed" || subtestsFailed)) return false;
  if (subtestsFailed) return false;
  if (event.skip !== undefined) counts.skipped++;
  else counts[result]++;
  return true;
}

function check(name, args) {
  const done = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  if (done.status === 0) counts.passed++;
  else {
    counts.failed++;
    process.stdout.write(`\nFAILED ${name}\n${indent(done.stdout + done.stderr)}\n`);
  }
}

function indent(text) {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
