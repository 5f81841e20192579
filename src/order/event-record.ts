import type { OrderedEvent, Stack } from "./types.ts";

/** The one event object that a reader hands out again and again; all fields exist from the start. */
export class EventRecord implements OrderedEvent {
  kind: OrderedEvent["kind"] = "Sync";
  time = 0;
  thread = -1;
  proc = -1;
  goroutine = -1;
  stack: Stack | null = null;
  resource: OrderedEvent["resource"] = "none";
  resourceId = -1;
  from = "";
  to = "";
  reason = "";
  transitionStack: Stack | null = null;
  name = "";
  value = 0;
  scope: OrderedEvent["scope"] = "none";
  scopeId = -1;
  attributes: OrderedEvent["attributes"] = [];
  task = 0n;
  parent = 0n;
  message = "";
  wide: readonly bigint[];
  exactTime: bigint | null = null;
  exactValue: bigint | null = null;
  snapshot: OrderedEvent["snapshot"] = null;

  constructor(wide: readonly bigint[]) {
    this.wide = wide;
  }
}
