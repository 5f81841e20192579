import type { Frame } from "../wire/format.ts";

/** What the scheduler writes to: the trace writer's methods. m: thread, t: ns, stacks are ids from `stack`. */
export interface SchedulerOut {
  stack(frames: readonly Frame[]): number;
  procStart(m: number, t: number, p: number): void;
  procStop(m: number, t: number): void;
  goCreate(m: number, t: number, g: number, newStack: number, stack: number): void;
  goStart(m: number, t: number, g: number): void;
  goStop(m: number, t: number, reason: string, stack: number): void;
  goBlock(m: number, t: number, reason: string, stack: number): void;
  goUnblock(m: number, t: number, g: number, stack: number): void;
  goDestroy(m: number, t: number): void;
  syscallBegin(m: number, t: number, stack: number): void;
  syscallEnd(m: number, t: number): void;
  stwBegin(m: number, t: number, kind: string, stack: number): void;
  stwEnd(m: number, t: number): void;
  gcBegin(m: number, t: number, stack: number): void;
  gcEnd(m: number, t: number): void;
  markAssistBegin(m: number, t: number, stack: number): void;
  markAssistEnd(m: number, t: number): void;
  heapAlloc(m: number, t: number, bytes: number): void;
  heapGoal(m: number, t: number, bytes: number): void;
  procsChange(m: number, t: number, count: number, stack: number): void;
  taskBegin(m: number, t: number, task: number, parent: number, name: string, stack: number): void;
  taskEnd(m: number, t: number, task: number, stack: number): void;
  regionBegin(m: number, t: number, task: number, name: string, stack: number): void;
  regionEnd(m: number, t: number, task: number, name: string, stack: number): void;
  log(m: number, t: number, task: number, category: string, message: string, stack: number): void;
  cpuSample(t: number, m: number, p: number, g: number, stack: number): void;
}
