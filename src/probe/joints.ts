import { types } from "node:util";
import { Awaited, Fact, PromiseClass } from "../base/facts.ts";
import type { RingWriter } from "../base/ring.ts";

/**
 * Tells of a promise that Promise.all or the like has made, by its id, and of its members, as far as `awaited` knows them;
 * `first`: it settles with one of them.
 */
export function tellJoint(
  facts: RingWriter,
  id: number,
  first: boolean,
  members: unknown,
  awaited: (value: unknown) => number,
): void {
  facts.now(Fact.Joint, id, 0, first ? PromiseClass.Race : PromiseClass.All);
  let isOpen = true;
  if (!types.isProxy(members) && Array.isArray(members)) {
    isOpen = false;
    const list = members as readonly unknown[];
    for (let at = 0; at < list.length; at++) {
      const of = awaited(list[at]);
      if (of > 0) facts.now(Fact.Member, id, of, 0);
      else if (of === Awaited.Unknown) isOpen = true;
    }
  }
  if (isOpen) facts.now(Fact.Member, id, Awaited.Unknown, 0);
}
