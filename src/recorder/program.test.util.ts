/** Small programs run as they are, or with the recorder preloaded, for the tests of this folder. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judged } from "../testing/go.ts";

export const REGISTER = fileURLToPath(new URL("../register.js", import.meta.url));
/** What `run` preloads. */
export const PRELOAD = fileURLToPath(new URL("../preload.cjs", import.meta.url));

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

/** A folder of its own for a test, gone with `remove`. */
export function scratch(): { readonly path: (name: string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-test-"));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs `node ARGS…` with nothing of the test's own Node options. `killAfter`: ms until it gets `signal`. */
export function runNode(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly cwd?: string;
    readonly killAfter?: number;
    readonly signal?: NodeJS.Signals;
  } = {},
): Promise<Ending> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...env, ...options.env },
      cwd: options.cwd ?? process.cwd(),
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    if (options.killAfter !== undefined)
      setTimeout(() => child.kill(options.signal), options.killAfter).unref();
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr, pid: child.pid ?? 0 }));
  });
}

/** Writes `source` as a CommonJS program and runs it recorded into `out`. */
export function runRecorded(
  folder: { readonly path: (name: string) => string },
  name: string,
  source: string,
  options: Parameters<typeof runNode>[1] & { readonly out?: string; readonly flags?: readonly string[] } = {},
): Promise<Ending & { readonly out: string }> {
  const file = folder.path(`${name}.cjs`);
  writeFileSync(file, source);
  const out = options.out ?? folder.path(`${name}.out`);
  const env = { ...options.env, RUNTRACE_OUT: out, NODE_OPTIONS: `--require ${PRELOAD}` };
  return runNode([...(options.flags ?? []), file], { ...options, env }).then((ending) => ({
    ...ending,
    out,
  }));
}

/** What a trace holds, as far as these tests ask. */
export interface Contents {
  /** Messages of the category `runtrace`. */
  readonly notes: readonly Record<string, unknown>[];
  /** `CATEGORY: MESSAGE` of the program's logs. */
  readonly logs: readonly string[];
  /** `go tool trace -d=parsed`: all events. */
  readonly text: string;
}

/** Reads a trace; throws where it is broken, by Go's verdict or, where there is no Go, by ours. */
export function contents(file: string): Contents {
  const header = readFileSync(file).subarray(0, 13).toString("latin1");
  if (!/^go 1\.2\d trace/.test(header)) throw new Error(`got "${header}", want a trace`);
  const text = judged(file);
  const notes: Record<string, unknown>[] = [];
  const logs: string[] = [];
  for (const [, category = "", message = ""] of text.matchAll(
    / Log .*Category="([^"]*)" Message="(.*)"$/gm,
  )) {
    const plain = JSON.parse(`"${message}"`) as string;
    if (category === "runtrace") notes.push(JSON.parse(plain) as Record<string, unknown>);
    else logs.push(`${category}: ${plain}`);
  }
  return { notes, logs, text };
}

/** Runs `jobs` two at a time, in order. */
export async function byTwo<T>(jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]!();
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}
