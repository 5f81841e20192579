/**
 * What the recorder says of itself: messages of the log category `runtrace`, JSON objects with one key each. The
 * schema is in this folder's README. Of several notes about one thing the later wins; counts of drops and misuse are
 * totals of their own note and add up.
 */
import type { Note } from "./types.ts";

/** Everything the notes of a trace say. */
export interface Notes {
  /** The recorded process, or null where the trace is not ours. */
  readonly process: ProcessNote | null;
  /** Facts lost to a full ring, by event loop (proc id). */
  readonly drops: ReadonlyMap<number, number>;
  /** Wrong uses of the annotation API, by kind ("regions"). */
  readonly misuse: ReadonlyMap<string, number>;
  /** Promises and resources whose place was not looked at for want of budget. */
  readonly skippedLooks: number;
  /** Pauses for garbage collection that were told too late to have a place in the trace, and how long they were. */
  readonly lostPauses: { readonly count: number; readonly ns: number };
  /** Why a flight recorder wrote this file by itself, the last of them; null where it did not. */
  readonly flight: FlightNote | null;
  /** What recording cost, as the recorder told it last; null where it did not. */
  readonly cost: CostNote | null;
}

/** What made a flight recorder write a file: ms of lag or of the task, bytes of heap, name of the task or signal. */
export interface FlightNote {
  readonly trigger: string;
  readonly ms: number | null;
  readonly bytes: number | null;
  readonly name: string | null;
}

/** What recording cost; a field is null where the note does not have it. */
export interface CostNote {
  readonly facts: number | null;
  /** Facts lost to full buffers. */
  readonly lost: number | null;
  readonly activations: number | null;
  /** Time in the program's threads (an estimate), and CPU time of the tracer thread, in ns. */
  readonly hooksNs: number | null;
  readonly tracerNs: number | null;
  /** Bytes written. */
  readonly bytes: number | null;
}

/** Who was recorded. A field is null where the note does not have it. */
export interface ProcessNote {
  readonly runtrace: string | null;
  readonly node: string | null;
  readonly pid: number | null;
  readonly argv1: string | null;
}

/** Reads the notes of a trace. Keys and fields of another shape than the schema's are passed over. */
export function readNotes(notes: readonly Note[]): Notes {
  let process: ProcessNote | null = null;
  let cost: CostNote | null = null;
  let flight: FlightNote | null = null;
  const drops = new Map<number, number>();
  const misuse = new Map<string, number>();
  let skippedLooks = 0;
  const lostPauses = { count: 0, ns: 0 };
  for (const { message } of notes) {
    const told = record(message["process"]);
    if (told !== null) process = processNote(told, process);
    const dropped = record(message["drops"]);
    const loop = count(dropped?.["loop"]);
    const facts = count(dropped?.["facts"]);
    if (loop !== null && facts !== null) drops.set(loop, (drops.get(loop) ?? 0) + facts);
    for (const [kind, value] of Object.entries(record(message["misuse"]) ?? {})) {
      const times = count(value);
      if (times !== null) misuse.set(kind, (misuse.get(kind) ?? 0) + times);
    }
    skippedLooks += count(record(message["looks"])?.["skipped"]) ?? 0;
    const pauses = record(message["pauses"]);
    lostPauses.count += count(pauses?.["lost"]) ?? 0;
    lostPauses.ns += count(pauses?.["ns"]) ?? 0;
    const spent = record(message["cost"]);
    if (spent !== null) cost = costNote(spent);
    flight = flightNote(record(message["flight"])) ?? flight;
  }
  return { process, drops, misuse, skippedLooks, lostPauses, flight, cost };
}

function processNote(told: Readonly<Record<string, unknown>>, before: ProcessNote | null): ProcessNote {
  return {
    runtrace: text(told["runtrace"]) ?? before?.runtrace ?? null,
    node: text(told["node"]) ?? before?.node ?? null,
    pid: count(told["pid"]) ?? before?.pid ?? null,
    argv1: text(told["argv1"]) ?? before?.argv1 ?? null,
  };
}

function costNote(told: Readonly<Record<string, unknown>>): CostNote {
  return {
    facts: count(told["facts"]),
    lost: count(told["lost"]),
    activations: count(told["activations"]),
    hooksNs: count(told["hooksNs"]),
    tracerNs: count(told["tracerNs"]),
    bytes: count(told["bytes"]),
  };
}

function flightNote(told: Readonly<Record<string, unknown>> | null): FlightNote | null {
  const trigger = text(told?.["trigger"]);
  if (told === null || trigger === null) return null;
  return { trigger, ms: count(told["ms"]), bytes: count(told["bytes"]), name: text(told["name"]) };
}

/** Names of event loops by proc id. */
export function loopNames(notes: readonly Note[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { message } of notes) {
    const loops = record(message["process"])?.["loops"];
    if (!Array.isArray(loops)) continue;
    for (const entry of loops) {
      const loop = record(entry);
      const proc = count(loop?.["proc"]);
      const name = text(loop?.["name"]);
      if (proc !== null && name !== null) names.set(proc, name);
    }
  }
  return names;
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
