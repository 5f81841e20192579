import { plainEvent } from "./plain-event.ts";
import type { OrderedEvent } from "./types.ts";

/** One event as a line of JSON (without the newline): plain-event.ts, what is absent left out. */
export function jsonLine(event: OrderedEvent): string {
  return JSON.stringify(plainEvent(event));
}
