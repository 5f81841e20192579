import { MessagePort } from "node:worker_threads";
import type { Worker } from "node:worker_threads";
import { messageKey } from "../base/facts.ts";
import { kindOf, setStamp } from "./stamp.ts";

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
 * One end of the messages between a Worker and its maker, which come in the order in which they are sent: the nth that
 * is sent at one end is the nth that is handled at the other. Both ends count from the Worker's beginning on.
 */
export class MessageEnd {
  readonly #threadId: number;
  readonly #isMakers: boolean;
  #sent = 0;
  #received = 0;

  constructor(threadId: number, isMakers: boolean) {
    this.#threadId = threadId;
    this.#isMakers = isMakers;
  }

  /** Key of the message that is about to be sent. */
  get next(): number {
    return messageKey(this.#threadId, !this.#isMakers, this.#sent + 1);
  }

  /** It was sent. */
  sent(): void {
    this.#sent++;
  }

  /** Key of the message that is about to be handled. */
  received(): number {
    return messageKey(this.#threadId, this.#isMakers, ++this.#received);
  }
}

/** By what sends (a Worker, or a Worker's parentPort), and by the port on which messages come. */
let senders = new WeakMap<object, MessageEnd>();
let receivers = new WeakMap<object, MessageEnd>();

/** Nothing is counted from here on: what is sent while nothing records would be missed at one end or the other. */
export function forgetMessages(): void {
  senders = new WeakMap();
  receivers = new WeakMap();
}

/** Counts the messages of a Worker that has just been made, at its maker's end. */
export function countMessagesOf(worker: Worker, threadId: number): void {
  const end = new MessageEnd(threadId, true);
  senders.set(worker, end);
  for (const symbol of Object.getOwnPropertySymbols(worker)) {
    const port = (worker as unknown as Record<symbol, unknown>)[symbol];
    if (symbol.description === "kPublicPort" && port instanceof MessagePort) receivers.set(port, end);
  }
}

/** The same in the Worker, which has just begun, by its parentPort. */
export function countMessagesHere(port: MessagePort, threadId: number): void {
  const end = new MessageEnd(threadId, false);
  senders.set(port, end);
  receivers.set(port, end);
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
