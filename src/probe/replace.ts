import { syncBuiltinESMExports } from "node:module";
import { ownSetters } from "../base/raw-traces.ts";

/**
 * How the recorder stands in for functions of Node, and goes away again. A program may freeze at any moment what was
 * replaced, and what is to be replaced: nothing here throws. A function that cannot be replaced is not seen, one that
 * cannot be put back stays and passes its calls on.
 */
type Undo = () => void;

const nothing: Undo = () => {};

/** Replaces a property's value and keeps its attributes; one that is inherited becomes an own one. The result puts it back, unless somebody has replaced it again. */
export function replace(owner: object, name: PropertyKey, value: unknown): Undo {
  const own = Reflect.getOwnPropertyDescriptor(owner, name);
  if (own === undefined ? !(name in owner) : own.value === undefined) return nothing;
  const original = (owner as Record<PropertyKey, unknown>)[name];
  const shape = own ?? { enumerable: false, configurable: true, writable: true };
  if (!Reflect.defineProperty(owner, name, { ...shape, value })) return nothing;
  return () => {
    if (Reflect.getOwnPropertyDescriptor(owner, name)?.value !== value) return;
    if (own === undefined && Reflect.deleteProperty(owner, name)) return;
    Reflect.defineProperty(owner, name, { value: original });
  };
}

/** Replaces an own getter by what `make` builds around it. The result puts it back, unless somebody has replaced it again. */
export function replaceGetter(
  owner: object,
  name: PropertyKey,
  make: (get: () => unknown) => () => unknown,
): Undo {
  const own = Reflect.getOwnPropertyDescriptor(owner, name);
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its receiver
  const get = own?.get;
  if (own === undefined || get === undefined) return nothing;
  const wrapper = imitate(get, make(get));
  if (!Reflect.defineProperty(owner, name, { ...own, get: wrapper })) return nothing;
  return () => {
    if (Reflect.getOwnPropertyDescriptor(owner, name)?.get === wrapper)
      Reflect.defineProperty(owner, name, own);
  };
}

/** Gives `wrapper` the name, length and own properties of `original`. */
export function imitate<F extends (...args: never[]) => unknown>(original: F, wrapper: F): F {
  return Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
}

/** Takes every step, whatever becomes of the others. */
export function undoAll(steps: readonly Undo[]): void {
  for (const step of steps) {
    try {
      step();
    } catch {
      // What the program has frozen stays as it is.
    }
  }
}

/** Lets ES modules see what was replaced in Node's own. */
export function shareReplaced(): void {
  undoAll([syncBuiltinESMExports]);
}

/** Whether a property of Error can be set and put back at this moment, unseen: a plain one and not frozen, or our own. */
export function isPlain(name: "stackTraceLimit" | "prepareStackTrace"): boolean {
  const property = Object.getOwnPropertyDescriptor(Error, name);
  return property?.writable === true || (property?.set !== undefined && ownSetters.has(property.set));
}
