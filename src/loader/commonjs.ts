import nodeModule from "node:module";
import { pathToFileURL } from "node:url";
import type { Applier, Format } from "./apply.ts";
import { disguise } from "./disguise.ts";
import { tellCommonJs } from "./subjects.ts";
import { keepText } from "./texts.ts";
import { endRoom, makeRoom } from "./traces.ts";

interface Compiling {
  _compile(content: unknown, filename: unknown, format?: Format, ...rest: unknown[]): unknown;
}

/** Tells whether a text may import modules, or be one. */
const MAY_IMPORT = /\bimport\s*\(|^\s*(?:import\s*["'\w{*]|export\s+[{*a-z])/m;

/**
 * Transforms what `require` loads, and what is imported of CommonJS. Every loader of TypeScript and the like hands its
 * compiled text to `Module.prototype._compile`, so that the text that runs is the one that is transformed. ES modules that
 * are required come here as well; what they import goes the way of modules, which are said to come by `beforeModules`.
 */
export function installCommonJs(applier: Applier, beforeModules: () => void): void {
  const prototype = (nodeModule as unknown as { prototype: Compiling }).prototype;
  // oxlint-disable-next-line typescript/unbound-method
  const original = prototype._compile;
  const { apply } = Reflect;
  const replacement = {
    _compile(
      this: unknown,
      content: unknown,
      filename: unknown,
      format?: Format,
      ...rest: unknown[]
    ): unknown {
      let text = content;
      if (typeof content === "string" && typeof filename === "string") {
        if (format?.startsWith("module") === true || MAY_IMPORT.test(content)) beforeModules();
        const code = applier.apply(content, filename, filename, format);
        if (code !== null) {
          keep(filename, code, format);
          text = code;
        }
      }
      // How many arguments there are is the program's business, too.
      const given = [text, filename, format, ...rest].slice(0, Math.max(1, arguments.length));
      const room = makeRoom();
      try {
        return apply(original, this, given);
      } finally {
        endRoom(room);
        if (typeof filename === "string") tellCommonJs(filename, (this as { exports?: unknown }).exports);
      }
    },
  };
  prototype._compile = disguise(replacement._compile, original);
  // In stacks V8 names the original after the property that held it.
  Reflect.defineProperty(original, "name", { value: "_compile", configurable: true });
}

/** An ES module that is required is called by its URL in stacks; where no format is given, it may be one. */
function keep(filename: string, code: string, format: Format): void {
  keepText(filename, code);
  if (format?.startsWith("commonjs") !== true) keepText(pathToFileURL(filename).href, code);
}
