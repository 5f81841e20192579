import net from "node:net";
import { Fact } from "../base/facts.ts";
import type { ChannelSource } from "./channels.ts";
import type { CallContext } from "./context.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** Events that a server emits for a request. */
const REQUESTS: ReadonlySet<unknown> = new Set(["request", "checkContinue", "checkExpectation"]);

/**
 * Where the handlers of a server begin and end. Of a request a channel tells right before the server emits an event for
 * it; of a connection it tells only when that event has been emitted, and of a request of HTTP/2 not at all, so that their
 * roots begin here. Roots end when the event has been emitted.
 */
export function watchServers(facts: FactWriter, channels: ChannelSource, context: CallContext): () => void {
  let on = true;
  const bounded = (original: AnyFunction): AnyFunction =>
    function (this: unknown, event: unknown, subject: unknown): unknown {
      const isConnection = event === "connection" && subject instanceof net.Socket;
      const isStream = event === "stream";
      if (!on || !(isConnection || isStream || REQUESTS.has(event)))
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
        return Reflect.apply(original, this, arguments);
      let root = 0;
      try {
        if (isConnection) root = channels.connection(subject);
        // oxlint-disable-next-line prefer-rest-params -- as above
        else root = isStream ? channels.stream(subject, arguments[2]) : channels.lastRequest();
      } catch {
        unwritten.facts++;
      }
      context.enter();
      try {
        // oxlint-disable-next-line prefer-rest-params -- as above
        return Reflect.apply(original, this, arguments);
      } finally {
        context.leave();
        if (on && root !== 0) returned(root);
      }
    };
  const returned = (root: number): void => {
    try {
      facts.ring.now(Fact.Return, root, 0, 0);
    } catch {
      unwritten.facts++;
    }
  };
  // Those of http and https are net's, too.
  const undo = wrap(net.Server.prototype, "emit", bounded);
  return () => {
    on = false;
    undo();
  };
}
