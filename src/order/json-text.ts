import { exactId, exactTime, exactValue } from "./exact.ts";
import type { OrderedEvent, Stack } from "./types.ts";
import { wallTime } from "./wall-time.ts";

/**
 * One event as a line of JSON (without the newline), with the facts of the parsed text. Integers beyond 2^53 are
 * strings; absent ids, parents and stacks are left out; a frame is {func, file, line, pc} with pc as 0x text.
 */
export function jsonLine(event: OrderedEvent): string {
  return JSON.stringify({
    kind: event.kind,
    time: integer(exactTime(event)),
    thread: id(event, event.thread),
    proc: id(event, event.proc),
    goroutine: id(event, event.goroutine),
    ...details(event),
    stack: stack(event.stack),
  });
}

function details(event: OrderedEvent): object {
  switch (event.kind) {
    case "Sync":
      return sync(event);
    case "Metric":
      return { name: event.name, value: integer(exactValue(event)) };
    case "Label":
      return { label: event.name };
    case "StackSample":
      return {};
    case "RangeBegin":
    case "RangeActive":
      return range(event);
    case "RangeEnd":
      return { ...range(event), attributes: event.attributes.length > 0 ? attributes(event) : undefined };
    case "TaskBegin":
    case "TaskEnd":
      return { task: integer(event.task), parent: optional(event.parent), type: event.name };
    case "RegionBegin":
    case "RegionEnd":
      return { task: integer(event.task), type: event.name };
    case "Log":
      return { task: integer(event.task), category: event.name, message: event.message };
    case "StateTransition":
      return {
        resource: event.resource,
        id: integer(exactId(event, event.resourceId)),
        from: event.from,
        to: event.to,
        reason: event.reason === "" ? undefined : event.reason,
        transitionStack: stack(event.transitionStack),
      };
    case "Experimental":
      return { name: event.name, args: attributes(event) };
  }
}

function sync(event: OrderedEvent): object {
  const taken = event.snapshot;
  if (taken === null) return { n: event.value };
  const wall = wallTime(taken.wallSec, taken.wallNsec, 0);
  return { n: event.value, trace: integer(BigInt(taken.trace)), mono: integer(taken.mono), wall };
}

function range(event: OrderedEvent): object {
  return { name: event.name, scope: event.scope, scopeId: id(event, event.scopeId) };
}

function attributes(event: OrderedEvent): object {
  return Object.fromEntries(event.attributes.map(({ name, value }) => [name, integer(value)]));
}

function stack(value: Stack | null): object | undefined {
  return value?.frames.map((frame) => ({
    func: frame.func,
    file: frame.file,
    line: integer(frame.exactLine ?? BigInt(frame.line)),
    pc: `0x${frame.pc.toString(16)}`,
  }));
}

function id(event: OrderedEvent, value: number): number | string | undefined {
  return value === -1 ? undefined : integer(exactId(event, value));
}

function optional(value: bigint): number | string | undefined {
  return value === NONE ? undefined : integer(value);
}

function integer(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const NONE = 0xffff_ffff_ffff_ffffn;
