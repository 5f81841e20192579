/**
 * Which part of a goroutine's life a profile is about. Every goroutine has a clock that runs only while the filter lets
 * it in; what a wait counts for is how far the clock went meanwhile. So intervals need not be kept, and where several
 * of them overlap the clock still runs at one speed.
 *
 * Let in by a region: while one that matches is open. By a task: while a region of it is open (also one that the
 * goroutine's maker was in when it made it), and on the goroutine that began it, and on those that it makes, from
 * the task's begin to its end. A region whose begin is not in the trace was open before: it lets in everything so far.
 */
import type { OrderedEvent } from "../order/types.ts";
import type { ProfiledGoroutine } from "./goroutine.ts";

/** What to take into a profile; undefined: everything. All that is given must hold. */
export interface ProfileFilter {
  /** The name of the entry function, or the id in decimal digits. */
  readonly goroutine?: string;
  /** The region's type. */
  readonly region?: string;
  /** The task's name, or its id in decimal digits. */
  readonly task?: string;
  /** Nanoseconds since the trace's first event; `from` is in, `to` is not. */
  readonly from?: number;
  readonly to?: number;
}

/** A region that is open. */
export interface OpenRegion {
  readonly task: bigint;
  readonly matches: boolean;
}

/** Runs the clocks. */
export class FilterClocks {
  /** Whether regions or a task decide; if not, all clocks run all the time. */
  readonly decides: boolean;
  /** Whether any region or task matched. */
  hasMatched = false;
  readonly #filter: ProfileFilter;
  readonly #region: string | null;
  readonly #task: string | null;
  /** Open tasks that match, with the goroutines that work on them. */
  readonly #workers = new Map<bigint, ProfiledGoroutine[]>();
  /** Tasks that match by name or by id. */
  readonly #matching = new Set<bigint>();
  #from = -Infinity;
  #to = Infinity;

  constructor(filter: ProfileFilter) {
    this.#filter = filter;
    this.#region = filter.region ?? null;
    this.#task = filter.task ?? null;
    this.decides = this.#region !== null || this.#task !== null;
  }

  /** The time of the trace's first event. */
  begin(time: number): void {
    if (this.#filter.from !== undefined) this.#from = time + this.#filter.from;
    if (this.#filter.to !== undefined) this.#to = time + this.#filter.to;
  }

  /** A time moved to the nearest one that is let in. */
  clip(time: number): number {
    return time < this.#from ? this.#from : time > this.#to ? this.#to : time;
  }

  isIn(time: number): boolean {
    return time >= this.#from && time < this.#to;
  }

  /** What the goroutine's clock shows. */
  read(goroutine: ProfiledGoroutine, time: number): number {
    const now = this.clip(time);
    if (!this.decides) return now;
    return goroutine.depth > 0 ? goroutine.clock + now - goroutine.enteredAt : goroutine.clock;
  }

  /** A goroutine is made by another one: it is in its maker's innermost region, and works on the maker's task. */
  made(goroutine: ProfiledGoroutine, maker: ProfiledGoroutine | undefined, time: number): void {
    if (!this.decides || maker === undefined) return;
    const inner = maker.regions[maker.regions.length - 1];
    if (inner !== undefined) this.#push(goroutine, "", inner.task, time);
    for (const task of maker.tasks) this.#joins(goroutine, task, time);
  }

  /** A goroutine has ended, and with it its regions. */
  ended(goroutine: ProfiledGoroutine, time: number): void {
    if (goroutine.depth > 0) goroutine.clock = this.read(goroutine, time);
    goroutine.depth = 0;
    goroutine.regions = [];
    goroutine.tasks = [];
  }

  regionBegin(goroutine: ProfiledGoroutine, e: OrderedEvent): void {
    this.#push(goroutine, e.name, e.task, e.time);
  }

  /** True where it ends a region that matches and whose begin is not in the trace. */
  regionEnd(goroutine: ProfiledGoroutine, e: OrderedEvent): boolean {
    const open = goroutine.regions.pop();
    if (open === undefined) return this.#matches(e.name, e.task);
    if (open.matches) this.#leave(goroutine, e.time);
    return false;
  }

  taskBegin(goroutine: ProfiledGoroutine | undefined, e: OrderedEvent): void {
    if (this.#task === null || (this.#task !== e.name && this.#task !== `${e.task}`)) return;
    this.#matching.add(e.task);
    this.hasMatched = true;
    this.#workers.set(e.task, []);
    if (goroutine !== undefined) this.#joins(goroutine, e.task, e.time);
  }

  taskEnd(e: OrderedEvent): void {
    const workers = this.#workers.get(e.task);
    if (workers === undefined) return;
    this.#workers.delete(e.task);
    for (const goroutine of workers) {
      const at = goroutine.tasks.indexOf(e.task);
      if (at < 0) continue;
      goroutine.tasks = goroutine.tasks.toSpliced(at, 1);
      this.#leave(goroutine, e.time);
    }
  }

  #joins(goroutine: ProfiledGoroutine, task: bigint, time: number): void {
    // With a region asked for as well, only its regions count.
    if (this.#region !== null) return;
    this.#workers.get(task)?.push(goroutine);
    goroutine.tasks = [...goroutine.tasks, task];
    this.#enter(goroutine, time);
  }

  #push(goroutine: ProfiledGoroutine, type: string, task: bigint, time: number): void {
    const matches = this.#matches(type, task);
    goroutine.regions.push({ task, matches });
    if (matches) this.#enter(goroutine, time);
  }

  #matches(type: string, task: bigint): boolean {
    if (this.#region !== null && this.#region !== type) return false;
    const matches = this.#task === null || this.#matching.has(task) || this.#task === `${task}`;
    if (matches) this.hasMatched = true;
    return matches;
  }

  #enter(goroutine: ProfiledGoroutine, time: number): void {
    if (goroutine.depth++ === 0) goroutine.enteredAt = this.clip(time);
  }

  #leave(goroutine: ProfiledGoroutine, time: number): void {
    if (goroutine.depth === 1) goroutine.clock = this.read(goroutine, time);
    goroutine.depth--;
  }
}
