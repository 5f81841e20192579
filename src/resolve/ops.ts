import type { PromiseNode, RegionNode, ResourceNode, Scope, Site, TaskNode } from "./graph.ts";

/**
 * What the reading of facts hands to the scheduling of activations: operations in order of time, each in a scope.
 * They wait in a queue until the look-ahead has passed and their scope is decided.
 */
export const OpKind = {
  /** A callback or reaction of `scope` begins; `due` for timers. */
  Enter: 1,
  Leave: 2,
  /** The synchronous part of a call begins; a fork becomes an activation here. */
  Call: 3,
  CallEnd: 4,
  /** The frame `scope` suspends on `node`. */
  Suspend: 5,
  /** The frame `scope` has ended. */
  FrameEnd: 6,
  /** One more, one less thing for which the activation stays alive. */
  Add: 7,
  Done: 8,
  /** A one-shot resource is pending; it has called back or was cleared. */
  SourceAdd: 9,
  SourceDone: 10,
  /** A reaction or tick of `scope` is ready to run, thanks to what runs now. */
  Ready: 11,
  RegionBegin: 12,
  RegionEnd: 13,
  TaskBegin: 14,
  TaskEnd: 15,
  Log: 16,
  SyscallBegin: 17,
  SyscallEnd: 18,
  /** A GC pause from `time` to `end`. */
  Gc: 19,
  /** The loop begins to be idle. */
  Idle: 20,
  Heap: 21,
  TurnEnd: 22,
  Hold: 23,
  Release: 24,
  WorkerStart: 25,
  /** Facts were lost: nothing that was alive can be trusted. */
  Reset: 26,
  LoopEnd: 27,
  /** The loop is idle no longer. */
  Awake: 28,
} as const;

/** One operation; which fields mean something depends on the kind. */
export class Op {
  readonly kind: number;
  readonly time: number;
  readonly scope: Scope | null;
  node: PromiseNode | null = null;
  resource: ResourceNode | null = null;
  region: RegionNode | null = null;
  task: TaskNode | null = null;
  parentTask: TaskNode | null = null;
  site: Site | null = null;
  /** Enter: due time of a timer. Gc: end. Heap: used bytes. WorkerStart: thread id. */
  end = 0;
  /** Gc: kind. Heap: limit. */
  value = 0;
  /** Log: category and message. */
  text = "";
  message = "";

  constructor(kind: number, time: number, scope: Scope | null) {
    this.kind = kind;
    this.time = time;
    this.scope = scope;
  }
}
