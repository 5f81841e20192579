import child_process from "node:child_process";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { imitate, replace, shareReplaced } from "../probe/replace.ts";
import { RUN_VARIABLE, withPreload } from "./environment.ts";
import type { RunMessage } from "./environment.ts";

/**
 * `run --children`: the Node children of a recorded process are recorded, too, each into the next free file of the run.
 * The program's own environment stays as it is; what its children get is added where they are started. Every
 * asynchronous way to start one ends in the method `spawn` of ChildProcess, which is given the environment as a list;
 * the synchronous ones are three functions, which take it as an option.
 */

/** Under which the program's Workers find it, by worker_threads' environment data. */
const CHILDREN_KEY = "runtrace:children";

type Spawn = (this: unknown, options: { envPairs?: string[] }) => unknown;
type SpawnSync = (this: unknown, ...args: unknown[]) => unknown;
type Env = Readonly<Record<string, string | undefined>>;

/** The children that this isolate starts from here on are recorded as `message` says. */
export function recordChildren(message: RunMessage): void {
  const told = JSON.stringify(message);
  setEnvironmentData(CHILDREN_KEY, told);
  const { prototype } = child_process.ChildProcess as unknown as { prototype: { spawn: Spawn } };
  const original = prototype.spawn;
  const spawn: Spawn = function (options) {
    if (Array.isArray(options?.envPairs)) options.envPairs = withRecorder(options.envPairs, told);
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

function withRecorder(pairs: readonly string[], told: string): string[] {
  const isOption = (pair: string): boolean => pair.startsWith("NODE_OPTIONS=");
  const own = pairs.find(isOption)?.slice("NODE_OPTIONS=".length);
  const others = pairs.filter((pair) => !isOption(pair) && !pair.startsWith(`${RUN_VARIABLE}=`));
  return [...others, `NODE_OPTIONS=${withPreload(own)}`, `${RUN_VARIABLE}=${told}`];
}

/** The arguments of a call, with the environment that they stand for. `listed`: a list of arguments may come second. */
function withOptions(args: readonly unknown[], listed: boolean, told: string): unknown[] {
  const [, second] = args;
  const hasList =
    listed && args.length > 1 && (Array.isArray(second) || second === undefined || second === null);
  const at = hasList ? 2 : 1;
  const options = args[at];
  // What Node refuses it shall refuse.
  if (options !== undefined && (typeof options !== "object" || options === null)) return [...args];
  const env = (options as { env?: Env } | undefined)?.env ?? process.env;
  const added = { ...env, NODE_OPTIONS: withPreload(env["NODE_OPTIONS"]), [RUN_VARIABLE]: told };
  const complete = [...args];
  complete[at] = { ...(options as object | undefined), env: added };
  return complete;
}
