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

/** Node talks with a Worker on ports of its own: `all` of them are hidden, or that for its own messages only. */
export function hidePortsOf(worker: Worker, all: boolean): void {
  for (const symbol of Object.getOwnPropertySymbols(worker)) {
    const port = (worker as unknown as Record<symbol, unknown>)[symbol];
    if (port instanceof MessagePort && (all || symbol.description === "kPort")) hidePort(port);
  }
}

export function isHidden(port: object): boolean {
  return kindOf(port) === UNSEEN;
}
