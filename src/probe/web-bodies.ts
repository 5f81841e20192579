import { types } from "node:util";
import { ResourceKind } from "../base/facts.ts";
import type { CallbackOptions } from "./callbacks.ts";
import { kindOfEmitter, setKind } from "./kinds.ts";
import { replaceGetter } from "./replace.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";

/**
 * Watches the bodies of responses, read whole or piece by piece. Node loads what it fetches with when that is first used,
 * which takes longer than all that we do at a start: nothing here may be what uses it first. `undo` gets what ends it.
 */
export function watchBodies({ context, frames }: CallbackOptions, undo: (() => void)[]): void {
  /** A method, whose receiver and result `tell` is told. */
  const telling = (
    owner: object,
    name: PropertyKey,
    tell: (self: unknown, result: unknown) => void,
  ): void => {
    const make = (original: AnyFunction): AnyFunction => {
      const { wrapper } = {
        wrapper(this: unknown): unknown {
          // oxlint-disable-next-line prefer-rest-params -- a rest parameter would change the length
          const result = Reflect.apply(original, this, arguments);
          if (context.on) tell(this, result);
          return result;
        },
      };
      return wrapper;
    };
    undo.push(wrap(owner, name, make));
  };
  for (const name of ["text", "json", "arrayBuffer", "blob", "bytes"]) {
    telling(Response.prototype, name, (response, promise) => {
      if (isFetched(response)) frames.source(promise, ResourceKind.Net);
    });
  }
  undo.push(
    replaceGetter(Response.prototype, "body", (get) => {
      const { wrapper } = {
        wrapper(this: unknown): unknown {
          const stream: unknown = Reflect.apply(get, this, []);
          if (context.on && isFetched(this)) setKind(stream, ResourceKind.Net);
          return stream;
        },
      };
      return wrapper;
    }),
  );
  telling(ReadableStream.prototype, "getReader", (stream, reader) => setKind(reader, kindOfEmitter(stream)));
  telling(ReadableStreamDefaultReader.prototype, "read", (reader, promise) => {
    const kind = kindOfEmitter(reader);
    if (kind !== ResourceKind.Unknown) frames.source(promise, kind);
  });
  for (const name of ["values", Symbol.asyncIterator]) {
    telling(ReadableStream.prototype, name, (stream, iterator) => {
      setKind(iterator, kindOfEmitter(stream));
      frames.iterates(kindOfEmitter(stream));
    });
  }
}

/** Whether it is a response that has come over the network. */
function isFetched(response: unknown): boolean {
  return !types.isProxy(response) && response instanceof Response && response.url !== "";
}
