/** The report of `mmu` for people, at most 80 columns wide. Words are Node's for our own traces and Go's for Go's. */
import type { MmuAnswers } from "../analysis/mmu-report.ts";
import { count, duration, percent, plural, safeText, table } from "./format.ts";
import type { MmuOptions, MmuSubject } from "./mmu.ts";

const BAR = 30;
/** Windows below a microsecond tell nothing to people. */
const SHORTEST = 1e3;

/** The report, with a line end at its end. */
export function mmuText(answers: MmuAnswers | null, options: MmuOptions, subject: MmuSubject): string {
  const lines =
    answers === null
      ? noData(subject)
      : [
          ...header(answers, options, subject),
          ...(isFree(answers) ? [] : ["", ...curve(answers, options), ...worst(answers, subject)]),
        ];
  return `${lines.join("\n")}\n`;
}

function noData({ file, isNode }: MmuSubject): string[] {
  const missing = isNode ? "how many event loops there were" : "how many procs there were";
  const lines = [
    `${safeText(file)}: no utilization data`,
    `The trace never says ${missing} (it has no GOMAXPROCS metric),`,
    "so what share of them the program had cannot be told.",
  ];
  if (isNode) return [...lines, "It was cut before the recorder wrote it."];
  return [...lines, "Before Go 1.22 it is written only when GOMAXPROCS changes or a collection runs."];
}

function header(answers: MmuAnswers, { flags, compat }: MmuOptions, subject: MmuSubject): string[] {
  const { report } = answers;
  const { isNode, procs } = subject;
  const loop = isNode ? "event loop" : "proc";
  const counted = [
    ...(flags.stw ? [isNode ? "pauses of all" : "stop-the-world"] : []),
    ...(flags.background && !isNode ? ["background workers"] : []),
    ...(flags.assist ? [isNode ? "pauses of one" : "mark assist"] : []),
    ...(flags.sweep && !isNode ? ["sweep"] : []),
  ];
  const share = flags.perProc
    ? `each ${loop} by itself`
    : procs === 1
      ? `the one ${loop}`
      : `all ${loop}s, at most ${count(procs)}`;
  const lines = [
    `${safeText(subject.file)}: ${duration(report.end - report.start)}, ${share}${compat ? ", as Go counts" : ""}`,
    `Share left to the program by garbage collection: ${percent(report.mean)}`,
    `Counted: ${counted.length === 0 ? "nothing" : counted.join(", ")}`,
  ];
  if (isFree(answers)) lines.push("No garbage collection took any time.");
  const { lostPauses } = subject;
  if (lostPauses.count > 0)
    lines.push(
      `Not counted: ${plural(lostPauses.count, "pause")} in long turns, ${duration(lostPauses.ns)} in all.`,
    );
  const late = report.start - subject.start;
  if (late > (subject.end - subject.start) / 100)
    lines.push(`The first ${duration(late)} are left out: the number of ${loop}s is not known before.`);
  return lines;
}

/** Whether garbage collection took nothing. */
function isFree({ report }: MmuAnswers): boolean {
  return report.mean === 1;
}

function curve({ report, row }: MmuAnswers, { flags }: MmuOptions): string[] {
  const percentiles = flags.mut ? ["p99.9", "p99", "p95"] : [];
  const rows = tableWindows(Math.max(SHORTEST, report.xMin), report.end - report.start).map((window) => {
    const [, least = 0, ...others] = row(window);
    return [
      duration(window),
      percent(least),
      ...others.map(percent),
      "#".repeat(Math.round(least * BAR)).padEnd(BAR, "."),
    ];
  });
  return table(["Any window of", "minimum", ...percentiles, "<"], rows);
}

/** Round windows, three a decade, and the whole of it. */
function tableWindows(from: number, span: number): number[] {
  const windows: number[] = [];
  for (let decade = from; decade < span; decade *= 10)
    for (const factor of [1, 2, 5]) if (decade * factor < span) windows.push(decade * factor);
  return [...windows, span];
}

function worst({ report }: MmuAnswers, subject: MmuSubject): string[] {
  const rows = report.worst
    .filter(({ utilization }) => utilization < 1)
    .map(({ time, utilization }) => [
      place(time - subject.start),
      place(time - subject.start + report.window),
      percent(utilization),
    ]);
  if (rows.length === 0) return [];

  return ["", ...table([`Worst windows of ${duration(report.window)}: from`, "to", "left"], rows)];
}

/** A moment of the trace, in milliseconds since its begin, fine enough to find it in the viewer. */
function place(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(3)} ms`;
}
