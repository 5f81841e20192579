import type { Stack } from "../order/types.ts";
import { ExecStats } from "./exec-stats.ts";

/** A region of a goroutine, open or closed. */
export interface SummaryRegion {
  readonly type: string;
  readonly task: bigint;
  readonly start: number | null;
  readonly startKind: string;
  end: number | null;
  endKind: string;
  /** While open: the goroutine's sums at its begin. Closed: what the goroutine spent inside. */
  stats: ExecStats;
}

/** A goroutine while its trace is summarized: its sums, the clock of its present state, its regions and ranges. */
export class SummaryGoroutine {
  readonly id: number;
  readonly creation: number;
  name = "";
  pc = 0n;
  parent: number | null = null;
  start = 0;
  end = 0;
  stats = new ExecStats();
  /** Closed regions; in order of their start once finished. */
  regions: SummaryRegion[] = [];

  #openRegions: SummaryRegion[] = [];
  #state = "";
  #since = 0;
  #reason = "";
  /** When the syscall lost its proc; NaN while it has it. */
  #procLost = Number.NaN;
  /** Begin of each open range by name; null while there was none. */
  #openRanges: Map<string, number> | null = null;
  #finished = false;

  constructor(id: number, creation: number) {
    this.id = id;
    this.creation = creation;
  }

  /** Charges the time before the first sight of a goroutine that was there already. */
  foundIn(state: string, time: number, onProc: boolean): void {
    if (state === "Running") this.stats.exec += time;
    else if (state === "Runnable") this.stats.schedWait += time;
    else if (state === "Waiting") this.stats.addBlock("", time);
    else if (state === "Syscall" && onProc) this.stats.syscall += time;
    else if (state === "Syscall") this.stats.syscallBlock += time;
  }

  /** Takes the name of the entry function from the first stack that has one. */
  identify(stack: Stack | null): void {
    if (this.name !== "" || stack === null) return;
    const entry = stack.frames[stack.frames.length - 1];
    if (entry === undefined) return;
    this.name = entry.func;
    this.pc = entry.pc;
  }

  enter(state: string, reason: string, time: number): void {
    this.#state = state;
    this.#since = time;
    this.#reason = reason;
    this.#procLost = Number.NaN;
    if (state === "Running" && this.start === 0) this.start = time;
  }

  /** Charges the state that ends now. */
  leave(time: number): void {
    this.#charge(this.stats, time);
    this.#state = "";
  }

  lostProc(time: number): void {
    if (this.#state === "Syscall") this.#procLost = time;
  }

  rangeBegin(name: string, time: number): void {
    this.#open(name, time);
  }

  rangeActive(name: string, syncTime: number): void {
    const begun = this.#openRanges?.get(name);
    if (begun !== undefined) this.stats.addRange(name, syncTime - begun);
    this.#open(name, syncTime);
  }

  rangeEnd(name: string, time: number): void {
    const begun = this.#openRanges?.get(name);
    if (begun === undefined) return;
    this.stats.addRange(name, time - begun);
    this.#openRanges!.delete(name);
  }

  #open(range: string, time: number): void {
    this.#openRanges ??= new Map();
    this.#openRanges.set(range, time);
  }

  /** A goroutine made inside a region starts with a nameless region of the same task. */
  lendTask(to: SummaryGoroutine, time: number): void {
    const inner = this.#openRegions[this.#openRegions.length - 1];
    if (inner === undefined) return;
    to.#openRegions.push({
      type: "",
      task: inner.task,
      start: time,
      startKind: "StateTransition",
      end: null,
      endKind: "",
      stats: new ExecStats(),
    });
  }

  /** Begins a region. Always true: it is a new region of its task. */
  regionBegin(type: string, task: bigint, time: number, compat: boolean): boolean {
    const stats = this.#snapshot(time, compat);
    this.#openRegions.push({
      type,
      task,
      start: time,
      startKind: "RegionBegin",
      end: null,
      endKind: "",
      stats,
    });
    return true;
  }

  /** Ends the innermost region. True where none was open, so that a region without a start had to be made. */
  regionEnd(type: string, task: bigint, time: number, compat: boolean): boolean {
    const open = this.#openRegions.pop();
    const region: SummaryRegion = open ?? {
      type,
      task,
      start: null,
      startKind: "",
      end: null,
      endKind: "",
      stats: new ExecStats(),
    };
    this.#close(region, this.#snapshot(time, compat), time, "RegionEnd");
    return open === undefined;
  }

  /**
   * Ends the accounts: at the goroutine's death, with the kind of the event that ended it, and once more at the
   * trace's end, with "". Open regions are closed, except those of the runtime's own goroutines.
   */
  finish(time: number, endKind: string, compat: boolean): void {
    if (this.#finished) {
      if (compat && this.stats.total === 0) this.stats.total = time - this.creation;
    } else {
      this.stats = this.#snapshot(time, compat);
      this.#finished = true;
      if (!isSystem(this.name)) {
        for (const region of this.#openRegions)
          this.#close(region, this.stats, endKind === "" ? null : time, endKind);
      }
      this.#openRegions = [];
    }
    if (endKind !== "") return;
    this.regions = this.regions.toSorted(compareStart);
  }

  #close(region: SummaryRegion, now: ExecStats, end: number | null, endKind: string): void {
    region.stats = now.since(region.stats);
    region.end = end;
    region.endKind = endKind;
    this.regions.push(region);
  }

  /** The sums with what is still open counted up to now. */
  #snapshot(time: number, compat: boolean): ExecStats {
    const now = this.stats.copy();
    if (this.#finished) return now;
    now.total = time - this.creation;
    if (compat && this.#state === "Syscall" && !Number.isNaN(this.#procLost)) {
      now.syscall += time - this.#since;
      now.schedWait += time - this.#procLost;
    } else {
      this.#charge(now, time);
    }
    if (this.#openRanges === null) return now;
    for (const [name, begun] of this.#openRanges) now.addRange(name, time - begun);
    return now;
  }

  #charge(stats: ExecStats, time: number): void {
    const spent = time - this.#since;
    if (this.#state === "Running") stats.exec += spent;
    else if (this.#state === "Runnable") stats.schedWait += spent;
    else if (this.#state === "Waiting") stats.addBlock(this.#reason, spent);
    else if (this.#state === "Syscall") {
      const lost = Number.isNaN(this.#procLost) ? time : this.#procLost;
      stats.syscall += lost - this.#since;
      stats.syscallBlock += time - lost;
    }
  }
}

/** By start; regions without a start come first. */
function compareStart(a: SummaryRegion, b: SummaryRegion): number {
  if (a.start === null || b.start === null) return Number(a.start !== null) - Number(b.start !== null);
  return a.start - b.start;
}

/** Goroutines of the Go runtime itself, by name; one without a name counts as such. */
function isSystem(name: string): boolean {
  return name === "" || (name.startsWith("runtime.") && name !== "runtime.main");
}
