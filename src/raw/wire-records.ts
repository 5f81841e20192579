import { TraceError } from "../base/error.ts";
import { Ev, SPEC_BY_TYPE } from "../wire/events.ts";
import { HEADER_SIZE } from "../wire/format.ts";
import { InputBroken, InputEnd, WireInput, type WireSource, type WireValue } from "./wire-input.ts";

/** One record of the file in its order: structural ones included, nothing interpreted. Used again for the next. */
export interface WireRecord {
  type: number;
  /** "" for the numbers that go 1.26 reserves without a meaning. */
  name: string;
  /** Names of `args`; a timed event begins with dt. */
  argNames: readonly string[];
  readonly args: WireValue[];
  /** Stack only: pc, func, file and line of each frame, one after the other. */
  readonly frames: WireValue[];
  /** String and ExperimentalBatch only, else null. */
  data: Uint8Array | null;
}

/** Last event number of each version; what is older than 1.22 has none. */
const LAST_TYPE: Readonly<Record<number, number>> = { 11: 0, 19: 0, 21: 0, 22: 44, 23: 49, 25: 51, 26: 136 };

const ARG_NAMES: readonly (readonly string[])[] = SPEC_BY_TYPE.map((spec) =>
  spec === undefined ? [] : spec.timed ? ["dt", ...spec.args] : spec.args,
);

/**
 * The records of a trace, one at a time. Nothing is validated but the framing itself: no order, no limits, no tables.
 * The constructor throws TraceError ERR_TRACE_HEADER or ERR_TRACE_VERSION, `next` ERR_TRACE_WIRE, with Go's message.
 */
export class WireReader {
  /** Minor version of the header: 25 for "go 1.25 trace". */
  readonly version: number;
  /** Last event number that the version knows. */
  readonly lastType: number;
  readonly #input: WireInput;
  readonly #record: WireRecord = { type: 0, name: "", argNames: [], args: [], frames: [], data: null };

  constructor(source: WireSource) {
    this.#input = new WireInput(source);
    this.version = readHeader(this.#input);
    this.lastType = LAST_TYPE[this.version]!;
  }

  /** Bytes read so far, header included. */
  get bytes(): number {
    return this.#input.offset;
  }

  /** The next record, or null at the end; an end between two fields or in data is a clean one, as it is to Go. */
  next(): WireRecord | null {
    const offset = this.#input.offset;
    const type = this.#input.byte();
    if (type < 0) return null;
    if (type === 0 || type > this.lastType) {
      throw new TraceError("ERR_TRACE_WIRE", `invalid event type: ${type}`, { offset });
    }
    try {
      readRecord(this.#input, type, this.#record);
    } catch (error) {
      if (error instanceof InputEnd) return null;
      if (!(error instanceof InputBroken)) throw error;
      throw new TraceError("ERR_TRACE_WIRE", error.message, { offset });
    }
    return this.#record;
  }
}

function readRecord(input: WireInput, type: number, record: WireRecord): void {
  const argNames = ARG_NAMES[type]!;
  record.type = type;
  record.name = SPEC_BY_TYPE[type]?.name ?? "";
  record.argNames = argNames;
  record.args.length = 0;
  record.frames.length = 0;
  record.data = null;
  for (let i = 0; i < argNames.length; i++) record.args.push(input.uvarint());
  if (type === Ev.Stack) {
    const frames = record.args[1]!;
    for (let i = 0; i < frames; i++) for (let k = 0; k < 4; k++) record.frames.push(input.uvarint());
  } else if (type === Ev.String || type === Ev.ExperimentalBatch) {
    record.data = input.take(input.uvarint());
  }
}

function readHeader(input: WireInput): number {
  let text = "";
  for (let byte = 0; text.length < HEADER_SIZE && byte >= 0;) {
    byte = input.byte();
    if (byte >= 0) text += String.fromCharCode(byte);
  }
  const match = /^go 1\.([+-]?\d+) trace\0+$/u.exec(text);
  if (match === null || text.length < HEADER_SIZE) {
    throw new TraceError("ERR_TRACE_HEADER", "bad file format: not a Go execution trace?", { offset: 0 });
  }
  const version = Number(match[1]);
  if (!(version in LAST_TYPE)) {
    const message = `unknown or unsupported trace version go 1.${version}`;
    throw new TraceError("ERR_TRACE_VERSION", message, { offset: 0 });
  }
  return version;
}
