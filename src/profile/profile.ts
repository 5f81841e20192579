/** What a profile is before it becomes bytes: stacks with values. */
import type { StackFrame } from "../order/types.ts";

/** What is counted, and its unit, as pprof names them: `delay`, `nanoseconds`. */
export interface ValueKind {
  readonly type: string;
  readonly unit: string;
}

/** The values of one stack under one set of labels. */
export interface ProfileSample {
  /** Leaf first; empty where no stack was told. */
  readonly frames: readonly StackFrame[];
  /** One value for each of the profile's kinds. */
  readonly values: readonly number[];
  readonly labels: readonly (readonly [key: string, value: string])[];
}

/** A whole profile. Equal traces give equal profiles: the order of samples is part of it. */
export interface Profile {
  /** The last one is what people look at first. */
  readonly kinds: readonly ValueKind[];
  readonly samples: readonly ProfileSample[];
  readonly periodKind: ValueKind;
  readonly period: number;
  /** Wall clock of its start in ns since 1970, null where the trace does not tell. */
  readonly wallStart: bigint | null;
  /** Nanoseconds that it covers, null where it is not to be told. */
  readonly duration: number | null;
}

/** By the last value, largest first; then by program counters, names and labels. */
export function inOrder(samples: readonly ProfileSample[]): ProfileSample[] {
  return samples.toSorted((a, b) => {
    const last = a.values.length - 1;
    return b.values[last]! - a.values[last]! || compareFrames(a.frames, b.frames) || compareLabels(a, b);
  });
}

function compareFrames(a: readonly StackFrame[], b: readonly StackFrame[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [left, right] = [a[i]!, b[i]!];
    if (left.pc !== right.pc) return left.pc < right.pc ? -1 : 1;
    const byName = compareText(left.func, right.func) || compareText(left.file, right.file);
    if (byName !== 0) return byName;
    if (left.line !== right.line) return left.line - right.line;
  }
  return a.length - b.length;
}

function compareLabels(a: ProfileSample, b: ProfileSample): number {
  return compareText(a.labels.flat().join("\0"), b.labels.flat().join("\0"));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
