import { TraceError } from "../base/error.ts";
import { Ev } from "../wire/events.ts";
import { MAX_STACK_FRAMES, MAX_STRING_SIZE } from "../wire/format.ts";
import type { Input } from "./input.ts";
import { SparseTable } from "./sparse-table.ts";
import { decodeText } from "./text.ts";
import type { WideValues } from "./wide.ts";

/**
 * A table payload ended where the next field should begin. Go's tools take that for a clean end of the trace; this
 * reader follows them and reports it as damage.
 */
export class TableCut extends TraceError {
  constructor(offset: number) {
    super(
      "ERR_TRACE_TABLE_CUT",
      "table cut between two fields: this generation and all later ones are lost",
      {
        offset,
      },
    );
  }
}

/** One frame of a stack, shared by all stacks of the generation that name its program counter. */
export interface DecodedFrame {
  readonly pc: bigint;
  func: string;
  file: string;
  /** The nearest float64 where the exact one is in `exactLine`. */
  readonly line: number;
  readonly exactLine?: bigint;
  /** String ids, as codes. */
  readonly funcId: number;
  readonly fileId: number;
}

/** A stack of one generation, leaf first; its id is a code. */
export interface DecodedStack {
  readonly id: number;
  readonly frames: readonly DecodedFrame[];
}

/** The strings, stacks and frames of one generation while it is read and after. */
export class Tables {
  readonly strings = new SparseTable<string>();
  readonly stacks = new SparseTable<DecodedStack>();
  readonly #frames = new Map<number, DecodedFrame>();
  readonly #wide: WideValues;
  #stacksOffset = 0;

  constructor(wide: WideValues) {
    this.#wide = wide;
    this.strings.set(0, "");
    this.stacks.set(0, { id: 0, frames: [] });
  }

  /** Adds a strings payload, its leading marker read already. */
  addStrings(input: Input): void {
    for (let type = input.byte(); type >= 0; type = input.byte()) {
      const at = input.offset - 1;
      if (type !== Ev.String) throw tableError(`expected string event, got ${type}`, at);
      const id = plain(input);
      const size = plain(input);
      if (size < 0 || size > MAX_STRING_SIZE) {
        throw tableError(`invalid string size ${input.exact(size)}, maximum is ${MAX_STRING_SIZE}`, at);
      }
      const bytes = input.take(size);
      if (bytes.length < size) {
        throw tableError(`failed to read full string: read ${bytes.length} but wanted ${size}`, input.offset);
      }
      const text = decodeText(bytes);
      const existing = this.strings.get(id);
      if (existing !== undefined) {
        const which = `id=${this.#wide.value(id)}, new=${text}, existing=${existing}`;
        throw tableError(`multiple strings with the same ID: ${which}`, at);
      }
      this.strings.set(id, text);
    }
  }

  /** Adds a stacks payload, its leading marker read already. The frames have no names until `resolve`. */
  addStacks(input: Input): void {
    this.#stacksOffset = input.offset;
    for (let type = input.byte(); type >= 0; type = input.byte()) {
      const at = input.offset - 1;
      if (type !== Ev.Stack) throw tableError(`expected stack event, got ${type}`, at);
      const id = plain(input);
      const count = plain(input);
      if (count < 0 || count > MAX_STACK_FRAMES) {
        throw tableError(`invalid stack size ${input.exact(count)}, maximum is ${MAX_STACK_FRAMES}`, at);
      }
      const frames: DecodedFrame[] = [];
      for (let i = 0; i < count; i++) {
        const pc = this.#frameField(input, "PC", i, id);
        const funcId = this.#frameField(input, "funcID", i, id);
        const fileId = this.#frameField(input, "fileID", i, id);
        const line = this.#frameField(input, "line", i, id);
        frames.push(this.#frame(pc, funcId, fileId, line));
      }
      const existing = this.stacks.get(id);
      if (existing !== undefined) {
        const which = `id=${this.#wide.value(id)}, new=${listing(frames)}, existing=${listing(existing.frames)}`;
        throw tableError(`multiple trace.stacks with the same ID: ${which}`, at);
      }
      this.stacks.set(id, { id, frames });
    }
  }

  /** Gives every frame its names; throws for the stack with the lowest id that names a missing string. */
  resolve(): void {
    for (const frame of this.#frames.values()) {
      const func = this.strings.get(frame.funcId);
      const file = this.strings.get(frame.fileId);
      if (func === undefined || file === undefined) this.#rejectStacks();
      else {
        frame.func = func;
        frame.file = file;
      }
    }
  }

  #rejectStacks(): never {
    const ids = [...this.stacks.keys()].toSorted((a, b) => (this.#wide.less(a, b) ? -1 : 1));
    for (const id of ids) {
      for (const frame of this.stacks.get(id)!.frames) {
        for (const [what, stringId] of [["func", frame.funcId] as const, ["file", frame.fileId] as const]) {
          if (this.strings.get(stringId) !== undefined) continue;
          const message = `found invalid ${what} string ID ${this.#wide.value(stringId)} for stack ${this.#wide.value(id)}`;
          throw tableError(message, this.#stacksOffset);
        }
      }
    }
    throw tableError("found invalid string ID in a frame", this.#stacksOffset);
  }

  /** The frame of a program counter: the first definition in a generation holds. */
  #frame(pc: number, funcId: number, fileId: number, line: number): DecodedFrame {
    let frame = this.#frames.get(pc);
    if (frame === undefined) {
      const base = {
        pc: this.#wide.value(pc),
        func: "",
        file: "",
        line: this.#wide.toNumber(line),
        funcId,
        fileId,
      };
      frame = line < 0 ? { ...base, exactLine: this.#wide.value(line) } : base;
      this.#frames.set(pc, frame);
    }
    return frame;
  }

  #frameField(input: Input, name: string, index: number, stack: number): number {
    const value = input.uvarint();
    if (input.fault === "") return value;
    const message = `reading frame ${index + 1}'s ${name} for stack ${this.#wide.value(stack)}: ${input.fault}`;
    throw tableError(message, input.offset);
  }
}

/** A varint of a table. Cut between two fields it is a TableCut, broken inside one ERR_TRACE_TABLE. */
export function plain(input: Input): number {
  const value = input.uvarint();
  if (input.fault === "") return value;
  if (input.fault === "EOF") throw new TableCut(input.offset);
  throw tableError(input.fault, input.offset);
}

/** An ERR_TRACE_TABLE. */
export function tableError(message: string, offset: number): TraceError {
  return new TraceError("ERR_TRACE_TABLE", message, { offset });
}

function listing(frames: readonly DecodedFrame[]): string {
  return frames.map((frame) => `\t0x${frame.pc.toString(16)}\n`).join("");
}
