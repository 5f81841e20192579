import { pathToFileURL } from "node:url";

/**
 * Modules whose exports an integration wants to see as soon as they are there, known by the ends of their paths. An ES
 * module tells of itself, in a statement behind its end that imports the module into itself; of a CommonJS module the
 * loader tells.
 */
const FILES = {
  mocha: /[\\/]node_modules[\\/]mocha[\\/]lib[\\/]runnable\.[cm]?js$/,
  vitest: /[\\/]node_modules[\\/]vitest[\\/]dist[\\/](?:chunks[\\/])?[^\\/]+\.js$/,
  vitestFunctions: /[\\/]node_modules[\\/]@vitest[\\/]runner[\\/]dist[\\/]index\.js$/,
  jest: /[\\/]node_modules[\\/]jest-runtime[\\/]build[\\/]index\.js$/,
  tinybench: /[\\/]node_modules[\\/]tinybench[\\/]dist[\\/]index\.c?js$/,
  mitata: /[\\/]node_modules[\\/]mitata[\\/]src[\\/]main\.mjs$/,
} as const;

export type Subject = keyof typeof FILES;

/** What a module exports, by name; what could not be read is missing. */
export type Exported = ReadonlyMap<string, unknown>;

/** Is called for each module of the subject that has been loaded. */
export type OnLoaded = (exported: Exported) => void;

/** Global name under which ES modules reach `tell`. */
const TELL = "runtrace.loaded";

const watchers = new Map<Subject, OnLoaded[]>();

/** From here on what modules of the subject export is shown to `loaded`. */
export function watchModules(subject: Subject, loaded: OnLoaded): void {
  watchers.set(subject, [...(watchers.get(subject) ?? []), loaded]);
  hearModulesOf(globalThis);
}

/** ES modules of the realm that has this global object can tell of themselves. */
export function hearModulesOf(global: object): void {
  const key = Symbol.for(TELL);
  if (!(key in global)) Object.defineProperty(global, key, { value: tell, enumerable: false });
}

/** The subject to which a file belongs, by its path or URL; null for all others. */
export function subjectOf(file: string): Subject | null {
  if (!file.includes("node_modules")) return null;
  for (const [subject, pattern] of Object.entries(FILES)) if (pattern.test(file)) return subject as Subject;
  return null;
}

/** A CommonJS module has been loaded. */
export function tellCommonJs(file: string, exported: unknown): void {
  const subject = watchers.size === 0 ? null : subjectOf(file);
  if (subject === null) return;
  const isObject = (typeof exported === "object" || typeof exported === "function") && exported !== null;
  // What stands for the whole comes as `default` to ES modules, too.
  show(subject, new Map([["default", exported], ...(isObject ? namedOf(exported) : [])]));
}

/** Text of an ES module that tells of itself, on a line of its own; `name` is the module's URL or path. */
export function tellingModule(source: string, name: string): string {
  const url = JSON.stringify(name.startsWith("file:") ? name : pathToFileURL(name).href);
  return `${source}\n;import * as $runtrace from ${url};globalThis[Symbol.for("${TELL}")]?.(${url},$runtrace);`;
}

/** Whether a text is that of a module that tells of itself. */
export function isTelling(source: string): boolean {
  return source.includes(TELL);
}

function tell(url: string, namespace: object): void {
  const subject = subjectOf(url);
  if (subject !== null) show(subject, namedOf(namespace));
}

function show(subject: Subject, exported: Exported): void {
  for (const loaded of watchers.get(subject) ?? []) {
    try {
      loaded(exported);
    } catch {
      // The module is not as it is known: it runs as it is.
    }
  }
}

/** An object's own properties, but for those that cannot be read yet. */
function namedOf(object: object): Map<string, unknown> {
  const named = new Map<string, unknown>();
  for (const key of Object.keys(object)) {
    try {
      named.set(key, (object as Record<string, unknown>)[key]);
    } catch {
      // Modules that import each other in a circle.
    }
  }
  return named;
}

/** Prototypes of the classes among what a module exports. */
export function prototypesOf(exported: Exported): object[] {
  return [...exported.values()]
    .map((value) => (typeof value === "function" ? (value.prototype as unknown) : undefined))
    .filter((prototype): prototype is object => typeof prototype === "object" && prototype !== null);
}
