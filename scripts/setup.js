/** What the other scripts need before they can work: installed packages and an up-to-date build. Node only. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILT = join(ROOT, "dist", ".built");

/** Installs the locked packages unless they are there, and builds unless the build is newer than every source. */
export function setUp() {
  if (!isInstalled(ROOT)) step("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (!isBuilt()) step(process.execPath, [join(ROOT, "scripts", "build.js")]);
}

/**
 * Installs the locked packages of a folder that has a package.json of its own, unless they are there. Answers whether
 * they are: without a registry they cannot be.
 */
export function installIn(folder) {
  if (isInstalled(folder)) return true;
  const options = { cwd: folder, stdio: ["ignore", 2, 2], shell: process.platform === "win32" };
  return spawnSync("npm", ["ci", "--ignore-scripts", "--loglevel=error"], options).status === 0;
}

/** Runs a command in the project's folder with its output on stderr; ends the process where it fails. */
export function step(command, args) {
  const shell = process.platform === "win32" && command === "npm";
  const done = spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", 2, 2], shell });
  if (done.status === 0) return;
  const why = done.error === undefined ? `exit code ${done.status ?? done.signal}` : done.error.message;
  process.stderr.write(`runtrace: ${command} ${args.join(" ")}: ${why}\n`);
  process.exit(1);
}

function isInstalled(folder) {
  const installed = join(folder, "node_modules", ".package-lock.json");
  return existsSync(installed) && modified(installed) >= modified(join(folder, "package-lock.json")) - 1000;
}

function isBuilt() {
  if (!existsSync(BUILT)) return false;
  const built = modified(BUILT);
  const files = ["package.json", "package-lock.json", "tsconfig.json", "scripts"].map((name) =>
    join(ROOT, name),
  );
  return (
    files.every((file) => newest(file) <= built) &&
    newest(join(ROOT, "src")) <= built &&
    newest(join(ROOT, "test")) <= built
  );
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let time = stat.mtimeMs;
  // Installed packages are no sources.
  const names = readdirSync(path).filter((name) => name !== "node_modules");
  for (const name of names) time = Math.max(time, newest(join(path, name)));
  return time;
}

function modified(file) {
  return statSync(file).mtimeMs;
}
