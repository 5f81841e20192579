import net from "node:net";
import { Fact } from "../base/facts.ts";
import type { ChannelSource } from "./channels.ts";
import type { CallContext } from "./context.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import type { FactWriter } from "./writer.ts";

/**
 * Where the synchronous part of a server's handler ends. A channel tells that a request or a connection comes in, right
 * before the server emits an event for it; the root that begins there ends when the event has been emitted.
 */
export function watchServers(facts: FactWriter, channels: ChannelSource, context: CallContext): () => void {
  let on = true;
  const bounded = (original: AnyFunction): AnyFunction =>
    function (this: unknown, event: unknown): unknown {
      // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
      if (!on || (event !== "request" && event !== "connection"))
        return Reflect.apply(original, this, arguments);
      const root = channels.lastRoot();
      context.enter();
      try {
        // oxlint-disable-next-line prefer-rest-params -- as above
        return Reflect.apply(original, this, arguments);
      } finally {
        context.leave();
        if (on && root !== 0) facts.ring.now(Fact.Return, root, 0, 0);
      }
    };
  // Those of http and https are net's, too.
  const undo = wrap(net.Server.prototype, "emit", bounded);
  return () => {
    on = false;
    undo();
  };
}
