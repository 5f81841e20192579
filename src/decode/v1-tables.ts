import { V1_MAX_FRAMES, V1_OWN_STRINGS } from "../wire/v1-events.ts";
import { SparseTable } from "./sparse-table.ts";
import type { DecodedStack } from "./tables.ts";
import type { V1Records } from "./v1-records.ts";
import type { WideValues } from "./wide.ts";

interface V1Frame {
  readonly func: number;
  readonly file: number;
  readonly line: number;
}

/** What a v1 trace says once and for all of it: strings, stacks, the clock's frequency, goroutines of timers. */
export class V1Tables {
  readonly #strings = new SparseTable<string>();
  /** Largest id of a string. */
  #last = 0n;
  #isComplete = false;
  /** Ticks a second; 0 while it is not known. */
  frequency = 0;
  readonly timers = new Set<number>();
  readonly #pcs = new SparseTable<Float64Array>();
  readonly #frames = new Map<number, V1Frame>();
  readonly #stacks = new SparseTable<DecodedStack>();
  readonly #wide: WideValues;
  readonly #messages: () => Iterable<string>;

  /**
   * Go gives ids to the messages of logs, and to texts of its own, behind those of the trace: an id that no string of a
   * broken trace has may be one of these. `messages` lists the messages.
   */
  constructor(wide: WideValues, messages: () => Iterable<string>) {
    this.#messages = messages;
    this.#wide = wide;
    this.#strings.set(0, "");
  }

  addString(records: V1Records): void {
    const id = records.args[0]!;
    const value = this.#wide.value(id);
    if (this.#strings.get(id) !== undefined) throw records.error(`string has duplicate id ${value}`);
    this.#strings.set(id, records.text);
    if (value > this.#last) this.#last = value;
  }

  string(id: number): string | undefined {
    const text = this.#strings.get(id);
    if (text !== undefined || this.#isComplete) return text;
    this.#isComplete = true;
    let next = this.#last;
    for (const own of [...new Set(this.#messages()), ...V1_OWN_STRINGS])
      this.#strings.set(this.#wide.code(BigInt.asUintN(64, ++next)), own);
    return this.#strings.get(id);
  }

  addStack(records: V1Records): void {
    const { args, count } = records;
    const wrong = (want: string): Error =>
      records.error(`EvStack has wrong number of arguments: want ${want}, got ${count}`);
    if (count < 2) throw wrong("at least 2");
    const size = args[1]!;
    if (size < 0 || size > V1_MAX_FRAMES)
      throw records.error(`EvStack has bad number of frames: ${this.#wide.value(size)}`);
    if (count !== 2 + 4 * size) throw wrong(String(2 + 4 * size));
    const id = this.stackId(args[0]!);
    if (id === 0 || size === 0) return;
    const pcs = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const at = 2 + 4 * i;
      const pc = (pcs[i] = args[at]!);
      // The first that names a program counter holds.
      if (!this.#frames.has(pc))
        this.#frames.set(pc, { func: args[at + 1]!, file: args[at + 2]!, line: args[at + 3]! });
    }
    this.#pcs.set(id, pcs);
  }

  /** Go keeps 32 bits of a stack's id. */
  stackId(code: number): number {
    return code >= 0 ? code % 2 ** 32 : Number(BigInt.asUintN(32, this.#wide.value(code)));
  }

  hasStack(id: number): boolean {
    return this.#pcs.get(id) !== undefined;
  }

  /** Undefined where there is none, or a frame names a string that is not there. */
  stack(id: number): DecodedStack | undefined {
    const known = this.#stacks.get(id);
    if (known !== undefined) return known;
    const pcs = id === 0 ? new Float64Array(0) : this.#pcs.get(id);
    if (pcs === undefined) return undefined;
    const frames: DecodedStack["frames"][number][] = [];
    for (const pc of pcs) {
      const { func: funcId, file: fileId, line } = this.#frames.get(pc)!;
      const func = this.string(funcId);
      const file = this.string(fileId);
      if (func === undefined || file === undefined) return undefined;
      const base = { pc: this.#wide.value(pc), func, file, line: this.#wide.toNumber(line), funcId, fileId };
      frames.push(line < 0 ? { ...base, exactLine: this.#wide.value(line) } : base);
    }
    const stack = { id, frames };
    this.#stacks.set(id, stack);
    return stack;
  }
}
