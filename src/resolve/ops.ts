import { GcKind } from "../base/facts.ts";
import type { PromiseNode, RegionNode, ResourceNode, RootEnd, Site, TaskNode } from "./graph.ts";
import type { Scope } from "./scopes.ts";

/**
 * What the reading of facts hands to the writing of events: operations in the order in which they happened. They wait
 * in a queue until the look-ahead has passed, when their scopes are decided. In brackets: the references that follow.
 */
export const OpKind = {
  /** A callback or reaction begins. [Entered] */
  Enter: 1,
  Leave: 2,
  /** The synchronous part of a call begins; a fork becomes an activation here. [Scope] */
  Call: 3,
  /** [Scope] */
  CallEnd: 4,
  /** The frame suspends on what is not known or no promise. `value`: Bits. [Scope, Site | null] */
  Await: 5,
  /** The frame suspends on the call of another frame. [Scope, Site | null, Scope] */
  AwaitFrame: 6,
  /** The frame suspends on another promise. [Scope, Site | null, PromiseNode] */
  AwaitPromise: 7,
  /** The suspended frame runs again. [Scope] */
  Resume: 8,
  /** The frame has ended. `value`: Bits. [Scope, and where it wakes one Scope] */
  FrameEnd: 9,
  /** One more, one less thing for which the activation stays alive: the reaction, or the call itself. [Scope, PromiseNode | null] */
  Add: 10,
  Done: 11,
  /** A one-shot resource is pending; it has called back or was cleared. [ResourceNode] */
  SourceAdd: 12,
  SourceDone: 13,
  /** The suspended frame is ready to run, thanks to what runs now. [Scope] */
  FrameReady: 14,
  /** The same where `value` has become 1. [Scope] */
  MaybeReady: 15,
  /** The reaction is ready to run, thanks to what runs now. [Scope, PromiseNode] */
  Ready: 16,
  /** What the format wants a running goroutine for. [Annotation] */
  Annotate: 17,
  /** The loop goes idle; it was idle until now. */
  Rest: 18,
  Wake: 19,
  /** [HeapSize] */
  Heap: 20,
  TurnEnd: 21,
  /** The activation stays alive until Release; `value`: the resource kind that it waits for. [Scope] */
  Hold: 22,
  Release: 23,
  /** Facts were lost: nothing that was alive can be trusted. */
  Reset: 24,
  LoopEnd: 25,
  /** The settled promises are not asked for any more. [PromiseNode[]] */
  Forget: 26,
  /** The running frame goes on at a place. [Scope, Site | null] */
  Move: 27,
  /** A function given to `then` is ready to run, thanks to what runs now, where `value` has become 1. [Scope, PromiseNode] */
  MaybeCalled: 28,
} as const;

/** What the `value` of an operation tells of a frame that suspends or ends. */
export const Bits = {
  /** It waits for the jobs before it only, as its going on in the same turn has told. */
  Soon: 1,
  /** It is ready to run from the beginning. */
  Ready: 2,
  /** A CallEnd of the frame follows. */
  Returns: 4,
  /** A Leave follows. */
  Leaves: 8,
  /** Before it ends, a frame that awaits it is ready. */
  Wakes: 16,
} as const;

/** In bytes. */
export interface HeapSize {
  readonly used: number;
  readonly limit: number;
}

/** A callback or reaction that begins. */
export interface Entered {
  readonly scope: Scope;
  readonly node: PromiseNode | null;
  /** Due time of a timer, else 0. */
  readonly due: number;
  /** Resource kind. */
  readonly kind: number;
  /** The scope on whose activation it runs instead where that is running already. */
  readonly other: Scope | null;
  /** Key of the message that it handles, 0 where there is none. */
  readonly message: number;
}

/** Log category of the recorder's own messages. */
export const RESERVED_CATEGORY = "runtrace";

/** Log category of what becomes of requests. */
export const HTTP_CATEGORY = "http";

export type Annotation =
  | { readonly what: "region-begin"; readonly region: RegionNode; readonly site: Site | null }
  /** `explicit`: by startRegion's end, which may be misuse. */
  | { readonly what: "region-end"; readonly region: RegionNode; readonly explicit: boolean }
  | {
      readonly what: "task-begin";
      readonly task: TaskNode;
      readonly parent: TaskNode | null;
      readonly site: Site | null;
    }
  | { readonly what: "task-end"; readonly task: TaskNode }
  | { readonly what: "root-end"; readonly end: RootEnd }
  | {
      readonly what: "log";
      readonly task: TaskNode | null;
      readonly category: string;
      readonly message: string;
      readonly site: Site | null;
    }
  /** A message of the reserved category, which belongs to no code. */
  | { readonly what: "note"; readonly message: string }
  | { readonly what: "syscall-begin"; readonly site: Site | null }
  | { readonly what: "syscall-end" }
  | { readonly what: "worker-start"; readonly threadId: number; readonly site: Site | null }
  | { readonly what: "send"; readonly key: number; readonly site: Site | null }
  | { readonly what: "taken"; readonly key: number }
  | { readonly what: "closed"; readonly key: number };

/** What does not come among the facts: a collection's pause, or a note of the recorder (`kind` 0). */
export interface LateOp {
  readonly time: number;
  /** End of the pause. */
  readonly end: number;
  /** GcKind. */
  readonly kind: number;
  readonly message: string;
}

/** Whether the operation begins or ends a cycle of garbage collection. */
export function isOfCycle({ kind }: LateOp): boolean {
  return kind === GcKind.Major || kind === GcKind.Incremental;
}

type Ref =
  | Scope
  | PromiseNode
  | ResourceNode
  | Site
  | Entered
  | Annotation
  | HeapSize
  | readonly PromiseNode[]
  | null;

const SMALLEST = 1024;
/** A queue that has once grown beyond this gives its memory back when it is empty. */
const KEPT = 1 << 18;

/**
 * Operations in columns, without an object for each. What an operation refers to lies in a queue of its own: whoever
 * takes the operation takes just the references that its kind names, in their order.
 */
export class OpQueue {
  #kinds = new Uint8Array(SMALLEST);
  #times = new Float64Array(SMALLEST);
  #values = new Uint8Array(SMALLEST);
  #mask = SMALLEST - 1;
  // Counters modulo 2^32.
  #first = 0;
  #next = 0;
  #refs: Ref[] = nulls(SMALLEST);
  #refMask = SMALLEST - 1;
  #firstRef = 0;
  #nextRef = 0;

  get size(): number {
    return (this.#next - this.#first) | 0;
  }

  /** Adds an operation; answers its number. */
  add(kind: number, time: number): number {
    const number = this.#next;
    if (((number - this.#first) | 0) > this.#mask) this.#grow();
    const slot = number & this.#mask;
    this.#kinds[slot] = kind;
    this.#times[slot] = time;
    this.#values[slot] = 0;
    this.#next = (number + 1) | 0;
    return number;
  }

  /** Adds a reference of the operation added last. */
  refer(ref: Ref): void {
    if (((this.#nextRef - this.#firstRef) | 0) > this.#refMask) this.#growRefs();
    this.#refs[this.#nextRef & this.#refMask] = ref;
    this.#nextRef = (this.#nextRef + 1) | 0;
  }

  /** Adds bits to the `value` of the operation of that number, which must not have been taken. */
  mark(number: number, bits: number): void {
    this.#values[number & this.#mask]! |= bits;
  }

  /**
   * The same, unless it was `within` ns ago or longer: then it may have been taken already, and whether it has must not
   * make a difference.
   */
  markEarlier(number: number, bits: number, time: number, within: number): void {
    if (this.isYoung(number, time, within)) this.mark(number, bits);
  }

  /** The number of the operation added last. */
  get last(): number {
    return (this.#next - 1) | 0;
  }

  // Operations that have not been taken, by number, and their references.

  /** The numbers that the next operation and the next reference get. */
  get next(): number {
    return this.#next;
  }

  get nextRef(): number {
    return this.#nextRef;
  }

  /** Whether an operation was added less than `within` ns ago: if so it has not been taken. */
  isYoung(number: number, time: number, within: number): boolean {
    return ((number - this.#first) | 0) >= 0 && time - this.#times[number & this.#mask]! < within;
  }

  kindAt(number: number): number {
    return this.#kinds[number & this.#mask]!;
  }

  valueAt(number: number): number {
    return this.#values[number & this.#mask]!;
  }

  scopeAt(ref: number): Scope {
    return this.#refs[ref & this.#refMask] as Scope;
  }

  siteAt(ref: number): Site | null {
    return this.#refs[ref & this.#refMask] as Site | null;
  }

  setSite(ref: number, site: Site): void {
    this.#refs[ref & this.#refMask] = site;
  }

  /** Drops the operations from that number on, and the references from that number on. */
  rewind(number: number, ref: number): void {
    for (let at = ref; at !== this.#nextRef; at = (at + 1) | 0) this.#refs[at & this.#refMask] = null;
    this.#next = number;
    this.#nextRef = ref;
  }

  // The first operation. There must be one.

  get kind(): number {
    return this.#kinds[this.#first & this.#mask]!;
  }

  get time(): number {
    return this.#times[this.#first & this.#mask]!;
  }

  get value(): number {
    return this.#values[this.#first & this.#mask]!;
  }

  takeScope(): Scope {
    return this.#take() as Scope;
  }

  takeSite(): Site | null {
    return this.#take() as Site | null;
  }

  takePromise(): PromiseNode | null {
    return this.#take() as PromiseNode | null;
  }

  takePromises(): readonly PromiseNode[] {
    return this.#take() as readonly PromiseNode[];
  }

  takeResource(): ResourceNode {
    return this.#take() as ResourceNode;
  }

  takeEntered(): Entered {
    return this.#take() as Entered;
  }

  takeHeapSize(): HeapSize {
    return this.#take() as HeapSize;
  }

  takeAnnotation(): Annotation {
    return this.#take() as Annotation;
  }

  /** Drops the first operation, whose references have been taken. */
  drop(): void {
    this.#first = (this.#first + 1) | 0;
    if (this.#first === this.#next && this.#mask >= KEPT) this.#shrink();
  }

  #take(): Ref {
    const slot = this.#firstRef & this.#refMask;
    const ref = this.#refs[slot]!;
    this.#refs[slot] = null;
    this.#firstRef = (this.#firstRef + 1) | 0;
    return ref;
  }

  #grow(): void {
    const size = this.#mask + 1;
    const first = this.#first & this.#mask;
    this.#kinds = unrolled(this.#kinds, new Uint8Array(2 * size), first, this.#first);
    this.#times = unrolled(this.#times, new Float64Array(2 * size), first, this.#first);
    this.#values = unrolled(this.#values, new Uint8Array(2 * size), first, this.#first);
    this.#mask = 2 * size - 1;
  }

  #growRefs(): void {
    const refs = nulls(2 * this.#refs.length);
    const mask = refs.length - 1;
    for (let at = this.#firstRef; at !== this.#nextRef; at = (at + 1) | 0) {
      refs[at & mask] = this.#refs[at & this.#refMask]!;
    }
    this.#refs = refs;
    this.#refMask = mask;
  }

  #shrink(): void {
    this.#kinds = new Uint8Array(SMALLEST);
    this.#times = new Float64Array(SMALLEST);
    this.#values = new Uint8Array(SMALLEST);
    this.#mask = SMALLEST - 1;
    this.#refs = nulls(SMALLEST);
    this.#refMask = SMALLEST - 1;
    this.#firstRef = 0;
    this.#nextRef = 0;
  }
}

function nulls(length: number): Ref[] {
  return Array.from<Ref>({ length }).fill(null);
}

/** Moves a full ring, whose first element is at `first` and has the number `number`, into one of twice the size. */
function unrolled<T extends Uint8Array | Float64Array>(from: T, to: T, first: number, number: number): T {
  const mask = to.length - 1;
  for (let i = 0; i < from.length; i++) {
    to[(number + i) & mask] = from[(first + i) & (from.length - 1)]!;
  }
  return to;
}
