import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { syntheticModel } from "../testdata/synthetic.ts";
import { ticks } from "./axis.ts";
import { CATEGORIES, Category, categoryOfReason, HUES, namedCodes } from "./categories.ts";
import { composeRow, palette } from "./compose.ts";
import { spanDetails, spanOfActivationAt, wakeOf } from "./details.ts";
import { findText, HitKind } from "./find.ts";
import { bytes, count, duration, percent, shortName, timestamp } from "./format.ts";
import { hitTest } from "./hit.ts";
import {
  heightOf,
  laneAt,
  LaneKind,
  laneTotal,
  layoutLanes,
  orderActivations,
  REGION_HEIGHT,
  STRIP_HEIGHT,
} from "./lanes.ts";
import { newColumns } from "./lod.ts";
import { buildScene, SceneCaches } from "./scene.ts";
import {
  activationGroups,
  activationsOfTask,
  distribution,
  latencyGroups,
  logHistogram,
  percentile,
} from "./stats.ts";
import { DARK, LIGHT, textOn } from "./theme.ts";
import { buildIndex } from "./trace-index.ts";
import { buffersOf } from "./transfer.ts";
import { clamp, fit, pan, timeAt, xOf, zoomAt } from "./view.ts";

const model = syntheticModel({ procs: 3, activations: 60, spansEach: 30 });
const index = buildIndex(model);
const lanes = layoutLanes(model, index, orderActivations(model, index, "creation"), null);

test("durations and times read as people write them", () => {
  const durations: readonly (readonly [number, string])[] = [
    [0, "0 ns"],
    [999, "999 ns"],
    [1234, "1.23 µs"],
    [999_600, "1 ms"],
    [12_345_678, "12.3 ms"],
    [2e9, "2 s"],
    [123_456e6, "123 s"],
    [-1500, "-1.5 µs"],
    [Number.NaN, "–"],
  ];
  for (const [ns, text] of durations) assert.equal(duration(ns), text);
  assert.equal(timestamp(1_234_567_890, 1), "1.234567890 s");
  assert.equal(timestamp(1_500_000, 100_000), "1.5 ms");
  assert.equal(timestamp(-20, 1), "-20 ns");
  assert.equal(count(1234567), "1\u2009234\u2009567");
  assert.equal(bytes(8123), "8.1 kB");
  assert.equal(percent(0.1234), "12.3 %");
  assert.equal(percent(1), "100 %");
  assert.equal(shortName("net/http.(*conn).serve"), "http.(*conn).serve");
  assert.equal(shortName("POST api.example:80/charges"), "POST api.example:80/charges");
});

test("zooming keeps the time under the pointer", () => {
  const extent = { start: 1000, end: 1_001_000 };
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      fc.integer({ min: 0, max: 800 }),
      (factor, x) => {
        const before = fit(200_000, 600_000, 800);
        const after = zoomAt(before, x, factor, extent, 800);
        assert.ok(Math.abs(timeAt(after, x) - timeAt(before, x)) < 1e-3);
        assert.ok(after.perPixel < before.perPixel);
      },
    ),
  );
});

test("views stay inside the trace", () => {
  const extent = { start: 1000, end: 1_001_000 };
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (start, perPixel) => {
      const view = clamp({ start, perPixel }, extent, 800);
      assert.ok(view.start + view.perPixel * 800 > extent.start && view.start < extent.end);
      assert.ok(view.perPixel * 800 <= 1.2 * 1_000_000 + 1);
      assert.deepEqual(clamp(view, extent, 800), view, "clamping again changes nothing");
    }),
  );
  const view = fit(200_000, 600_000, 800);
  assert.equal(pan(view, 100, extent, 800).start, view.start + 100 * view.perPixel);
  assert.equal(xOf(view, timeAt(view, 123)), 123);
});

test("ticks are at 1, 2 or 5 times a power of ten, apart, and labelled from the trace's start", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.02, max: 1e7, noNaN: true }),
      fc.integer({ min: 0, max: 1e9 }),
      (perPixel, start) => {
        const { major } = ticks({ start: 1e12 + start, perPixel }, 1400, 1e12);
        for (let i = 1; i < major.length; i++) assert.ok(major[i]!.x - major[i - 1]!.x > 50);
        assert.ok(major.length < 30);
      },
    ),
  );
  const { major, minor } = ticks({ start: 0, perPixel: 1000 }, 1000, 0);
  assert.deepEqual(
    major.map(({ label }) => label),
    ["0", "0.1 ms", "0.2 ms", "0.3 ms", "0.4 ms", "0.5 ms", "0.6 ms", "0.7 ms", "0.8 ms", "0.9 ms", "1.0 ms"],
  );
  assert.equal(minor.length, 40);
});

test("reasons fall into families", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["sleep", Category.Sleep],
    ["network", Category.Network],
    ["sync fs", Category.Pool],
    ["sync dns", Category.Pool],
    ["chan receive", Category.Channel],
    ["chan send", Category.Channel],
    ["select", Category.Select],
    ["sync", Category.Sync],
    ["sync.(*Cond).Wait", Category.Sync],
    ["preempted", Category.Preempted],
    ["GC background sweeper wait", Category.System],
    ["system goroutine wait", Category.System],
    ["forever", Category.Other],
    ["", Category.Other],
  ];
  for (const [reason, category] of cases) assert.equal(categoryOfReason(reason), category, reason);
});

test("the heaviest names get hues of their own", () => {
  const weights = Float64Array.from({ length: HUES + 5 }, (_, i) => i);
  const codes = namedCodes(weights);
  assert.equal(codes[0], 0);
  assert.equal(new Set(codes.subarray(5)).size, HUES);
});

test("both themes colour every category, and their text can be read", () => {
  for (const theme of [LIGHT, DARK]) {
    assert.equal(theme.states.length, CATEGORIES.length);
    assert.equal(new Set(theme.states).size, CATEGORIES.length, "no two states look the same");
    for (const fill of [...theme.states, ...theme.named, ...theme.regions]) {
      assert.match(fill, /^#[0-9a-f]{6}$/);
      const [light, dark] = [luminance(fill), luminance(textOn(fill))].toSorted((a, b) => b - a) as [
        number,
        number,
      ];
      assert.ok((light + 0.05) / (dark + 0.05) > 3, `${fill}: contrast ${(light + 0.05) / (dark + 0.05)}`);
    }
  }
});

function luminance(color: string): number {
  const parts = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0]! + 0.7152 * parts[1]! + 0.0722 * parts[2]!;
}

test("columns become pixels: empty is transparent, full is the state's colour, work shines through a wait", () => {
  const columns = newColumns(3);
  columns.dominant.set([0, 1, 4]);
  columns.coverage.set([0, 255, 255]);
  columns.primary.set([0, 255, 60]);
  const pixels = new Uint32Array(3);
  composeRow(columns, palette(LIGHT.states, true, null), 3, pixels, 0);
  assert.equal(pixels[0], 0);
  const running = LIGHT.states[1]!;
  const abgr = Number.parseInt(`ff${running.slice(5)}${running.slice(3, 5)}${running.slice(1, 3)}`, 16);
  assert.equal(pixels[1], abgr);
  const plain = new Uint32Array(3);
  composeRow(columns, palette(LIGHT.states, false, null), 3, plain, 0);
  assert.notEqual(pixels[2], plain[2]);
  const faded = new Uint32Array(3);
  composeRow(columns, palette(LIGHT.states, true, new Set([2])), 3, faded, 0);
  assert.notEqual(faded[1], pixels[1]);
});

test("lanes: every activation once, found again by its height", () => {
  assert.equal(
    laneTotal(lanes),
    model.procs.count + model.activations.count + 2,
    "procs, activations, GC, heap",
  );
  for (let lane = 0; lane < lanes.count; lane++) {
    assert.equal(laneAt(lanes, lanes.top[lane]!), lane);
    assert.equal(laneAt(lanes, lanes.top[lane + 1]! - 0.5), lane);
    if (lanes.kind[lane] === LaneKind.Activation)
      assert.equal(lanes.laneOfActivation[lanes.row[lane]!], lane);
  }
  assert.equal(laneAt(lanes, -1), -1);
  assert.equal(laneAt(lanes, heightOf(lanes)), -1);
  for (const order of ["creation", "name", "task", "running", "runnable"] as const) {
    const rows = orderActivations(model, index, order);
    assert.deepEqual(
      [...rows].toSorted((a, b) => a - b),
      [...rows.keys()],
      order,
    );
  }
  const some = layoutLanes(model, index, orderActivations(model, index, "name"), new Set([3, 5]));
  assert.deepEqual(
    [...some.laneOfActivation.keys()].filter((row) => some.laneOfActivation[row] !== -1),
    [3, 5],
  );
});

test("index: wakes, points and the overview account for the whole model", () => {
  const { spans } = model;
  let runnable = 0;
  let running = 0;
  let woken = 0;
  for (let i = 0; i < spans.count; i++) {
    const length = spans.end[i]! - spans.start[i]!;
    if (index.activations.category[i] === Category.Runnable) {
      runnable += length;
      if (spans.by[i]! >= 0) woken++;
    } else if (index.activations.category[i] === Category.Running) running += length;
  }
  assert.equal(index.wakes.rows.length, woken);
  for (let a = 0; a < model.activations.count; a++) {
    for (const span of index.wakes.rows.subarray(index.wakes.first[a]!, index.wakes.first[a + 1]!)) {
      assert.equal(spans.by[span], a);
    }
  }
  const bucket = (model.endTime - model.startTime) / index.overview.buckets;
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0) * bucket;
  assert.ok(Math.abs(sum(index.overview.running) - running) < 1e-3 * running);
  assert.ok(Math.abs(sum(index.overview.runnable) - runnable) < 1e-3 * runnable);
  assert.equal(index.logs.rows.length, model.logs.count);
  assert.ok(buffersOf(index, buffersOf(model)).size > 40);
});

test("a frame draws what is on screen and no more", () => {
  const caches = new SceneCaches();
  const view = fit(model.startTime, model.endTime, 1000);
  const input = {
    model,
    index,
    lanes,
    view,
    width: 1232,
    height: 400,
    gutter: 232,
    ratio: 2,
    theme: LIGHT,
    highlight: null,
  };
  const frame = buildScene({ ...input, scrollTop: 0, selectedLane: -1 }, caches);
  assert.ok(frame.strips.length > 5);
  for (const strip of frame.strips) {
    assert.equal(strip.columns.dominant.length, 2000);
    // The last lane may reach below the edge, by its regions.
    assert.ok(strip.y + strip.height > 0 && strip.y < 400 + STRIP_HEIGHT + REGION_HEIGHT * 2);
  }
  assert.ok(frame.labels.some(({ text }) => text === "Event loops  3"));
  const end = buildScene({ ...input, scrollTop: heightOf(lanes) - 400, selectedLane: -1 }, caches);
  assert.ok(end.strips.length > 5);
  const close = buildScene(
    { ...input, view: fit(model.startTime, model.startTime + 200_000, 1000), scrollTop: 0, selectedLane: 8 },
    caches,
  );
  assert.ok(close.labels.length > 0 && close.rects.some(({ color }) => color === LIGHT.accent));
});

test("hit testing finds spans, procs and regions where the frame draws them", () => {
  for (const span of [0, 17, 500, model.spans.count - 1]) {
    const { activation } = spanDetails(model, index, span);
    const lane = lanes.laneOfActivation[activation]!;
    const middle = (model.spans.start[span]! + model.spans.end[span]!) / 2;
    const hit = hitTest(model, index, lanes, middle, lanes.top[lane]! + 12, 0);
    assert.deepEqual(hit, { kind: "span", row: span, lane });
  }
  const proc = model.procs.firstSpan[1]!;
  const procLane = lanes.laneOfProc[1]!;
  assert.deepEqual(hitTest(model, index, lanes, model.procSpans.start[proc]!, lanes.top[procLane]! + 10, 0), {
    kind: "proc",
    row: proc,
    lane: procLane,
  });
  const lane = lanes.laneOfActivation[0]!;
  const region = hitTest(model, index, lanes, model.regions.start[0]! + 1, lanes.top[lane]! + 24, 0);
  assert.deepEqual(region, { kind: "region", row: 0, lane });
  assert.equal(hitTest(model, index, lanes, model.startTime, 3, 0), null, "headers are not targets");
});

test("details: who woke a span, and the other way round", () => {
  let checked = 0;
  for (let span = 0; span < model.spans.count; span += 7) {
    const details = spanDetails(model, index, span);
    if (details.category === Category.Running && details.woken !== null) {
      assert.equal(details.latency, details.start - details.woken.time);
    }
    for (const other of details.woke) {
      const { activation } = spanDetails(model, index, other);
      assert.equal(wakeOf(model, index, other, activation)?.by, details.activation);
      checked++;
    }
    assert.equal(spanOfActivationAt(model, index, details.activation, details.start), span);
  }
  assert.ok(checked > 0);
});

test("search finds tasks, activations, regions, logs and waits, in order of time", () => {
  const kindsOf = (text: string): Set<number> => new Set(findText(model, text).kind);
  assert.ok(kindsOf("ORDER").has(HitKind.Task));
  assert.deepEqual(kindsOf("conn).serve"), new Set([HitKind.Activation]));
  assert.ok(kindsOf("parse").has(HitKind.Region));
  assert.ok(kindsOf("hello").has(HitKind.Log));
  assert.deepEqual(kindsOf("chan receive"), new Set([HitKind.Span]));
  const hits = findText(model, "e", 50);
  assert.equal(hits.count, 50);
  assert.equal(hits.more, true);
  for (let i = 1; i < hits.count; i++) assert.ok(hits.time[i]! >= hits.time[i - 1]!);
  assert.equal(findText(model, "  ").count, 0);
  assert.equal(findText(model, "no such text").count, 0);
});

test("percentiles are by nearest rank, histograms count everything", () => {
  const sorted = Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(percentile(sorted, 0.5), 5);
  assert.equal(percentile(sorted, 0.9), 9);
  assert.equal(percentile(sorted, 0.99), 10);
  assert.ok(Number.isNaN(percentile(new Float64Array(0), 0.5)));
  assert.equal(distribution(Float64Array.from([3, 1, 2])).max, 3);
  assert.equal(
    logHistogram(sorted, 1, 10, 4).reduce((a, b) => a + b),
    10,
  );
});

test("groups of tasks and of activations add up", () => {
  const groups = latencyGroups(model, model.tasks);
  assert.equal(
    groups.reduce((sum, group) => sum + group.rows.length, 0),
    model.tasks.count,
  );
  assert.equal(
    groups.reduce((sum, group) => sum + group.open, 0),
    [...model.tasks.end].filter(Number.isNaN).length,
  );
  for (const { rows, latency, open } of groups) {
    const longest = rows[open]!;
    assert.equal(model.tasks.end[longest]! - model.tasks.start[longest]!, latency.max);
  }
  let time = 0;
  for (const group of activationGroups(model, index)) time += group.total;
  let want = 0;
  for (let i = 0; i < model.spans.count; i++) want += model.spans.end[i]! - model.spans.start[i]!;
  assert.equal(time, want);
  // Task 4 is a child of task 3.
  assert.deepEqual(activationsOfTask(model, 3), new Set([3, 4]));
});
