import { imitate, replace, undoAll } from "./replace.ts";

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
  const original = functionOf(owner, name);
  if (original === undefined) return () => {};
  return replace(owner, name, imitate(original, make(original)));
}

/** The same for a function that several owners have: where it is the same one for both, it stays so. */
export function wrapShared(
  owners: readonly object[],
  name: PropertyKey,
  make: (original: AnyFunction) => AnyFunction,
): () => void {
  const wrappers = new Map<AnyFunction, AnyFunction>();
  const undo = owners.map((owner) => {
    const original = functionOf(owner, name);
    if (original === undefined) return () => {};
    const wrapper = wrappers.get(original) ?? imitate(original, make(original));
    wrappers.set(original, wrapper);
    return replace(owner, name, wrapper);
  });
  return () => undoAll(undo);
}

/** Undefined where it is none, or cannot be read: what Node loads when it is asked for cannot be put into a frozen object. */
function functionOf(owner: object, name: PropertyKey): AnyFunction | undefined {
  try {
    const value: unknown = (owner as Record<PropertyKey, unknown>)[name];
    return typeof value === "function" ? (value as AnyFunction) : undefined;
  } catch {
    return undefined;
  }
}
