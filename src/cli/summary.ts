import { statSync } from "node:fs";
import { healthOf } from "../analysis/health.ts";
import { emptyTotals } from "../analysis/span-totals.ts";
import { hasTests, testsOf } from "../analysis/tests.ts";
import type { Tests } from "../analysis/tests.ts";
import { SummaryBuilder } from "../analysis/summary.ts";
import type { TraceSummary } from "../analysis/summary.ts";
import { TraceError } from "../base/error.ts";
import type { ByteSource } from "../decode/source.ts";
import { ModelBuilder, buildModel } from "../model/build.ts";
import type { TraceModel } from "../model/types.ts";
import { readOrdered } from "../order/reader.ts";
import { SPARK_WIDTH } from "./health-text.ts";
import { Exit } from "./io.ts";
import type { Io } from "./io.ts";
import { openTrace } from "./open.ts";
import { firstLine, reportError } from "./report.ts";
import { summaryJson } from "./summary-json.ts";
import type { Found } from "./summary-json.ts";
import { summaryText } from "./summary-text.ts";
import { testSections } from "./tests-text.ts";

export interface SummaryOptions {
  /** The schema of analysis/summary.ts instead of text for people: an object for one file, an array for several. */
  readonly json: boolean;
  /** Go's numbers where Go is wrong. */
  readonly compat: boolean;
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

/**
 * `runtrace summary FILE…`. What could be read of a broken trace is summarized all the same. Returns the exit code,
 * the worst of all files.
 */
export async function summary(files: readonly string[], options: SummaryOptions, io: Io): Promise<number> {
  let worst: number = Exit.Done;
  const asArray = options.json && files.length > 1;
  let before = asArray ? "[\n" : "";
  for (const file of files) {
    try {
      const { text, error } = await summarize(file, options);
      if (text !== "") {
        io.stdout.write(before + text);
        before = options.json ? ",\n" : "\n";
      }
      if (error !== null) worst = Math.max(worst, reportError(file, error, options.verbose, io));
    } catch (error) {
      worst = Math.max(worst, reportError(file, error, options.verbose, io));
    }
  }
  if (asArray) io.stdout.write(before === "[\n" ? "[]\n" : "]\n");
  return worst;
}

interface Summarized {
  readonly text: string;
  readonly error: TraceError | null;
}

async function summarize(file: string, options: SummaryOptions): Promise<Summarized> {
  const source = await openTrace(file);
  try {
    if (options.json) return await summarizeEvents(file, source, options.compat);
    return await summarizeModel(file, source);
  } finally {
    source.close();
  }
}

async function summarizeModel(file: string, source: ByteSource): Promise<Summarized> {
  const totals = emptyTotals();
  const model = buildModel(source, totals);
  const { error } = model;
  const tests = await testsIn(file, model);
  const sections = tests === null ? [] : testSections(tests.model, tests.found);
  return {
    text: model.events === 0 ? "" : `${summaryText(file, model, totals, sections)}\n`,
    error:
      error === null ? null : new TraceError("ERR_TRACE_BROKEN", error.message, { offset: error.offset }),
  };
}

/**
 * The tests of a trace, null where it has none. What tests left behind only a model with spans knows, for which a file is
 * read once more; of what can be read only once `model` tells the rest.
 */
async function testsIn(file: string, model: TraceModel): Promise<Found<Tests> | null> {
  if (!hasTests(model)) return null;
  if (file === "-" || !statSync(file).isFile()) return { model, found: testsOf(model) };
  const source = await openTrace(file);
  try {
    const whole = buildModel(source);
    return { model: whole, found: testsOf(whole) };
  } finally {
    source.close();
  }
}

async function summarizeEvents(file: string, source: ByteSource, compat: boolean): Promise<Summarized> {
  const builder = new SummaryBuilder({ compat });
  const totals = emptyTotals();
  const models = compat ? null : new ModelBuilder(totals);
  let error: TraceError | null = null;
  let damage: TraceError | null = null;
  try {
    const lost = readOrdered(source, (e) => {
      builder.event(e);
      models?.event(e);
    }).damage;
    if (lost !== null && !compat)
      damage = new TraceError("ERR_TRACE_DAMAGED", lost.message, { offset: lost.offset });
  } catch (cause) {
    if (!(cause instanceof TraceError)) throw cause;
    error = cause;
  }
  const summarized: TraceSummary = builder.finish(error === null ? null : firstLine(error.message));
  const model = models?.finish(null, 0);
  const named = model === undefined ? summarized : withNames(summarized, model);
  const health = model === undefined ? null : { model, found: healthOf(model, totals, SPARK_WIDTH) };
  const tests = model === undefined ? null : await testsIn(file, model);
  return { text: summaryJson(named, health, tests), error: error ?? damage };
}

/** With the names that notes give to tasks that began before the trace, which Go's tools do not read. */
function withNames(summarized: TraceSummary, { tasks, strings }: TraceModel): TraceSummary {
  const names = new Map<number, string>();
  for (let row = 0; row < tasks.count; row++) names.set(tasks.id[row]!, strings[tasks.name[row]!]!);
  return {
    ...summarized,
    tasks: summarized.tasks.map((task) =>
      task.name === "" ? { ...task, name: names.get(Number(task.id)) ?? "" } : task,
    ),
  };
}
