import type { Scope } from "./scopes.ts";

/**
 * Frames that wait for one thing, in the order in which they began to: a list while they are few, as they nearly always
 * are, then a set, so that each leaves at the same price however many there are.
 */
export type Waiters = Scope[] | Set<Scope>;

const FEW = 8;

/** With one more; where there was none the list has room for that one only, for most stay so. */
export function withWaiter(waiters: Waiters | null, frame: Scope): Waiters {
  if (waiters === null) return [frame];
  if (!Array.isArray(waiters)) return waiters.add(frame);
  if (waiters.length === FEW) return new Set(waiters).add(frame);
  waiters.push(frame);
  return waiters;
}

/** Without that one; null where nobody is left. */
export function withoutWaiter(waiters: Waiters | null, frame: Scope): Waiters | null {
  if (waiters === null) return null;
  if (Array.isArray(waiters)) {
    const left = waiters.filter((one) => one !== frame);
    return left.length === 0 ? null : left;
  }
  waiters.delete(frame);
  return waiters.size === 0 ? null : waiters;
}

/** The frame that the frame waits for, unless that has ended and is another one by now. */
export function awaitedBy({ awaits, awaitsId }: Scope): Scope | null {
  return awaits !== null && awaits.fn === awaitsId ? awaits : null;
}

/**
 * The frame waits no more. What it has waited for and has not settled must forget it: its object may become another
 * frame's, which may wait for the same.
 */
export function leave(frame: Scope): void {
  const awaits = awaitedBy(frame);
  const { source } = frame;
  if (awaits !== null && !awaits.settled) {
    if (awaits.awaiter === frame) awaits.awaiter = null;
    else awaits.awaiters = withoutWaiter(awaits.awaiters, frame);
  }
  if (source !== null && !source.settled) source.awaiters = withoutWaiter(source.awaiters, frame);
  frame.awaits = null;
  frame.source = null;
}
