/** Names of ranges, as Go's tools show them. */
export const GC_MARK = "GC concurrent mark phase";
export const GC_SWEEP = "GC incremental sweep";
export const MARK_ASSIST = "GC mark assist";

/** A stop of the world, and why. */
export function stopTheWorld(reason: string): string {
  return `stop-the-world (${reason})`;
}
