import { fileURLToPath } from "node:url";
import type { Format } from "./apply.ts";

/** What hooks answer when a module is loaded. */
export interface Loaded {
  readonly format?: Format;
  readonly source?: unknown;
}

/** What was loaded, with the code that `transformed` makes of the text of a module in a file. */
export function withCode<T extends Loaded>(
  loaded: T,
  url: string,
  transformed: (source: string, file: string) => string | null,
): T {
  const { format, source } = loaded;
  if (
    source == null ||
    !url.startsWith("file:") ||
    !/^(?:module|commonjs)(?:-typescript)?$/.test(format ?? "")
  ) {
    return loaded;
  }
  const text = textOf(source);
  const code = text === null ? null : transformed(text, fileURLToPath(url));
  return code === null ? loaded : { ...loaded, source: code };
}

function textOf(source: unknown): string | null {
  if (typeof source === "string") return source;
  return source instanceof ArrayBuffer || ArrayBuffer.isView(source)
    ? new TextDecoder().decode(source as Uint8Array)
    : null;
}
