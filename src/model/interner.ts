import { SparseTable } from "../decode/sparse-table.ts";
import type { Frame } from "../wire/format.ts";
import type { Stack } from "../order/types.ts";

const RECENT = 64;

/** Gives every distinct text one index; "" is 0. */
export class StringInterner {
  readonly strings: string[] = [""];
  readonly #rows = new Map<string, number>([["", 0]]);
  /** The last text of each length (modulo) and its row: few texts are asked for most often. */
  readonly #lastText: string[] = Array.from({ length: RECENT }, () => "");
  readonly #lastRow = new Int32Array(RECENT);

  row(text: string): number {
    const place = text.length % RECENT;
    if (text === this.#lastText[place]) return this.#lastRow[place]!;
    let row = this.#rows.get(text);
    if (row === undefined) {
      row = this.strings.push(text) - 1;
      this.#rows.set(text, row);
    }
    this.#lastText[place] = text;
    this.#lastRow[place] = row;
    return row;
  }
}

/**
 * Gives every distinct stack one index for the whole trace; the empty stack is 0. Stacks are equal when their frames
 * have the same function, file and line: program counters, which name nothing to people, are left out. Frames are
 * shared between stacks.
 */
export class StackInterner {
  readonly stacks: (readonly Frame[])[] = [[]];
  readonly #frames: Frame[] = [];
  readonly #frameRows = new Map<string, number>();
  readonly #stackRows = new Map<string, number>([["", 0]]);
  /** Ids of the current generation: they are given anew in the next. */
  #generation = new SparseTable<number>();

  /** Forgets the stack ids of the generation that ended. */
  nextGeneration(): void {
    this.#generation = new SparseTable();
  }

  row(stack: Stack | null): number {
    if (stack === null) return 0;
    let row = this.#generation.get(stack.id);
    if (row === undefined) {
      row = this.#intern(stack);
      this.#generation.set(stack.id, row);
    }
    return row;
  }

  #intern(stack: Stack): number {
    const frames: Frame[] = [];
    let key = "";
    for (const frame of stack.frames) {
      const row = this.#frame(frame);
      frames.push(this.#frames[row]!);
      key += `${row},`;
    }
    let row = this.#stackRows.get(key);
    if (row === undefined) {
      row = this.stacks.push(frames) - 1;
      this.#stackRows.set(key, row);
    }
    return row;
  }

  #frame(frame: Frame): number {
    const key = `${frame.func}\0${frame.file}\0${frame.line}`;
    let row = this.#frameRows.get(key);
    if (row === undefined) {
      row = this.#frames.push({ func: frame.func, file: frame.file, line: frame.line }) - 1;
      this.#frameRows.set(key, row);
    }
    return row;
  }
}
