import type { Scope } from "./graph.ts";
import { Op, OpKind } from "./ops.ts";

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
} as const;

export interface Entry {
  readonly scope: Scope;
  readonly what: number;
  /** Of the resource, promise or task. */
  readonly id: number;
  /** Resource kind. */
  readonly kind: number;
  /** Index of the base entry it lies above, or its own. */
  readonly baseAt: number;
}

/** Deeper than any program's own stack: ends of callbacks must have been lost. */
const MAX_DEPTH = 50_000;

/** What runs on a loop as far as its facts tell, and the queue of operations that come of it. */
export class Running {
  readonly root: Scope;
  /** In order of time. */
  readonly queue: Op[] = [];
  /** What does not come among the facts (collections, notes of the recorder), in order of time. */
  readonly late: Op[] = [];
  readonly stack: Entry[] = [];
  /** Something has happened since the last turn ended. */
  inTurn = true;
  /** Time of the last fact, and of the one before. */
  lastFact: number;
  previousFact: number;

  constructor(root: Scope, time: number) {
    this.root = root;
    this.lastFact = time;
    this.previousFact = time;
    this.enter(EntryKind.Boot, root, 0, 0, time);
  }

  /** Whether code of the program is running as far as the facts tell. */
  get busy(): boolean {
    return this.stack.length > 0 && this.stack[0]!.what !== EntryKind.Loose;
  }

  push(kind: number, time: number, scope: Scope | null): Op {
    const op = new Op(kind, time, scope);
    this.queue.push(op);
    return op;
  }

  /** Puts an operation that does not come among the facts where its time belongs. */
  addLate(op: Op): void {
    let at = this.late.length;
    while (at > 0 && this.late[at - 1]!.time > op.time) at--;
    this.late.splice(at, 0, op);
  }

  /** The scope that runs; the root where none does. */
  get top(): Scope {
    const entry = this.stack[this.stack.length - 1];
    return entry === undefined ? this.root : entry.scope;
  }

  /** The base entry of what runs. */
  get base(): Entry | null {
    const entry = this.stack[this.stack.length - 1];
    return entry === undefined ? null : this.stack[entry.baseAt]!;
  }

  /** A callback or reaction begins. */
  enter(what: number, scope: Scope, id: number, kind: number, time: number): Op {
    if (this.stack.length >= MAX_DEPTH) this.#startAnew(time);
    this.inTurn = true;
    this.stack.push({ scope, what, id, kind, baseAt: this.stack.length });
    return this.push(OpKind.Enter, time, scope);
  }

  /** A reaction begins that is no work of the program. */
  enterSilent(id: number): void {
    this.stack.push({ scope: this.root, what: EntryKind.Silent, id, kind: 0, baseAt: this.stack.length });
  }

  /** Something is done; if by code that no fact tells of, the main activation runs for it. */
  ensureBase(time: number): void {
    if (this.stack.length >= MAX_DEPTH) this.#startAnew(time);
    const { base } = this;
    if (base === null || base.what === EntryKind.Silent) this.enter(EntryKind.Loose, this.root, 0, 0, time);
  }

  /** The synchronous part of a call begins, or of task.run. There must be a base. */
  call(what: number, scope: Scope, id: number, time: number): void {
    this.stack.push({ scope, what, id, kind: 0, baseAt: this.stack[this.stack.length - 1]!.baseAt });
    if (what === EntryKind.Call) this.push(OpKind.Call, time, scope);
  }

  /** Ends every entry at and above `depth`: the calls among them return to their callers. */
  popTo(depth: number, time: number): void {
    while (this.stack.length > depth) {
      const entry = this.stack.pop()!;
      if (entry.what === EntryKind.Call) this.push(OpKind.CallEnd, time, entry.scope);
      else if (entry.what !== EntryKind.Task && entry.what !== EntryKind.Silent)
        this.push(OpKind.Leave, time, entry.scope);
    }
  }

  #startAnew(time: number): void {
    this.popTo(0, time);
    this.push(OpKind.TurnEnd, time, null);
  }

  /** Something with facts of its own begins or ends: code without them is over. */
  leaveLoose(time: number): void {
    const base = this.stack[0]?.what;
    if (base === EntryKind.Boot) this.popTo(0, time);
    else if (base === EntryKind.Loose) this.popTo(0, this.previousFact);
  }

  /** Index of the innermost entry of that kind and id, or -1. */
  find(what: number, id: number): number {
    let at = this.stack.length - 1;
    while (at >= 0 && !(this.stack[at]!.what === what && this.stack[at]!.id === id)) at--;
    return at;
  }

  /** Index of the innermost reaction, of any promise (`id` -1) or of that one, or -1. */
  findReaction(id: number): number {
    let at = this.stack.length - 1;
    for (; at >= 0; at--) {
      const entry = this.stack[at]!;
      const isReaction = entry.what === EntryKind.Reaction || entry.what === EntryKind.Silent;
      if (isReaction && (id < 0 || entry.id === id)) break;
    }
    return at;
  }

  /** Index of the innermost call whose scope it is, or -1. */
  findCall(scope: Scope): number {
    let at = this.stack.length - 1;
    while (at >= 0 && !(this.stack[at]!.scope === scope && this.stack[at]!.what === EntryKind.Call)) at--;
    return at;
  }
}
