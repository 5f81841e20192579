import { MessagePort } from "node:worker_threads";
import type { Worker } from "node:worker_threads";
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
