import { types } from "node:util";
import { ResourceKind } from "../base/facts.ts";
import type { CallbackOptions } from "./callbacks.ts";
import { kindOf, setStamp } from "./stamp.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";

const METHODS = /^(?!constructor|getAsyncId|fd|create|read(?:Lines|ableWebStream))[a-z]/;
/** Kind of the stamp of the class whose methods are wrapped. */
const WRAPPED = 1;

/**
 * What FileHandle's methods give is marked like what fs.promises does. Node tells nobody the class: it is that of the
 * first handle which a program gets from an await. `undo` gets what ends it.
 */
export function watchFileHandles({ context, frames }: CallbackOptions, undo: (() => void)[]): void {
  frames.seek((value) => {
    if (!context.on) return true;
    if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
    const of = Object.getPrototypeOf(value) as object | null;
    if (of === null || types.isProxy(of)) return false;
    const name: unknown = Reflect.getOwnPropertyDescriptor(of, "constructor")?.value;
    if (typeof name !== "function" || name.name !== "FileHandle") return false;
    if (kindOf(of) === WRAPPED) return true;
    setStamp(of, 0, WRAPPED);
    undo.push(() => setStamp(of, 0, 0));
    for (const method of Object.getOwnPropertyNames(of)) {
      if (METHODS.test(method)) undo.push(wrap(of, method, (original) => marked(frames, original)));
    }
    return true;
  });
}

function marked(frames: CallbackOptions["frames"], original: AnyFunction): AnyFunction {
  const { wrapper } = {
    wrapper(this: unknown): unknown {
      // oxlint-disable-next-line prefer-rest-params -- a rest parameter would change the length
      const promise = Reflect.apply(original, this, arguments);
      frames.source(promise, ResourceKind.Fs);
      return promise;
    },
  };
  return wrapper;
}
