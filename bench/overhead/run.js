/**
 * Measures what recording costs; README.md says how. Prints a markdown table a scenario on stdout, progress on stderr.
 *
 *     node bench/overhead/run.js [--node PATH]… [--scenario a,b,…] [--rounds N] [--quick] [--competitors] [--split]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installIn, setUp } from "../../scripts/setup.js";
import { Load } from "./load-process.js";
import { splitTable, table } from "./report.js";
import { SCENARIOS } from "./scenarios.js";

/** Rounds of a scenario: enough for an interval of one or two percent on a quiet machine. */
const ROUNDS = { a: 60, b: 60, c: 60, d: 60, e: 30, f: 20 };
const QUICK_ROUNDS = 6;

const { values: options } = parseArgs({
  options: {
    node: { type: "string", multiple: true, default: [process.execPath] },
    scenario: { type: "string", default: "a,b,c,d,e,f" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    competitors: { type: "boolean", default: false },
    split: { type: "boolean", default: false },
  },
});
const keys = options.scenario.split(",");
for (const key of keys) if (!(key in SCENARIOS)) stop(`scenario: got ${key}, want ${Object.keys(SCENARIOS)}`);
if (options.rounds !== undefined && !/^[1-9]\d*$/.test(options.rounds)) stop(`rounds: got ${options.rounds}`);
if (!existsSync("/proc/self/schedstat")) stop("this needs /proc/PID/task/TID/schedstat: Linux");

setUp();
if (!installIn(import.meta.dirname)) stop("cannot install the packages of bench/overhead");
process.stdout.write(`Machine: ${cpus().length} x ${cpus()[0]?.model.trim()}\n\n`);
for (const node of options.node) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim();
  if (!version) stop(`node: cannot run ${node}`);
  for (const key of keys) {
    for (const group of await measured(key, node)) {
      const titled = { ...group, title: `Node ${version}, ${group.title}` };
      process.stdout.write(`${table(titled)}\n`);
      if (options.split && group.series?.[0]?.split !== undefined)
        process.stdout.write(`${splitTable(titled)}\n`);
    }
  }
}

/** The measurements of one scenario; its files are gone afterwards. */
async function measured(key, node) {
  const scratch = mkdtempSync(join(tmpdir(), "runtrace-bench-"));
  const rounds = Number(options.rounds ?? (options.quick ? QUICK_ROUNDS : ROUNDS[key]));
  let load;
  try {
    return await SCENARIOS[key]({
      node,
      scratch,
      rounds,
      warmUps: options.quick ? 5 : 20,
      competitors: options.competitors,
      load: () => (load ??= new Load()),
      progress: (title, round) => process.stderr.write(`${title}: round ${round + 1} of ${rounds}\n`),
    });
  } finally {
    load?.end();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

function stop(reason) {
  process.stderr.write(`bench: ${reason}\n`);
  process.exit(1);
}
