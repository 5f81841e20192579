import { withInsertion } from "./marks.ts";

/**
 * Where frameworks find the route of a request, in their own text. What is inserted hands a class, or what was found, to
 * the hooks of `Slot.frameworks`, if there are any. A release whose text is another is left alone.
 */
export interface FrameworkHooks {
  /** Express, and its router: the exports of the file that has its layers. */
  express(layer: unknown): void;
  /** Koa's router: its class. */
  koa(router: unknown): void;
  /** Hono: what has matched a request of that method, and what its server has handed to it. */
  hono(matched: unknown, env: unknown, method: unknown): void;
}

/** A place in the text of a framework. */
export interface Framework {
  readonly file: RegExp;
  /** Behind the first match of this; behind the whole text where there is none. */
  readonly behind?: RegExp;
  readonly hook: keyof FrameworkHooks;
  readonly args: string;
}

const FRAMEWORKS: readonly Framework[] = [
  {
    file: /\/node_modules\/(?:router\/lib|express\/lib\/router)\/layer\.js$/,
    hook: "express",
    args: "module.exports",
  },
  {
    file: /\/node_modules\/(?:@koa\/router|koa-router)\/(?:lib\/router|dist\/(?:index|router))\.c?js$/,
    hook: "koa",
    args: "module.exports",
  },
  {
    file: /\/node_modules\/(?:@koa\/router|koa-router)\/dist\/index\.mjs$/,
    hook: "koa",
    args: `typeof Router==="undefined"?undefined:Router`,
  },
  {
    file: /\/node_modules\/hono\/dist\/(?:cjs\/)?hono-base\.js$/,
    behind: /const matchResult = this\.(?:router\.match|matchRoute)\(method, path\);/,
    hook: "hono",
    args: "matchResult,env,method",
  },
];

/** The framework that a file belongs to, if it is the one where that finds routes. */
export function frameworkOf(file: string): Framework | null {
  if (!file.includes("node_modules")) return null;
  const name = file.replaceAll("\\", "/");
  return FRAMEWORKS.find((framework) => framework.file.test(name)) ?? null;
}

/** The text of such a file, transformed or not, with its hook; null where it has no place for it. */
export function withHook({ behind, hook, args }: Framework, text: string): string | null {
  const code = `;globalThis[Symbol.for("runtrace")]?.frameworks?.${hook}(${args});`;
  if (behind === undefined) return withInsertion(text, text.length, code);
  const match = behind.exec(text);
  return match === null ? null : withInsertion(text, match.index + match[0].length, code);
}
