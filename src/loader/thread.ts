/**
 * The hooks that Node runs in its loader thread. They are registered again whenever the program registers others; of
 * several of ours in a chain only the outermost does anything.
 */

import type { MessagePort } from "node:worker_threads";
import { QuietRuntime } from "../instrument/runtime.ts";
import { Applier } from "./apply.ts";
import { RUNTIME } from "./options.ts";
import type { LoaderOptions } from "./options.ts";
import { withCode } from "./loaded.ts";
import type { Loaded } from "./loaded.ts";
import type { LoadedText } from "./texts.ts";

let applier: Applier | null = null;
let port: MessagePort | null = null;
/** The chain hands one and the same context to all its hooks. */
const inFlight = new WeakSet<object>();

export function initialize(data?: { readonly options: LoaderOptions; readonly port: MessagePort }): void {
  if (data === undefined || applier !== null) return;
  // Hooks that the program registers later are loaded in this thread through ours.
  Object.defineProperty(globalThis, RUNTIME, { value: new QuietRuntime() });
  applier = new Applier(data.options);
  port = data.port;
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  if (applier === null || inFlight.has(context)) return next(url, context);
  inFlight.add(context);
  const loaded = await next(url, context);
  return withCode(loaded, url, (source, file) => {
    // What stacks call it.
    const name = loaded.format?.startsWith("commonjs") === true ? file : url;
    const code = applier?.apply(source, file, name, loaded.format) ?? null;
    if (code !== null) port?.postMessage({ name, code } satisfies LoadedText);
    return code;
  });
}
