import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesSource } from "../decode/source.ts";
import { buildModel } from "../model/build.ts";
import { State } from "../model/types.ts";
import type { TraceModel } from "../model/types.ts";
import { projectRoot } from "./project.ts";

/** How a program ended and what it printed. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A recorded run: how it ended, its trace file and the trace's tables. */
export interface Recording extends Outcome {
  readonly file: string;
  readonly model: TraceModel;
}

const CLI = join(projectRoot(), "dist", "cli.js");

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string | undefined>>; input?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? projectRoot(),
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

/** The tables of a trace file; throws where it is broken. */
export function modelOf(file: string): TraceModel {
  const model = buildModel(bytesSource(readFileSync(file)));
  if (model.error !== null) throw new Error(`broken trace: ${model.error.message}`);
  return model;
}

/**
 * Records `node PROGRAM ARGS…` through the command line and hands the recording to `look`; the file is gone
 * afterwards. `options` go to `runtrace run`.
 */
export async function withRecording<T>(
  program: readonly string[],
  look: (recording: Recording) => T | Promise<T>,
  options: readonly string[] = [],
  cwd?: string,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "runtrace-test-"));
  try {
    const file = join(folder, "trace.out");
    const args = [CLI, "run", "-o", file, ...options, "--", ...program];
    const outcome = await runCommand(process.execPath, args, cwd === undefined ? {} : { cwd });
    return await look({ ...outcome, file, model: modelOf(file) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * How often a program with planted times is recorded at most. A busy machine stretches its sleeps until they meet others,
 * or stops it where it seems to wait: a trace that is not as planted is recorded again. What is wrong by rule is wrong each
 * time; what no load can excuse is not to be tried again.
 */
export const RECORDINGS = 4;

/** Records the program until `look` throws no more, up to `RECORDINGS` times; what `judge` throws is final. */
export async function withPlanted(
  program: readonly string[],
  judge: (recording: Recording) => void,
  look: (recording: Recording) => void,
  options: readonly string[] = [],
): Promise<void> {
  for (let left = RECORDINGS; left > 0; left--) {
    const found = await withRecording(
      program,
      (recording) => {
        judge(recording);
        try {
          look(recording);
          return null;
        } catch (error) {
          return { error };
        }
      },
      options,
    );
    if (found === null) return;
    if (left === 1) throw found.error;
  }
}

/** A span of an activation, in words. Times in milliseconds. */
export interface Span {
  readonly activation: number;
  readonly state: "running" | "runnable" | "waiting" | "syscall";
  readonly reason: string;
  readonly start: number;
  readonly ms: number;
  readonly frames: readonly string[];
}

const STATE_NAMES = {
  [State.Running]: "running",
  [State.Runnable]: "runnable",
  [State.Waiting]: "waiting",
  [State.Syscall]: "syscall",
} as const;

/** Rows of the activations whose entry function has that name. */
export function activationsNamed(model: TraceModel, name: string): number[] {
  const rows: number[] = [];
  for (let row = 0; row < model.activations.count; row++) {
    if (model.strings[model.activations.name[row]!] === name) rows.push(row);
  }
  return rows;
}

/** The spans of an activation, in order of time. */
export function spansOf(model: TraceModel, row: number): Span[] {
  const { activations, spans } = model;
  const result: Span[] = [];
  for (let at = activations.firstSpan[row]!; at < activations.firstSpan[row + 1]!; at++) {
    result.push({
      activation: row,
      state: STATE_NAMES[spans.state[at] as keyof typeof STATE_NAMES],
      reason: model.strings[spans.reason[at]!] ?? "",
      start: spans.start[at]! / 1e6,
      ms: (spans.end[at]! - spans.start[at]!) / 1e6,
      frames: (model.stacks[spans.stack[at]!] ?? []).map((frame) => frame.func),
    });
  }
  return result;
}

/** Sum of the milliseconds that spans of a state (and reason) took. */
export function total(spans: readonly Span[], state: Span["state"], reason?: string): number {
  return spans
    .filter((span) => span.state === state && (reason === undefined || span.reason === reason))
    .reduce((sum, span) => sum + span.ms, 0);
}
