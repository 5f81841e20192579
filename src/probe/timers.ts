import { createRequire, syncBuiltinESMExports } from "node:module";
import { Fact } from "../base/facts.ts";
import { idOf } from "./stamp.ts";
import { now } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

type Clear = (timer?: unknown) => void;
type Owner = Record<string, unknown>;

/** Writes Fact.Clear when the program clears a timer: nothing else tells that it will not call back. */
export function watchClears(facts: FactWriter): () => void {
  const timers = createRequire(import.meta.url)("node:timers") as Owner;
  const undo: (() => void)[] = [];

  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) {
    const original = timers[name] as Clear;
    const wrapped = imitate(original, (timer) => {
      if (typeof timer === "object" && timer !== null) cleared(facts, timer);
      original(timer);
    });
    undo.push(replace(timers, name, wrapped), replace(globalThis as unknown as Owner, name, wrapped));
  }

  const prototype = Object.getPrototypeOf(makeTimeout()) as Owner;
  const close = prototype["close"] as (this: object) => unknown;
  const wrappedClose = function (this: object): unknown {
    cleared(facts, this);
    return close.call(this);
  };
  undo.push(replace(prototype, "close", imitate(close, wrappedClose)));
  syncBuiltinESMExports();
  return () => {
    for (const step of undo) step();
    syncBuiltinESMExports();
  };
}

function cleared(facts: FactWriter, timer: object): void {
  const id = idOf(timer);
  if (id !== 0) facts.put(Fact.Clear, now(), id, 0, 0);
}

function makeTimeout(): object {
  const timer = setTimeout(() => {}, 1);
  clearTimeout(timer);
  return timer;
}

/** Gives `wrapper` the name, length and own properties of `original`. */
function imitate<F extends (...args: never[]) => unknown>(original: F, wrapper: F): F {
  return Object.defineProperties(wrapper, Object.getOwnPropertyDescriptors(original));
}

/** Replaces a property, keeping its attributes; the result puts it back unless somebody replaced it again. */
function replace(owner: Owner, name: string, value: unknown): () => void {
  const property = Object.getOwnPropertyDescriptor(owner, name);
  if (property === undefined || property.value === undefined || property.configurable === false)
    return () => {};
  Object.defineProperty(owner, name, { ...property, value });
  return () => {
    if (owner[name] === value) Object.defineProperty(owner, name, property);
  };
}
