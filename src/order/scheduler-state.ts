import { IdIndex } from "./id-index.ts";

/** An open range on a goroutine or proc: the event that begins it and, for stop-the-world, its kind's string id. */
export interface OpenRange {
  readonly type: number;
  readonly kind: number;
}

/** An open region: regions match by task and by text, since a string id means nothing in the next generation. */
export interface OpenRegion {
  readonly task: number;
  readonly type: string;
}

/** State of many resources of one sort, one row a resource. All ids and numbers are codes (decode/wide.ts). */
export class ResourceTable {
  readonly ids = new IdIndex();
  status = new Uint8Array(64);
  /** Generation of the last announcement or sequenced event, and its sequence number. */
  generation = new Float64Array(64);
  sequence = new Float64Array(64);
  readonly ranges: (OpenRange[] | null)[] = [];
  readonly regions: (OpenRegion[] | null)[] = [];

  add(id: number, status: number): number {
    const row = this.ids.add(id);
    if (row >= this.status.length) this.#grow();
    this.status[row] = status;
    this.ranges[row] = null;
    this.regions[row] = null;
    return row;
  }

  remove(id: number): void {
    this.ids.remove(id);
  }

  #grow(): void {
    const size = this.status.length * 2;
    const status = new Uint8Array(size);
    status.set(this.status);
    this.status = status;
    const generation = new Float64Array(size);
    generation.set(this.generation);
    this.generation = generation;
    const sequence = new Float64Array(size);
    sequence.set(this.sequence);
    this.sequence = sequence;
  }
}

/** What each thread holds; -1 is nothing. */
export class ThreadTable {
  readonly ids = new IdIndex();
  readonly goroutine: number[] = [];
  readonly proc: number[] = [];

  add(id: number): number {
    const row = this.ids.add(id);
    this.goroutine[row] = -1;
    this.proc[row] = -1;
    return row;
  }
}

/** An active user task. */
export interface ActiveTask {
  readonly name: string;
  readonly parent: number;
}

export const GcState = { Undetermined: 0, NotRunning: 1, Running: 2 } as const;

/** Everything that ordering remembers; it lives across generations. */
export class SchedulerState {
  readonly goroutines = new ResourceTable();
  readonly procs = new ResourceTable();
  readonly threads = new ThreadTable();
  readonly tasks = new Map<number, ActiveTask>();
  gc: number = GcState.Undetermined;
  gcSequence = 0;
}
