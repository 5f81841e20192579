/** Ordered events made by hand, for tests of what consumes them. */
import type { OrderedEvent, Stack } from "../order/types.ts";

/** Background task of logs and regions, and the parent of a task that has none. */
export const NO_PARENT = 0xffff_ffff_ffff_ffffn;

let stacks = 0;

/** A stack of functions, leaf first; each lies in its own file FUNC.js at line 1. */
export function stack(...functions: readonly string[]): Stack {
  return {
    id: ++stacks,
    frames: functions.map((func, i) => ({ func, file: `${func}.js`, line: 1, pc: BigInt(i + 1) })),
  };
}

/** An event with the given fields; the others are as on an event that does not use them. */
export function event(fields: Partial<OrderedEvent> & Pick<OrderedEvent, "kind" | "time">): OrderedEvent {
  return {
    thread: 1,
    proc: -1,
    goroutine: -1,
    stack: null,
    resource: "none",
    resourceId: -1,
    from: "",
    to: "",
    reason: "",
    transitionStack: null,
    name: "",
    value: 0,
    scope: "none",
    scopeId: -1,
    attributes: [],
    task: 0n,
    parent: NO_PARENT,
    message: "",
    snapshot: null,
    ...fields,
  };
}

/** A transition of a goroutine, "Running->Waiting". `by` is the goroutine of the event's context. */
export function go(
  time: number,
  id: number,
  change: string,
  fields: Partial<OrderedEvent> & { readonly by?: number } = {},
): OrderedEvent {
  const { by = -1, ...others } = fields;
  return event({
    kind: "StateTransition",
    time,
    resource: "goroutine",
    resourceId: id,
    ...ends(change),
    goroutine: by,
    ...others,
  });
}

/** A transition of a proc, "Idle->Running". */
export function proc(time: number, id: number, change: string): OrderedEvent {
  return event({ kind: "StateTransition", time, resource: "proc", resourceId: id, ...ends(change) });
}

/** A Sync: a generation begins, or the trace ends. */
export function sync(time: number): OrderedEvent {
  return event({ kind: "Sync", time });
}

function ends(change: string): { from: string; to: string } {
  const [from = "", to = ""] = change.split("->");
  return { from, to };
}
