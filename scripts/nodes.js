/**
 * The recorder's tests on other releases of Node.js than the one at hand. Which ones stands in test/nodes/package.json;
 * they are npm packages, installed there on demand. Where that fails (no registry, no package for this machine) each
 * release counts as skipped.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { installIn, ROOT } from "./setup.js";

const FOLDER = join(ROOT, "test", "nodes");
/** Parts of the names of the tests that depend on how Node behaves: what records, and what spawns programs. */
const TESTS = [
  "recorder/",
  "probe/",
  "instrument/",
  "loader/",
  "integrations/",
  "pprof-http/",
  "cli/run",
  "test/programs",
  "test/frames",
  "test/truth",
  "test/third-party",
];
/** The tests of published packages take minutes: they run on the Node at hand, and on this one. */
const PACKAGES_NODE = "24.";
const PACKAGES = ["--all", "test/packages"];

/**
 * Runs the tests on each release, one after the other, prints what failed, and answers the sums. Leaves out the version
 * that RUNTRACE_TESTED names: `npm test` has just run on it.
 */
export async function testOnNodes() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const all = releases();
  // npm takes optional packages that it could not reach for installed: begin anew then.
  if (!all.every(({ node }) => existsSync(node))) {
    rmSync(join(FOLDER, "node_modules"), { recursive: true, force: true });
    installIn(FOLDER);
  }
  for (const { version, node } of all) {
    if (version === process.env.RUNTRACE_TESTED) continue;
    if (!existsSync(node)) {
      counts.skipped++;
      process.stdout.write(`Node ${version}: skipped, it cannot be installed here\n`);
      continue;
    }
    const suites = version.startsWith(PACKAGES_NODE) ? [TESTS, PACKAGES] : [TESTS];
    for (const tests of suites) {
      const found = await testOn(node, tests, `Node ${version}: `);
      for (const key of Object.keys(counts)) counts[key] += found[key];
    }
  }
  return counts;
}

/** The releases and their executables, which may be missing. */
function releases() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8"));
  const machine = `-${process.platform}-${process.arch}`;
  const versions = new Map();
  for (const [name, specifier] of Object.entries(optionalDependencies)) {
    const release = name.slice(0, name.indexOf("-"));
    const version = specifier.slice(specifier.lastIndexOf("@") + 1);
    versions.set(version, join(FOLDER, "node_modules", release + machine, "bin", "node"));
  }
  return [...versions].map(([version, node]) => ({ version, node }));
}

/** Runs the test script itself on that Node, which is also the `node` of PATH there; its last line is the sum. */
async function testOn(node, tests, title) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const child = spawn(node, [join(ROOT, "scripts", "test.js"), ...tests], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", 2],
  });
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) output += chunk;
  const sum = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\n$/m.exec(output);
  if (sum === null) {
    process.stdout.write(`\nFAILED ${title}the tests did not run to their end\n${output}\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // The sum of this Node alone stands behind its name, so that the last line of all is the only one of its form.
  process.stdout.write(
    `${output.slice(0, sum.index).replaceAll(/^FAILED /gm, `FAILED ${title}`)}${title}${sum[0]}`,
  );
  return { passed: Number(sum[1]), failed: Number(sum[2]), skipped: Number(sum[3] ?? 0) };
}
