import type { Frame } from "../wire/format.ts";
import type { Activation, Scope } from "./graph.ts";

const MAX_FRAMES = 128;

/**
 * The logical stack of an activation: the place `leaf` where it is known, then the innermost frame's place and those
 * of the frames that await it, down to the activation's entry and never past it.
 */
export function logicalStack(scope: Scope | null, activation: Activation, leaf: Frame | null): Frame[] {
  const frames: Frame[] = [];
  if (leaf !== null) frames.push(leaf);
  for (let at = scope; at !== null && frames.length < MAX_FRAMES - 1; at = at.parent) {
    if (at.kind === "frame" && !at.over) {
      const frame = at.site?.frame ?? at.entry;
      const outer = frames[frames.length - 1];
      const same =
        outer !== undefined && outer === leaf && outer.func === frame.func && outer.file === frame.file;
      if (!same) frames.push(frame);
    }
    if (at.decision === "fork") break;
  }
  const outer = frames[frames.length - 1];
  if (outer === undefined || outer.func !== activation.entry.func) frames.push(activation.entry);
  return frames;
}
