/**
 * Transforms ES modules through Node's own module hooks: those in this thread where there are any (Node 22.15), else those
 * of the loader thread. Ours must be the outermost, to see the text that other hooks have made: whenever the program
 * registers hooks, ours are registered again behind them.
 */

import nodeModule, { syncBuiltinESMExports } from "node:module";
import { MessageChannel } from "node:worker_threads";
import type { Applier } from "./apply.ts";
import { disguise } from "./disguise.ts";
import { withCode } from "./loaded.ts";
import type { Loaded } from "./loaded.ts";
import type { LoaderOptions } from "./options.ts";
import { keepText, keepTextsFrom } from "./texts.ts";

interface LoadContext {
  readonly conditions?: readonly string[];
}
type NextLoad = (url: string, context?: LoadContext) => Loaded;
interface Hooks {
  readonly load?: (url: string, context: LoadContext, next: NextLoad) => Loaded;
}
interface Registering {
  registerHooks?(hooks: Hooks): { deregister(): void };
  register(...values: unknown[]): unknown;
}

const module = nodeModule as unknown as Registering;
const THREAD = new URL("../loader/thread.js", import.meta.url).href;

export function installModules(applier: Applier, options: LoaderOptions): void {
  if (module.registerHooks === undefined) inLoaderThread(options);
  else inThisThread(module.registerHooks, applier);
}

function inThisThread(original: NonNullable<Registering["registerHooks"]>, applier: Applier): void {
  const hooks: Hooks = {
    load(url, context, next) {
      const loaded = next(url, context);
      // CommonJS goes through Module.prototype._compile, which other loaders may have to see first.
      if (context.conditions?.includes("require") === true) return loaded;
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

function inLoaderThread(options: LoaderOptions): void {
  // oxlint-disable-next-line typescript/unbound-method
  const original = module.register;
  const { port1, port2 } = new MessageChannel();
  keepTextsFrom(port1);
  original(THREAD, { data: { options, port: port2 }, transferList: [port2] });
  replace("register", original, (...values: unknown[]) => {
    const result = original(...values);
    original(THREAD);
    return result;
  });
}

function replace(
  key: keyof Registering,
  original: object,
  replacement: (...values: never[]) => unknown,
): void {
  Object.assign(module, { [key]: disguise(replacement, original) });
  syncBuiltinESMExports();
}
