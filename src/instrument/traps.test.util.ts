/**
 * Runs trap programs in this process, one after the other: `node traps.test.util.js FOLDER MODE`, where MODE is plain,
 * quiet or noting. Prints what they print. In noting mode the order of the runtime's calls is checked for every frame.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "node:util";
import { NotingRuntime, QuietRuntime } from "./runtime.ts";
import type { Note } from "./runtime.ts";
import { originalColumn, strip } from "./transform.ts";

/** Global name of the runtime in tests. */
export const RUNTIME = "__runtrace_test";

/** What a frame may be told, by its state: the state that follows. */
const FOLLOWS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  running: {
    block: "blocked",
    iterate: "iterating",
    produce: "produced",
    caught: "running",
    tail: "running",
    end: "ended",
  },
  blocked: { resume: "running", caught: "running", iterate: "iterating", end: "ended" },
  // A pattern with an await in it takes the value of a pass before the pass begins.
  iterating: { caught: "running", next: "running", iterate: "iterating", block: "blocked", end: "ended" },
  produced: { next: "running", caught: "running", iterate: "iterating", end: "ended" },
  ended: {},
};

/** A `Note` that throws where a frame is told something that cannot happen in its state, and counts. */
export function frameChecker(): { readonly note: Note; readonly counts: Map<string, number> } {
  const states = new Map<number, string>();
  const counts = new Map<string, number>();
  const note: Note = (what, frame, site) => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
    if (what === "module" || what === "settler" || what === "settle" || what === "executed") return;
    const state = states.get(frame) ?? "new";
    // In a catch clause's pattern an await comes before the clause can say that the frame runs.
    if (what === "block" && state === "blocked") {
      counts.set("unseen", (counts.get("unseen") ?? 0) + 1);
      return;
    }
    const next = what === "call" && state === "new" ? "running" : FOLLOWS[state]?.[what];
    if (next === undefined) throw new Error(`got ${what} of frame ${frame} at ${site} while it is ${state}`);
    states.set(frame, next);
  };
  return { note, counts };
}

/** Makes the runtime's global of a value. */
export function installRuntime(runtime: object): void {
  Object.defineProperty(globalThis, RUNTIME, { value: runtime, configurable: true });
}

function printed(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Logs 1 to n, one a microtask. */
function ticks(n: number): void {
  let promise = Promise.resolve();
  for (let i = 1; i <= n; i++) promise = promise.then(() => printed(`tick ${i}`));
}

/** Message of an error and its frames in trap programs, with the columns of the original text. */
function where(error: Error): string[] {
  const frames: string[] = [];
  for (const line of String(error.stack).split("\n")) {
    const match = /^ +at (.*?)\(?(file:\/\/\S+|\/\S+?):(\d+):(\d+)\)?$/.exec(line);
    if (match === null || line.includes("traps.test.util")) continue;
    const [, name, file, row, column] = match;
    const path = file!.startsWith("file:") ? fileURLToPath(file!) : file!;
    const text = readFileSync(path, "utf8").split(/\r\n?|[\n\u2028\u2029]/)[Number(row) - 1]!;
    frames.push(`${name!.trim()} ${row}:${originalColumn(text, Number(column))}`);
  }
  return [error.message, ...frames];
}

async function main(folder: string, mode: string): Promise<void> {
  const checker = frameChecker();
  if (mode !== "plain") {
    installRuntime(mode === "noting" ? new NotingRuntime(checker.note) : new QuietRuntime());
    const toString = Function.prototype.toString;
    const stripped = {
      toString(this: unknown): string {
        return strip(toString.call(this));
      },
    };
    // As the recorder does it; it is the program's own process.
    // oxlint-disable-next-line no-extend-native
    Object.defineProperty(Function.prototype, "toString", { value: stripped.toString });
  }
  const log = (...values: unknown[]): void => printed(format(...values));
  Object.assign(globalThis, { log, ticks, where });
  process.on("unhandledRejection", (reason) =>
    log("unhandled", reason instanceof Error ? reason.message : reason),
  );

  for (const name of readdirSync(folder).sort()) {
    if (!/\.[cm]js$/.test(name)) continue;
    printed(`== ${name}`);
    const module = (await import(pathToFileURL(join(folder, name)).href)) as { default?: unknown };
    await module.default;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  if (mode === "noting") process.stderr.write(JSON.stringify(Object.fromEntries(checker.counts)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void main(process.argv[2]!, process.argv[3]!);
