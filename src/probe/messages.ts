import worker_threads from "node:worker_threads";
import { Fact, ResourceKind } from "../base/facts.ts";
import type { CallbackOptions } from "./callbacks.ts";
import { begin, end } from "./once.ts";
import {
  DISPATCH,
  Departure,
  arrive,
  countMessagesBetween,
  forgetMessages,
  forgetPort,
  forgetReceived,
  isHidden,
  receivingEnd,
  sendingEnd,
} from "./ports.ts";
import type { MessageEnd } from "./ports.ts";
import { replace, replaceGetter, undoAll } from "./replace.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { unwritten } from "./writer.ts";

/**
 * Messages: each callback that handles one and, between a Worker and its maker and between the ends of a channel, who
 * has sent it (ports.ts). Answers what ends it.
 */
export function watchMessages(watch: CallbackOptions): (() => void)[] {
  const { MessagePort, Worker } = worker_threads;
  return [
    wrap(MessagePort.prototype, DISPATCH, (original) => dispatched(watch, original)),
    wrap(Worker.prototype, "postMessage", (original) => sending(watch, original)),
    wrap(MessagePort.prototype, "postMessage", (original) => sending(watch, original)),
    wrap(worker_threads, "receiveMessageOnPort", (original) => taking(watch, original)),
    watchChannels(watch),
    forgetMessages,
  ];
}

/** The class whose instances are two ports that belong together, wherever the program finds it. */
function watchChannels({ context }: CallbackOptions): () => void {
  const { MessageChannel } = worker_threads;
  const counting = new Proxy(MessageChannel, {
    construct(target, args, newTarget) {
      const channel = Reflect.construct(target, args, newTarget) as worker_threads.MessageChannel;
      try {
        if (context.on) countMessagesBetween(channel.port1, channel.port2);
      } catch {
        unwritten.facts++;
      }
      return channel;
    },
  });
  const isGetter = Object.getOwnPropertyDescriptor(globalThis, "MessageChannel")?.get !== undefined;
  const undo = [
    replace(worker_threads, "MessageChannel", counting),
    isGetter
      ? replaceGetter(globalThis, "MessageChannel", () => () => counting)
      : replace(globalThis, "MessageChannel", counting),
    replace(MessageChannel.prototype, "constructor", counting),
  ];
  return () => undoAll(undo);
}

/** The method by which a message port hands on what it is sent. */
function dispatched(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [data, type] = args;
    const isMessage = type === "message" || type === "messageerror";
    if (!watch.context.on || isHidden(this as object)) return Reflect.apply(original, this, args);
    if (!isMessage) {
      if (type === "close") tellClosed(watch, forgetPort(this as object));
      return Reflect.apply(original, this, args);
    }
    const key = receivingEnd(this as object)?.received() ?? 0;
    if (key !== 0) arriving(data, key);
    const id = -key;
    begin(watch.context, watch.frames, id, 0, ResourceKind.Port);
    try {
      return Reflect.apply(original, this, args);
    } finally {
      end(watch.context, id);
    }
  };
}

/** postMessage of Workers and of ports: what is sent to a counted end is told before it can arrive. */
function sending(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  const wrapper = function (this: unknown, message: unknown, transferred: unknown): unknown {
    const from = typeof this === "object" && this !== null && watch.context.on ? sendingEnd(this) : undefined;
    const moves = transferred === undefined || !watch.context.on ? null : leaving(message, transferred);
    if (from === undefined && moves === null) {
      // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
      return Reflect.apply(original, this, arguments);
    }
    const key = from?.next ?? 0;
    const lost = from === undefined ? moves!.lost : (moves?.leave(key) ?? []);
    if (from !== undefined) {
      try {
        watch.facts.ring.now(Fact.Send, key, 0, watch.sites.caller(wrapper));
      } catch {
        unwritten.facts++;
      }
    }
    let isSent = false;
    try {
      // oxlint-disable-next-line prefer-rest-params -- as above
      const result = Reflect.apply(original, this, arguments);
      isSent = true;
      return result;
    } finally {
      // What cannot be sent throws: the next message has its number then, and its ports stay.
      if (isSent) {
        from?.sent();
        for (const at of lost) tellClosed(watch, at);
      } else {
        if (from !== undefined) tellTaken(watch, key);
        moves?.stay(key);
      }
    }
  };
  return wrapper;
}

function leaving(message: unknown, transferred: unknown): Departure | null {
  try {
    return Departure.of(message, transferred);
  } catch {
    unwritten.facts++;
    return null;
  }
}

function arriving(message: unknown, key: number): void {
  try {
    arrive(message, key);
  } catch {
    unwritten.facts++;
  }
}

/** receiveMessageOnPort: no callback handles the message. */
function taking(watch: CallbackOptions, original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [port] = args;
    let taken: { readonly message: unknown } | undefined;
    let isKnown = false;
    try {
      taken = Reflect.apply(original, this, args) as typeof taken;
      isKnown = true;
    } finally {
      // It throws whether a message that cannot be read is gone or there was no stack left to ask for one.
      if (!isKnown && typeof port === "object" && port !== null) tellClosed(watch, forgetReceived(port));
    }
    const at = typeof port === "object" && port !== null ? receivingEnd(port) : undefined;
    if (taken !== undefined && at !== undefined) {
      const key = at.received();
      arriving(taken.message, key);
      tellTaken(watch, key);
    }
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

/** What is sent to that end is handled by nobody, or by nobody of whom it is known. */
function tellClosed(watch: CallbackOptions, at: MessageEnd | undefined): void {
  try {
    if (at !== undefined && watch.context.on) watch.facts.ring.now(Fact.Closed, at.expected, 0, 0);
  } catch {
    unwritten.facts++;
  }
}
