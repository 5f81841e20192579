import { ResourceKind } from "../base/facts.ts";
import type { PromiseNode, ResourceNode, Site } from "./graph.ts";
import { makeScope } from "./scopes.ts";
import type { Scope } from "./scopes.ts";
import { callbackEntry } from "./names.ts";
import { Bits, OpKind, OpQueue } from "./ops.ts";
import type { Annotation, LateOp } from "./ops.ts";

/** What an entry of the stack is. Base entries are what the loop runs, the others lie above one. */
export const EntryKind = {
  /** The synchronous part of a call. */
  Call: 0,
  /** task.run. */
  Task: 1,
  /** A callback of a resource. */
  Resource: 2,
  Reaction: 3,
  /** The isolate's main script, whose beginning has no fact; ends where something else begins. */
  Boot: 4,
  /** Code of which no fact tells that it runs but what it does; ends with the last of these facts. */
  Loose: 5,
  /** A reaction that is no work of the program. */
  Silent: 6,
  /** The handler of a root, whose end will be told. */
  Handler: 7,
} as const;

/** An entry of the stack, used again for whatever lies at its place later. */
export interface Entry {
  scope: Scope;
  what: number;
  /** Of the resource, promise or task. */
  id: number;
  /** Resource kind. */
  kind: number;
  /** Index of the base entry it lies above, or its own. */
  baseAt: number;
}

/** Deeper than any program's own stack: ends of callbacks must have been lost. */
const MAX_DEPTH = 50_000;

/** What runs on a loop as far as its facts tell, and the queue of operations that come of it. */
export class Running {
  readonly root: Scope;
  /** In order of time. */
  readonly queue = new OpQueue();
  /** What does not come among the facts (collections, notes of the recorder), in order of time. */
  readonly late: LateOp[] = [];
  /** The stack: `depth` entries from the outermost on, and others that once were. */
  readonly stack: Entry[] = [];
  depth = 0;
  /** Something has happened since the last turn ended. */
  inTurn = true;
  /** There have been facts of frames: what none tells of is not known to be the main script's. */
  codeTells = false;
  /** Counts the turns that ended. */
  turn = 0;
  /** Time of the last fact, and of the one before. */
  lastFact: number;
  previousFact: number;

  constructor(root: Scope, time: number) {
    this.root = root;
    this.lastFact = time;
    this.previousFact = time;
    this.enter(EntryKind.Boot, root, 0, time, null, 0, 0, null);
  }

  /** Whether code of the program is running as far as the facts tell. */
  get busy(): boolean {
    const { depth } = this;
    if (depth === 0) return false;
    if (this.stack[0]!.what !== EntryKind.Loose) return true;
    // Code of unknown making has called a function that will tell of its end.
    return this.stack[depth - 1]!.scope.speaks;
  }

  /** Puts an operation that does not come among the facts where its time belongs. */
  addLate(op: LateOp): void {
    let at = this.late.length;
    while (at > 0 && this.late[at - 1]!.time > op.time) at--;
    this.late.splice(at, 0, op);
  }

  /** Takes out the notes of the recorder up to `time`. */
  takeNotes(time: number): LateOp[] {
    const { late } = this;
    const notes = late.filter((op) => op.kind === 0 && op.time <= time);
    if (notes.length === 0) return notes;
    let kept = 0;
    for (const op of late) if (op.kind !== 0 || op.time > time) late[kept++] = op;
    late.length = kept;
    return notes;
  }

  // Operations of some kinds.

  annotate(time: number, annotation: Annotation): void {
    this.queue.add(OpKind.Annotate, time);
    this.queue.refer(annotation);
  }

  /** Of a scope alone. */
  push(kind: number, time: number, scope: Scope): void {
    this.queue.add(kind, time);
    this.queue.refer(scope);
  }

  hold(time: number, scope: Scope, resourceKind: number): void {
    this.queue.mark(this.queue.add(OpKind.Hold, time), resourceKind);
    this.queue.refer(scope);
  }

  /** Add, Done or Ready. */
  count(kind: number, time: number, scope: Scope, node: PromiseNode | null): void {
    this.queue.add(kind, time);
    this.queue.refer(scope);
    this.queue.refer(node);
  }

  /** SourceAdd or SourceDone. */
  source(kind: number, time: number, resource: ResourceNode): void {
    this.queue.add(kind, time);
    this.queue.refer(resource);
  }

  /** The frame suspends on the call of another frame, on a promise, or on neither. Answers the operation's number. */
  suspend(
    time: number,
    frame: Scope,
    site: Site | null,
    callee: Scope | null,
    promise: PromiseNode | null,
  ): number {
    const { queue } = this;
    const awaited = callee ?? promise;
    const kind =
      callee === null ? (promise === null ? OpKind.Await : OpKind.AwaitPromise) : OpKind.AwaitFrame;
    const op = queue.add(kind, time);
    queue.refer(frame);
    queue.refer(site);
    if (awaited !== null) queue.refer(awaited);
    return op;
  }

  // The stack.

  /** The scope that runs, the root where none does; for whoever refers to it from then on. */
  get top(): Scope {
    const { innermost } = this;
    innermost.isKept = true;
    return innermost;
  }

  /** The same for a look, or for what counts as a reference to it. */
  get innermost(): Scope {
    return this.depth === 0 ? this.root : this.stack[this.depth - 1]!.scope;
  }

  /** The frame that runs in a job of its own, if that is all that runs. */
  get aloneInJob(): Scope | null {
    const { what, scope } = this.stack[0]!;
    return this.depth === 1 && what === EntryKind.Reaction && scope.speaks ? scope : null;
  }

  /** The base entry of what runs. */
  get base(): Entry | null {
    return this.depth === 0 ? null : this.stack[this.stack[this.depth - 1]!.baseAt]!;
  }

  #add(scope: Scope, what: number, id: number, kind: number, baseAt: number): void {
    const at = this.depth++;
    if (at === this.stack.length) {
      this.stack.push({ scope, what, id, kind, baseAt });
      return;
    }
    const entry = this.stack[at]!;
    entry.scope = scope;
    entry.what = what;
    entry.id = id;
    entry.kind = kind;
    entry.baseAt = baseAt;
  }

  /** A callback or reaction begins; the other arguments as in Entered. */
  enter(
    what: number,
    scope: Scope,
    id: number,
    time: number,
    node: PromiseNode | null,
    due: number,
    kind: number,
    other: Scope | null,
  ): void {
    if (this.depth >= MAX_DEPTH) this.#startAnew(time);
    this.inTurn = true;
    this.#add(scope, what, id, kind, this.depth);
    this.queue.add(OpKind.Enter, time);
    const message = kind === ResourceKind.Port && id < 0 ? -id : 0;
    this.queue.refer({ scope, node, due, kind, other, message });
  }

  /** The innermost entry began with the operation of that number, which is the last, and leaves no trace. */
  forget(op: number, ref: number): void {
    this.stack[--this.depth]!.scope = this.root;
    this.queue.rewind(op, ref);
  }

  /** A suspended frame of frames.ts runs again. `isQuiet`: as if it had not been suspended. */
  resume(frame: Scope, time: number, isQuiet: boolean): void {
    this.inTurn = true;
    this.#add(frame, EntryKind.Reaction, frame.fn, 0, this.depth);
    if (!isQuiet) this.push(OpKind.Resume, time, frame);
  }

  /** A reaction begins that is no work of the program. */
  enterSilent(id: number): void {
    this.#add(this.root, EntryKind.Silent, id, 0, this.depth);
  }

  /**
   * Something is done; if by code that no fact tells of, the main activation runs for it, or one of its own where code
   * does tell; `kind` is what is known of what runs it.
   */
  ensureBase(time: number, kind = 0): void {
    if (this.depth >= MAX_DEPTH) this.#startAnew(time);
    const { base } = this;
    if (base !== null && base.what !== EntryKind.Silent) return;
    const scope = this.codeTells
      ? makeScope("root", null, "fork", time, { entry: callbackEntry(kind), task: null })
      : this.root;
    this.enter(EntryKind.Loose, scope, 0, time, null, 0, 0, null);
  }

  /** The synchronous part of a call begins, or of task.run. There must be a base. */
  call(what: number, scope: Scope, id: number, time: number): void {
    this.#add(scope, what, id, 0, this.stack[this.depth - 1]!.baseAt);
    if (what === EntryKind.Call) this.push(OpKind.Call, time, scope);
  }

  /** Ends every entry at and above `depth`: the calls among them return to their callers. */
  popTo(depth: number, time: number): void {
    while (this.depth > depth) {
      const entry = this.stack[--this.depth]!;
      const { what, scope } = entry;
      // What is not on the stack any more must not be kept by it.
      entry.scope = this.root;
      if (what === EntryKind.Call) this.push(OpKind.CallEnd, time, scope);
      else if (what !== EntryKind.Task && what !== EntryKind.Silent) this.queue.add(OpKind.Leave, time);
    }
  }

  /** Ends the innermost entry, a frame's, with the operation `op`, which was added last. */
  popWith(op: number): void {
    const entry = this.stack[--this.depth]!;
    entry.scope = this.root;
    this.queue.mark(op, entry.what === EntryKind.Call ? Bits.Returns : Bits.Leaves);
  }

  #startAnew(time: number): void {
    this.popTo(0, time);
    this.queue.add(OpKind.TurnEnd, time);
  }

  /** A job begins, before which code without facts of its own is over: whether nothing else runs. */
  isFree(time: number): boolean {
    this.leaveLoose(time);
    return this.depth === 0;
  }

  /** It is a job of the main script, or of what loads it. */
  bootBegins(time: number): void {
    this.enter(EntryKind.Boot, this.root, 0, time, null, 0, 0, null);
  }

  bootEnds(time: number): void {
    if (this.depth > 0 && this.stack[0]!.what === EntryKind.Boot) this.popTo(0, time);
  }

  /** Something with facts of its own begins or ends: code without them is over. */
  leaveLoose(time: number): void {
    if (this.depth === 0) return;
    const base = this.stack[0]!.what;
    if (base === EntryKind.Boot) this.popTo(0, time);
    else if (base === EntryKind.Loose) this.popTo(0, this.previousFact);
  }

  /** Index of the innermost entry of that kind and id, or -1. */
  find(what: number, id: number): number {
    let at = this.depth - 1;
    while (at >= 0 && !(this.stack[at]!.what === what && this.stack[at]!.id === id)) at--;
    return at;
  }

  /** Index of the innermost reaction, of any promise (`id` -1) or of that one, or -1. */
  findReaction(id: number): number {
    let at = this.depth - 1;
    for (; at >= 0; at--) {
      const entry = this.stack[at]!;
      const isReaction = entry.what === EntryKind.Reaction || entry.what === EntryKind.Silent;
      if (isReaction && (id < 0 || entry.id === id)) break;
    }
    return at;
  }

  /** Index of the innermost entry whose scope it is, or -1. */
  findScope(scope: Scope): number {
    let at = this.depth - 1;
    while (at >= 0 && this.stack[at]!.scope !== scope) at--;
    return at;
  }

  /** Index of the innermost call whose scope it is, or -1. */
  findCall(scope: Scope): number {
    let at = this.depth - 1;
    while (at >= 0 && !(this.stack[at]!.scope === scope && this.stack[at]!.what === EntryKind.Call)) at--;
    return at;
  }
}
