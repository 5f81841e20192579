import type { Frame } from "../wire/format.ts";
import { Chain } from "./chain.ts";
import type { Reaction } from "./reactions.ts";
import type { Link } from "./chain.ts";
import type { Scope } from "./scopes.ts";
import type { Waiters } from "./waiters.ts";

/**
 * The nodes that facts are resolved into: scopes (pieces of code that run, scopes.ts), promises, resources and
 * activations.
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
  /** WaitsFor, of an await whose text tells. */
  readonly waits: number;
  /** It is in code of Node's own. */
  readonly isNodes: boolean;
  /** Entries of activations and calls that are named otherwise than by their function, by their name. */
  readonly entries: Map<string, Frame>;
}

export function makeSite(frame: Frame, fn: number, waits: number): Site {
  return { frame, fn, waits, isNodes: frame.file.startsWith("node:"), entries: new Map() };
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
  /** What `then` and the like have made of the function that settled it. */
  settledIn: PromiseNode | null;
  /** Resource kind that settles it, 0 where unknown, and since when that is known. */
  source: number;
  sourceAt: number;
  /** When that has called back without settling it. */
  sourceUntil: number;
  /** Due time in ns of the timer of Node's that settles it, else 0; settled before it is looked at. */
  due: number;
  /** Reactions that wait for it, and frames of frames.ts. */
  reactions: PromiseNode[] | null;
  awaiters: Waiters | null;
  /** A frame that suspends on its parent. */
  frame: Scope | null;
  /** Id of the latest call (region, task, go) that ends when it settles, or 0. */
  closes: number;
  /** Of Promise.all, race and the like: the reactions to its members. */
  members: PromiseNode[] | null;
  /** It is such a reaction. */
  isMember: boolean;
  /** Nothing waits for this reaction any more. */
  released: boolean;
  /** An activation was told to stay alive for this reaction. */
  added: boolean;
  /** Promises that settle with it. */
  followers: PromiseNode[] | null;
  /** What it was resolved with: a promise, or the call of a frame with its id; and when. */
  follows: PromiseNode | null;
  callee: Scope | null;
  calleeId: number;
  followsAt: number;
  /** It was made by `then` and the like of what it follows: that settles before it, and by no other code. Or of members. */
  isDerived: boolean;
  /** Of Promise.all and the like: how many members have not settled, Infinity where some are not known. */
  unsettled: number;
  /** Of such a one: when what it follows has settled, so that it waits for what its callback does. */
  calledAt: number;
  /** Its callback, where that tells when it is called and what it returns. */
  reaction: Reaction | null;

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
  /** When it began to call back first, or 0: a timer may be up to 1 ms early. */
  calledAt: number;
  /** The promise whose executor has asked for it. */
  settles: PromiseNode | null;
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
  /** Reading side: may change while its beginning cannot have been written. */
  name: string;
  /** When it began, if it is a root's; else -1. */
  since: number;
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

/** The end of a root that has a task or region. */
export interface RootEnd {
  readonly scope: Scope;
  /** What is logged of it, in the category `http`; "" is nothing. */
  readonly message: string;
}

export type Status = "new" | "runnable" | "running" | "waiting" | "dead";

/** One goroutine of the trace. The writing side's. */
export interface Activation extends Link<Activation> {
  readonly g: number;
  readonly entry: Frame;
  /** The scope that begins it, if any does. */
  scope: Scope | null;
  /** Something on it was put off (thread.ts). */
  isPutOff: boolean;
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
  /** The end of the root that it is, which is written as soon as it runs. */
  rootEnd: RootEnd | null;
  /** Resource kind that it waits for as such, 0 where there is none. */
  heldFor: number;
  /** What ran last on it. */
  lastScope: Scope | null;
  /** The first of its timers that fell due while it was running. */
  overdue: ResourceNode | null;
  /** When it blocked last, or was created for a Worker, in ns. */
  since: number;
}

/** An activation waits, since the time `since`, for a promise that a timer of Node's settles at `due` (ns). Writing side. */
export interface Sleep {
  readonly activation: Activation;
  readonly since: number;
  readonly due: number;
}

/** Whether the activation has run since, or runs below another one: the sleep is over. */
export function isSleepOver({ activation, since }: Sleep): boolean {
  return activation.status !== "waiting" || activation.below > 0 || activation.since !== since;
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
    settledIn: null,
    source: 0,
    sourceAt: 0,
    sourceUntil: Infinity,
    due: 0,
    reactions: null,
    awaiters: null,
    frame: null,
    closes: 0,
    members: null,
    isMember: false,
    released: false,
    added: false,
    followers: null,
    follows: null,
    callee: null,
    calleeId: 0,
    followsAt: 0,
    isDerived: false,
    unsettled: 0,
    calledAt: Infinity,
    reaction: null,
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
    settles: null,
    clearedAt: 0,
    calledAt: 0,
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
    scope: null,
    chain: null,
    older: null,
    younger: null,
    isPutOff: false,
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
    rootEnd: null,
    heldFor: 0,
    lastScope: null,
    overdue: null,
    since: 0,
  };
}

/** What scopes belong to whose activation has ended. */
export const ENDED: Activation = { ...makeActivation(0, { func: "", file: "", line: 0 }), status: "dead" };
