/** Tasks, regions and logs: what the program said about itself, and the notes of the reserved log category. */
import type { OrderedEvent } from "../order/types.ts";
import { ByteColumn, FloatColumn, IntColumn, renumber } from "./columns.ts";
import type { StackInterner, StringInterner } from "./interner.ts";
import { openTask } from "./notes.ts";
import type { LogTable, Note, RegionTable, TaskTable } from "./types.ts";

const NONE = -1;
/** Task id of work that belongs to no task. */
const BACKGROUND_TASK = 0n;
/** Parent of a task that has none. */
const NO_TASK = 0xffff_ffff_ffff_ffffn;
/** Deepest nesting that the depth column holds. */
const MAX_DEPTH = 255;

/** The log category whose messages are notes of the recorder and not logs of the program. */
export const NOTE_CATEGORY = "runtrace";

/** The finished tables. */
export interface AnnotationTables {
  readonly tasks: TaskTable;
  readonly regions: RegionTable;
  readonly logs: LogTable;
  readonly notes: readonly Note[];
}

/** Records tasks, regions, logs and notes. Activations are rows of the recorder of activations. */
export class AnnotationRecorder {
  readonly #strings: StringInterner;
  readonly #stacks: StackInterner;

  readonly #rowOfTask = new Map<bigint, number>();
  readonly #taskId = new FloatColumn();
  readonly #taskParent = new IntColumn();
  readonly #taskName = new IntColumn();
  readonly #taskStart = new FloatColumn();
  readonly #taskEnd = new FloatColumn();
  readonly #taskActivation = new IntColumn();

  /** Open regions of each activation, outermost first. */
  readonly #openRegions = new Map<number, number[]>();
  readonly #regionActivation = new IntColumn();
  readonly #regionTask = new IntColumn();
  readonly #regionName = new IntColumn();
  readonly #regionStart = new FloatColumn();
  readonly #regionEnd = new FloatColumn();
  readonly #regionStack = new IntColumn();
  readonly #regionDepth = new ByteColumn();

  readonly #logTime = new FloatColumn();
  readonly #logActivation = new IntColumn();
  readonly #logTask = new IntColumn();
  readonly #logCategory = new IntColumn();
  readonly #logMessage = new IntColumn();
  readonly #logStack = new IntColumn();
  readonly #notes: { time: number; activation: number; message: Readonly<Record<string, unknown>> }[] = [];

  constructor(strings: StringInterner, stacks: StackInterner) {
    this.#strings = strings;
    this.#stacks = stacks;
  }

  /** An id that began and ended may be used again: it is a new task then. */
  taskBegin(e: OrderedEvent, activation: number): void {
    let row = this.#rowOfTask.get(e.task);
    if (row === undefined || !Number.isNaN(this.#taskEnd.data[row]!)) row = this.#addTask(e.task);
    this.#taskName.data[row] = this.#strings.row(e.name);
    this.#taskStart.data[row] = e.time;
    this.#taskActivation.data[row] = activation;
    this.#taskParent.data[row] = this.#task(e.parent);
  }

  taskEnd(e: OrderedEvent): void {
    const row = this.#task(e.task);
    if (row === NONE) return;
    this.#taskEnd.data[row] = e.time;
    const isUnnamed = this.#taskName.data[row] === 0;
    if (isUnnamed && Number.isNaN(this.#taskStart.data[row]!))
      this.#taskName.data[row] = this.#strings.row(e.name);
  }

  regionBegin(e: OrderedEvent, activation: number): void {
    let open = this.#openRegions.get(activation);
    if (open === undefined) {
      open = [];
      this.#openRegions.set(activation, open);
    }
    open.push(this.#addRegion(e, activation, e.time, Number.NaN, open.length));
  }

  /** Ends the innermost open region of the activation, or tells of one whose begin came before the trace. */
  regionEnd(e: OrderedEvent, activation: number): void {
    const row = this.#openRegions.get(activation)?.pop();
    if (row === undefined) this.#addRegion(e, activation, Number.NaN, e.time, 0);
    else this.#regionEnd.data[row] = e.time;
  }

  /** A region does not outlive its activation: those still open end with it. */
  activationEnded(activation: number, time: number): void {
    const open = this.#openRegions.get(activation);
    if (open === undefined) return;
    for (const row of open) this.#regionEnd.data[row] = time;
    this.#openRegions.delete(activation);
  }

  log(e: OrderedEvent, activation: number): void {
    if (e.name === NOTE_CATEGORY) {
      const message = parseNote(e.message);
      if (message !== null) {
        this.#notes.push({ time: e.time, activation, message });
        this.#taskGoesOn(openTask(message));
        return;
      }
    }
    this.#logTime.push(e.time);
    this.#logActivation.push(activation);
    this.#logTask.push(this.#task(e.task));
    this.#logCategory.push(this.#strings.row(e.name));
    this.#logMessage.push(this.#strings.row(e.message));
    this.#logStack.push(this.#stacks.row(e.stack));
  }

  /** Names a task that began before the trace. */
  #taskGoesOn(open: ReturnType<typeof openTask>): void {
    if (open === null) return;
    const row = this.#task(BigInt(open.id));
    if (row === NONE || !Number.isNaN(this.#taskStart.data[row]!)) return;
    this.#taskName.data[row] = this.#strings.row(open.name);
    this.#taskParent.data[row] = this.#task(BigInt(open.parent));
  }

  /** Notes so far, in order of time, with activation rows of the recorder. */
  get notes(): readonly Note[] {
    return this.#notes;
  }

  #task(id: bigint): number {
    if (id === BACKGROUND_TASK || id === NO_TASK) return NONE;
    return this.#rowOfTask.get(id) ?? this.#addTask(id);
  }

  #addTask(id: bigint): number {
    const row = this.#taskId.push(Number(id));
    this.#taskParent.push(NONE);
    this.#taskName.push(0);
    this.#taskStart.push(Number.NaN);
    this.#taskEnd.push(Number.NaN);
    this.#taskActivation.push(NONE);
    this.#rowOfTask.set(id, row);
    return row;
  }

  #addRegion(e: OrderedEvent, activation: number, start: number, end: number, depth: number): number {
    this.#regionActivation.push(activation);
    this.#regionTask.push(this.#task(e.task));
    this.#regionName.push(this.#strings.row(e.name));
    this.#regionStart.push(start);
    this.#regionEnd.push(end);
    this.#regionStack.push(Number.isNaN(start) ? 0 : this.#stacks.row(e.stack));
    return this.#regionDepth.push(Math.min(depth, MAX_DEPTH));
  }

  /** Builds the tables; `place` gives the final row of each activation. */
  finish(place: Uint32Array): AnnotationTables {
    return {
      tasks: {
        count: this.#taskId.length,
        id: this.#taskId.take(),
        parent: this.#taskParent.take(),
        name: this.#taskName.take(),
        start: this.#taskStart.take(),
        end: this.#taskEnd.take(),
        activation: renumber(this.#taskActivation.take(), place),
      },
      regions: {
        count: this.#regionActivation.length,
        activation: renumber(this.#regionActivation.take(), place),
        task: this.#regionTask.take(),
        name: this.#regionName.take(),
        start: this.#regionStart.take(),
        end: this.#regionEnd.take(),
        startStack: this.#regionStack.take(),
        depth: this.#regionDepth.take(),
      },
      logs: {
        count: this.#logTime.length,
        time: this.#logTime.take(),
        activation: renumber(this.#logActivation.take(), place),
        task: this.#logTask.take(),
        category: this.#logCategory.take(),
        message: this.#logMessage.take(),
        stack: this.#logStack.take(),
      },
      notes: this.#notes.map((note) => ({
        ...note,
        activation: note.activation === NONE ? NONE : place[note.activation]!,
      })),
    };
  }
}

/** The JSON object in a message of the reserved category, or null where it holds something else. */
export function parseNote(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return value as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}
