import type { Stack, StackFrame } from "../order/types.ts";

/** The row of "no stack". */
export const NO_STACK = 0;

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
  readonly #frameByFrame = new Map<StackFrame, number>();

  /**
   * `byPcOnly`: stacks with the same program counters are one, whatever their frames are called, and a counter of 0
   * at the end is none, as in Go. Else frames are told apart by name and line as well.
   */
  constructor(options: { readonly byPcOnly: boolean }) {
    this.#byPcOnly = options.byPcOnly;
  }

  /** A generation begins: stacks and their ids are others from here on. */
  sync(): void {
    this.#rowByStack.clear();
    this.#frameByFrame.clear();
  }

  /** The row of a stack, the same for equal ones of other generations. */
  row(stack: Stack | null): number {
    if (stack === null) return NO_STACK;
    let row = this.#rowByStack.get(stack);
    if (row !== undefined) return row;
    const { frames } = stack;
    let count = frames.length;
    if (this.#byPcOnly) while (count > 0 && frames[count - 1]!.pc === 0n) count--;
    const rows: number[] = [];
    for (let i = 0; i < count; i++) rows.push(this.#frame(frames[i]!));
    const key = rows.join(" ");
    row = this.#rowByKey.get(key);
    if (row === undefined) {
      row = this.#stacks.length;
      this.#rowByKey.set(key, row);
      this.#stacks.push(rows.map((at) => this.#frames[at]!));
    }
    this.#rowByStack.set(stack, row);
    return row;
  }

  /** The frames of a row, leaf first. Equal frames of all stacks are one object, the one that was first seen. */
  frames(row: number): readonly StackFrame[] {
    return this.#stacks[row]!;
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
