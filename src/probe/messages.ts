import worker_threads from "node:worker_threads";
import { Fact, ResourceKind } from "../base/facts.ts";
import type { CallbackOptions } from "./callbacks.ts";
import { begin, end } from "./once.ts";
import { DISPATCH, forgetMessages, isHidden, receivingEnd, sendingEnd } from "./ports.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { unwritten } from "./writer.ts";

/**
 * Messages between threads: each callback that handles one, and, between a Worker and its maker, who has sent it
 * (ports.ts). Answers what ends it.
 */
export function watchMessages(watch: CallbackOptions): (() => void)[] {
  const { MessagePort, Worker } = worker_threads;
  return [
    wrap(MessagePort.prototype, DISPATCH, (original) => dispatched(watch, original)),
    wrap(Worker.prototype, "postMessage", (original) => sending(watch, original)),
    wrap(MessagePort.prototype, "postMessage", (original) => sending(watch, original)),
    wrap(worker_threads, "receiveMessageOnPort", (original) => taking(watch, original)),
    forgetMessages,
  ];
}

/** The method by which a message port hands on what it is sent. */
function dispatched(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const isMessage = args[1] === "message" || args[1] === "messageerror";
    if (!watch.context.on || !isMessage || isHidden(this as object))
      return Reflect.apply(original, this, args);
    const id = -(receivingEnd(this as object)?.received() ?? 0);
    begin(watch.context, watch.frames, id, 0, ResourceKind.Port);
    try {
      return Reflect.apply(original, this, args);
    } finally {
      end(watch.context, id);
    }
  };
}

/** postMessage of Workers and of ports: what is sent between a Worker and its maker is told before it can arrive. */
function sending(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  const wrapper = function (this: unknown): unknown {
    const from = typeof this === "object" && this !== null && watch.context.on ? sendingEnd(this) : undefined;
    if (from !== undefined) {
      try {
        watch.facts.ring.now(Fact.Send, from.next, 0, watch.sites.caller(wrapper));
      } catch {
        unwritten.facts++;
      }
    }
    if (from === undefined) {
      // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
      return Reflect.apply(original, this, arguments);
    }
    let isSent = false;
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      const result = Reflect.apply(original, this, arguments);
      isSent = true;
      return result;
    } finally {
      // What cannot be sent throws: the next message has its number then.
      if (isSent) from.sent();
      else tellTaken(watch, from.next);
    }
  };
  return wrapper;
}

/** receiveMessageOnPort: no callback handles the message. */
function taking(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const taken = Reflect.apply(original, this, args);
    const [port] = args;
    const at = typeof port === "object" && port !== null ? receivingEnd(port) : undefined;
    if (taken !== undefined && at !== undefined) tellTaken(watch, at.received());
    return taken;
  };
}

function tellTaken(watch: CallbackOptions, key: number): void {
  try {
    if (watch.context.on) watch.facts.ring.now(Fact.Taken, key, 0, 0);
  } catch {
    unwritten.facts++;
  }
}
