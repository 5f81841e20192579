import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { readSites } from "../base/sites.ts";
import type { Site } from "../base/sites.ts";
import type { Setting } from "./preload.test.util.ts";

const PRELOAD = fileURLToPath(new URL("./preload.test.util.js", import.meta.url));

/** What a run did. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code or signal. */
  readonly end: number | string;
}

/** A folder with the files given, removed when the test ends. */
export function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-loader-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Runs `node ARGS` in a folder as it is, or with the loader. */
export function run(
  cwd: string,
  args: readonly string[],
  setting: Setting | null,
  more: { input?: string; env?: NodeJS.ProcessEnv; node?: string } = {},
): Promise<Ran> {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = { ...process.env, ...more.env };
  if (setting !== null) {
    env["LOADER_TEST"] = JSON.stringify(setting);
    const first = env["NODE_OPTIONS_FIRST"];
    env["NODE_OPTIONS"] = `${first === undefined ? "" : `--require ${first} `}--require ${stub(cwd)}`;
  }
  return new Promise((resolve) => {
    const child = execFile(more.node ?? process.execPath, args, { cwd, env }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, end: error === null ? 0 : (error.code ?? error.signal ?? "?") });
    });
    child.stdin?.end(more.input ?? "");
  });
}

/** A file that preloads, but not in the thread of module hooks, where Node 22 cannot require an ES module. */
function stub(folder: string): string {
  const file = join(folder, ".preload.cjs");
  const text = `const { isMainThread, parentPort } = require("node:worker_threads");\nif (isMainThread || parentPort !== null) require(${JSON.stringify(PRELOAD)});\n`;
  writeFileSync(file, text);
  return file;
}

/** The sites of the files that were run, by the end of their names, from the log of a run. */
export function sitesIn(log: string): Map<string, Site[]> {
  const sites = new Map<string, Site[]>();
  for (const line of readFileSync(log, "utf8").trimEnd().split("\n")) {
    const [file, text] = line.split("\t");
    sites.set(file!.replace(/^.*\//, ""), readSites(text!));
  }
  return sites;
}
