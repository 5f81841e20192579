import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { isatty } from "node:tty";
import { isAlive, openSocketFolder, socketOf } from "../recorder/attach-socket.ts";
import type { AttachAnswer, AttachRequest } from "../recorder/attach-socket.ts";
import type { StartOptions } from "../recorder/options.ts";
import { CommandError, Exit } from "./io.ts";

const ENDING_MS = 5_000;

/** What the command line says: the file, and after how many ms the recording ends; undefined is by Ctrl-C. */
export interface AttachOptions {
  readonly output: string;
  readonly ms: number | undefined;
  readonly recording: StartOptions;
}

/**
 * `runtrace attach`: has a running, prepared process record itself into a file, for some time or until Ctrl-C. Resolves
 * to the exit code; throws CommandError.
 */
export async function attach(pid: number, options: AttachOptions): Promise<number> {
  const socket = await connect(pid);
  const out = path.resolve(options.output.replaceAll("%p", String(pid)));
  const request: AttachRequest = { out, options: options.recording };
  const answers = answersOf(socket);
  socket.write(`${JSON.stringify(request)}\n`);
  const first = (await answers.next()).value as AttachAnswer | undefined;
  if (first === undefined)
    throw failed(pid, isAlive(pid) ? "did not answer" : "ended before it could be recorded");
  if ("error" in first) throw failed(pid, first.error);
  const begin = performance.now();
  if (isatty(2) && options.ms === undefined)
    process.stderr.write(`runtrace: recording process ${pid} until Ctrl-C\n`);
  const end = (): void => void socket.end();
  const timer = options.ms === undefined ? undefined : setTimeout(end, options.ms);
  process.on("SIGINT", end).on("SIGTERM", end);
  const last = (await answers.next()).value as AttachAnswer | undefined;
  clearTimeout(timer);
  process.off("SIGINT", end).off("SIGTERM", end);
  socket.destroy();
  if (last !== undefined && "error" in last) throw failed(pid, last.error);
  if (last === undefined && !(await hasEnded(pid))) throw failed(pid, "hung up; the trace may lack its end");
  if (isatty(2))
    process.stderr.write(
      closingLine(options.output, out, pid, performance.now() - begin, last === undefined),
    );
  return Exit.Done;
}

/** Whether a process that has hung up has ended: its last moments pass behind that. */
async function hasEnded(pid: number): Promise<boolean> {
  for (let waited = 0; waited < ENDING_MS; waited += 20) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

function failed(pid: number, why: string): CommandError {
  return new CommandError(Exit.Failed, `process ${pid}: ${why}`);
}

function closingLine(asked: string, out: string, pid: number, ms: number, isDead: boolean): string {
  const size = fs.statSync(out, { throwIfNoEntry: false })?.size ?? 0;
  const name = path.resolve(asked) === out ? asked : out;
  const ended = isDead ? `process ${pid} has ended; ` : "";
  return `runtrace: ${ended}wrote ${name}, ${(size / 1e6).toFixed(1)} MB, ${(ms / 1e3).toFixed(1)} s; open it with \`runtrace view ${name}\`\n`;
}

/** Resolves to a connection with the process. Throws CommandError. */
async function connect(pid: number): Promise<net.Socket> {
  if (!isAlive(pid)) throw new CommandError(Exit.Failed, `process ${pid}: no such process`);
  const opened = openSocketFolder(false);
  const name = "why" in opened ? undefined : socketOf(opened.folder, pid);
  const unprepared = failed(
    pid,
    "cannot be attached to: want a process of this user, started with RUNTRACE_MODE=dormant or RUNTRACE_FLIGHT and --import runtrace/register, or with --import runtrace/pprof/auto",
  );
  if (name === undefined || !fs.existsSync(name)) throw unprepared;
  return await new Promise<net.Socket>((resolve, reject) => {
    const socket = net.connect({ path: name, allowHalfOpen: true });
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => reject(unprepared));
  });
}

/** What the process says, line by line, until it hangs up. */
async function* answersOf(socket: net.Socket): AsyncGenerator<AttachAnswer, undefined> {
  let text = "";
  socket.setEncoding("utf8");
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      text += chunk;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        yield JSON.parse(text.slice(0, end)) as AttachAnswer;
        text = text.slice(end + 1);
      }
    }
  } catch {
    // The process is gone.
  }
  return undefined;
}
