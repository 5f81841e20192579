import fs from "node:fs";
import nodeModule from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { frameworkOf, withHook } from "../instrument/frameworks.ts";
import { isMarked, named } from "../instrument/marks.ts";
import { mayConcern } from "../instrument/words.ts";
import { CodeCache, cacheKey } from "./cache.ts";
import type * as Compiler from "./compiler.ts";
import { RUNTIME, Spent } from "./options.ts";
import type { LoaderOptions } from "./options.ts";
import { selector } from "./select.ts";
import { isTelling, subjectOf, tellingModule } from "./subjects.ts";

const { readFileSync, statSync } = fs;
const { compileFunction } = vm;
const hrtime = process.hrtime.bigint;
const COMPILER = fileURLToPath(new URL("../loader/compiler.cjs", import.meta.url));

/** Goes up whenever the same text may be transformed into another than before. */
const VERSION = "6";

type StripTypes = (code: string) => string;

/** How a loaded text is to be read: as Node's loader says it (`module`, `commonjs-typescript`), or undefined. */
export type Format = string | null | undefined;

/** Applies the transform to the files that are loaded: through the cache, or by the compiler. */
export class Applier {
  readonly #wants: (file: string) => boolean;
  readonly #cache: CodeCache | null;
  readonly #spent: Int32Array | undefined;
  /** Time that is less than a microsecond, in ns. */
  #rest = 0;
  #compiler: typeof Compiler | null = null;
  readonly #version = versionOfCompiler();

  constructor(options: LoaderOptions) {
    this.#wants = selector(options);
    this.#spent = options.spent;
    this.#cache = options.cache === false ? null : new CodeCache(options.cache);
  }

  /**
   * The text of a file transformed, or null where it stays as it is. `file` is its absolute path, `name` how stacks call
   * it. Never throws: what goes wrong in here leaves the file as it is.
   */
  apply(source: string, file: string, name: string, format: Format): string | null {
    const begin = hrtime();
    const code = this.#applied(source, file, name, format);
    if (this.#spent !== undefined) this.#tell(this.#spent, Number(hrtime() - begin), code !== null);
    const isModule = name.startsWith("file:") && format?.startsWith("commonjs") !== true;
    if (!isModule || subjectOf(file) === null || isTelling(source)) return code;
    return tellingModule(code ?? source, name);
  }

  #tell(spent: Int32Array, ns: number, isTransformed: boolean): void {
    this.#rest += ns;
    const us = Math.floor(this.#rest / 1000);
    this.#rest -= us * 1000;
    Atomics.add(spent, Spent.Us, us);
    if (isTransformed) Atomics.add(spent, Spent.Files, 1);
  }

  #applied(source: string, file: string, name: string, format: Format): string | null {
    try {
      const framework = frameworkOf(file);
      if (framework === null && !mayConcern(source)) return null;
      if (isMarked(source) || !this.#wants(file)) return null;
      const done = mayConcern(source) ? this.#transformed(source, file, format) : null;
      const text = done === null ? null : named(done, name);
      return framework === null ? text : (withHook(framework, text ?? source) ?? text);
    } catch {
      return null;
    }
  }

  #transformed(source: string, file: string, format: Format): { code: string; nameAt: number } | null {
    const map = sourceMapOf(source, file);
    const key = cacheKey([
      this.#version,
      RUNTIME,
      String(format ?? ""),
      source,
      // What the text says of its map it says of the file's own name, too.
      ...(map === null ? [] : [map.version, path.basename(file)]),
    ]);
    const kept = this.#cache?.get(key) ?? null;
    if (kept !== null) return unpack(kept);
    const done = this.#compile(source, file, format, map);
    this.#cache?.set(key, done === null ? "" : `${done.nameAt}\n${done.code}`);
    return done;
  }

  #compile(
    source: string,
    file: string,
    format: Format,
    map: MapOf | null,
  ): { code: string; nameAt: number } | null {
    const isTyped = format?.endsWith("typescript") === true;
    const text = isTyped ? withoutTypes(source) : source;
    if (text === null) return null;
    const kind = format?.split("-", 1)[0];
    this.#compiler ??= loadCompiler();
    return this.#compiler.compile(text, {
      kinds: kind === "module" ? ["esm"] : kind === "commonjs" ? ["cjs"] : ["cjs", "esm"],
      runtime: RUNTIME,
      file,
      map: map === null ? null : readMap(map),
      typed: isTyped ? source : null,
    });
  }
}

/** What another build of the compiler has not in common with this one. */
function versionOfCompiler(): string {
  const stat = statSync(COMPILER, { throwIfNoEntry: false });
  return `${VERSION} ${stat?.size} ${stat?.mtimeMs}`;
}

function unpack(kept: string): { code: string; nameAt: number } | null {
  if (kept === "") return null;
  const end = kept.indexOf("\n");
  return { nameAt: Number(kept.slice(0, end)), code: kept.slice(end + 1) };
}

/** Loads the compiler past the program's module loader, which may be anything by now. */
function loadCompiler(): typeof Compiler {
  const module = { exports: {} as typeof Compiler };
  const require = nodeModule.createRequire(import.meta.url);
  const load = compileFunction(readFileSync(COMPILER, "utf8"), ["module", "exports", "require"], {
    filename: COMPILER,
  }) as (module: object, exports: object, require: NodeJS.Require) => void;
  load(module, module.exports, require);
  return module.exports;
}

/** TypeScript with its types blanked out, every other character where it was; null where that cannot be. */
function withoutTypes(source: string): string | null {
  const { stripTypeScriptTypes } = nodeModule as unknown as { stripTypeScriptTypes?: StripTypes };
  if (stripTypeScriptTypes === undefined) return null;
  // It warns of being experimental, which is not the program's doing.
  const own = Object.getOwnPropertyDescriptor(process, "emitWarning");
  Object.defineProperty(process, "emitWarning", { value: () => {}, configurable: true, writable: true });
  try {
    const text = stripTypeScriptTypes(source);
    return text.length === source.length ? text : null;
  } finally {
    if (own === undefined) delete (process as { emitWarning?: unknown }).emitWarning;
    else Object.defineProperty(process, "emitWarning", own);
  }
}

interface MapOf {
  readonly folder: string;
  /** Changes whenever the map may have. */
  readonly version: string;
  read(): string;
}

function readMap(map: MapOf): { text: string; folder: string } | null {
  try {
    return { text: map.read(), folder: map.folder };
  } catch {
    return null;
  }
}

const INLINE = /^data:application\/json[^,]*?(;base64)?,/;

/** The source map that the end of a text names: in itself, or in a file beside it. */
function sourceMapOf(source: string, file: string): MapOf | null {
  const at = source.lastIndexOf("//# sourceMappingURL=");
  if (at < 0) return null;
  const url = /^\S*/.exec(source.slice(at + "//# sourceMappingURL=".length))![0];
  const inline = INLINE.exec(url);
  if (inline !== null) {
    const data = url.slice(inline[0].length);
    const read = (): string =>
      inline[1] === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString();
    return { folder: path.dirname(file), version: path.dirname(file), read };
  }
  if (url === "" || /^[a-z][a-z\d+.-]+:/i.test(url)) return null;
  try {
    const place = path.resolve(path.dirname(file), decodeURIComponent(url));
    const { mtimeMs, size } = statSync(place);
    return {
      folder: path.dirname(place),
      version: `${mtimeMs} ${size}`,
      read: () => readFileSync(place, "utf8"),
    };
  } catch {
    return null;
  }
}
