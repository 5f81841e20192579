import type { Frame } from "../wire/format.ts";
import { Chain } from "./chain.ts";
import type { Link } from "./chain.ts";

/**
 * The nodes that facts are resolved into: scopes (pieces of code that run), promises, resources and activations.
 *
 * A scope is what runs between two points of the event stream: a callback, the function of a region or task, an
 * async function call. A scope belongs to the activation of its parent until it is decided to be a fork; then it is
 * the entry of an activation of its own. Everything that is made while a scope runs (promises, timers, requests)
 * remembers the scope, so its activation is known as soon as the scope is decided.
 *
 * Two sides touch the nodes: the reading of facts, and the writing of events, which is behind it by the look-ahead.
 * Each field that changes has one side that changes it. What the writing side sees of the reading side's fields is
 * either settled before it looks (decisions) or carries its time (settledAt, clearedAt), and is ignored when it lies
 * further ahead than the look-ahead: so what is written never depends on how far the reading has got.
 */

/** A source position with its function. `fn` identifies the function, so that two sites of one function compare. */
export interface Site {
  readonly frame: Frame;
  readonly fn: number;
}

export type ScopeKind = "root" | "callback" | "call" | "frame";

/** Whether a scope continues its parent's activation or begins one. */
export type Decision = "open" | "inline" | "fork";

export interface Scope extends Link<Scope> {
  readonly kind: ScopeKind;
  /** The scope in which it was made. Written past scopes that are over, and null on forks once their call returned. */
  parent: Scope | null;
  /** Reading side; never changes once it is not open. */
  decision: Decision;
  /** Entry function: names the activation if this scope begins one. */
  readonly entry: Frame;
  /** Function id for matching awaits with their frame; 0 where unknown. */
  readonly fn: number;
  readonly task: TaskNode | null;
  /** The promise that a frame's call returned. */
  promise: PromiseNode | null;
  /** The region that the scope was made for. */
  readonly region: RegionNode | null;
  /** Time at which it began, in ns. */
  readonly since: number;

  // The reading side's.
  /** Of a frame of Node's own: who called it, past others of Node's. */
  caller: Scope | null;
  /** A frame whose function has ended. */
  ended: boolean;
  /** Calls it made that are not decided yet. */
  openCalls: number;
  /** Frames adopted by the activation that begins here (see Decisions) which have not ended. */
  openFrames: number;
  /** It is one of those frames. */
  adopted: boolean;

  // The writing side's.
  /** Set on roots and forks once they are written. */
  activation: Activation | null;
  /** The activation that stays alive for it. */
  counted: Activation | null;
  /** Where a frame is suspended, and on what; the site stays its last known place when it goes on. */
  site: Site | null;
  waitingFor: PromiseNode | null;
  /** The frame's end has been written. */
  over: boolean;
}

export interface PromiseNode {
  readonly id: number;
  readonly cls: number;
  /** Where it was made; for the call of an async function the frame itself. */
  readonly scope: Scope;
  /** The promise it reacts to. Forgotten (writing side) long after it settled itself. */
  parent: PromiseNode | null;

  // The reading side's.
  settled: boolean;
  settledAt: number;
  /** Whose callback settled it (forgotten like the parent) and of which kind that was, for waits without a known source. */
  settledBy: Scope | null;
  settledKind: number;
  /** Resource kind that settles it, 0 where unknown, and since when that is known. */
  source: number;
  sourceAt: number;
  /** Reactions that wait for it. */
  reactions: PromiseNode[] | null;
  /** A frame that suspends on its parent. */
  frame: Scope | null;
  /** Id of the call (region, task, go) that ends when it settles, or 0. */
  closes: number;
  /** Of Promise.all, race and the like: the reactions to its members. */
  members: PromiseNode[] | null;
  /** It is such a reaction. */
  isMember: boolean;
  /** Nothing waits for this reaction any more. */
  released: boolean;
  /** An activation was told to stay alive for this reaction. */
  added: boolean;

  // The writing side's.
  /** The activation that stays alive for this reaction. */
  counted: Activation | null;
  /** The activation that this reaction is ready to run on. */
  readied: Activation | null;
}

export interface ResourceNode extends Link<ResourceNode> {
  readonly id: number;
  readonly kind: number;
  readonly scope: Scope;
  /** Keeps its activation alive until it has called back once. */
  readonly oneShot: boolean;
  /** Due time in ns of a one-shot timer, else 0. */
  readonly due: number;

  // The reading side's.
  /** When it was cleared, or a timer was refreshed (which makes a node of its own), or 0. */
  clearedAt: number;
  /** It has begun to call back. */
  called: boolean;

  // The writing side's.
  /** Its end has been written. */
  gone: boolean;
  /** The activation that stays alive for it. */
  counted: Activation | null;
}

export interface TaskNode {
  readonly id: number;
  readonly name: string;
  /** Writing side. */
  ended: boolean;
}

export interface RegionNode {
  readonly name: string;
  readonly task: TaskNode | null;
  /** Writing side: the activation it was begun on. */
  owner: Activation | null;
  /** Writing side: its end was asked for. */
  ended: boolean;
}

export type Status = "new" | "runnable" | "running" | "waiting" | "dead";

/** One goroutine of the trace. The writing side's. */
export interface Activation {
  readonly g: number;
  readonly entry: Frame;
  status: Status;
  /** Frames, reactions, one-shot resources and holds that are left. */
  pending: number;
  /** Reactions that are ready to run. */
  ready: number;
  /** Ticks and immediates that are left. */
  yields: number;
  /** How often it waits below a callee for it to return. */
  below: number;
  /** Its suspended frames of the program's own code, and of Node's, in the order in which they suspended. */
  readonly ownFrames: Chain<Scope>;
  readonly nodeFrames: Chain<Scope>;
  /** One-shot resources that are pending. */
  readonly sources: Chain<ResourceNode>;
  regions: RegionNode[];
  /** It is a request or connection that is still open, an interval, or the main script. */
  held: boolean;
  /** Resource kind that it waits for as such, 0 where there is none. */
  heldFor: number;
  /** What ran last on it. */
  lastScope: Scope | null;
  /** One of its timers fell due while it was running. */
  overdue: boolean;
  /** When it blocked last, or was created for a Worker, in ns. */
  since: number;
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
  return {
    kind,
    parent,
    decision,
    entry: of.entry ?? NAMELESS,
    fn: of.fn ?? 0,
    task: of.task === undefined ? (parent?.task ?? null) : of.task,
    promise: null,
    region: of.region ?? null,
    since,
    caller: null,
    ended: false,
    openCalls: 0,
    openFrames: 0,
    adopted: false,
    activation: null,
    counted: null,
    site: of.site ?? null,
    waitingFor: null,
    over: false,
    chain: null,
    older: null,
    younger: null,
  };
}

/** A new promise. */
export function makePromise(id: number, cls: number, scope: Scope, parent: PromiseNode | null): PromiseNode {
  return {
    id,
    cls,
    scope,
    parent,
    settled: false,
    settledAt: 0,
    settledBy: null,
    settledKind: 0,
    source: 0,
    sourceAt: 0,
    reactions: null,
    frame: null,
    closes: 0,
    members: null,
    isMember: false,
    released: false,
    added: false,
    counted: null,
    readied: null,
  };
}

/** A new resource. */
export function makeResource(
  id: number,
  kind: number,
  scope: Scope,
  oneShot: boolean,
  due: number,
): ResourceNode {
  return {
    id,
    kind,
    scope,
    oneShot,
    due,
    clearedAt: 0,
    called: false,
    gone: false,
    counted: null,
    chain: null,
    older: null,
    younger: null,
  };
}

/** A new activation, not yet written. */
export function makeActivation(g: number, entry: Frame): Activation {
  return {
    g,
    entry,
    status: "new",
    pending: 0,
    ready: 0,
    yields: 0,
    below: 0,
    ownFrames: new Chain(),
    nodeFrames: new Chain(),
    sources: new Chain(),
    regions: [],
    held: false,
    heldFor: 0,
    lastScope: null,
    overdue: false,
    since: 0,
  };
}
