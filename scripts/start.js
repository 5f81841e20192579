/**
 * `npm start`: records the demo (or, after `--`, the program given), prints the summary and serves the viewer until
 * Ctrl-C. With CI=true or without a terminal it ends after the summary. The trace goes to trace.out in the folder
 * from which it was called.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT, setUp } from "./setup.js";

setUp();
const folder = process.env.INIT_CWD ?? process.cwd();
const trace = join(folder, "trace.out");
const cli = join(ROOT, "dist", "cli.js");
const given = process.argv.slice(2);
const demo = ["node", "--enable-source-maps", join(ROOT, "dist", "demo", "coffee-shop.js")];

const recorded = runtrace(["run", "-o", trace, "--", ...(given.length > 0 ? given : demo)]);
const summarized = runtrace(["summary", trace]);
if (recorded !== 0 || summarized !== 0) process.exit(recorded || summarized);
if (process.env.CI !== "true" && process.stdout.isTTY) process.exit(runtrace(["view", trace]));

function runtrace(args) {
  const done = spawnSync(process.execPath, [cli, ...args], { cwd: folder, stdio: "inherit" });
  return done.status ?? 1;
}
