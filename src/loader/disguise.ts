import { strip } from "../instrument/marks.ts";

/** Our functions that stand for the program's or Node's own, and what they stand for. */
const stands = new WeakMap<object, object>();
const installed = new WeakSet<object>();

/** Gives a function the name, length and text of another that it stands for. Answers the function. */
export function disguise<T extends object>(replacement: T, original: object): T {
  for (const key of ["name", "length"]) {
    const descriptor = Object.getOwnPropertyDescriptor(original, key);
    if (descriptor !== undefined) Reflect.defineProperty(replacement, key, descriptor);
  }
  stands.set(replacement, original);
  return replacement;
}

/** What a function stands for, or the function itself. */
export function undisguised<T extends object>(value: T): T {
  return (stands.get(value) as T | undefined) ?? value;
}

/**
 * Makes functions print as they were written, those of this realm or of the one whose `prototype` it is. Texts without
 * insertions cost a search for a mark.
 */
export function installFunctionText(prototype: CallableFunction = Function.prototype): void {
  if (installed.has(prototype)) return;
  installed.add(prototype);
  // oxlint-disable-next-line typescript/unbound-method
  const original = prototype.toString;
  const { apply } = Reflect;
  const get = stands.get.bind(stands);
  const replacement = {
    // A method, because it is no constructor.
    toString(this: object): string {
      return strip(apply(original, get(this) ?? this, []));
    },
  };
  disguise(replacement.toString, original);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "toString")!;
  // It is the program's own process, and only texts of transformed functions change.
  // oxlint-disable-next-line no-extend-native
  Reflect.defineProperty(prototype, "toString", { ...descriptor, value: replacement.toString });
}
