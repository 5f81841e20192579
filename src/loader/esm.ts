/**
 * Transforms ES modules. Through module hooks in this thread where they leave CommonJS alone: before Node 24.12 and 22.23
 * their mere presence changes how it is imported, and fails beside hooks of the other kind, which run in a thread of their
 * own. That thread takes time to start and shifts the program's thread ids. So before that modules are transformed where
 * Node reads them (reading.ts), which it does in the open until 22.17 and 24.2; where not, and where the program has hooks
 * itself, ours run in that thread, from the moment on when a module may be loaded. What a required ES module imports is
 * out of reach before Node 22.15: those versions read it past hooks and all.
 *
 * Ours must be the outermost, to see the text that other hooks have made: whenever the program registers hooks, ours are
 * registered again behind them.
 */

import fs from "node:fs";
import nodeModule, { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { MessageChannel, isMainThread } from "node:worker_threads";
import type { Applier } from "./apply.ts";
import { disguise } from "./disguise.ts";
import { withCode } from "./loaded.ts";
import type { Loaded } from "./loaded.ts";
import type { LoaderOptions } from "./options.ts";
import { installReading } from "./reading.ts";
import { keepText, keepTextsFrom } from "./texts.ts";

interface LoadContext {
  /** A set in the first versions that have such hooks. */
  readonly conditions?: readonly string[] | ReadonlySet<string>;
}
type NextLoad = (url: string, context?: LoadContext) => Loaded;
interface Hooks {
  readonly load?: (url: string, context: LoadContext, next: NextLoad) => Loaded;
}
interface Registering {
  registerHooks?(hooks: Hooks): { deregister(): void };
  register(...values: unknown[]): unknown;
}

const { readFileSync } = fs;
const module = nodeModule as unknown as Registering;
const THREAD = new URL("../loader/thread.js", import.meta.url).href;

/** Answers what is to be called when ES modules may be loaded soon. */
export function installModules(applier: Applier, options: LoaderOptions): () => void {
  if (module.registerHooks === undefined || !leaveCommonJsAlone()) return withoutHooks(applier, options);
  inThisThread(module.registerHooks, applier);
  return () => {};
}

function nodeVersion(): number {
  const [major, minor] = process.versions.node.split(".");
  return Number(major) * 1000 + Number(minor);
}

/** Whether hooks in this thread do. */
function leaveCommonJsAlone(): boolean {
  const version = nodeVersion();
  return version >= 24_012 || (version >= 22_023 && version < 23_000);
}

/** Whether Node reads modules in the open. */
function readsInTheOpen(): boolean {
  const version = nodeVersion();
  return version < 22_018 || (version >= 24_000 && version < 24_003);
}

function inThisThread(original: NonNullable<Registering["registerHooks"]>, applier: Applier): void {
  const hooks: Hooks = {
    load(url, context, next) {
      const loaded = next(url, context);
      // CommonJS goes through Module.prototype._compile, which other loaders may have to see first.
      if (isRequired(context)) return loaded;
      if (loaded.format?.startsWith("commonjs") === true) return loaded;
      return withCode(loaded, url, (source, file) => {
        const code = applier.apply(source, file, url, loaded.format);
        if (code !== null) keepText(url, code);
        return code;
      });
    },
  };
  let ours = original(hooks);
  replace("registerHooks", original, (...values: [Hooks]) => {
    const theirs = original(...values);
    ours.deregister();
    ours = original(hooks);
    return theirs;
  });
}

function isRequired({ conditions }: LoadContext): boolean {
  if (Array.isArray(conditions)) return conditions.includes("require");
  return (conditions as ReadonlySet<string> | undefined)?.has("require") === true;
}

function withoutHooks(applier: Applier, options: LoaderOptions): () => void {
  // oxlint-disable-next-line typescript/unbound-method
  const original = module.register;
  let registered = false;
  const register = (): void => {
    if (registered) return void original(THREAD);
    registered = true;
    const { port1, port2 } = new MessageChannel();
    keepTextsFrom(port1);
    original(THREAD, { data: { options, port: port2 }, transferList: [port2] });
  };
  const once = (): void => {
    if (!registered) register();
  };
  replace("register", original, (...values: unknown[]) => {
    const result = original(...values);
    register();
    return result;
  });
  if (hasLoaderOption()) once();
  if (readsInTheOpen()) {
    installReading(applier);
    return () => {};
  }
  if (!isMainThread || !isCommonJs(process.argv[1])) once();
  return once;
}

/** Whether hooks were asked for on the command line. */
function hasLoaderOption(): boolean {
  const words = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(/[\s"]+/)];
  return words.some((word) => /^--(?:experimental-)?loader(?:=|$)/.test(word));
}

function replace(
  key: keyof Registering,
  original: object,
  replacement: (...values: never[]) => unknown,
): void {
  Object.assign(module, { [key]: disguise(replacement, original) });
  syncBuiltinESMExports();
}

/** Whether a program's script is CommonJS, unless its text says otherwise. */
function isCommonJs(script: string | undefined): boolean {
  const extension = script === undefined ? "" : path.extname(script);
  if (extension === ".cjs" || extension === ".cts") return true;
  if (script === undefined || extension === ".mjs" || extension === ".mts") return false;
  for (let folder = path.dirname(script); ; folder = path.dirname(folder)) {
    try {
      const { type } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as {
        type?: unknown;
      };
      return type !== "module";
    } catch {
      if (folder === path.dirname(folder)) return true;
    }
  }
}
