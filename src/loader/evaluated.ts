/**
 * Transforms the modules of test runners that load modules themselves: they hand the text to functions of node:vm, with
 * a path as its name. These are replaced only where such a runner has been loaded, and pass on everything that they do
 * not know for sure:
 *
 * * vitest: `'use strict';async (…)=>{{TEXT\n}}`, evaluated in this context or another. TEXT is a function's body that may
 *   await, so it is read as a module; the names that the transform declares stay in that function.
 * * jest: a function with the parameters of a CommonJS module, compiled for the context of a test file. In versions before
 *   30.5 a script that holds such a function.
 * * ES modules of both, in another context: instances of `SourceTextModule`, named by a URL or a path.
 *
 * A context has globals of its own: the runtime that transformed code calls is put there, and what keeps the transform
 * unseen (traces, texts of functions) is installed once more.
 */
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import type { Applier } from "./apply.ts";
import { disguise, installFunctionText } from "./disguise.ts";
import { RUNTIME } from "./options.ts";
import { hearModulesOf } from "./subjects.ts";
import { keepText } from "./texts.ts";
import { installTracesIn } from "./traces.ts";

type AnyFunction = (this: unknown, ...values: unknown[]) => unknown;

const VITEST = /^'use strict';async \([\w$, ]*\)=>\{\{/;
const VITEST_END = "\n}}";
const JEST = /^\(\{"Object\.<anonymous>":function\([\w$, ]*\)\{/;
const JEST_END = "\n}});";

const { runInContext } = vm;
const realms = new WeakSet<object>();
let applier: Applier | undefined;
let watched = false;

/** What transforms the texts of this thread. */
export function transformsBy(one: Applier): void {
  applier = one;
}

/** From here on modules that runners load themselves are transformed. */
export function transformEvaluated(): void {
  if (watched || applier === undefined) return;
  watched = true;
  const own = applier;
  const text = (source: unknown, options: unknown): unknown => transformedText(own, source, options);
  substitute("runInThisContext", (original) => {
    return function (...values) {
      return Reflect.apply(original, this, [text(values[0], values[1]), ...values.slice(1)]);
    };
  });
  substitute("runInContext", (original) => {
    return function (...values) {
      const source = text(values[0], values[2]);
      if (source !== values[0]) prepareRealm(values[1]);
      return Reflect.apply(original, this, [source, ...values.slice(1)]);
    };
  });
  substitute("compileFunction", (original) => {
    return function (...values) {
      const source = functionText(own, values);
      return Reflect.apply(original, this, [source, ...values.slice(1)]);
    };
  });
  const { Script } = vm;
  const script = new Proxy(Script, {
    construct: (target, values: unknown[], newTarget) =>
      Reflect.construct(target, [text(values[0], values[1]), ...values.slice(1)], newTarget) as object,
  });
  vm.Script = disguise(script, Script);
  // There only with --experimental-vm-modules.
  const modules = vm as { SourceTextModule?: new (...values: unknown[]) => object };
  const { SourceTextModule } = modules;
  if (SourceTextModule !== undefined) {
    const module = new Proxy(SourceTextModule, {
      construct: (target, values: unknown[], newTarget) =>
        Reflect.construct(target, [moduleText(own, values), ...values.slice(1)], newTarget) as object,
    });
    modules.SourceTextModule = disguise(module, SourceTextModule);
  }
  syncBuiltinESMExports();
}

/** Makes a context of node:vm ready for transformed code. What is no context stays as it is. */
export function prepareRealm(context: unknown): void {
  if (typeof context !== "object" || context === null || realms.has(context)) return;
  realms.add(context);
  try {
    const global = runInContext("globalThis", context) as typeof globalThis;
    const runtime: unknown = Reflect.get(globalThis, RUNTIME);
    Object.defineProperty(global, RUNTIME, { value: runtime, enumerable: false });
    hearModulesOf(global);
    installFunctionText(global.Function.prototype);
    installTracesIn(global.Error);
  } catch {
    // It is none.
  }
}

function substitute(
  name: "runInThisContext" | "runInContext" | "compileFunction",
  make: (original: AnyFunction) => AnyFunction,
): void {
  const original = vm[name] as AnyFunction;
  Object.assign(vm, { [name]: disguise(make(original), original) });
}

/** The text of an ES module that is made for a context, transformed. */
function moduleText(own: Applier, [source, options]: readonly unknown[]): unknown {
  const { identifier, context } = (options ?? {}) as Place;
  if (typeof source !== "string" || typeof identifier !== "string" || context === undefined) return source;
  const code = own.apply(source, pathOf(identifier), identifier, "module");
  if (code === null) return source;
  prepareRealm(context);
  keepText(identifier, code);
  return code;
}

interface Place {
  readonly identifier?: unknown;
  readonly context?: unknown;
  readonly filename?: unknown;
  readonly columnOffset?: unknown;
  readonly parsingContext?: unknown;
}

/** A text that holds a module of vitest's or jest's, with that transformed; every other text as it is. */
function transformedText(own: Applier, source: unknown, options: unknown): unknown {
  const { filename, columnOffset } = (options ?? {}) as Place;
  if (typeof source !== "string" || typeof filename !== "string") return source;
  const isVitest = source.endsWith(VITEST_END);
  const begin = (isVitest ? VITEST : JEST).exec(source)?.[0];
  const end = isVitest ? VITEST_END : JEST_END;
  if (begin === undefined || !source.endsWith(end)) return source;
  const body = source.slice(begin.length, source.length - end.length);
  const code = own.apply(body, pathOf(filename), filename, isVitest ? "module" : "commonjs");
  if (code === null) return source;
  const whole = `${begin}${code}${end}`;
  keepText(filename, whole, typeof columnOffset === "number" ? columnOffset : 0);
  return whole;
}

/** The text of a module of jest's, transformed, where `values` ask for its function; else the text as it is. */
function functionText(own: Applier, [source, names, options]: readonly unknown[]): unknown {
  const { filename, parsingContext } = (options ?? {}) as Place;
  if (typeof source !== "string" || typeof filename !== "string" || !Array.isArray(names)) return source;
  if (names[0] !== "module" || names[1] !== "exports" || !realms.has(parsingContext as object)) return source;
  const code = own.apply(source, filename, filename, "commonjs");
  if (code === null) return source;
  keepText(filename, code);
  return code;
}

/** A module's path, without what a runner appends to its name. */
function pathOf(name: string): string {
  const path = name.replace(/\?.*$/s, "");
  return path.startsWith("file:") ? fileURLToPath(path) : path;
}
