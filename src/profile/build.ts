/**
 * The profiles of a trace: where goroutines waited (`net`, `sync`, `syscall`), who made them wait to run (`sched`),
 * where they ran (`cpu`). One pass over the ordered events; see cells.ts for what is kept.
 *
 * A wait is the time from a goroutine's transition into a state to the one out of it. It counts for the stack of the
 * transition into the state: of its own for the first three, of whoever made it runnable for `sched`.
 *
 * `compat` gives the profiles of `go tool trace -pprof`, which leave out much of the waiting. By default
 * - all waits before a goroutine first runs count, too, the one from its creation to its first run above all; Go
 *   counts only what comes after it. Of an id that is used again Go counts the last goroutine's waits alone.
 * - a wait that is open at the trace's end counts up to there; Go drops it.
 * - a goroutine that is found runnable or in a syscall counts from the Sync before it; Go begins where it is told of.
 * - what was read of a broken trace counts; Go drops what comes after the last Sync.
 * So the sums are those of the summary. What a goroutine found waiting waits for is not told, so it is in no profile.
 */
import type { EventKind, OrderedEvent, StackFrame } from "../order/types.ts";
import { Cells } from "./cells.ts";
import { FilterClocks } from "./filter.ts";
import type { ProfileFilter } from "./filter.ts";
import { GoroutinesById, ProfiledGoroutine } from "./goroutine.ts";
import { SamplePeriod } from "./period.ts";
import { inOrder } from "./profile.ts";
import type { Profile, ProfileSample } from "./profile.ts";
import { Stacks } from "./stacks.ts";

export const PROFILE_TYPES = ["net", "sync", "syscall", "sched", "cpu"] as const;

export type ProfileType = (typeof PROFILE_TYPES)[number];

export interface ProfileOptions {
  /** Go's numbers. Of `cpu`, which Go's tool does not have, nothing changes. */
  readonly compat: boolean;
  readonly filter: ProfileFilter;
}

/** The state that is waited in, and for what. `cpu` waits in none. */
const WAITS: Readonly<Record<ProfileType, { readonly state: string; readonly reasons: RegExp }>> = {
  net: { state: "Waiting", reasons: /^network$/ },
  sync: { state: "Waiting", reasons: /chan|sync|select/ },
  syscall: { state: "Syscall", reasons: /^/ },
  sched: { state: "Runnable", reasons: /^/ },
  cpu: { state: "", reasons: /^/ },
};

/** Bits of a tag beside its reason: the wait is cut off by the trace's start, by its end. */
const CUT_START = 1;
const CUT_END = 2;
const CUTS = ["", "start", "end", "start, end"] as const;
const PER_REASON = CUTS.length;

const NO_STACK_FRAME: StackFrame = { pc: 0n, func: "(no stack)", file: "", line: 0 };

const COUNT = { type: "contentions", unit: "count" };
const DELAY = { type: "delay", unit: "nanoseconds" };
const SAMPLES = { type: "samples", unit: "count" };
const CPU = { type: "cpu", unit: "nanoseconds" };

/** Builds one profile: hand every ordered event, or those of the `wanted` kinds, to `event`, then call `finish` once. */
export class ProfileBuilder {
  /** The kinds of events that it needs. */
  readonly wanted: ReadonlySet<EventKind>;
  /** Whether there was an event; the first is a Sync. */
  hasBegun = false;
  readonly #type: ProfileType;
  readonly #compat: boolean;
  readonly #filter: ProfileFilter;
  readonly #clocks: FilterClocks;
  readonly #stacks: Stacks;
  readonly #cells: Cells;
  readonly #period = new SamplePeriod();
  readonly #state: string;
  readonly #accepted: RegExp;
  readonly #reasons: string[] = [];
  /** By reason its place in `#reasons`, -1 where it is not waited for. */
  readonly #reasonRows = new Map<string, number>();
  #lastReason: string | null = null;
  #lastReasonRow = -1;
  readonly #byId = new GoroutinesById();
  readonly #goroutines: ProfiledGoroutine[] = [];
  /** With `compat`: what was added since the last Sync, which does not count where the trace then breaks. */
  #addedCells = new Int32Array(1024);
  #addedTimes = new Float64Array(1024);
  #added = 0;
  #addedBefore = 0;
  #startTime = 0;
  #endTime = 0;
  #syncTime = 0;
  #wallStart: bigint | null = null;

  constructor(type: ProfileType, options: ProfileOptions) {
    this.#type = type;
    this.#compat = options.compat && type !== "cpu";
    this.#filter = options.filter;
    this.#clocks = new FilterClocks(options.filter);
    this.#stacks = new Stacks({ byPcOnly: this.#compat });
    this.#cells = new Cells({ keepWhole: this.#clocks.decides });
    this.#state = WAITS[type].state;
    this.#accepted = WAITS[type].reasons;
    const wanted: EventKind[] = ["Sync", "StateTransition"];
    if (type === "cpu") wanted.push("StackSample", "Log");
    if (this.#clocks.decides) wanted.push("RegionBegin", "RegionEnd", "TaskBegin", "TaskEnd");
    this.wanted = new Set(wanted);
  }

  event(e: OrderedEvent): void {
    this.#endTime = e.time;
    switch (e.kind) {
      case "StateTransition":
        if (e.resource === "goroutine") this.#transition(e);
        break;
      case "Sync":
        this.#sync(e);
        break;
      case "StackSample":
        if (this.#type === "cpu") this.#sample(e);
        break;
      case "Log":
        if (e.name === "runtrace") this.#period.note(e.message);
        break;
      default:
        if (this.#clocks.decides) this.#annotation(e);
    }
  }

  #annotation(e: OrderedEvent): void {
    switch (e.kind) {
      case "RegionBegin":
        this.#clocks.regionBegin(this.#goroutine(e.goroutine), e);
        break;
      case "RegionEnd":
        this.#regionEnd(e);
        break;
      case "TaskBegin":
        this.#clocks.taskBegin(this.#byId.get(e.goroutine), e);
        break;
      case "TaskEnd":
        this.#clocks.taskEnd(e);
        break;
      default:
    }
  }

  #sync(e: OrderedEvent): void {
    this.#stacks.sync();
    this.#syncTime = e.time;
    this.#addedBefore += this.#added;
    this.#added = 0;
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#startTime = e.time;
    this.#clocks.begin(e.time);
    const { snapshot } = e;
    if (snapshot === null) return;
    const atSnapshot = snapshot.wallSec * 1_000_000_000n + BigInt(snapshot.wallNsec);
    this.#wallStart = atSnapshot + BigInt(e.time - snapshot.trace);
  }

  #transition(e: OrderedEvent): void {
    const { from, to, time } = e;
    let goroutine = this.#byId.get(e.resourceId);
    if (from !== to) {
      if (from === "NotExist" || from === "Undetermined") goroutine = this.#begins(e, goroutine);
      if (goroutine === undefined) return;
      goroutine.identify(e.transitionStack);
    } else if (goroutine === undefined) return;
    if (goroutine.isWaiting) {
      if (to === this.#state) return;
      this.#endWait(goroutine, time, 0);
    } else if (to === this.#state) {
      this.#beginWait(goroutine, e);
    }
    if (to === "Running") {
      if (this.#compat && goroutine.start === 0) this.#firstRun(goroutine, time);
    } else if (to === "NotExist" && this.#clocks.decides) this.#clocks.ended(goroutine, time);
  }

  /** A goroutine is made, or found. */
  #begins(e: OrderedEvent, known: ProfiledGoroutine | undefined): ProfiledGoroutine {
    if (known !== undefined && (this.#compat || e.from === "Undetermined")) {
      known.name = "";
      known.start = 0;
      return known;
    }
    const goroutine = this.#add(e.resourceId);
    if (e.from === "NotExist") this.#clocks.made(goroutine, this.#byId.get(e.goroutine), e.time);
    return goroutine;
  }

  #add(id: number): ProfiledGoroutine {
    const goroutine = new ProfiledGoroutine(id, this.#goroutines.length, this.#clocks.decides);
    this.#goroutines.push(goroutine);
    this.#byId.set(goroutine);
    return goroutine;
  }

  /** The goroutine of an event's context, which may come before anything else is told of it; -1 is nobody. */
  #goroutine(id: number): ProfiledGoroutine {
    return this.#byId.get(id) ?? this.#add(id);
  }

  #beginWait(goroutine: ProfiledGoroutine, e: OrderedEvent): void {
    const reason = this.#reasonRow(e.reason);
    if (reason < 0) return;
    const isFound = e.from === "Undetermined" && !this.#compat;
    goroutine.isWaiting = true;
    goroutine.waitStart = isFound ? this.#syncTime : e.time;
    goroutine.waitClock = this.#clocks.read(goroutine, goroutine.waitStart);
    goroutine.waitStack = this.#stacks.row(e.stack);
    goroutine.waitTag = this.#compat ? 0 : reason * PER_REASON + (isFound ? CUT_START : 0);
  }

  #endWait(goroutine: ProfiledGoroutine, time: number, cut: number): void {
    goroutine.isWaiting = false;
    const spent = this.#clocks.read(goroutine, time) - goroutine.waitClock;
    const whole = this.#clocks.decides
      ? this.#clocks.clip(time) - this.#clocks.clip(goroutine.waitStart)
      : spent;
    if (spent <= 0 && whole <= 0) return;
    const cell = this.#cells.add(goroutine.row, goroutine.waitStack, goroutine.waitTag + cut, spent, whole);
    if (!this.#compat || spent <= 0) return;
    if (this.#added === this.#addedCells.length) this.#growAdded();
    this.#addedCells[this.#added] = cell;
    this.#addedTimes[this.#added++] = spent;
  }

  #growAdded(): void {
    const cells = new Int32Array(this.#added * 2);
    cells.set(this.#addedCells);
    this.#addedCells = cells;
    const times = new Float64Array(this.#added * 2);
    times.set(this.#addedTimes);
    this.#addedTimes = times;
  }

  #reasonRow(reason: string): number {
    if (reason === this.#lastReason) return this.#lastReasonRow;
    let row = this.#reasonRows.get(reason);
    if (row === undefined) {
      row = -1;
      if (this.#accepted.test(reason)) {
        row = this.#reasons.length;
        this.#reasons.push(reason);
      }
      this.#reasonRows.set(reason, row);
    }
    this.#lastReason = reason;
    this.#lastReasonRow = row;
    return row;
  }

  /** Go counts from here on, unless it counts by region. */
  #firstRun(goroutine: ProfiledGoroutine, time: number): void {
    goroutine.start = time;
    if (this.#clocks.decides) return;
    this.#cells.clear(goroutine.row);
    goroutine.forgotten = this.#addedBefore + this.#added;
  }

  #regionEnd(e: OrderedEvent): void {
    const goroutine = this.#goroutine(e.goroutine);
    if (!this.#clocks.regionEnd(goroutine, e)) return;
    // Of several such regions, which overlap, Go takes the first.
    if (this.#compat && goroutine.isLetIn) return;
    goroutine.isLetIn = true;
    this.#cells.letAllIn(goroutine.row);
  }

  #sample(e: OrderedEvent): void {
    this.#period.add(e.thread, e.time);
    const goroutine = this.#goroutine(e.goroutine);
    const isTimely = this.#clocks.isIn(e.time);
    const isIn = isTimely && (!this.#clocks.decides || goroutine.depth > 0);
    if (isTimely) this.#cells.add(goroutine.row, this.#stacks.row(e.stack), 0, Number(isIn), 1);
  }

  /** How many goroutines the filter takes. */
  matchedGoroutines(): number {
    return this.#goroutines.filter((goroutine) => goroutine.id !== -1 && this.#takes(goroutine)).length;
  }

  /** Whether any region or task matched; true where none was asked for. */
  hasMatchedIntervals(): boolean {
    return !this.#clocks.decides || this.#clocks.hasMatched;
  }

  #takes(goroutine: ProfiledGoroutine): boolean {
    const wanted = this.#filter.goroutine;
    return wanted === undefined || wanted === goroutine.name || wanted === `${goroutine.id}`;
  }

  /** The profile of the events so far; `isBroken`: the trace could not be read to its end. */
  finish(isBroken: boolean): Profile {
    if (!this.#compat) this.#endOpenWaits();
    else if (isBroken) this.#takeBack();
    const [from, to] = [this.#startTime, this.#endTime].map((time) => this.#clocks.clip(time)) as [
      number,
      number,
    ];
    const isCpu = this.#type === "cpu";
    const period = isCpu ? this.#period.estimate() : 1;
    return {
      kinds: isCpu ? [SAMPLES, CPU] : [COUNT, DELAY],
      samples: inOrder(this.#samples(isCpu ? period : 0)),
      periodKind: isCpu ? CPU : { type: "trace", unit: "count" },
      period,
      wallStart:
        this.#wallStart === null || this.#compat ? null : this.#wallStart + BigInt(from - this.#startTime),
      duration: this.#compat ? null : to - from,
    };
  }

  #endOpenWaits(): void {
    for (const goroutine of this.#goroutines)
      if (goroutine.isWaiting) this.#endWait(goroutine, this.#endTime, CUT_END);
  }

  #takeBack(): void {
    for (let i = 0; i < this.#added; i++) {
      const cell = this.#addedCells[i]!;
      const goroutine = this.#goroutines[this.#cells.goroutine(cell)]!;
      if (this.#addedBefore + i >= goroutine.forgotten) this.#cells.remove(cell, this.#addedTimes[i]!);
    }
  }

  /** Sums over goroutines of the same name. `period`: what a CPU sample stands for, 0 for waits. */
  #samples(period: number): ProfileSample[] {
    const sums = new Map<string, { cell: number; name: string; count: number; sum: number }>();
    const cells = this.#cells;
    for (let cell = 0; cell < cells.size; cell++) {
      const count = cells.count(cell);
      const goroutine = this.#goroutines[cells.goroutine(cell)]!;
      if (count === 0 || !this.#takes(goroutine)) continue;
      const sum = period > 0 ? count * period : cells.sum(cell);
      const name = this.#compat ? "" : goroutine.name;
      const stack = cells.stack(cell);
      const key = this.#compat ? this.#stacks.merged(stack) : `${stack} ${cells.tag(cell)} ${name}`;
      const before = sums.get(key);
      if (before === undefined) sums.set(key, { cell, name, count, sum });
      else {
        before.count += count;
        before.sum += sum;
        // Of stacks that it takes for one Go shows the last.
        if (cells.latest(cell) > cells.latest(before.cell)) before.cell = cell;
      }
    }
    return Array.from(sums.values(), ({ cell, name, count, sum }) => {
      const frames = this.#stacks.frames(cells.stack(cell));
      return {
        frames: frames.length === 0 && !this.#compat ? [NO_STACK_FRAME] : frames,
        values: [count, sum],
        labels: this.#compat ? [] : this.#labels(name, cells.tag(cell)),
      };
    });
  }

  #labels(goroutine: string, tag: number): (readonly [string, string])[] {
    const reason = this.#reasons[Math.trunc(tag / PER_REASON)] ?? "";
    const labels = [
      ["goroutine", goroutine],
      ["reason", reason],
      ["cut", CUTS[tag % PER_REASON]!],
    ] as const;
    return labels.filter(([, value]) => value !== "");
  }
}
