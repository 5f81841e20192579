import fs, { promises } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";
import type { Applier } from "./apply.ts";
import { disguise } from "./disguise.ts";
import { keepText } from "./texts.ts";
import { callerFile } from "./traces.ts";

const LOADER = "node:internal/modules/esm/load";

/**
 * Transforms ES modules where Node's loader reads them: until version 22.15 it calls `fs.promises.readFile` with nothing
 * but a URL. Those versions do not change any more.
 */
export function installReading(applier: Applier): void {
  // oxlint-disable-next-line typescript/unbound-method
  const original = promises.readFile as (...values: unknown[]) => Promise<unknown>;
  const { apply } = Reflect;
  const replacement = function readFile(this: unknown, ...values: unknown[]): Promise<unknown> {
    const read = apply(original, this, values);
    const [url] = values;
    if (values.length !== 1 || !(url instanceof URL) || callerFile(readFile) !== LOADER) return read;
    return read.then((source) => {
      if (!Buffer.isBuffer(source)) return source;
      const code = applier.apply(source.toString(), fileURLToPath(url), url.href, "module");
      if (code === null) return source;
      keepText(url.href, code);
      return Buffer.from(code);
    });
  };
  fs.promises.readFile = disguise(replacement, original) as typeof promises.readFile;
  syncBuiltinESMExports();
}
