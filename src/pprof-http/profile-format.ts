import type { Profiler, Runtime } from "node:inspector";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  Function as PprofFunction,
  Line,
  Location,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from "pprof-format";
import type { Frame } from "../wire/format.ts";

/** V8's names for what is no function of the program; the root and idle time are in no stack. */
const META: ReadonlyMap<string, string> = new Map([
  ["(program)", "node (native)"],
  ["(garbage collector)", "node (garbage collector)"],
]);
const LEFT_OUT: ReadonlySet<string> = new Set(["(idle)", "(root)"]);

/**
 * A CPU profile of V8's as gzipped pprof: of each stack the samples and the CPU time in ns. `startMs`: wall clock;
 * `periodUs`: the time between two samples.
 */
export async function encodeProfile(
  profile: Profiler.Profile,
  { startMs, periodUs }: { readonly startMs: number; readonly periodUs: number },
): Promise<Uint8Array> {
  const strings = new StringTable();
  const cpu = new ValueType({ type: strings.dedup("cpu"), unit: strings.dedup("nanoseconds") });
  const stacks = new Stacks(profile.nodes, strings);
  const sample: Sample[] = [];
  for (const [id, { count, ns }] of sums(profile)) {
    const locationId = stacks.of(id);
    if (locationId.length > 0) sample.push(new Sample({ locationId, value: [count, ns] }));
  }
  const encoded = new Profile({
    sampleType: [new ValueType({ type: strings.dedup("samples"), unit: strings.dedup("count") }), cpu],
    sample,
    location: stacks.locations,
    function: stacks.functions,
    stringTable: strings,
    timeNanos: BigInt(startMs) * 1_000_000n,
    durationNanos: Math.round((profile.endTime - profile.startTime) * 1000),
    periodType: cpu,
    period: periodUs * 1000,
  }).encode();
  return promisify(gzip)(encoded);
}

/** What V8's sampling heap profiler answers; @types/node 20 lacks the samples, which Node 20 has. */
export interface HeapSamples {
  readonly head: HeapNode;
  readonly samples: readonly { readonly size: number; readonly nodeId: number }[];
}

export interface HeapNode {
  readonly id: number;
  readonly callFrame: Runtime.CallFrame;
  readonly children: readonly HeapNode[];
}

/** What a heap profile counts: what is alive, or all that was allocated. */
export type HeapKind = "inuse" | "alloc";

/**
 * A profile of V8's sampling heap profiler as gzipped pprof: of each stack the objects and their bytes. `startMs`: wall
 * clock; `durationMs`: how long was sampled; `interval`: mean bytes between two samples.
 */
export async function encodeHeap(
  profile: HeapSamples,
  kind: HeapKind,
  options: { readonly startMs: number; readonly durationMs: number; readonly interval: number },
): Promise<Uint8Array> {
  const strings = new StringTable();
  const type = (what: string, unit: string): ValueType =>
    new ValueType({ type: strings.dedup(`${kind}_${what}`), unit: strings.dedup(unit) });
  const objects = type("objects", "count");
  const space = type("space", "bytes");
  const nodes: Profiler.ProfileNode[] = [];
  const open = [profile.head];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    nodes.push({ id: node.id, callFrame: node.callFrame, children: node.children.map(({ id }) => id) });
    open.push(...node.children);
  }
  const stacks = new Stacks(nodes, strings);
  const totals = new Map<number, { count: number; bytes: number }>();
  for (const { nodeId, size } of profile.samples) {
    const total = totals.get(nodeId) ?? { count: 0, bytes: 0 };
    total.count++;
    total.bytes += size;
    totals.set(nodeId, total);
  }
  const sample: Sample[] = [];
  for (const [id, { count, bytes }] of totals) {
    const locationId = stacks.of(id);
    if (locationId.length > 0) sample.push(new Sample({ locationId, value: [count, bytes] }));
  }
  const encoded = new Profile({
    sampleType: [objects, space],
    sample,
    location: stacks.locations,
    function: stacks.functions,
    stringTable: strings,
    timeNanos: BigInt(options.startMs) * 1_000_000n,
    durationNanos: Math.round(options.durationMs * 1e6),
    periodType: new ValueType({ type: strings.dedup("space"), unit: strings.dedup("bytes") }),
    period: options.interval,
    defaultSampleType: strings.dedup(`${kind}_space`),
  }).encode();
  return promisify(gzip)(encoded);
}

/** Places with a number each, as gzipped pprof of one sample type, `name` in `count`. Stacks are leaf first. */
export async function encodeCounts(
  name: string,
  counts: readonly { readonly stack: readonly Frame[]; readonly count: number }[],
): Promise<Uint8Array> {
  const strings = new StringTable();
  const type = new ValueType({ type: strings.dedup(name), unit: strings.dedup("count") });
  const functions = new Map<string, PprofFunction>();
  const locations = new Map<string, Location>();
  const locationOf = ({ func, file, line }: Frame): number => {
    const functionKey = JSON.stringify([func, file]);
    let called = functions.get(functionKey);
    if (called === undefined) {
      const text = strings.dedup(func);
      const id = functions.size + 1;
      called = new PprofFunction({ id, name: text, systemName: text, filename: strings.dedup(fileOf(file)) });
      functions.set(functionKey, called);
    }
    const key = `${functionKey}${line}`;
    let location = locations.get(key);
    if (location === undefined) {
      const id = locations.size + 1;
      location = new Location({ id, line: [new Line({ functionId: called.id, line })] });
      locations.set(key, location);
    }
    return Number(location.id);
  };
  const sample = counts.map(
    ({ stack, count }) => new Sample({ locationId: stack.map(locationOf), value: [count] }),
  );
  const encoded = new Profile({
    sampleType: [type],
    sample,
    location: [...locations.values()],
    function: [...functions.values()],
    stringTable: strings,
    timeNanos: BigInt(Date.now()) * 1_000_000n,
    periodType: type,
    period: 1,
  }).encode();
  return promisify(gzip)(encoded);
}

/** By the id of the leaf: how many samples, and the time up to the next ones. */
function sums({
  samples = [],
  timeDeltas = [],
}: Profiler.Profile): Map<number, { count: number; ns: number }> {
  const totals = new Map<number, { count: number; ns: number }>();
  for (const [i, id] of samples.entries()) {
    const total = totals.get(id) ?? { count: 0, ns: 0 };
    total.count++;
    // The delta of a sample is the time since the one before.
    total.ns += Math.max(0, (timeDeltas[i + 1] ?? 0) * 1000);
    totals.set(id, total);
  }
  return totals;
}

/** Stacks by V8's nodes, a location for each line of a function. */
class Stacks {
  readonly locations: Location[] = [];
  readonly functions: PprofFunction[] = [];
  readonly #strings: StringTable;
  readonly #nodes = new Map<number, Profiler.ProfileNode>();
  readonly #parents = new Map<number, number>();
  readonly #locationIds = new Map<string, number>();
  readonly #functionIds = new Map<string, number>();

  constructor(nodes: readonly Profiler.ProfileNode[], strings: StringTable) {
    this.#strings = strings;
    for (const node of nodes) {
      this.#nodes.set(node.id, node);
      for (const child of node.children ?? []) this.#parents.set(child, node.id);
    }
  }

  /** Location ids, leaf first; none where the leaf is left out. */
  of(leaf: number): number[] {
    const stack: number[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = this.#parents.get(id)) {
      const node = this.#nodes.get(id);
      if (node === undefined) break;
      if (LEFT_OUT.has(node.callFrame.functionName)) continue;
      stack.push(this.#location(node));
    }
    return stack;
  }

  #location({ callFrame }: Profiler.ProfileNode): number {
    const { functionName, scriptId, url, lineNumber } = callFrame;
    const key = `${scriptId}:${functionName}:${lineNumber}:${callFrame.columnNumber}`;
    const known = this.#locationIds.get(key);
    if (known !== undefined) return known;
    const line = Math.max(0, lineNumber + 1);
    const id = this.locations.length + 1;
    this.#locationIds.set(key, id);
    const functionId = this.#function(key, nameOf(functionName, line), fileOf(url), line);
    this.locations.push(new Location({ id, line: [new Line({ functionId, line })] }));
    return id;
  }

  #function(key: string, name: string, file: string, startLine: number): number {
    const known = this.#functionIds.get(key);
    if (known !== undefined) return known;
    const id = this.functions.length + 1;
    this.#functionIds.set(key, id);
    const text = this.#strings.dedup(name);
    this.functions.push(
      new PprofFunction({ id, name: text, systemName: text, filename: this.#strings.dedup(file), startLine }),
    );
    return id;
  }
}

function nameOf(name: string, line: number): string {
  if (name === "") return line > 0 ? `(anonymous:${line})` : "(anonymous)";
  return META.get(name) ?? name;
}

function fileOf(url: string): string {
  if (!url.startsWith("file:")) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
