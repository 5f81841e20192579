/**
 * Tests in a trace: tasks that tell their outcome in a log. How those of each file ended, and what they left behind: what
 * a test started, still waiting when the test was over.
 */
import { TEST_FILE, TEST_OUTCOME } from "../base/test-logs.ts";
import type { TestOutcome } from "../base/test-logs.ts";
import { State } from "../model/types.ts";
import type { TraceModel } from "../model/types.ts";
import type { Who } from "./health.ts";
import { compareText } from "./text.ts";

/** The tests of one file ("" where they did not tell it), by their outcomes. */
export interface TestFile {
  readonly file: string;
  readonly outcomes: Readonly<Record<TestOutcome, number>>;
}

/** A test, or one of its tries where it was tried again. */
export interface TestRun {
  /** Id of its task. */
  readonly task: number;
  /** Full title. */
  readonly test: string;
  /** The test's file, "" where it did not tell it. */
  readonly file: string;
  readonly outcome: string;
  /** Nanoseconds since the trace's begin; null where the begin is not in the trace. */
  readonly start: number | null;
  /** Nanoseconds; null where its begin or end is not in the trace. */
  readonly duration: number | null;
}

/** An activation that a test started, or the test's own, which waited when the test was over. */
export interface LeftBehind {
  /** Full title of the test. */
  readonly test: string;
  /** The test's file, "" where it did not tell it. */
  readonly file: string;
  readonly activation: Who;
  /** What it waited for, and where; the stack that made it. Indexes into `model.stacks`. */
  readonly reason: string;
  readonly stack: number;
  readonly creationStack: number;
  /** Nanoseconds from the test's end to its own, or to the trace's where `isOpen`. */
  readonly livedOn: number;
  readonly isOpen: boolean;
}

export interface Tests {
  readonly files: readonly TestFile[];
  /** In order of their tasks in the model. */
  readonly runs: readonly TestRun[];
  /** What lived on longest first. */
  readonly leftBehind: readonly LeftBehind[];
}

/** What ends sooner than that after its test was about to. Nanoseconds. */
const MOMENT = 1e6;

/** Whether a trace has tests; a model without spans tells as well. */
export function hasTests({ strings, logs }: TraceModel): boolean {
  const outcome = strings.indexOf(TEST_OUTCOME);
  return outcome > 0 && logs.category.includes(outcome);
}

/** Looks at the tests of a whole model. */
export function testsOf(model: TraceModel): Tests {
  const outcomes = lastLogs(model, TEST_OUTCOME);
  const paths = lastLogs(model, TEST_FILE);
  const files = new Map<string, Record<TestOutcome, number>>();
  for (const [task, outcome] of outcomes) {
    const file = paths.get(task) ?? "";
    const counts = files.get(file) ?? { passed: 0, failed: 0, "timed out": 0, skipped: 0, todo: 0 };
    files.set(file, counts);
    if (outcome in counts) counts[outcome as TestOutcome]++;
  }
  return {
    files: [...files]
      .map(([file, counts]) => ({ file, outcomes: counts }))
      .toSorted((a, b) => compareText(a.file, b.file)),
    runs: [...outcomes]
      .toSorted(([a], [b]) => a - b)
      .map(([task, outcome]) => runOf(model, task, outcome, paths)),
    leftBehind: leftBehind(model, [...outcomes.keys()], paths),
  };
}

function runOf(
  { tasks, strings, startTime }: TraceModel,
  row: number,
  outcome: string,
  files: ReadonlyMap<number, string>,
): TestRun {
  return {
    task: tasks.id[row]!,
    test: strings[tasks.name[row]!]!,
    file: files.get(row) ?? "",
    outcome,
    start: known(tasks.start[row]! - startTime),
    duration: known(tasks.end[row]! - tasks.start[row]!),
  };
}

function known(time: number): number | null {
  return Number.isNaN(time) ? null : time;
}

/** The last message of a category in each task. */
function lastLogs({ strings, logs }: TraceModel, category: string): Map<number, string> {
  const wanted = strings.indexOf(category);
  const found = new Map<number, string>();
  if (wanted <= 0) return found;
  for (let row = 0; row < logs.count; row++) {
    const task = logs.task[row]!;
    if (logs.category[row] === wanted && task >= 0) found.set(task, strings[logs.message[row]!]!);
  }
  return found;
}

function leftBehind(
  model: TraceModel,
  tests: readonly number[],
  files: ReadonlyMap<number, string>,
): LeftBehind[] {
  const { activations, tasks, spans, strings } = model;
  const own = new Map<number, number>();
  for (const task of tests) {
    const row = tasks.activation[task]!;
    // A test that never ran has no activation of its own.
    if (row >= 0 && activations.name[row] === tasks.name[task]) own.set(row, task);
  }
  const testOf = new Int32Array(activations.count).fill(-1);
  const found: LeftBehind[] = [];
  for (let row = 0; row < activations.count; row++) {
    const creator = activations.creator[row]!;
    const test = own.get(row) ?? (creator < 0 ? -1 : testOf[creator]!);
    testOf[row] = test;
    if (test < 0) continue;
    const over = tasks.end[test]!;
    const isOpen = Number.isNaN(activations.ended[row]!);
    const ended = isOpen ? model.endTime : activations.ended[row]!;
    if (Number.isNaN(over) || activations.created[row]! > over || ended < over + MOMENT) continue;
    const span = spanAt(model, row, over);
    if (span < 0 || spans.state[span] !== State.Waiting) continue;
    found.push({
      test: strings[tasks.name[test]!]!,
      file: files.get(test) ?? "",
      activation: { row, id: activations.id[row]!, name: strings[activations.name[row]!]! },
      reason: strings[spans.reason[span]!]!,
      stack: spans.stack[span]!,
      creationStack: activations.creationStack[row]!,
      livedOn: ended - over,
      isOpen,
    });
  }
  return found.toSorted((a, b) => b.livedOn - a.livedOn || a.activation.row - b.activation.row);
}

/** The span of an activation that had begun before a moment and goes on behind it; -1 where there is none. */
function spanAt({ activations, spans }: TraceModel, row: number, time: number): number {
  for (let at = activations.firstSpan[row]!; at < activations.firstSpan[row + 1]!; at++) {
    if (spans.start[at]! <= time && spans.end[at]! > time) return at;
  }
  return -1;
}
