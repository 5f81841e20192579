/** Ranges: garbage collection, stop-the-world and whatever else has a begin and an end outside the annotations. */
import { ByteColumn, FloatColumn, IntColumn } from "./columns.ts";
import type { RangeTable } from "./types.ts";

/** Scopes of a range, as the `scope` column has them. */
export const RangeScope = { Global: 0, Activation: 1, Proc: 2 } as const;

const NONE = -1;
/** What a range is of, below which its row is found without a map: procs, mostly. */
const DIRECT = 256;

/** Rows by what their ranges are of, -1 for none. */
class OpenRows {
  readonly #direct = new Int32Array(DIRECT).fill(NONE);
  readonly #others = new Map<number, number>();

  get(of: number): number {
    return of + 1 < DIRECT ? this.#direct[of + 1]! : (this.#others.get(of) ?? NONE);
  }

  set(of: number, row: number): void {
    if (of + 1 < DIRECT) this.#direct[of + 1] = row;
    else if (row === NONE) this.#others.delete(of);
    else this.#others.set(of, row);
  }
}

/** Records ranges. A range is known by its name, scope and what it is of; one such range is open at a time. */
export class RangeRecorder {
  readonly #name = new IntColumn();
  readonly #start = new FloatColumn();
  readonly #end = new FloatColumn();
  readonly #scope = new ByteColumn();
  readonly #of = new IntColumn();
  /** Row of the open range by scope, then name, then what it is of. */
  readonly #open: readonly Map<number, OpenRows>[] = [new Map(), new Map(), new Map()];

  /** A range begins. It is told of again, as active, in each generation: only the first counts. */
  begin(name: number, scope: number, of: number, time: number): void {
    const open = this.#openOf(name, scope);
    if (open.get(of) !== NONE) return;
    this.#name.push(name);
    this.#start.push(time);
    this.#end.push(Number.NaN);
    this.#scope.push(scope);
    open.set(of, this.#of.push(of));
  }

  /** A range ends; the end of one that never began is nothing. */
  end(name: number, scope: number, of: number, time: number): void {
    const open = this.#openOf(name, scope);
    const row = open.get(of);
    if (row === NONE) return;
    this.#end.data[row] = time;
    open.set(of, NONE);
  }

  #openOf(name: number, scope: number): OpenRows {
    const byName = this.#open[scope]!;
    let open = byName.get(name);
    if (open === undefined) {
      open = new OpenRows();
      byName.set(name, open);
    }
    return open;
  }

  /** Builds the table; open ranges end with the trace. */
  finish(endTime: number, activationPlace: Uint32Array, procPlace: Uint32Array): RangeTable {
    const scope = this.#scope.take();
    const end = this.#end.take();
    const of = this.#of.take();
    for (let row = 0; row < of.length; row++) {
      if (Number.isNaN(end[row]!)) end[row] = endTime;
      const owner = of[row]!;
      if (owner < 0) continue;
      if (scope[row] === RangeScope.Activation) of[row] = activationPlace[owner]!;
      else if (scope[row] === RangeScope.Proc) of[row] = procPlace[owner]!;
    }
    return { count: of.length, name: this.#name.take(), start: this.#start.take(), end, scope, of };
  }
}
