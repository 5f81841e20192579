import type { GoStatus, ProcStatus } from "../wire/format.ts";
import { Ev } from "../wire/events.ts";
import type { EventBatches } from "./batches.ts";

/** What the writer knows of a goroutine that has not ended. */
export interface Goroutine {
  readonly id: number;
  status: (typeof GoStatus)[keyof typeof GoStatus];
  /** Sequence number of its last GoStart or GoUnblock in this generation. */
  seq: number;
  /** Time of the last event that another thread's events about it must follow. */
  last: number;
  /** Entry stack, and the stack of its last block, stop or system call (0: none). */
  readonly entry: number;
  stopped: number;
  /** Why it stopped last; "" before. */
  reason: string;
  /** Open regions, innermost last; null before the first. */
  regions: Region[] | null;
  assisting: boolean;
  /** The open stop-the-world range. */
  stw: StopTheWorld | null;
}

export interface Region {
  readonly task: number;
  readonly name: string;
}

export interface StopTheWorld {
  readonly kind: string;
  readonly stack: number;
}

/** What the writer knows of a proc (an event loop). */
export interface Proc {
  readonly id: number;
  status: (typeof ProcStatus)[keyof typeof ProcStatus];
  /** Sequence number of its last ProcStart or GoSyscallBegin in this generation. */
  seq: number;
  /** Time of its last ProcStop. */
  last: number;
  /** Id of the thread that runs it, or ran it last. */
  thread: number;
}

/** What the writer knows of a thread, with the events it has not written yet. */
export interface Thread {
  readonly id: number;
  readonly events: EventBatches;
  /** Unblocks in any order of time, collected while it has no proc. */
  readonly due: DueUnblocks;
  proc: Proc | null;
  /** The goroutine that runs, or sits in a syscall, on it. Never without a proc. */
  goroutine: Goroutine | null;
  /** Time of the last event in `events`: none may follow with an earlier one. */
  last: number;
}

const COLUMNS = 4;

/**
 * GoUnblocks of a thread without a proc. Such a thread stands for what happens outside the event loops, timers above
 * all, whose due times become known out of order: so these events are sorted before they are encoded. That is safe
 * because nothing but the goroutine's own sequence orders them, and their times follow that sequence.
 */
export class DueUnblocks {
  #count = 0;
  #inOrder = true;
  #rows = new Float64Array(16 * COLUMNS);

  add(time: number, goroutine: number, seq: number, stack: number): void {
    const at = this.#count * COLUMNS;
    if (at === this.#rows.length) {
      const more = new Float64Array(this.#rows.length * 2);
      more.set(this.#rows);
      this.#rows = more;
    }
    if (this.#count > 0 && time < this.#rows[at - COLUMNS]!) this.#inOrder = false;
    this.#rows[at] = time;
    this.#rows[at + 1] = goroutine;
    this.#rows[at + 2] = seq;
    this.#rows[at + 3] = stack;
    this.#count++;
  }

  /** Encodes all of them, in order of time, and forgets them. Returns the last time, or `before` where none is. */
  drain(events: EventBatches, before: number): number {
    const rows = this.#rows;
    const order = this.#inOrder ? null : this.#sorted();
    let last = before;
    for (let i = 0; i < this.#count; i++) {
      const at = (order === null ? i : order[i]!) * COLUMNS;
      last = rows[at]!;
      const out = events.event(Ev.GoUnblock, last);
      out.uvarint(rows[at + 1]!);
      out.uvarint(rows[at + 2]!);
      out.uvarint(rows[at + 3]!);
    }
    this.#count = 0;
    this.#inOrder = true;
    return last;
  }

  #sorted(): Uint32Array {
    const rows = this.#rows;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i);
    return order.sort((a, b) => rows[a * COLUMNS]! - rows[b * COLUMNS]! || a - b);
  }
}
