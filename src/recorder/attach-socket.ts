import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { StartOptions } from "./options.ts";

/**
 * Where prepared processes listen for `runtrace attach`: a local socket each, named by the pid, in a folder that only
 * this user can enter. Both ends look at the folder first: one that is somebody else's, or open to others, is not used.
 *
 * What is said, a line of JSON each: the client asks once (`AttachRequest`) and hangs up, or ends its side, to end the
 * recording; the process answers that it records, and how it ended (`AttachAnswer`). It writes the file itself, so that
 * nothing is lost where it dies.
 */
export interface AttachRequest {
  /** Absolute path of the file to write. */
  readonly out: string;
  readonly options: StartOptions;
}

export type AttachAnswer =
  | { readonly recording: true }
  | { readonly ended: true }
  | { readonly error: string };

/** Longest name of a socket; a few systems take one more, or a dozen fewer. */
const MOST_BYTES = 103;

/** Folder of the sockets of this user. */
function socketFolder(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  if (runtime !== undefined && path.isAbsolute(runtime)) return path.join(runtime, "runtrace");
  return path.join(os.tmpdir(), `runtrace-${process.getuid?.() ?? 0}`);
}

/** The folder of sockets, made where it is to be; why it cannot be used, else. There are no such sockets on Windows. */
export function openSocketFolder(make: boolean): { readonly folder: string } | { readonly why: string } {
  const uid = process.getuid?.();
  if (uid === undefined) return { why: "this system has no local sockets of one user" };
  const folder = socketFolder();
  try {
    if (make) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = fs.lstatSync(folder);
    if (!stat.isDirectory()) return { why: `${folder}: got no folder, want one` };
    if (stat.uid !== uid) return { why: `${folder} belongs to another user` };
    if ((stat.mode & 0o077) !== 0) return { why: `${folder} is open to other users` };
    return { folder };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

/** The socket of a process in that folder; undefined where its name would be too long for a socket. */
export function socketOf(folder: string, pid: number): string | undefined {
  const name = path.join(folder, `${pid}.sock`);
  return Buffer.byteLength(name) > MOST_BYTES ? undefined : name;
}

/** Whether a process lives, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
