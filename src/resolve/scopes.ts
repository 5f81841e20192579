import type { Frame } from "../wire/format.ts";
import type { Chain, Link } from "./chain.ts";
import type { Activation, PromiseNode, RegionNode, Site, TaskNode } from "./graph.ts";
import type { Waiters } from "./waiters.ts";

export type ScopeKind = "root" | "callback" | "call" | "frame";

/** Whether a scope continues its parent's activation or begins one. */
export type Decision = "open" | "inline" | "fork";

/** A frame of frames.ts is about to end with the promise of another call or another promise. */
export interface Tail {
  readonly callee: Scope | null;
  /** The callee's id. */
  readonly id: number;
  readonly promise: PromiseNode | null;
  readonly site: Site | null;
}

/**
 * One class for all scopes, so that what walks them sees one shape. Frames of frames.ts are used again and again
 * (frame-pool.ts), which is why what refers to one for longer than it runs either counts in `refs`, sets `isKept`, or
 * compares the frame's id `fn`.
 */
export class Scope implements Link<Scope> {
  kind: ScopeKind;
  /** The scope in which it was made. Written past scopes that are over, and null on forks once their call returned. */
  parent: Scope | null;
  /** Reading side; never changes once it is not open. */
  decision: Decision;
  /** Entry function: names the activation if this scope begins one. */
  entry: Frame;
  /** Function id for matching awaits with their frame, 0 where unknown; of a frame of frames.ts its id. */
  fn: number;
  task: TaskNode | null;
  /** The promise that a frame's call returned; null for a frame of frames.ts. */
  promise: PromiseNode | null = null;
  /** The region that the scope was made for. */
  readonly region: RegionNode | null;
  /** Where its caller called it, if that is known. */
  callSite: Site | null = null;
  /** Time at which it began, in ns. */
  since: number;
  /** Frames whose parent it is, and activations on which it ran last. */
  refs = 0;
  /** Something else refers to it. */
  isKept = false;

  // The reading side's.
  /** Of a frame of Node's own: who called it, past others of Node's. */
  caller: Scope | null = null;
  /** A frame whose function has ended. */
  settled = false;
  /** Calls it made that are not decided yet. */
  openCalls = 0;
  /** Frames of frames.ts that it has called and that have not ended. */
  called = 0;
  /** Frames adopted by the activation that begins here (see Decisions) which have not ended. */
  openFrames = 0;
  /** It is one of those frames. */
  adopted = false;
  /** It is a frame of frames.ts: what it waits for is told, or not known. */
  speaks = false;
  // Of a frame of frames.ts that has not ended.
  /** Its beginning was told: number of the operation and of its first reference (see quiet.ts). */
  isTold = false;
  callOp = 0;
  callRef = 0;
  /** Id of the latest call (region, task, go) that ends with it, or 0. */
  closes = 0;
  /** The frame that called it, and that frame's id. */
  maker: Scope | null = null;
  makerId = 0;
  /** It is suspended: on the frame `awaits`, while that has this id, or on the promise `source`, if either is known. */
  isWaiting = false;
  awaits: Scope | null = null;
  awaitsId = 0;
  source: PromiseNode | null = null;
  /** Number of the operation that suspended it, or that may have woken it (`isMaybe`); and the turn of that. */
  op = 0;
  turn = 0;
  isMaybe = false;
  /** When it began to wait, in ns. */
  waitsSince = 0;
  /** It is a generator that waits to be asked for its next value. */
  isYielding = false;
  /** The frame that has asked it for a value, while that runs below it; and where. */
  askedBy: Scope | null = null;
  askedById = 0;
  askedAt: Site | null = null;
  /** It is a generator that hands on what the generator `awaits` yields. */
  isDelegating = false;
  /** Its end, not its going on, waits. */
  isEnding = false;
  tail: Tail | null = null;
  /** The frame that awaits it; where there are several also the others. */
  awaiter: Scope | null = null;
  awaiters: Waiters | null = null;
  /** Promises that settle with it. */
  followers: PromiseNode[] | null = null;

  // The writing side's.
  /** Set on roots and forks once they are written. */
  activation: Activation | null = null;
  /** The activation that stays alive for it. */
  counted: Activation | null = null;
  /** The activation that it is ready to run on. */
  readied: Activation | null = null;
  /** Where a frame is suspended; the site stays its last known place when it goes on. */
  site: Site | null;
  /** A frame that is suspended, and on what: the call of another frame with its `fn`, or another promise. */
  isSuspended = false;
  callee: Scope | null = null;
  calleeId = 0;
  waitingFor: PromiseNode | null = null;
  /** It waits for the jobs before it only. */
  isSoon = false;
  /** The frame's end has been written. */
  over = false;
  chain: Chain<Scope> | null = null;
  older: Scope | null = null;
  younger: Scope | null = null;

  constructor(kind: ScopeKind, parent: Scope | null, decision: Decision, since: number, of: ScopeOptions) {
    this.kind = kind;
    this.parent = parent;
    this.decision = decision;
    this.entry = of.entry ?? NAMELESS;
    this.fn = of.fn ?? 0;
    this.task = of.task === undefined ? (parent?.task ?? null) : of.task;
    this.region = of.region ?? null;
    this.since = since;
    this.site = of.site ?? null;
    if (parent !== null) parent.refs++;
  }
}

/** Sets the parent of a scope anew. */
export function reparent(scope: Scope, parent: Scope | null): void {
  const former = scope.parent;
  if (former === parent) return;
  if (former !== null) former.refs--;
  if (parent !== null) parent.refs++;
  scope.parent = parent;
}

/** `scope` is what ran last on the activation. */
export function setLast(activation: Activation, scope: Scope | null): void {
  const former = activation.lastScope;
  if (former === scope) return;
  if (former !== null) former.refs--;
  if (scope !== null) scope.refs++;
  activation.lastScope = scope;
}

/** The activation to which a decided scope belongs, null where it has none yet. */
export function activationOf(scope: Scope): Activation | null {
  const { counted } = scope;
  if (counted !== null && counted.status !== "dead") return counted;
  return entryOf(scope)?.activation ?? null;
}

/** The scope that begins the activation to which `scope` belongs, or null while that is undecided. */
export function entryOf(scope: Scope): Scope | null {
  let at: Scope = scope;
  for (;;) {
    if (at.decision === "open") return null;
    if (at.decision === "fork" || at.parent === null) return at;
    at = at.parent;
  }
}

/** The nearest of `scope` and its parents that still means something: a frame that is not over, or an entry. */
export function livingParent(scope: Scope): Scope {
  let at = scope;
  while (at.decision === "inline" && at.parent !== null && (at.over || at.kind !== "frame")) at = at.parent;
  return at;
}

const NAMELESS: Frame = { func: "(anonymous)", file: "", line: 0 };

/** What a new scope may carry; the task is its parent's unless told. */
export interface ScopeOptions {
  readonly entry?: Frame;
  readonly fn?: number;
  readonly task?: TaskNode | null;
  readonly region?: RegionNode | null;
  readonly site?: Site | null;
}

const NOTHING: ScopeOptions = {};

/** A new scope inside `parent` (null for a root). */
export function makeScope(
  kind: ScopeKind,
  parent: Scope | null,
  decision: Decision,
  since: number,
  of: ScopeOptions = NOTHING,
): Scope {
  return new Scope(kind, parent, decision, since, of);
}
