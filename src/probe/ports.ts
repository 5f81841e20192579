import { types } from "node:util";
import { MessagePort } from "node:worker_threads";
import type { Worker } from "node:worker_threads";
import { channelKey, messageKey } from "../base/facts.ts";
import { kindOf, setStamp } from "./stamp.ts";
import { Transfers, portsIn } from "./transfers.ts";
import type { ChannelEnd, Found } from "./transfers.ts";

/** Kind of a port whose messages are none of the program's. */
const UNSEEN = -2;

/** The method by which a message port hands on what it is sent, whatever listens there. */
export const DISPATCH = Symbol.for("nodejs.internal.kHybridDispatch");

/** Messages on this port are not told from here on. */
export function hidePort(port: object): void {
  setStamp(port, 0, UNSEEN);
}

/** Messages of this Worker are not told from here on. */
export function hidePortsOf(worker: Worker): void {
  for (const symbol of Object.getOwnPropertySymbols(worker)) {
    const port = (worker as unknown as Record<symbol, unknown>)[symbol];
    if (port instanceof MessagePort) hidePort(port);
  }
}

/** What Node keeps on the ports that carry its own talk with a Worker, once it has been seen. */
let ownMark: symbol | undefined;

/** Whether a port's messages are none of the program's: it was hidden, or is one of those by which Node talks with Workers. */
export function isHidden(port: object): boolean {
  if (kindOf(port) === UNSEEN) return true;
  ownMark ??= Object.getOwnPropertySymbols(port).find(({ description }) => description === "kWaitingStreams");
  return ownMark !== undefined && Object.hasOwn(port, ownMark);
}

/**
 * One end of messages that come in the order in which they are sent: the nth that is sent at one end is the nth that is
 * handled at the other. Both ends count, those between a Worker and its maker from the Worker's beginning on, those of a
 * channel from the channel's.
 */
export class MessageEnd {
  readonly #keyOut: (count: number) => number;
  readonly #keyIn: (count: number) => number;
  #sent: number;
  #received: number;

  constructor(
    keyOut: (count: number) => number,
    keyIn: (count: number) => number,
    counts: { readonly sent: number; readonly received: number } = { sent: 0, received: 0 },
  ) {
    this.#keyOut = keyOut;
    this.#keyIn = keyIn;
    this.#sent = counts.sent;
    this.#received = counts.received;
  }

  /** Key of the message that is about to be sent. */
  get next(): number {
    return this.#keyOut(this.#sent + 1);
  }

  /** It was sent. */
  sent(): void {
    this.#sent++;
  }

  /** Key of the message that is about to be handled. */
  received(): number {
    return this.#keyIn(++this.#received);
  }

  /** Key of the message that would be handled next. */
  get expected(): number {
    return this.#keyIn(this.#received + 1);
  }

  get counts(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received };
  }
}

/** By what sends (a Worker, a port), and by the port on which messages come. */
let senders = new WeakMap<object, MessageEnd>();
let receivers = new WeakMap<object, MessageEnd>();
/** Which end of which channel a port is; the counts are those of its MessageEnd. */
let ends = new WeakMap<object, { readonly channel: number; readonly side: 0 | 1 }>();

/** What is known of ports that are under way; undefined where nothing records. */
let transfers: Transfers | undefined;

/** Channels are counted from here on; `words` are shared by the isolates of the recording. */
export function countChannels(words: Int32Array): void {
  transfers = new Transfers(words);
}

/** Nothing is counted from here on: what is sent while nothing records would be missed at one end or the other. */
export function forgetMessages(): void {
  senders = new WeakMap();
  receivers = new WeakMap();
  ends = new WeakMap();
  transfers = undefined;
}

/** Counts the messages of a Worker that has just been made, at its maker's end. */
export function countMessagesOf(worker: Worker, threadId: number): void {
  const end = endOfWorker(threadId, true);
  senders.set(worker, end);
  for (const symbol of Object.getOwnPropertySymbols(worker)) {
    const port = (worker as unknown as Record<symbol, unknown>)[symbol];
    if (symbol.description === "kPublicPort" && port instanceof MessagePort) receivers.set(port, end);
  }
}

/** The same in the Worker, which has just begun, by its parentPort. */
export function countMessagesHere(port: MessagePort, threadId: number): void {
  const end = endOfWorker(threadId, false);
  senders.set(port, end);
  receivers.set(port, end);
}

function endOfWorker(threadId: number, isMakers: boolean): MessageEnd {
  return new MessageEnd(
    (count) => messageKey(threadId, !isMakers, count),
    (count) => messageKey(threadId, isMakers, count),
  );
}

/** Key of what a Worker is made with, as if that were a message. */
export function birthKey(threadId: number): number {
  return messageKey(threadId, false, 0);
}

/** Counts the messages of a channel that has just been made. */
export function countMessagesBetween(port1: object, port2: object): void {
  const channel = transfers?.newChannel() ?? 0;
  if (channel === 0) return;
  countFrom(port1, { channel, side: 0, sent: 0, received: 0 });
  countFrom(port2, { channel, side: 1, sent: 0, received: 0 });
}

function countFrom(port: object, { channel, side, sent, received }: ChannelEnd): void {
  const end = new MessageEnd(
    (nth) => channelKey(channel, side, nth),
    (nth) => channelKey(channel, 1 - side, nth),
    { sent, received },
  );
  senders.set(port, end);
  receivers.set(port, end);
  ends.set(port, { channel, side });
}

/** The end from which it sends; undefined where that is not counted, or nobody is there any more to receive. */
export function sendingEnd(sender: object): MessageEnd | undefined {
  const end = senders.get(sender);
  return end === undefined || (sender as Partial<Worker>).threadId === -1 ? undefined : end;
}

/** The end at which the port receives, undefined where that is not counted. */
export function receivingEnd(port: object): MessageEnd | undefined {
  return receivers.get(port);
}

/** How many messages have come on the port is not certain any more; answers what its end was. */
export function forgetReceived(port: object): MessageEnd | undefined {
  const end = receivers.get(port);
  receivers.delete(port);
  return end;
}

/** The port is not counted any more; answers what its end was. */
export function forgetPort(port: object): MessageEnd | undefined {
  const end = ends.has(port) ? receivers.get(port) : undefined;
  if (end === undefined) return undefined;
  senders.delete(port);
  receivers.delete(port);
  ends.delete(port);
  return end;
}

/** Counted ports that are about to leave this isolate with a message. */
export class Departure {
  readonly #ports: readonly { readonly port: object; readonly end: MessageEnd; readonly at: ChannelEnd }[];
  /** Ports of the message in the order in which they will be found, null where that is not known. */
  readonly #found: Found | null;

  private constructor(message: unknown, ports: readonly object[]) {
    this.#found = portsIn(message);
    this.#ports = ports.flatMap((port) => {
      const [at, end] = [ends.get(port), receivers.get(port)];
      return at === undefined || end === undefined ? [] : [{ port, end, at: { ...at, ...end.counts } }];
    });
    for (const port of ports) forgetPort(port);
  }

  /** What leaves with a message that is sent with that list of what is transferred; null where it is nothing that is counted. */
  static of(message: unknown, transferred: unknown): Departure | null {
    if (transfers === undefined || typeof transferred !== "object" || transferred === null) return null;
    if (types.isProxy(transferred)) return null;
    const list: unknown = Array.isArray(transferred)
      ? transferred
      : Reflect.getOwnPropertyDescriptor(transferred, "transfer")?.value;
    if (!Array.isArray(list) || types.isProxy(list)) return null;
    const ports: object[] = [];
    for (const one of list as readonly unknown[]) {
      if (typeof one === "object" && one !== null && ends.has(one)) ports.push(one);
    }
    return ports.length === 0 ? null : new Departure(message, ports);
  }

  /** The message of that key carries them; answers the ends of those of which nobody will know what they are. */
  leave(key: number): MessageEnd[] {
    const lost: MessageEnd[] = [];
    const { ports: order, shape } = this.#found ?? { ports: [] as readonly object[], shape: 0 };
    // The shape stands with the first, whatever that is.
    transfers?.put(key, 0, shape, { channel: 0, side: 0, sent: 0, received: 0 });
    for (const { port, end, at } of this.#ports) {
      const index = (order as readonly object[]).indexOf(port);
      if (index < 0 || transfers?.put(key, index, shape, at) !== true) lost.push(end);
    }
    return lost;
  }

  /** Nobody will know what they are. */
  get lost(): MessageEnd[] {
    return this.#ports.map(({ end }) => end);
  }

  /** They stay: the message of that key, if any, was not sent. */
  stay(key: number): void {
    if (key !== 0) transfers?.drop(key, this.#found?.ports.length ?? 0);
    for (const { port, at } of this.#ports) countFrom(port, at);
  }
}

/** Counts the ports that have come with the message of that key. */
export function arrive(message: unknown, key: number): void {
  const shape = transfers?.shape(key) ?? 0;
  if (shape === 0) return;
  const found = portsIn(message);
  if (found?.shape !== shape) return;
  for (const [index, port] of found.ports.entries()) {
    const end = transfers?.get(key, index);
    if (end !== undefined) countFrom(port, end);
  }
}
