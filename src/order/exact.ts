import { wideValue } from "../decode/wide.ts";
import type { OrderedEvent } from "./types.ts";

/** The id of a thread, proc or goroutine as the signed 64-bit integer that Go prints. */
export function exactId(event: OrderedEvent, id: number): bigint {
  return id >= -1 ? BigInt(id) : BigInt.asIntN(64, wideValue(event.wide ?? [], id));
}

/** The time of an event in ns, exact. */
export function exactTime(event: OrderedEvent): bigint {
  return event.exactTime ?? BigInt(event.time);
}

/** The value of a metric, exact. */
export function exactValue(event: OrderedEvent): bigint {
  return event.exactValue ?? BigInt(event.value);
}
