import { TraceError } from "../base/error.ts";
import { Ev } from "../wire/events.ts";
import { MAX_BATCH_SIZE } from "../wire/format.ts";
import type { Input } from "./input.ts";

/** One batch of the file. `generation`, `thread` and `time` are codes (wide.ts). */
export interface Batch {
  readonly generation: number;
  readonly thread: number;
  /** Base time in clock units. */
  readonly time: number;
  /** Experiment id, 0 for an ordinary batch. */
  readonly experiment: number;
  readonly payload: Uint8Array;
  /** Offsets in the file of the batch and of its payload. */
  readonly start: number;
  readonly offset: number;
}

/** What `readBatch` found instead of a batch: the end of the file, its end after half a batch head, the end mark. */
export const END_OF_FILE = "end of file";
export const CUT_AT_EXPERIMENT = "cut at experiment";
export const END_OF_GENERATION = "end of generation";

/**
 * Reads the next batch. Throws ERR_TRACE_BATCH where there is neither a batch nor a clean end. `version` decides
 * whether the end-of-generation mark is known.
 */
export function readBatch(
  input: Input,
  version: number,
): Batch | typeof END_OF_FILE | typeof CUT_AT_EXPERIMENT | typeof END_OF_GENERATION {
  const start = input.offset;
  const type = input.byte();
  if (type < 0) return END_OF_FILE;
  if (type === Ev.EndOfGeneration && version >= 26) return END_OF_GENERATION;
  if (type !== Ev.EventBatch && type !== Ev.ExperimentalBatch) {
    throw batchError(`expected batch event, got event ${type}`, start);
  }
  let experiment = 0;
  if (type === Ev.ExperimentalBatch) {
    experiment = input.byte();
    if (experiment < 0) return CUT_AT_EXPERIMENT;
  }
  const generation = field(input, "gen");
  const thread = field(input, "M ID");
  const time = field(input, "timestamp");
  const size = field(input, "size");
  if (size < 0 || size > MAX_BATCH_SIZE) {
    const shown = size < 0 ? input.exact(size) : size;
    throw batchError(`invalid batch size ${shown}, maximum is ${MAX_BATCH_SIZE}`, start);
  }
  const offset = input.offset;
  const payload = input.take(size);
  if (payload.length < size) {
    throw batchError(`failed to read full batch: read ${payload.length} but wanted ${size}`, input.offset);
  }
  return { generation, thread, time, experiment, payload, start, offset };
}

function field(input: Input, name: string): number {
  const offset = input.offset;
  const value = input.uvarint();
  if (input.fault !== "") throw batchError(`error reading batch ${name}: ${input.fault}`, offset);
  return value;
}

function batchError(message: string, offset: number): TraceError {
  return new TraceError("ERR_TRACE_BATCH", message, { offset });
}
