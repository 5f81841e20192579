import type { Frame } from "../wire/format.ts";

/**
 * The nodes that facts are resolved into: scopes (pieces of code that run), promises, resources and activations.
 *
 * A scope is what runs between two points of the event stream: a callback, the function of a region or task, an
 * async function call. A scope belongs to the activation of its parent until it is decided to be a fork; then it is
 * the entry of an activation of its own. Everything that is made while a scope runs (promises, timers, requests)
 * remembers the scope, so its activation is known as soon as the scope is decided.
 */

/** A source position with its function. `fn` identifies the function, so that two sites of one function compare. */
export interface Site {
  readonly frame: Frame;
  readonly fn: number;
}

export type ScopeKind = "root" | "callback" | "call" | "frame";

/** Whether a scope continues its parent's activation or begins one. */
export type Decision = "open" | "inline" | "fork";

export interface Scope {
  readonly kind: ScopeKind;
  readonly parent: Scope | null;
  decision: Decision;
  /** Set on roots and forks once they are emitted. */
  activation: Activation | null;
  /** Entry function: names the activation if this scope begins one. */
  readonly entry: Frame;
  /** Function id for matching awaits with their frame; 0 where unknown. */
  readonly fn: number;
  task: TaskNode | null;
  /** A pending call that continues the activation of its caller although nobody awaits it. */
  adopted: boolean;
  /** A frame that has suspended at least once. */
  started: boolean;
  /** Still in the synchronous part of its first call. */
  calling: boolean;
  /** A frame whose function has ended. */
  ended: boolean;
  /** The promise that a frame's call returned. */
  promise: PromiseNode | null;
  /** Frames adopted by the activation that begins here (see TurnReader.decide) which have not ended. */
  openFrames: number;
  /** Where a frame is suspended, and on what; kept after it resumed as its last known place. */
  site: Site | null;
  /** What this frame waits for, as the emitting side has seen it. */
  waitingFor: PromiseNode | null;
  /** The region that the scope was made for. */
  readonly region: RegionNode | null;
  /** Time at which it began, in ns. */
  readonly since: number;
  /** The activation that stays alive for it. */
  counted: Activation | null;
}

export interface PromiseNode {
  readonly id: number;
  readonly cls: number;
  /** Where it was made; for the call of an async function the frame itself. */
  readonly scope: Scope;
  readonly parent: PromiseNode | null;
  settled: boolean;
  /** Whose callback settled it, for waits without a known source. */
  settledBy: Scope | null;
  settledKind: number;
  /** Resource kind that settles it, 0 where unknown. */
  source: number;
  /** Reactions that wait for it. */
  reactions: PromiseNode[] | null;
  /** A frame that suspends on its parent. */
  frame: Scope | null;
  /** Id of the call (region, task, go) that ends when it settles, or 0. */
  closes: number;
  /** A direct await of it by the caller was seen. */
  awaited: boolean;
  /** The activation that stays alive for this reaction. */
  counted: Activation | null;
}

export interface ResourceNode {
  readonly id: number;
  readonly kind: number;
  readonly scope: Scope;
  readonly site: Site | null;
  /** Keeps its activation alive until it has called back once. */
  readonly oneShot: boolean;
  /** Due time in ns of a timer, else 0. */
  due: number;
  done: boolean;
}

export interface TaskNode {
  readonly id: number;
  readonly name: string;
  ended: boolean;
}

export interface RegionNode {
  readonly name: string;
  readonly task: TaskNode | null;
  /** The activation it was begun on, once emitted. */
  owner: Activation | null;
  /** Its end was asked for. */
  ended: boolean;
}

export type Status = "new" | "runnable" | "running" | "waiting" | "dead";

/** One goroutine of the trace. */
export interface Activation {
  readonly g: number;
  readonly entry: Frame;
  status: Status;
  /** Frames, reactions, one-shot resources and holds that are left. */
  pending: number;
  /** Reactions and ticks that are ready to run. */
  ready: number;
  /** Its suspended frames, in the order in which they suspended. */
  readonly suspended: Scope[];
  /** Pending one-shot resources, oldest first; done ones are removed lazily. */
  readonly sources: ResourceNode[];
  readonly regions: RegionNode[];
  /** It is a request or connection that is still open. */
  held: boolean;
  /** Stack of the last time it ran, for its next block. */
  lastScope: Scope | null;
  /** One of its timers fell due while it was running. */
  overdue: boolean;
  /** When it blocked last, in ns. */
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

const NAMELESS: Frame = { func: "(anonymous)", file: "", line: 0 };

/** A new scope inside `parent` (null for a root). */
export function makeScope(
  kind: ScopeKind,
  parent: Scope | null,
  decision: Decision,
  since: number,
  of: {
    entry?: Frame;
    fn?: number;
    task?: TaskNode | null;
    promise?: PromiseNode | null;
    region?: RegionNode | null;
    site?: Site | null;
  } = {},
): Scope {
  return {
    kind,
    parent,
    decision,
    activation: null,
    entry: of.entry ?? NAMELESS,
    fn: of.fn ?? 0,
    task: of.task === undefined ? (parent?.task ?? null) : of.task,
    adopted: false,
    started: false,
    calling: true,
    ended: false,
    promise: of.promise ?? null,
    openFrames: 0,
    site: of.site ?? null,
    waitingFor: null,
    region: of.region ?? null,
    since,
    counted: null,
  };
}
