import nodeModule from "node:module";
import type { Applier, Format } from "./apply.ts";
import { disguise } from "./disguise.ts";
import { keepText } from "./texts.ts";
import { endRoom, makeRoom } from "./traces.ts";

interface Compiling {
  _compile(content: unknown, filename: unknown, format?: Format, ...rest: unknown[]): unknown;
}

/**
 * Transforms what `require` loads, and what is imported of CommonJS. Every loader of TypeScript and the like hands its
 * compiled text to `Module.prototype._compile`, so that the text that runs is the one that is transformed.
 */
export function installCommonJs(applier: Applier): void {
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
        text = applier.apply(content, filename, filename, format) ?? content;
        if (text !== content) keepText(filename, text as string);
      }
      // How many arguments there are is the program's business, too.
      const given = [text, filename, format, ...rest].slice(0, Math.max(1, arguments.length));
      const room = makeRoom();
      try {
        return apply(original, this, given);
      } finally {
        endRoom(room);
      }
    },
  };
  prototype._compile = disguise(replacement._compile, original);
  // In stacks V8 names the original after the property that held it.
  Reflect.defineProperty(original, "name", { value: "_compile", configurable: true });
}
