import { TraceError } from "../base/error.ts";
import { plainEvent } from "../order/plain-event.ts";
import type { TraceEvent } from "../order/plain-event.ts";
import { OrderedReader } from "../order/reader.ts";
import type { EventKind } from "../order/types.ts";
import { openSource } from "./open.ts";
import type { TraceSource } from "./open.ts";

export interface ReadOptions {
  /** The kinds of events that are wanted: the others are checked, and not made. All unless told. */
  readonly kinds?: readonly EventKind[];
  /** Bytes lost at the end that Go's tools pass over are an error, too: ERR_TRACE_DAMAGED, after all events. */
  readonly strict?: boolean;
}

/** Events made at a time. */
const STEP = 512;

/**
 * The events of a trace (of Go 1.11 or later, or of runtrace), in order and validated as Go's own reader does it, each an
 * object to keep. Throws TraceError at the first error, after the events before it: `code`, `offset` in the file, a
 * message that begins with Go's first line. Of a file it holds one generation in memory, a second of the program or
 * so; of a stream, of what is gzipped and of the traces of Go before 1.22 the whole.
 *
 *     for await (const event of readTrace("trace.out")) {
 *       if (event.kind === "Log") console.log(event.category, event.message);
 *     }
 */
export async function* readTrace(
  source: TraceSource,
  options: ReadOptions = {},
): AsyncGenerator<TraceEvent, void, undefined> {
  const bytes = await openSource(source);
  try {
    let events: TraceEvent[] = [];
    const wanted = options.kinds === undefined ? null : new Set(options.kinds);
    const reader = new OrderedReader(bytes, (event) => events.push(plainEvent(event)), wanted);
    for (let isMore = true; isMore;) {
      let failure: unknown;
      try {
        isMore = reader.step(STEP);
      } catch (error) {
        failure = error;
      }
      const made = events;
      events = [];
      yield* made;
      if (failure !== undefined) throw failure;
    }
    const { damage } = reader.summary();
    if (damage !== null && options.strict === true)
      throw new TraceError("ERR_TRACE_DAMAGED", damage.message, { offset: damage.offset });
  } finally {
    bytes.close();
  }
}
