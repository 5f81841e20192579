import { imitate, replace } from "./replace.ts";

/** A function of Node's. */
export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Replaces a function of `owner` by what `make` builds around it, which gets its name, length and properties. Answers
 * what puts it back; neither throws.
 */
export function wrap(
  owner: object,
  name: PropertyKey,
  make: (original: AnyFunction) => AnyFunction,
): () => void {
  const original = (owner as Record<PropertyKey, unknown>)[name];
  if (typeof original !== "function") return () => {};
  return replace(owner, name, imitate(original as AnyFunction, make(original as AnyFunction)));
}
