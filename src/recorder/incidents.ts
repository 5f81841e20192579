/**
 * What makes a flight recorder write a file by itself, decided on the tracer thread: it works while the event loop is
 * blocked. A matter that goes on is given a second to end, so that the file holds its end, too, but no more: a process
 * that hangs may be killed.
 *
 * * The loop lags: a message that the tracer sends again and again is answered late. That is the delay of a callback,
 *   whatever holds the loop, native code among it.
 * * A task is slow: it has lasted so long, whether it has ended or not.
 * * The heap grows: V8's heap, of one isolate, beyond a size, or by so much within the seconds that are kept. It is seen
 *   after collections, on the main thread also where it has grown without one; a size holds until the next is seen.
 * * The program got a signal.
 */
export interface Triggers {
  readonly lagNs?: number;
  readonly taskNs?: number;
  readonly heapBytes?: number;
  readonly heapGrowth?: number;
}

/** Why a file is written, as the note in it says: `what` happened and how much of it. */
export interface Incident {
  readonly trigger: "lag" | "task" | "heap" | "signal";
  /** Milliseconds of lag or of the task; bytes of heap. */
  readonly ms?: number;
  readonly bytes?: number;
  /** Name of the task or signal. */
  readonly name?: string;
}

const PATIENCE_NS = 1e9;
/** Tasks that are watched at once; younger ones are not. */
const MOST_TASKS = 100_000;
/** A heap has to come down to so much of its limit, or to half of its growth, before it can be an incident again. */
const CALM = 0.8;

interface OpenTask {
  readonly name: string;
  readonly begin: number;
}

interface HeapSize {
  readonly bytes: number;
  /** When the next size was seen. */
  until: number;
}

interface HeapHistory {
  /** Sizes in the window that none after them is below: the first is the least. */
  readonly sizes: HeapSize[];
  isTold: boolean;
}

/** Adds the size `bytes`, seen at `time`; answers the least that the heap has had since `start`. */
function leastSince(sizes: HeapSize[], start: number, bytes: number, time: number): number {
  const last = sizes.at(-1);
  if (last !== undefined) last.until = time;
  while (sizes.length > 0 && sizes.at(-1)!.bytes >= bytes) sizes.pop();
  sizes.push({ bytes, until: Infinity });
  while (sizes[0]!.until <= start) sizes.shift();
  return sizes[0]!.bytes;
}

/** Whether the size of the heap matters to them. */
export function watchesHeap({ heapBytes, heapGrowth }: Triggers): boolean {
  return heapBytes !== undefined || heapGrowth !== undefined;
}

export class Incidents {
  readonly #triggers: Triggers;
  readonly #windowNs: number;
  readonly #tasks = new Map<number, OpenTask>();
  readonly #due: Incident[] = [];
  /** Of the isolates, by the thread of the trace. */
  readonly #heaps = new Map<number, HeapHistory>();
  #isLagTold = false;

  /** `windowNs`: the seconds that are kept. */
  constructor(triggers: Triggers, windowNs: number) {
    this.#triggers = triggers;
    this.#windowNs = windowNs;
  }

  /** Whether the delay of the loop matters, and how long a delay has to be, in ns; 0 where it does not. */
  get lagNs(): number {
    return this.#triggers.lagNs ?? 0;
  }

  taskBegan(id: number, name: string, time: number): void {
    if (this.#triggers.taskNs === undefined || this.#tasks.size >= MOST_TASKS) return;
    this.#tasks.set(id, { name, begin: time });
  }

  taskEnded(id: number, time: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    if (time - task.begin >= this.#triggers.taskNs!) this.#slow(task, time);
  }

  /** Whether the size of the heap matters. */
  get watchHeap(): boolean {
    return watchesHeap(this.#triggers);
  }

  /** The heap of that thread had that size. */
  heap(thread: number, bytes: number, time: number): void {
    if (!this.watchHeap) return;
    const { heapBytes = Infinity, heapGrowth = Infinity } = this.#triggers;
    let heap = this.#heaps.get(thread);
    if (heap === undefined) this.#heaps.set(thread, (heap = { sizes: [], isTold: false }));
    const least = leastSince(heap.sizes, time - this.#windowNs, bytes, time);
    const isHigh = bytes >= Math.min(heapBytes, least + heapGrowth);
    if (isHigh && !heap.isTold) this.#due.push({ trigger: "heap", bytes });
    const isCalm = bytes < CALM * heapBytes && bytes < least + heapGrowth / 2;
    heap.isTold = isHigh || (heap.isTold && !isCalm);
  }

  /** The loop has been waited for so long; `isOver` once it has answered. */
  lag(ns: number, isOver: boolean): void {
    const { lagNs } = this.#triggers;
    if (lagNs === undefined) return;
    const isEnough = ns >= lagNs && (isOver || ns >= lagNs + PATIENCE_NS);
    if (isEnough && !this.#isLagTold) this.#due.push({ trigger: "lag", ms: Math.round(ns / 1e6) });
    this.#isLagTold = !isOver && (isEnough || this.#isLagTold);
  }

  signal(name: string): void {
    this.#due.push({ trigger: "signal", name });
  }

  /** It is `now`: answers what files are to be written of, each once. */
  take(now: number): Incident[] {
    this.#lookAtTasks(now);
    return this.#due.splice(0);
  }

  /** Tasks that have not ended are slow once they had their time and a second more. The oldest come first. */
  #lookAtTasks(now: number): void {
    const { taskNs } = this.#triggers;
    if (taskNs === undefined) return;
    for (const [id, task] of this.#tasks) {
      if (now - task.begin < taskNs + PATIENCE_NS) break;
      this.#tasks.delete(id);
      this.#slow(task, now);
    }
  }

  #slow(task: OpenTask, now: number): void {
    this.#due.push({ trigger: "task", name: task.name, ms: Math.round((now - task.begin) / 1e6) });
  }
}
