/** Sums of where an activation's time went, in nanoseconds, in the columns of Go's goroutine analysis. */
export class ExecStats {
  exec = 0;
  schedWait = 0;
  syscall = 0;
  syscallBlock = 0;
  total = 0;
  readonly block = new Map<string, number>();
  readonly ranges = new Map<string, number>();

  /** What of `total` no column explains; never negative. */
  get unknown(): number {
    let known = this.exec + this.schedWait + this.syscall + this.syscallBlock;
    for (const time of this.block.values()) known += time;
    return Math.max(0, this.total - known);
  }

  copy(): ExecStats {
    const copy = new ExecStats();
    copy.exec = this.exec;
    copy.schedWait = this.schedWait;
    copy.syscall = this.syscall;
    copy.syscallBlock = this.syscallBlock;
    copy.total = this.total;
    for (const [reason, time] of this.block) copy.block.set(reason, time);
    for (const [name, time] of this.ranges) copy.ranges.set(name, time);
    return copy;
  }

  /** What was added since `earlier`, an earlier copy of these sums; keeps every key of these sums. */
  since(earlier: ExecStats): ExecStats {
    const difference = new ExecStats();
    difference.exec = this.exec - earlier.exec;
    difference.schedWait = this.schedWait - earlier.schedWait;
    difference.syscall = this.syscall - earlier.syscall;
    difference.syscallBlock = this.syscallBlock - earlier.syscallBlock;
    difference.total = this.total - earlier.total;
    for (const [reason, time] of this.block) {
      difference.block.set(reason, time - (earlier.block.get(reason) ?? 0));
    }
    for (const [name, time] of this.ranges) {
      difference.ranges.set(name, time - (earlier.ranges.get(name) ?? 0));
    }
    return difference;
  }
}

/** Adds to the sum under a key. */
export function addTo(sums: Map<string, number>, key: string, time: number): void {
  sums.set(key, (sums.get(key) ?? 0) + time);
}
