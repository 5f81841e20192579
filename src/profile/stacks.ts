import type { Stack, StackFrame } from "../order/types.ts";

/** The row of "no stack". */
export const NO_STACK = 0;

/** Ids below this, all of Go's in practice, are looked up in an array. */
const SMALL = 1 << 16;

/**
 * Stacks of all generations, each once. A stack is looked at once a generation, however many events have it: the reader
 * gives the same object for the same id until the next Sync.
 */
export class Stacks {
  readonly #byPcOnly: boolean;
  readonly #stacks: (readonly StackFrame[])[] = [[]];
  /** Every frame as it was first seen. */
  readonly #frames: StackFrame[] = [];
  readonly #rowByKey = new Map<string, number>([["", NO_STACK]]);
  readonly #frameByKey = new Map<string, number>();
  /** Of the current generation. */
  readonly #rowByStack = new Map<Stack, number>();
  /** By a small id: the row plus 1, 0 where it is not known. */
  readonly #rowById = new Int32Array(SMALL);
  #largestId = 0;
  readonly #frameByFrame = new Map<StackFrame, number>();

  /**
   * `byPcOnly`: frames with the same program counter are one, whatever they are called, as in Go. Else they are told
   * apart by name and line as well.
   */
  constructor(options: { readonly byPcOnly: boolean }) {
    this.#byPcOnly = options.byPcOnly;
  }

  /** A generation begins: stacks and their ids are others from here on. */
  sync(): void {
    this.#rowByStack.clear();
    this.#rowById.fill(0, 0, this.#largestId + 1);
    this.#largestId = 0;
    this.#frameByFrame.clear();
  }

  /** The row of a stack, the same for equal ones of other generations. */
  row(stack: Stack | null): number {
    if (stack === null) return NO_STACK;
    const { id } = stack;
    if (id < 0 || id >= SMALL) {
      let row = this.#rowByStack.get(stack);
      if (row === undefined) this.#rowByStack.set(stack, (row = this.#intern(stack)));
      return row;
    }
    const known = this.#rowById[id]!;
    if (known > 0) return known - 1;
    const row = this.#intern(stack);
    this.#rowById[id] = row + 1;
    if (id > this.#largestId) this.#largestId = id;
    return row;
  }

  #intern(stack: Stack): number {
    const rows = stack.frames.map((frame) => this.#frame(frame));
    const key = rows.join(" ");
    let row = this.#rowByKey.get(key);
    if (row === undefined) {
      row = this.#stacks.length;
      this.#rowByKey.set(key, row);
      this.#stacks.push(rows.map((at) => this.#frames[at]!));
    }
    return row;
  }

  /** The frames of a row, leaf first. Equal frames of all stacks are one object, the one that was first seen. */
  frames(row: number): readonly StackFrame[] {
    return this.#stacks[row]!;
  }

  /** The same text for stacks that Go takes for one: program counters of 0 at the end do not tell them apart. */
  merged(row: number): string {
    const pcs = this.#stacks[row]!.map((frame) => frame.pc);
    while (pcs[pcs.length - 1] === 0n) pcs.pop();
    return pcs.join(" ");
  }

  #frame(frame: StackFrame): number {
    let row = this.#frameByFrame.get(frame);
    if (row !== undefined) return row;
    const { pc, func, file, line, exactLine } = frame;
    const key = this.#byPcOnly ? `${pc}` : `${pc}\0${func}\0${file}\0${exactLine ?? line}`;
    row = this.#frameByKey.get(key);
    if (row === undefined) {
      row = this.#frames.length;
      this.#frameByKey.set(key, row);
      this.#frames.push(frame);
    }
    this.#frameByFrame.set(frame, row);
    return row;
  }
}
