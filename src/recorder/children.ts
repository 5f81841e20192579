import child_process from "node:child_process";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { imitate, replace, shareReplaced } from "../probe/replace.ts";
import { RUN_VARIABLE, isRestricted, withPreload } from "./environment.ts";
import type { RunMessage } from "./environment.ts";

/**
 * `run --children`: the Node children of a recorded process are recorded, too, each into the next free file of the run.
 * The program's own environment stays as it is; what its children get is added where they are started. Every
 * asynchronous way to start one ends in the method `spawn` of ChildProcess, which is given the environment as a list;
 * the synchronous ones are three functions, which take it as an option.
 */

/** Under which the program's Workers find it, by worker_threads' environment data. */
const CHILDREN_KEY = "runtrace:children";

type Spawn = (this: unknown, options: { envPairs?: string[]; args?: unknown }) => unknown;
type SpawnSync = (this: unknown, ...args: unknown[]) => unknown;
type Env = Readonly<Record<string, string | undefined>>;

/** The children that this isolate starts from here on are recorded as `message` says. */
export function recordChildren(message: RunMessage): void {
  const told = JSON.stringify(message);
  setEnvironmentData(CHILDREN_KEY, told);
  const { prototype } = child_process.ChildProcess as unknown as { prototype: { spawn: Spawn } };
  const original = prototype.spawn;
  const spawn: Spawn = function (options) {
    if (Array.isArray(options?.envPairs) && !isRestricted(wordsOf(options.args).slice(1)))
      options.envPairs = withRecorder(options.envPairs, told);
    return Reflect.apply(original, this, [options]);
  };
  replace(prototype, "spawn", imitate(original, spawn));
  for (const name of ["spawnSync", "execFileSync", "execSync"] as const) {
    const sync = child_process[name] as SpawnSync;
    const wrapper: SpawnSync = function (...args) {
      return Reflect.apply(sync, this, withOptions(args, name !== "execSync", told));
    };
    replace(child_process, name, imitate(sync, wrapper));
  }
  shareReplaced();
}

/** In a Worker of a process whose children are recorded. */
export function recordChildrenHere(): void {
  const told = getEnvironmentData(CHILDREN_KEY) as unknown;
  if (typeof told === "string") recordChildren(JSON.parse(told) as RunMessage);
}

/** The words of a list of arguments. */
function wordsOf(args: unknown): string[] {
  return Array.isArray(args) ? args.map(String) : [];
}

function withRecorder(pairs: string[], told: string): string[] {
  const isOption = (pair: string): boolean => pair.startsWith("NODE_OPTIONS=");
  const own = pairs.find(isOption)?.slice("NODE_OPTIONS=".length);
  if (isRestricted([], own)) return pairs;
  const others = pairs.filter((pair) => !isOption(pair) && !pair.startsWith(`${RUN_VARIABLE}=`));
  return [...others, `NODE_OPTIONS=${withPreload(own)}`, `${RUN_VARIABLE}=${told}`];
}

/** The arguments of a call, with the environment that they stand for. `listed`: a list of arguments may come second. */
function withOptions(args: readonly unknown[], listed: boolean, told: string): unknown[] {
  const [first, second] = args;
  const hasList =
    listed && args.length > 1 && (Array.isArray(second) || second === undefined || second === null);
  const at = hasList ? 2 : 1;
  const options = args[at];
  const complete = [...args];
  // What Node refuses it shall refuse.
  if (options !== undefined && (typeof options !== "object" || options === null)) return complete;
  // Node's own rule: of the options what is their own, of the environment, if that is any, also what it inherits.
  const own = { ...(options as { env?: Env } | undefined) };
  const given = own.env || (process.env as Env);
  const env: Record<string, string | undefined> = {};
  for (const variable in given) env[variable] = given[variable];
  const nodeOptions = env["NODE_OPTIONS"];
  // execSync's command is one text.
  const words = listed ? wordsOf(second) : [` ${String(first)}`];
  if (isRestricted(words, nodeOptions)) return complete;
  env["NODE_OPTIONS"] = withPreload(nodeOptions);
  env[RUN_VARIABLE] = told;
  complete[at] = { ...own, env };
  return complete;
}
