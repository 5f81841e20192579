import fs from "node:fs";
import path from "node:path";
import { failuresOf } from "../recorder/environment.ts";

/** A trace that a process of a run has written. */
export interface TraceFile {
  /** Absolute path. */
  readonly file: string;
  /** A test of the process has failed, or took too long. */
  readonly failed: boolean;
}

/** The traces of a run, the first process's first; `claims` is the folder in which its processes say what they write. */
export function filesOf(claims: string): TraceFile[] {
  const files: TraceFile[] = [];
  for (let number = 0; ; number++) {
    let file: string;
    try {
      file = fs.readFileSync(path.join(claims, String(number)), "utf8");
    } catch {
      return files;
    }
    // A process that could not open its file names none.
    if (file !== "") files.push({ file, failed: fs.existsSync(failuresOf(claims, number)) });
  }
}

/**
 * Removes the traces of processes in which no test has failed, and answers those that are left. Where a run has `failed`
 * without a failed test (a file that cannot be loaded, a process that was killed) all are kept.
 */
export function keepFailures(files: readonly TraceFile[], failed: boolean): TraceFile[] {
  const failures = files.filter((one) => one.failed);
  if (failures.length === 0 && failed) return [...files];
  for (const one of files) if (!one.failed) remove(one.file);
  return failures;
}

/** What is no file, such as a pipe, stays. */
function remove(file: string): void {
  try {
    if (fs.statSync(file).isFile()) fs.rmSync(file);
  } catch {
    // It has gone already.
  }
}
