import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../base/error.ts";
import { recordChildren } from "./children.ts";
import { listenForAttach } from "./attach.ts";
import { failuresOf, isForChildren, restoreEnvironment } from "./environment.ts";
import { openFreeTrace } from "./file.ts";
import { startFlight } from "./flight.ts";
import { completeFlight, flightFromText } from "./flight-options.ts";
import { completeOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { startSession } from "./session.ts";

/** What `runtrace test` wants of a process. */
export interface TestsAsked {
  /** A file that gets a line for each test that fails. */
  readonly failures: string;
}

/**
 * Records the whole process, as `run` or the environment says; with RUNTRACE_FLIGHT only its last seconds, and with
 * RUNTRACE_MODE=dormant it only makes it ready. A trace that cannot be written is one line on stderr; the program runs all the
 * same. Answers whether tests are to be tasks.
 */
export function recordProcess(): TestsAsked | undefined {
  const message = isForChildren(process.env) ? undefined : restoreEnvironment();
  prepare(message?.loader ?? { include: [], exclude: [] });
  const arms = process.env.RUNTRACE_FLIGHT;
  if (message === undefined && (arms !== undefined || process.env["RUNTRACE_MODE"] === "dormant")) {
    listenForAttach();
    if (arms !== undefined) armFlight(arms);
    return undefined;
  }
  let asked: TestsAsked | undefined;
  const name = message?.out ?? process.env.RUNTRACE_OUT ?? "trace.out";
  const out = path.resolve(name.replaceAll("%p", String(process.pid)));
  try {
    const number = message === undefined ? 0 : claimNumber(message.claims);
    if (number === undefined) return undefined;
    if (message?.tests === true) asked = { failures: failuresOf(message.claims, number) };
    const file = openFreeTrace(out, name.includes("%p") ? 0 : number);
    if (message !== undefined) tell(message.claims, number, file.name);
    if (message?.children === true) recordChildren(message);
    const options = completeOptions(message?.options ?? {}, { cpu: 100 });
    startSession(file, options, { failed: complain, preloaded: true });
  } catch (error) {
    complain(error);
  }
  return asked;
}

/** Nothing is recorded but the last seconds, of which files are written as `text` says. */
function armFlight(text: string): void {
  let isTold = false;
  const complainOnce = (error: unknown): void => {
    if (!isTold) say(reasonOf(error));
    isTold = true;
  };
  try {
    startFlight(completeFlight(flightFromText(text)), { preloaded: true, complain: complainOnce });
  } catch (error) {
    complainOnce(error);
  }
}

/**
 * The number of this process among those of one `run`: the first writes FILE, the others FILE.1, FILE.2, … Undefined where the
 * run is over, while a process that it left behind begins: the trace is whole then.
 */
function claimNumber(claims: string): number | undefined {
  for (let number = 0; ; number++) {
    try {
      fs.closeSync(fs.openSync(path.join(claims, String(number)), "wx"));
      return number;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return undefined;
    }
  }
}

/** Says which file the process of that number writes. */
function tell(claims: string, number: number, file: string): void {
  try {
    fs.writeFileSync(path.join(claims, String(number)), file);
  } catch {
    // The run is over by now.
  }
}

function complain(error: unknown): void {
  say(`${reasonOf(error)}; recording has ended`);
}

function reasonOf(error: unknown): string {
  return error instanceof TraceError ? error.message : String(error);
}

function say(what: string): void {
  try {
    fs.writeSync(2, `runtrace: ${what}\n`);
  } catch {
    // Nobody listens.
  }
}
