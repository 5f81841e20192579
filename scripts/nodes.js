/**
 * The recorder's tests on other releases of Node.js than the one at hand. Which ones stands in test/nodes/package.json;
 * they are npm packages, installed there on demand. Where that fails (no registry, no package for this machine) each
 * release counts as skipped.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { ROOT } from "./setup.js";

const FOLDER = join(ROOT, "test", "nodes");
/** Parts of the names of the tests that depend on how Node behaves: what records, and what spawns programs. */
const TESTS = ["recorder/", "probe/", "instrument/", "cli/run", "test/programs", "test/third-party"];

/** Runs the tests on each release, one after the other, prints what failed, and answers the sums. */
export async function testOnNodes() {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { version, node } of await releases()) {
    if (!existsSync(node)) {
      counts.skipped++;
      process.stdout.write(`Node ${version}: skipped, it cannot be installed here\n`);
      continue;
    }
    const found = await testOn(node, TESTS, `Node ${version}: `);
    for (const key of Object.keys(counts)) counts[key] += found[key];
  }
  return counts;
}

/** The releases and their executables, which may be missing. */
async function releases() {
  const { optionalDependencies } = JSON.parse(readFileSync(join(FOLDER, "package.json"), "utf8"));
  const machine = `-${process.platform}-${process.arch}`;
  const versions = new Map();
  for (const [name, specifier] of Object.entries(optionalDependencies)) {
    const release = name.slice(0, name.indexOf("-"));
    const version = specifier.slice(specifier.lastIndexOf("@") + 1);
    versions.set(version, join(FOLDER, "node_modules", release + machine, "bin", "node"));
  }
  const all = [...versions].map(([version, node]) => ({ version, node }));
  if (all.some(({ version, node }) => versionOf(node) !== version)) {
    spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: FOLDER, stdio: ["ignore", 2, 2] });
  }
  return all;
}

function versionOf(node) {
  return spawnSync(node, ["-p", "process.versions.node"], { encoding: "utf8" }).stdout?.trim();
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
