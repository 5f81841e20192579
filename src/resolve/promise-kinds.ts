import { PromiseClass, ResourceKind, WaitsFor } from "../base/facts.ts";
import type { PromiseNode, Site } from "./graph.ts";

/** What kinds of promises there are, as far as frames wait for them. */

/** Whether it settles with one or all of several others. */
export function isJoint(promise: PromiseNode | null): boolean {
  return promise !== null && (promise.cls === PromiseClass.All || promise.cls === PromiseClass.Race);
}

/** Whether the text of an await tells that it waits for several promises, or for what `then` and the like make of them. */
export function isJointSite(site: Site | null): site is Site {
  return site !== null && (site.waits === WaitsFor.All || site.waits === WaitsFor.Race);
}

/** Whether it settles with calls that the frame which waits for it has made, or is made by `then` of what does. */
export function isOfCalls(promise: PromiseNode | null): boolean {
  if (promise === null) return false;
  if (promise.reaction !== null) return promise.follows?.id === 0;
  return isJoint(promise) && !promise.isDerived;
}

/** Whether nobody tells when it settles: it is one of Promise.race and the like, or not all that it waits for is known. */
export function isUncertain({ cls, unsettled }: PromiseNode): boolean {
  return cls === PromiseClass.Race || unsettled === Infinity;
}

/** Whether what comes from another thread settles it. */
export function isMessage({ source }: PromiseNode): boolean {
  return source === ResourceKind.Port || source === ResourceKind.Worker;
}

/** Whether the program's code settles it, and nothing that it has asked for. */
export function isOfProgram({ cls, source }: PromiseNode): boolean {
  return cls === PromiseClass.New && source === 0;
}

/** Whether it is a promise of Node's that has not settled yet, as far as is known. */
export function isOutside(promise: PromiseNode): boolean {
  return promise.cls === PromiseClass.Native && !promise.settled;
}

/** The list with one more member; where there was none it has room for that one only, for most stay so. */
export function added<T>(list: T[] | null, member: T): T[] {
  if (list === null) return [member];
  list.push(member);
  return list;
}
