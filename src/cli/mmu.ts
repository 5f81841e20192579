import { mmuReport } from "../analysis/mmu-report.ts";
import type { MmuAnswers } from "../analysis/mmu-report.ts";
import { UtilizationRecorder } from "../analysis/utilization-log.ts";
import { TraceError } from "../base/error.ts";
import { NOTE_CATEGORY, parseNote } from "../model/annotations.ts";
import { readNotes } from "../model/notes.ts";
import type { Notes } from "../model/notes.ts";
import type { Note } from "../model/types.ts";
import { readOrdered } from "../order/reader.ts";
import type { OrderedEvent } from "../order/types.ts";
import type { Io } from "./io.ts";
import { Exit } from "./io.ts";
import type { MmuFlags } from "./mmu-options.ts";
import { mmuText } from "./mmu-text.ts";
import { openTrace } from "./open.ts";
import { reportError } from "./report.ts";

export interface MmuOptions {
  readonly flags: MmuFlags;
  /** Size of the worst windows in nanoseconds; null: one that suits the trace. */
  readonly window: number | null;
  /** The schema of docs/mmu.md instead of text for people. */
  readonly json: boolean;
  /** Go's numbers where Go is wrong. */
  readonly compat: boolean;
  /** Stack traces of errors. */
  readonly verbose: boolean;
}

/** What is known of a trace besides its utilization. */
export interface MmuSubject {
  readonly file: string;
  /** Whether runtrace recorded it from Node. */
  readonly isNode: boolean;
  /** Most procs it had at a time. */
  readonly procs: number;
  /** Pauses that have no place in it, and how long they were (model/notes.ts). */
  readonly lostPauses: Notes["lostPauses"];
  /** Time of its first and last event. */
  readonly start: number;
  readonly end: number;
}

/** `runtrace mmu FILE`. What could be read of a broken trace is told all the same. Returns the exit code. */
export async function mmu(file: string, options: MmuOptions, io: Io): Promise<number> {
  const { flags, window, json, compat, verbose } = options;
  let code: number = Exit.Done;
  try {
    const source = await openTrace(file);
    const reading = new Reading(compat);
    try {
      const { damage } = readOrdered(source, (e) => reading.event(e));
      if (damage !== null && !compat) {
        const error = new TraceError("ERR_TRACE_DAMAGED", damage.message, { offset: damage.offset });
        code = reportError(file, error, verbose, io);
      }
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      code = reportError(file, error, verbose, io);
    } finally {
      source.close();
    }
    if (reading.events === 0) return code;
    const subject = reading.subject(file);
    const answers = mmuReport(reading.utilization.finish(), { flags, quantiles: flags.mut, window });
    io.stdout.write(json ? mmuJson(answers, options, subject) : mmuText(answers, options, subject));
  } catch (error) {
    code = Math.max(code, reportError(file, error, verbose, io));
  }
  return code;
}

class Reading {
  events = 0;
  readonly utilization: UtilizationRecorder;
  readonly #notes: Note[] = [];
  #procs = 0;
  #start = 0;
  #end = 0;

  constructor(compat: boolean) {
    this.utilization = new UtilizationRecorder({ compat });
  }

  event(e: OrderedEvent): void {
    if (this.events++ === 0) this.#start = e.time;
    this.#end = e.time;
    this.utilization.event(e);
    if (e.kind === "Metric" && e.name === "/sched/gomaxprocs:threads") {
      this.#procs = Math.max(this.#procs, e.value);
    } else if (e.kind === "Log" && e.name === NOTE_CATEGORY) {
      const message = parseNote(e.message);
      if (message !== null) this.#notes.push({ time: e.time, activation: -1, message });
    }
  }

  subject(file: string): MmuSubject {
    const { process, lostPauses } = readNotes(this.#notes);
    const isNode = process !== null;
    return { file, isNode, procs: this.#procs, lostPauses, start: this.#start, end: this.#end };
  }
}

/** One object: docs/mmu.md. */
function mmuJson(answers: MmuAnswers | null, options: MmuOptions, subject: MmuSubject): string {
  const { perProc, mut, ...counted } = options.flags;
  const flags = [
    perProc ? "perProc" : "system",
    ...Object.entries(counted).flatMap(([name, isSet]) => (isSet ? [name] : [])),
    ...(mut ? ["mut"] : []),
  ];
  const head = { compat: options.compat, flags, startTime: subject.start, endTime: subject.end };
  const body = answers?.report ?? {
    error: "no utilization data (GOMAXPROCS never seen)",
    series: 0,
    points: 0,
    curve: [],
    worst: [],
  };
  const lines = Object.entries({ ...head, ...body }).map(([key, value]) => {
    const isTable = Array.isArray(value) && typeof value[0] === "object";
    const text = isTable
      ? `[\n${value.map((entry) => JSON.stringify(entry)).join(",\n")}]`
      : JSON.stringify(value);
    return `${JSON.stringify(key)}:${text}`;
  });
  return `{${lines.join(",\n")}}\n`;
}
