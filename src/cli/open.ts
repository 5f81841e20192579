import { createReadStream, openSync, readSync, closeSync, fstatSync } from "node:fs";
import { createGunzip } from "node:zlib";
import type { ByteSource } from "../decode/source.ts";
import { TraceError } from "../base/error.ts";
import { CommandError, Exit } from "./io.ts";
import { Progress } from "./progress.ts";

const PIECE = 1 << 20;
const STDIN = 0;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** An open trace. It holds a file descriptor until it was read to its end or `close` is called. */
export interface OpenTrace extends ByteSource {
  close(): void;
}

/**
 * Opens a trace file, or stdin for "-". Gzip is recognised by its first bytes and unpacked into memory, everything
 * else is read in pieces as the reader asks for them. A gzip stream that breaks gives what came out of it before, then
 * throws a TraceError `ERR_TRACE_GZIP`. Throws a CommandError where the file cannot be opened or read. On a terminal,
 * stderr shows how far it has been read once that has taken a second; not with `silent`, for what prints meanwhile.
 */
export async function openTrace(file: string, silent = false): Promise<OpenTrace> {
  const fd = openFile(file);
  try {
    const first = readFirst(fd, file);
    if (first !== null && first[0] === GZIP_MAGIC[0] && first[1] === GZIP_MAGIC[1]) {
      const pieces = new Pieces(await gunzip(fd, first));
      return new Watched(pieces, silent ? null : await Progress.of(file, pieces.size, process.stderr));
    }
    const source = new FileSource(fd, file, first);
    return new Watched(source, silent ? null : await Progress.of(file, source.size, process.stderr));
  } catch (error) {
    if (fd !== STDIN) closeSync(fd);
    throw error;
  }
}

function openFile(file: string): number {
  if (file === "-") return STDIN;
  try {
    const fd = openSync(file, "r");
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
  } catch (error) {
    throw fileError(file, error);
  }
  throw new CommandError(Exit.Failed, `${file}: is a directory, want a trace file`);
}

function fileError(file: string, error: unknown): CommandError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EISDIR: "is a directory, want a trace file",
  };
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new CommandError(Exit.Failed, `${file}: ${reason}`, error);
}

/** The next piece of a file, in an array of its own; null at the end. Waits where stdin has nothing yet. */
function readPiece(fd: number, file: string): Uint8Array | null {
  const piece = Buffer.allocUnsafeSlow(PIECE);
  for (;;) {
    try {
      const length = readSync(fd, piece, 0, PIECE, null);
      return length === 0 ? null : piece.subarray(0, length);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "EOF") return null;
      if (code !== "EAGAIN") throw fileError(file, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** The first piece, with at least the two bytes that tell gzip. */
function readFirst(fd: number, file: string): Uint8Array | null {
  const first = readPiece(fd, file);
  if (first === null || first.length >= GZIP_MAGIC.length) return first;
  const second = readPiece(fd, file);
  return second === null ? first : Buffer.concat([first, second]);
}

class FileSource implements OpenTrace {
  /** 0 of what is not a file. */
  readonly size: number;
  readonly #file: string;
  #fd: number;
  #first: Uint8Array | null;
  #ended = false;

  constructor(fd: number, file: string, first: Uint8Array | null) {
    this.#fd = fd;
    this.size = fstatSync(fd).size;
    this.#file = file;
    this.#first = first;
    this.#ended = first === null;
  }

  read(): Uint8Array | null {
    if (this.#first !== null) {
      const first = this.#first;
      this.#first = null;
      return first;
    }
    if (this.#ended) return null;
    const piece = readPiece(this.#fd, this.#file);
    if (piece === null) this.close();
    return piece;
  }

  close(): void {
    this.#ended = true;
    if (this.#fd > STDIN) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** A source that shows how far it has been read. */
class Watched implements OpenTrace {
  readonly size: number;
  readonly #source: OpenTrace & { readonly size: number };
  readonly #progress: Progress | null;

  constructor(source: OpenTrace & { readonly size: number }, progress: Progress | null) {
    this.size = source.size;
    this.#source = source;
    this.#progress = progress;
  }

  read(): Uint8Array | null {
    const piece = this.#source.read();
    if (piece === null) this.#progress?.end();
    else this.#progress?.add(piece.length);
    return piece;
  }

  close(): void {
    this.#progress?.end();
    this.#source.close();
  }
}

/** Unpacked pieces, let go of as they are read, then the error that ended them. */
class Pieces implements OpenTrace {
  readonly size: number;
  #pieces: Uint8Array[];
  readonly #error: TraceError | null;

  constructor(unpacked: { readonly pieces: Uint8Array[]; readonly error: TraceError | null }) {
    this.size = unpacked.pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#pieces = unpacked.pieces.toReversed();
    this.#error = unpacked.error;
  }

  read(): Uint8Array | null {
    const piece = this.#pieces.pop();
    if (piece === undefined && this.#error !== null) throw this.#error;
    return piece ?? null;
  }

  close(): void {
    this.#pieces = [];
  }
}

/** Unpacks the rest of a file that begins with `first`. Closes the file. */
async function gunzip(
  fd: number,
  first: Uint8Array,
): Promise<{ pieces: Uint8Array[]; error: TraceError | null }> {
  const pieces: Uint8Array[] = [];
  const unpack = createGunzip({ chunkSize: PIECE });
  const rest = createReadStream("", { fd, autoClose: true });
  rest.on("error", (error) => unpack.destroy(error));
  unpack.write(first);
  rest.pipe(unpack);
  try {
    for await (const piece of unpack) pieces.push(piece as Uint8Array);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { pieces, error: new TraceError("ERR_TRACE_GZIP", `gzip: ${reason}`, { cause }) };
  }
  return { pieces, error: null };
}
