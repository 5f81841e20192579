import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { TraceError } from "../base/error.ts";
import { sinkError } from "./sinks.ts";

/**
 * Trace files and who writes them. A regular file that a live recorder writes is never opened by another: a lock in
 * the temporary folder, named by the file's device and inode, names the process that writes it. A lock left behind by
 * a process that was killed is recognised by its process being gone.
 */
export interface OpenFile {
  readonly fd: number;
  readonly name: string;
  /** Gives the lock back and closes the file. */
  close(): void;
}

/** Opens a file for a trace and empties it. Throws TraceError ERR_TRACE_SINK. */
export function openTrace(file: string | URL): OpenFile {
  if (file === "") {
    throw new TraceError("ERR_TRACE_SINK", 'sink: got "", want a file path, a Writable or a WritableStream');
  }
  const opened = tryOpen(file);
  if (opened !== undefined) return opened;
  throw new TraceError("ERR_TRACE_SINK", `cannot write ${nameOf(file)}: another recorder is writing it`);
}

/** The same, going on to FILE.1, FILE.2, … while others write; `from` is the first number to try, 0 is FILE itself. */
export function openFreeTrace(file: string, from: number): OpenFile {
  for (let n = from; ; n++) {
    const opened = tryOpen(n === 0 ? file : `${file}.${n}`);
    if (opened !== undefined) return opened;
  }
}

function nameOf(file: string | URL): string {
  return typeof file === "string" ? file : fileURLToPath(file);
}

/** Undefined where another recorder writes the file. */
function tryOpen(file: string | URL): OpenFile | undefined {
  let name = String(file);
  let fd: number | undefined;
  try {
    name = nameOf(file);
    fd = openForWriting(name);
    const opened = fd;
    const stat = fs.fstatSync(opened);
    if (!stat.isFile()) return { fd, name, close: () => fs.closeSync(opened) };
    const lock = path.join(os.tmpdir(), `runtrace-${stat.dev}-${stat.ino}.lock`);
    if (!takeLock(lock)) {
      fs.closeSync(fd);
      return undefined;
    }
    fs.ftruncateSync(fd, 0);
    return {
      fd,
      name,
      close: () => {
        fs.rmSync(lock, { force: true });
        fs.closeSync(opened);
      },
    };
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    throw sinkError(name, error);
  }
}

/**
 * Opens without waiting where that goes: a pipe whose reader is stuck must not hold up the process's end. A named pipe
 * without a reader waits for one first.
 */
function openForWriting(name: string): number {
  const { O_WRONLY, O_CREAT, O_NONBLOCK } = fs.constants;
  const flags = O_WRONLY | O_CREAT | (O_NONBLOCK ?? 0);
  try {
    return fs.openSync(name, flags, 0o666);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
  }
  const waited = fs.openSync(name, O_WRONLY);
  try {
    return fs.openSync(name, flags);
  } finally {
    fs.closeSync(waited);
  }
}

/** False where the lock is a live process's. A folder for locks that cannot be written goes without. */
function takeLock(lock: string): boolean {
  const mine = `${process.pid} ${startTime(process.pid)}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      fs.writeFileSync(lock, mine, { flag: "wx" });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") return true;
    }
    if (isLive(lock)) return false;
    fs.rmSync(lock, { force: true });
  }
  return false;
}

function isLive(lock: string): boolean {
  let text: string;
  try {
    text = fs.readFileSync(lock, "utf8");
  } catch {
    return false;
  }
  // Another process is just about to write its name.
  if (text === "") return true;
  const [first, start] = text.trim().split(" ");
  const pid = Number(first);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return start === startTime(pid);
}

/** Tells a process from a later one of the same pid, where the system says when it began (Linux); else "0". */
function startTime(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}
