import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";
import type { Span } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { start, stop } from "../recorder/session.ts";
import { judged } from "../testing/go.ts";
import { projectRoot } from "../testing/project.ts";
import { modelOf, withRecording } from "../testing/record.ts";
import { RuntraceSpanProcessor } from "./otel.ts";

const folder = mkdtempSync(join(tmpdir(), "runtrace-otel-"));
after(() => rmSync(folder, { recursive: true, force: true }));

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const processor: SpanProcessor = new RuntraceSpanProcessor();
const tracer = new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("test");

const tick = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `fn` in a span of its own, which ends with it. */
function span<T>(name: string, fn: (made: Span) => Promise<T> | T): Promise<T> {
  return tracer.startActiveSpan(name, async (made) => {
    try {
      return await fn(made);
    } finally {
      made.end();
    }
  });
}

/** What a trace has, in words: tasks as `NAME < PARENT`, regions as `NAME in TASK`, logs as `TASK: CATEGORY: MESSAGE`. */
interface Found {
  readonly tasks: readonly string[];
  readonly open: number;
  readonly regions: readonly string[];
  readonly logs: readonly string[];
  readonly misuse: number;
}

function found({ strings, tasks, regions, logs, notes }: ReturnType<typeof modelOf>): Found {
  const name = (id: number): string => strings[id]!;
  const taskName = (row: number): string => (row < 0 ? "" : name(tasks.name[row]!));
  const rows = (count: number): number[] => Array.from({ length: count }, (_, row) => row);
  const counts = notes.map(({ message }) => message["misuse"] as { readonly count: number } | undefined);
  const misuse = counts.reduce((sum, one) => sum + (one?.count ?? 0), 0);
  return {
    tasks: rows(tasks.count).map((row) => `${taskName(row)} < ${taskName(tasks.parent[row]!)}`),
    open: rows(tasks.count).filter((row) => Number.isNaN(tasks.end[row]!)).length,
    regions: rows(regions.count).map(
      (row) => `${name(regions.name[row]!)} in ${taskName(regions.task[row]!)}`,
    ),
    logs: rows(logs.count).map(
      (row) => `${taskName(logs.task[row]!)}: ${name(logs.category[row]!)}: ${name(logs.message[row]!)}`,
    ),
    misuse,
  };
}

let recordings = 0;

async function recorded(body: () => Promise<unknown>): Promise<Found> {
  const file = join(folder, `${recordings++}.out`);
  start(file);
  try {
    await body();
  } finally {
    await stop();
  }
  judged(file);
  return found(modelOf(file));
}

test("a root span is a task, one inside of it a region, with attributes, events and errors as logs", async () => {
  let traceId = "";
  let spanId = "";
  const { tasks, regions, logs } = await recorded(() =>
    span("order", async (order) => {
      ({ traceId, spanId } = order.spanContext());
      order.setAttributes({ drink: "cappuccino", size: 3 });
      await span("grind", async (grind) => {
        await tick();
        await span("weigh", () => tick());
        grind.addEvent("full", { grams: 18 });
      });
      await span("brew", () => tick());
      order.setStatus({ code: SpanStatusCode.ERROR, message: "too cold" });
    }),
  );
  assert.deepEqual(tasks, ["order < "]);
  assert.deepEqual(regions.toSorted(), ["brew in order", "grind in order", "weigh in order"]);
  assert.deepEqual(
    logs.map((log) => log.replace(/after [\d.]+ ms/, "after T")),
    [
      `order: traceparent: 00-${traceId}-${spanId}-01`,
      `order: event: full after T {"grams":18}`,
      `order: attributes: {"drink":"cappuccino","size":3}`,
      "order: error: too cold",
    ],
  );
});

test("spans that overlap are tasks of their parent's, and stay so", async () => {
  const { tasks, regions } = await recorded(() =>
    span("batch", async () => {
      const both = (name: string): Promise<unknown> =>
        Promise.all([span(name, () => tick(3)), span(name, () => tick(2)), span("other", () => tick())]);
      await both("load");
      await both("load");
      await span("load", () => span("inner", () => tick()));
    }),
  );
  assert.deepEqual(counted(tasks), { "batch < ": 1, "load < batch": 4, "other < batch": 2 });
  assert.deepEqual(counted(regions), { "inner in load": 1, "load in batch": 1 });
});

test("a span that outlives its parent ends with it, one of another process begins a task, one never ended is open", async () => {
  const remote = trace.setSpanContext(context.active(), {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
  });
  let late: Promise<unknown> = Promise.resolve();
  const { tasks, open, regions, logs, misuse } = await recorded(async () => {
    await context.with(remote, () =>
      span("served", async () => {
        await span("outer", async () => {
          late = span("late", () => tick(10));
          await tick();
        });
      }),
    );
    tracer.startSpan("never ended");
    await late;
  });
  assert.deepEqual(tasks, ["served < ", "never ended < "]);
  assert.equal(open, 1);
  assert.deepEqual(regions, ["outer in served", "late in served"]);
  assert.match(logs[0]!, /^served: traceparent: 00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-01$/);
  assert.equal(misuse, 0);
});

test("what a span has gathered is logged within bounds, and nothing is kept of spans while nothing records", async () => {
  await span("before", () => tick());
  const { logs } = await recorded(() =>
    span("much", (much) => {
      much.setAttribute("long", "x".repeat(5_000));
      for (let i = 0; i < 100; i++) much.addEvent(`event ${i}`);
    }),
  );
  assert.ok(logs.every((log) => log.length < 1_100));
  assert.equal(logs.filter((log) => log.startsWith("much: event")).length, 32);
  const across = tracer.startSpan("across");
  const { tasks } = await recorded(() => span("inside", () => Promise.resolve(across.end())));
  assert.deepEqual(tasks, ["inside < "]);
});

test("the example of OpenTelemetry has its spans in its trace", async () => {
  await withRecording(
    [join(projectRoot(), "examples", "http", "otel.mjs")],
    ({ model, file, stdout, stderr }) => {
      assert.equal(stdout, "served\n", stderr);
      judged(file);
      const { tasks, regions, logs } = found(model);
      assert.deepEqual(tasks, ["order < ", "brew < order"]);
      assert.deepEqual(regions.toSorted(), ["grind in order", "steam milk in order"]);
      assert.ok(logs.includes(`order: attributes: {"drink":"cappuccino"}`));
      assert.ok(logs.includes("order: error: too cold"));
    },
  );
});

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
