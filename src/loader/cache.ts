import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

// The program's or the recorder's own versions of these, put in place later, are none of ours.
const { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync } = fs;
const { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } = fs;

/** What is no file, such as a pipe, is not followed, and not waited for. */
const READING = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Transformed code, kept by the hash of what it was made from, in a folder of the user's own. Whoever could write there
 * could run code in every recorded program: a folder or file that is not ours alone is never read, nor is one whose
 * content is not what was written. What cannot be read or written is as if it were not there.
 */
export class CodeCache {
  readonly #folder: string;
  /** Undefined until first used. */
  #usable: boolean | undefined;
  readonly #limit: number;

  /** At most about `limit` bytes are kept. */
  constructor(folder: string, limit = 200 * 1024 * 1024) {
    this.#folder = folder;
    this.#limit = limit;
  }

  get(key: string): string | null {
    if (!this.#open()) return null;
    let fd = -1;
    try {
      fd = openSync(this.#path(key), READING);
      const stat = fstatSync(fd);
      if (!stat.isFile() || !isOurs(stat)) return null;
      const text = readFileSync(fd, "utf8");
      const content = text.slice(SUM_LENGTH);
      return text.slice(0, SUM_LENGTH) === sum(content) ? content : null;
    } catch {
      return null;
    } finally {
      if (fd >= 0) closeSync(fd);
    }
  }

  set(key: string, content: string): void {
    if (!this.#open()) return;
    const temporary = path.join(this.#folder, `${randomBytes(12).toString("hex")}.tmp`);
    try {
      writeFileSync(temporary, sum(content) + content, { flag: "wx", mode: 0o600 });
      renameSync(temporary, this.#path(key));
    } catch {
      rmSync(temporary, { force: true });
      this.#usable = false;
      return;
    }
    // Keys are random: one in 256 pays for a look at the whole.
    if (key.startsWith("00")) this.#trim();
  }

  #path(key: string): string {
    return path.join(this.#folder, key);
  }

  #open(): boolean {
    return (this.#usable ??= prepare(this.#folder));
  }

  /** Removes the oldest where there are too many. */
  #trim(): void {
    try {
      const files = readdirSync(this.#folder).map((name) => {
        const file = path.join(this.#folder, name);
        const { size, mtimeMs } = lstatSync(file);
        return { file, size, mtimeMs };
      });
      let total = files.reduce((bytes, { size }) => bytes + size, 0);
      if (total <= this.#limit) return;
      files.sort((a, b) => a.mtimeMs - b.mtimeMs);
      for (const { file, size } of files) {
        if (total <= this.#limit / 2) break;
        rmSync(file, { force: true });
        total -= size;
      }
    } catch {
      // Another process trims as well.
    }
  }
}

const SUM_LENGTH = 44;

function sum(content: string): string {
  return createHash("sha256").update(content).digest("base64");
}

/** The name under which something that depends on all of `parts` is kept. */
export function cacheKey(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

/** The folder in which this user's transformed code is kept, or false where there is none. */
export function userCache(): string | false {
  const base = process.env.XDG_CACHE_HOME;
  if (base !== undefined && path.isAbsolute(base)) return path.join(base, "runtrace");
  try {
    const home = os.homedir();
    return path.isAbsolute(home) ? path.join(home, ".cache", "runtrace") : false;
  } catch {
    return false;
  }
}

function prepare(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = lstatSync(folder);
    return stat.isDirectory() && isOurs(stat);
  } catch {
    return false;
  }
}

/** Nobody else may have written it. */
function isOurs(stat: fs.Stats): boolean {
  const uid = process.getuid?.();
  return uid === undefined || (stat.uid === uid && (stat.mode & 0o022) === 0);
}
