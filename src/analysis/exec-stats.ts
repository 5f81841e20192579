/** Sums by key, few keys each: columns and not a Map, since a trace has several of these a goroutine and a region. */
export class Sums {
  readonly keys: string[] = [];
  readonly values: number[] = [];

  /** Adds to the sum under a key, which is there from then on, be it 0. */
  add(key: string, time: number): void {
    const at = this.keys.indexOf(key);
    if (at >= 0) {
      this.values[at] = this.values[at]! + time;
    } else {
      this.keys.push(key);
      this.values.push(time);
    }
  }

  /** The sum under a key, 0 where there is none. */
  get(key: string): number {
    const at = this.keys.indexOf(key);
    return at < 0 ? 0 : this.values[at]!;
  }
}

/** What a goroutine or region without any has, shared by all of them. */
const NO_SUMS = new Sums();

/** Sums of where an activation's time went, in nanoseconds, in the columns of Go's goroutine analysis. */
export class ExecStats {
  exec = 0;
  schedWait = 0;
  syscall = 0;
  syscallBlock = 0;
  total = 0;
  #block = NO_SUMS;
  #ranges = NO_SUMS;

  /** Time blocked, by reason. */
  get block(): Sums {
    return this.#block;
  }

  /** Time in ranges, by name. */
  get ranges(): Sums {
    return this.#ranges;
  }

  addBlock(reason: string, time: number): void {
    if (this.#block === NO_SUMS) this.#block = new Sums();
    this.#block.add(reason, time);
  }

  addRange(name: string, time: number): void {
    if (this.#ranges === NO_SUMS) this.#ranges = new Sums();
    this.#ranges.add(name, time);
  }

  /** What of `total` no column explains; never negative. */
  get unknown(): number {
    let known = this.exec + this.schedWait + this.syscall + this.syscallBlock;
    for (const time of this.#block.values) known += time;
    return Math.max(0, this.total - known);
  }

  copy(): ExecStats {
    const copy = new ExecStats();
    copy.exec = this.exec;
    copy.schedWait = this.schedWait;
    copy.syscall = this.syscall;
    copy.syscallBlock = this.syscallBlock;
    copy.total = this.total;
    const { keys, values } = this.#block;
    for (let i = 0; i < keys.length; i++) copy.addBlock(keys[i]!, values[i]!);
    const ranges = this.#ranges;
    for (let i = 0; i < ranges.keys.length; i++) copy.addRange(ranges.keys[i]!, ranges.values[i]!);
    return copy;
  }

  /** What was added since `earlier`, an earlier copy of these sums; keeps every key of these sums. */
  since(earlier: ExecStats): ExecStats {
    const difference = this.copy();
    difference.exec -= earlier.exec;
    difference.schedWait -= earlier.schedWait;
    difference.syscall -= earlier.syscall;
    difference.syscallBlock -= earlier.syscallBlock;
    difference.total -= earlier.total;
    for (const key of earlier.block.keys) difference.addBlock(key, -earlier.block.get(key));
    for (const key of earlier.ranges.keys) difference.addRange(key, -earlier.ranges.get(key));
    return difference;
  }
}
