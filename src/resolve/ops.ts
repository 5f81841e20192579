import { GcKind } from "../base/facts.ts";
import type { PromiseNode, RegionNode, ResourceNode, Scope, Site, TaskNode } from "./graph.ts";

/**
 * What the reading of facts hands to the writing of events: operations in the order in which they happened, each in a
 * scope. They wait in a queue until the look-ahead has passed, when their scope is decided.
 */
export const OpKind = {
  /** A callback or reaction of `scope` begins; `end`: due time of a timer, `value`: resource kind. */
  Enter: 1,
  Leave: 2,
  /** The synchronous part of a call begins; a fork becomes an activation here. */
  Call: 3,
  CallEnd: 4,
  /** The frame `scope` suspends on `node` at `site`. */
  Suspend: 5,
  /** The frame `scope` has ended. */
  FrameEnd: 6,
  /** One more, one less thing for which the activation stays alive: `node`, or the call `scope`. */
  Add: 7,
  Done: 8,
  /** A one-shot resource is pending; it has called back or was cleared. */
  SourceAdd: 9,
  SourceDone: 10,
  /** The reaction `node` of `scope` is ready to run, thanks to what runs now. */
  Ready: 11,
  RegionBegin: 12,
  /** `value` 1: by startRegion's end, which may be misuse. */
  RegionEnd: 13,
  TaskBegin: 14,
  TaskEnd: 15,
  Log: 16,
  SyscallBegin: 17,
  SyscallEnd: 18,
  /** A GC pause from `time` to `end` of kind `value`. */
  Gc: 19,
  /** The loop goes idle; it was idle until now. */
  Rest: 20,
  Wake: 21,
  /** `end`: used bytes, `value`: limit. */
  Heap: 22,
  TurnEnd: 23,
  /** The activation stays alive until Release; `value`: the resource kind that it waits for. */
  Hold: 24,
  Release: 25,
  /** `end`: thread id. */
  WorkerStart: 26,
  /** Facts were lost: nothing that was alive can be trusted. */
  Reset: 27,
  LoopEnd: 28,
  /** The settled promises `nodes` are not asked for any more. */
  Forget: 29,
} as const;

/** Whether the operation begins or ends a cycle of garbage collection. */
export function isOfCycle(op: Op): boolean {
  return op.kind === OpKind.Gc && (op.value === GcKind.Major || op.value === GcKind.Incremental);
}

/** Log category of the recorder's own messages. */
export const RESERVED_CATEGORY = "runtrace";

/** What few operations carry. */
export interface Detail {
  /** Enter: the scope on whose activation it runs instead where that is running already. */
  readonly other?: Scope | null;
  readonly nodes?: readonly PromiseNode[];
  readonly region?: RegionNode;
  readonly task?: TaskNode;
  readonly parentTask?: TaskNode | null;
  /** Log. */
  readonly category?: string;
  readonly message?: string;
}

const NO_DETAIL: Detail = {};

/** One operation; which fields mean something depends on the kind. There are very many: it is kept small. */
export class Op {
  readonly kind: number;
  readonly time: number;
  readonly scope: Scope | null;
  node: PromiseNode | null = null;
  resource: ResourceNode | null = null;
  site: Site | null = null;
  end = 0;
  value = 0;
  detail = NO_DETAIL;

  constructor(kind: number, time: number, scope: Scope | null) {
    this.kind = kind;
    this.time = time;
    this.scope = scope;
  }
}
