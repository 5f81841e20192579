/** The reader of every format: bytes in, ordered and validated events out. */
import { isV1, readHeader } from "../decode/header.ts";
import { Input } from "../decode/input.ts";
import type { ByteSource } from "../decode/source.ts";
import { WideValues } from "../decode/wide.ts";
import type { EventKind, OrderedEvent } from "./types.ts";
import { V1Reader } from "./v1-reader.ts";
import { V2Reader } from "./v2-reader.ts";

/** What `readOrdered` says of a trace that it read to its end. */
export interface Summary {
  /** Minor version of the header: 25 for "go 1.25 trace". */
  readonly version: number;
  /** Events delivered, Sync included. */
  readonly events: number;
  /** Bytes read. */
  readonly bytes: number;
  /** What Go's tools pass over in silence: bytes lost at the end although the verdict is "fine". Null: nothing. */
  readonly damage: { readonly message: string; readonly offset: number } | null;
}

/**
 * Feeds every event to `visit`, in order, as one object that is used again. Throws TraceError at the first error,
 * after the events before it: the message begins with Go's first line, `offset` is in the file. Holds one generation
 * in memory; of a trace of v1, which is checked before its first event, the whole file and 22 bytes an event (26 where ids pass 2^31).
 * `wanted`: the kinds that `visit` is given; the others are checked and counted, which is faster.
 */
export function readOrdered(
  source: ByteSource,
  visit: (event: OrderedEvent) => void,
  wanted: ReadonlySet<EventKind> | null = null,
): Summary {
  const reader = new OrderedReader(source, visit, wanted);
  while (reader.step(Infinity));
  return reader.summary();
}

/** `readOrdered` in steps, for callers that must pause. The constructor reads the header, and all of a trace of v1. */
export class OrderedReader {
  readonly #version: number;
  readonly #input: Input;
  readonly #v1: V1Reader | null;
  readonly #v2: V2Reader | null;

  constructor(
    source: ByteSource,
    visit: (event: OrderedEvent) => void,
    wanted: ReadonlySet<EventKind> | null = null,
  ) {
    const wide = new WideValues();
    this.#input = Input.ofSource(source, wide);
    this.#version = readHeader(this.#input);
    const isOld = isV1(this.#version);
    this.#v1 = isOld ? new V1Reader(this.#input, this.#version, wide, visit, wanted) : null;
    this.#v2 = isOld ? null : new V2Reader(this.#input, this.#version, wide, visit, wanted);
  }

  /** Delivers some `limit` events or a little more; false at the end of the trace. Throws as `readOrdered` does. */
  step(limit: number): boolean {
    return (this.#v1 ?? this.#v2)!.step(limit);
  }

  /** What was read so far; the whole trace once `step` has returned false. */
  summary(): Summary {
    const bytes = this.#input.offset;
    const damage = this.#v2?.damage ?? null;
    return {
      version: this.#version,
      events: (this.#v1 ?? this.#v2)!.events,
      bytes,
      damage: damage === null ? null : { message: damage.message, offset: damage.offset ?? bytes },
    };
  }
}
