import { State, type TraceModel } from "../../model/types.ts";

/** Size of a synthetic trace. */
export interface SyntheticOptions {
  readonly procs: number;
  readonly activations: number;
  readonly spansEach: number;
  readonly seed?: number;
}

/** A random number generator with a seed (mulberry32), for data that is the same every time. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A model of the given size with every table filled: activations that run, wait for all kinds of reasons and wake
 * each other, tasks, regions, logs, samples, GC ranges. Consistent inside an activation (no gaps, ascending); the
 * procs' spans are a schedule of their own.
 */
export function syntheticModel(options: SyntheticOptions): TraceModel {
  const random = randomFrom(options.seed ?? 1);
  const { procs, activations, spansEach } = options;
  const strings = ["", "main.main", "main.handle", "main.query", "net/http.(*conn).serve", "main.worker"];
  strings.push("sleep", "network", "sync fs", "chan receive", "select", "sync", "preempted", "forever");
  strings.push(
    "order",
    "fetch",
    "parse",
    "info",
    "hello",
    "GC",
    "main",
    "worker",
    "/memory/classes/heap/objects:bytes",
  );
  const reasons = [6, 7, 8, 9, 10, 11, 12, 13, 0];
  const total = activations * spansEach;
  const base = 1_000_000;
  const firstSpan = new Uint32Array(activations + 1);
  const spans = {
    count: total,
    start: new Float64Array(total),
    end: new Float64Array(total),
    state: new Uint8Array(total),
    reason: new Int32Array(total),
    stack: new Int32Array(total),
    by: new Int32Array(total).fill(-1),
  };
  const created = new Float64Array(activations);
  const ended = new Float64Array(activations);
  const name = new Int32Array(activations);
  const creator = new Int32Array(activations).fill(-1);
  let endTime = base + 1;
  let at = 0;
  for (let a = 0; a < activations; a++) {
    let time = base + Math.floor(random() * spansEach * 20_000);
    created[a] = time;
    name[a] = 1 + Math.floor(random() * 5);
    if (a > 0) creator[a] = Math.floor(random() * a);
    for (let s = 0; s < spansEach; s++) {
      const phase = s % 3;
      const state = phase === 0 ? State.Runnable : phase === 1 ? State.Running : State.Waiting;
      const length = Math.floor(1 + random() ** 4 * (state === State.Waiting ? 200_000 : 40_000));
      spans.start[at] = time;
      time += length;
      spans.end[at] = time;
      spans.state[at] = state;
      spans.stack[at] = 1 + Math.floor(random() * 2);
      if (state === State.Waiting) spans.reason[at] = reasons[Math.floor(random() * reasons.length)]!;
      else if (state === State.Running) spans.by[at] = Math.floor(random() * procs);
      else spans.by[at] = s === 0 ? creator[a]! : Math.floor(random() * activations);
      at++;
    }
    ended[a] = time;
    endTime = Math.max(endTime, time);
    firstSpan[a + 1] = at;
  }
  const procFirst = new Uint32Array(procs + 1);
  const procStart: number[] = [];
  const procEnd: number[] = [];
  const procActivation: number[] = [];
  for (let p = 0; p < procs; p++) {
    let time = base;
    while (time < endTime && procStart.length < (p + 1) * (total / procs / 3 + 1)) {
      time += Math.floor(random() * 30_000);
      procStart.push(time);
      time += Math.floor(1 + random() * 60_000);
      procEnd.push(time);
      procActivation.push(Math.floor(random() * (activations + 1)) - 1);
    }
    procFirst[p + 1] = procStart.length;
  }
  const taskCount = Math.min(activations, 400);
  const taskRows = Array.from({ length: taskCount }, (_, i) => i);
  const regionRows = Array.from({ length: taskCount * 2 }, (_, i) => i);
  const regionOwner = (i: number): number => i >> 1;
  const regionAt = (i: number, part: number): number => {
    const owner = regionOwner(i);
    const inset = i % 2 === 0 ? 0.1 : 0.3;
    const share = part === 0 ? inset : 1 - inset;
    return Math.floor(created[owner]! + share * (ended[owner]! - created[owner]!));
  };
  return {
    version: 25,
    events: total,
    startTime: base,
    endTime,
    strings,
    stacks: [
      [],
      [
        { func: "main.query", file: "/app/query.ts", line: 12 },
        { func: "main.handle", file: "/app/handle.ts", line: 40 },
      ],
      [{ func: "main.main", file: "/app/main.ts", line: 3 }],
    ],
    activations: {
      count: activations,
      id: Float64Array.from({ length: activations }, (_, i) => i + 1),
      name,
      creator,
      creationStack: new Int32Array(activations).fill(2),
      created,
      ended,
      firstSpan,
    },
    spans,
    procs: {
      count: procs,
      id: Float64Array.from({ length: procs }, (_, i) => i),
      name: Int32Array.from({ length: procs }, (_, i) => (i === 0 ? 20 : 21)),
      firstSpan: procFirst,
    },
    procSpans: {
      count: procStart.length,
      start: Float64Array.from(procStart),
      end: Float64Array.from(procEnd),
      activation: Int32Array.from(procActivation),
    },
    tasks: {
      count: taskCount,
      id: Float64Array.from(taskRows, (i) => i + 1),
      parent: Int32Array.from(taskRows, (i) => (i % 5 === 4 ? i - 1 : -1)),
      name: Int32Array.from(taskRows, (i) => 14 + (i % 3)),
      start: Float64Array.from(taskRows, (i) => created[i]!),
      end: Float64Array.from(taskRows, (i) => (i % 50 === 49 ? Number.NaN : ended[i]!)),
      activation: Int32Array.from(taskRows),
    },
    regions: {
      count: regionRows.length,
      activation: Int32Array.from(regionRows, regionOwner),
      task: Int32Array.from(regionRows, regionOwner),
      name: Int32Array.from(regionRows, (i) => 15 + (i % 2)),
      start: Float64Array.from(regionRows, (i) => regionAt(i, 0)),
      end: Float64Array.from(regionRows, (i) => regionAt(i, 1)),
      startStack: new Int32Array(regionRows.length).fill(1),
      depth: Uint8Array.from(regionRows, (i) => i % 2),
    },
    logs: {
      count: taskCount,
      time: Float64Array.from(taskRows, (i) => created[i]! + 10),
      activation: Int32Array.from(taskRows),
      task: Int32Array.from(taskRows),
      category: new Int32Array(taskCount).fill(17),
      message: new Int32Array(taskCount).fill(18),
      stack: new Int32Array(taskCount).fill(1),
    },
    ranges: {
      count: 10,
      name: new Int32Array(10).fill(19),
      start: Float64Array.from({ length: 10 }, (_, i) => base + ((endTime - base) * i) / 10),
      end: Float64Array.from({ length: 10 }, (_, i) => base + ((endTime - base) * (i + 0.2)) / 10),
      scope: new Uint8Array(10),
      of: new Int32Array(10).fill(-1),
    },
    samples: {
      count: taskCount,
      time: Float64Array.from(taskRows, (i) => created[i]! + 20),
      activation: Int32Array.from(taskRows),
      proc: new Int32Array(taskCount),
      stack: new Int32Array(taskCount).fill(1),
    },
    metrics: {
      count: 20,
      name: new Int32Array(20).fill(22),
      time: Float64Array.from({ length: 20 }, (_, i) => base + ((endTime - base) * i) / 20),
      value: Float64Array.from({ length: 20 }, (_, i) => 4e6 + (i % 5) * 1e6),
    },
    notes: [],
    error: null,
  };
}
