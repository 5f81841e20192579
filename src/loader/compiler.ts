/**
 * What is needed only for code that is not in the cache: the parser, the transform and source maps. The build makes one
 * file of it, which is loaded when it is first needed (apply.ts); nothing may import it but for its types.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "../instrument/transform.ts";
import type { ModuleKind, Original } from "../instrument/transform.ts";
import { readSourceMap } from "./source-map.ts";

export interface CompileOptions {
  /** How the text may be read: the first of them that is possible. */
  readonly kinds: readonly ModuleKind[];
  readonly runtime: string;
  /** Absolute path. */
  readonly file: string;
  /** Text of its source map and the folder from which that names its sources, where there is one. */
  readonly map: { readonly text: string; readonly folder: string } | null;
  /** The text before its types were blanked out. */
  readonly typed: string | null;
}

/** The text transformed, or null where it stays as it is. */
export function compile(source: string, options: CompileOptions): { code: string; nameAt: number } | null {
  const { kinds, runtime, file, map, typed } = options;
  const original = map === null ? null : originals(map.text, map.folder, file);
  for (const module of kinds) {
    const done = transform(source, {
      module,
      runtime,
      ...(original !== null && { original }),
      ...(typed !== null && { typed }),
    });
    if (done !== null) return { code: done.code, nameAt: done.nameAt };
  }
  return null;
}

function originals(
  text: string,
  folder: string,
  file: string,
): ((line: number, column: number) => Original | null) | null {
  const map = readSourceMap(text);
  if (map === null) return null;
  const names = map.sources.map((source) => relativeName(source, folder, file));
  return (line, column) => {
    const origin = map.origin(line - 1, column - 1);
    if (origin === null) return null;
    return { file: names[origin.source] ?? "", line: origin.line + 1, column: origin.column + 1 };
  };
}

/** An original file relative to the folder of the file that was made of it; "" is the file itself. */
function relativeName(source: string, folder: string, file: string): string {
  let name = source;
  if (/^file:/i.test(source)) {
    try {
      name = fileURLToPath(source);
    } catch {
      return source;
    }
  } else if (/^[a-z][a-z\d+.-]+:/i.test(source)) return source;
  const full = path.resolve(folder, name);
  return full === file ? "" : path.relative(path.dirname(file), full).replaceAll("\\", "/");
}
