import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { StartOptions } from "./options.ts";

/**
 * How the preload gets into a process, and out of its sight again. `run` puts it into NODE_OPTIONS with --require (an
 * --import would change how Node loads a CommonJS program, and the order of its first ticks), and its own options into
 * one variable; the preload takes both away before any code of the program runs.
 */
export const RUN_VARIABLE = "RUNTRACE_RUN";

/** What `run` tells the recorded process. */
export interface RunMessage {
  /** The trace file, with %p for the pid. */
  readonly out: string;
  readonly options: StartOptions;
  /** Globs of files that are transformed (none: all), and that are not. */
  readonly loader: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  /** The Node children of the process are recorded, too. */
  readonly children: boolean;
  /** Tests are tasks. */
  readonly tests: boolean;
  /** A folder of this run: each process claims the next number in it, and says there what it wrote. */
  readonly claims: string;
}

const REGISTER = fileURLToPath(new URL("../register.js", import.meta.url));
/** Requires it, but in Node's thread of module hooks: Node 22 cannot require an ES module there, and ends the program. */
const PRELOAD = fileURLToPath(new URL("../preload.cjs", import.meta.url));

/** Where the process of that number says which of its tests have failed. */
export function failuresOf(claims: string, number: number): string {
  return join(claims, `${number}.failed`);
}

/** Command-line options that preload the recorder. */
export function preloadOptions(): string[] {
  return ["--require", PRELOAD];
}

/** NODE_OPTIONS with the preload in front of what the user has there. */
export function withPreload(nodeOptions: string | undefined): string {
  const option = `--require ${quote(PRELOAD)}`;
  return nodeOptions === undefined || nodeOptions === "" ? option : `${option} ${nodeOptions}`;
}

/**
 * Whether a command line asks for Node's permission model, or NODE_OPTIONS: it forbids a preload's file and its thread,
 * so the program would not even start. Of `words`, which may hold a shell's whole command, what is behind a script is its own.
 */
export function isRestricted(words: readonly string[], nodeOptions = ""): boolean {
  const own = words.findIndex((word, i) => /^[^\s-]\S*$/.test(word) && !TAKES_VALUE.has(words[i - 1] ?? ""));
  const options = [...(own < 0 ? words : words.slice(0, own)), nodeOptions].join(" ");
  return /(?:^|\s)--(?:experimental-)?permission(?:=true)?(?=\s|$)/.test(options);
}

/** Options of Node's whose value may be a word of its own. */
const TAKES_VALUE = new Set([
  "-r",
  "--require",
  "--import",
  "--loader",
  "--experimental-loader",
  "-C",
  "--conditions",
]);

/** NODE_OPTIONS as they were without the preload; undefined where nothing else was there. */
export function withoutPreload(nodeOptions: string): string | undefined {
  const tokens = tokenize(nodeOptions);
  const kept = tokens.filter(
    (_, i) =>
      !isPreloadAt(
        tokens.map(({ value }) => value),
        i,
      ),
  );
  if (kept.length === tokens.length) return nodeOptions;
  return kept.length === 0 ? undefined : kept.map(({ source }) => source).join(" ");
}

/** Removes the preload's options from an argument list, in place. */
export function removePreload(execArgv: string[]): void {
  const kept = execArgv.filter((_, i) => !isPreloadAt(execArgv, i));
  if (kept.length !== execArgv.length) execArgv.splice(0, execArgv.length, ...kept);
}

/** Whether word i is an option that preloads this package, or the value of one. */
function isPreloadAt(words: readonly string[], i: number): boolean {
  const word = words[i]!;
  const joined = /^(?:--require|--import)=(.*)$/s.exec(word);
  if (joined !== null) return isRegister(joined[1]!);
  if (isPreloadOption(word)) return words[i + 1] !== undefined && isRegister(words[i + 1]!);
  return i > 0 && isPreloadOption(words[i - 1]!) && isRegister(word);
}

function isPreloadOption(word: string): boolean {
  return word === "--require" || word === "-r" || word === "--import";
}

function isRegister(specifier: string): boolean {
  if (specifier === "runtrace/register") return true;
  try {
    const file = specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier;
    if (file === REGISTER || file === PRELOAD) return true;
    const { href } = pathToFileURL(realpathSync(file));
    return href === pathToFileURL(REGISTER).href || href === pathToFileURL(PRELOAD).href;
  } catch {
    return false;
  }
}

/** A word of NODE_OPTIONS that Node reads back as `value`. */
function quote(value: string): string {
  return /[\s"\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

/** Node's own rule: words end at spaces, double quotes hold them together, a backslash escapes inside quotes only. */
function tokenize(text: string): { value: string; source: string }[] {
  const tokens: { value: string; source: string }[] = [];
  let value = "";
  let start = -1;
  let quoted = false;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === undefined || (c === " " && !quoted)) {
      if (start >= 0) tokens.push({ value, source: text.slice(start, i) });
      value = "";
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (c === "\\" && quoted && i + 1 < text.length) value += text[++i];
    else if (c === '"') quoted = !quoted;
    else value += c;
  }
  return tokens;
}

/** Takes the preload and `run`'s variable out of the environment and the arguments; answers what `run` said. */
export function restoreEnvironment(): RunMessage | undefined {
  const { env } = process;
  removePreload(process.execArgv);
  const message = env[RUN_VARIABLE];
  if (message !== undefined) delete env[RUN_VARIABLE];
  const nodeOptions = env.NODE_OPTIONS;
  if (nodeOptions !== undefined) {
    const without = withoutPreload(nodeOptions);
    if (without === undefined) delete env.NODE_OPTIONS;
    else if (without !== nodeOptions) env.NODE_OPTIONS = without;
  }
  return message === undefined ? undefined : (JSON.parse(message) as RunMessage);
}

/**
 * Whether the preload stays where the user has put it, so that Node hands it on to child processes, as it does each: they
 * are ready as their parent is, or write files of their own. One file without %p is for one process, and what `run` has
 * put there is its own.
 */
export function isForChildren(env: NodeJS.ProcessEnv): boolean {
  if (env[RUN_VARIABLE] !== undefined) return false;
  return (
    env["RUNTRACE_FLIGHT"] !== undefined ||
    env["RUNTRACE_MODE"] === "dormant" ||
    env["RUNTRACE_OUT"]?.includes("%p") === true
  );
}

/** Whether the process only starts others: npm, npx, pnpm, yarn, corepack, and tsx's command. */
export function isLauncher(script: string | undefined): boolean {
  if (script === undefined) return false;
  let real = script;
  try {
    real = realpathSync(script);
  } catch {
    // Not a file: judge the name as it is.
  }
  const path = real.replaceAll("\\", "/");
  return (
    /\/node_modules\/(?:npm|pnpm|corepack|yarn|@yarnpkg\/[^/]+)\/(?:bin|dist|lib)\//.test(path) ||
    /\/(?:npm-cli|npx-cli|pnpm|pnpx|yarn|yarnpkg|yarn-[\d.]+)\.c?js$/.test(path) ||
    /\/tsx\/dist\/cli\.[cm]?js$/.test(path)
  );
}
