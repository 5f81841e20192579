import { TraceError } from "../base/error.ts";
import { bytesSource } from "../decode/source.ts";
import type { ByteSource } from "../decode/source.ts";

/**
 * What a trace can be read from: the path of a file (in Node; also a file URL), its bytes, a Node stream or any other
 * async iterable of bytes, a web stream. Gzip is recognised by its first bytes.
 */
export type TraceSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | AsyncIterable<Uint8Array>
  | ReadableStream<Uint8Array>;

/** Bytes to read, and what lets go of what they come from. */
export interface OpenSource extends ByteSource {
  close(): void;
}

const PIECE = 1 << 20;

/**
 * Opens a source. A file is read in pieces as they are asked for, a stream and what is gzipped whole, before this
 * resolves. Rejects with the file's or the stream's own error. A gzip stream that breaks gives what came out of it before,
 * then throws ERR_TRACE_GZIP.
 */
export async function openSource(source: TraceSource): Promise<OpenSource> {
  if (typeof source === "string" || source instanceof URL) return openFile(source);
  if (source instanceof Uint8Array) return inMemory([source]);
  if (source instanceof ArrayBuffer) return inMemory([new Uint8Array(source)]);
  if (source instanceof ReadableStream) return inMemory(await collect(piecesOf(source)));
  if (typeof (source as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === "function")
    return inMemory(await collect(source));
  const got = (source as unknown) === null ? "null" : typeof source;
  throw new TypeError(`source: got ${got}, want a path, bytes or a stream of bytes`);
}

async function openFile(path: string | URL): Promise<OpenSource> {
  const fs = await import("node:fs");
  const fd = fs.openSync(path, "r");
  let isOpen = true;
  const close = (): void => {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  };
  const read = (): Uint8Array | null => {
    if (!isOpen) return null;
    const piece = new Uint8Array(PIECE);
    const length = fs.readSync(fd, piece, 0, PIECE, null);
    if (length === 0) close();
    return length === 0 ? null : piece.subarray(0, length);
  };
  try {
    let first = read();
    if (first === null || !isGzip(first)) {
      return {
        size: fs.fstatSync(fd).size,
        read: () => {
          const piece = first ?? read();
          first = null;
          return piece;
        },
        close,
      };
    }
    const pieces = [first];
    for (let piece = read(); piece !== null; piece = read()) pieces.push(piece);
    return await inMemory(pieces);
  } catch (error) {
    close();
    throw error;
  }
}

async function inMemory(pieces: readonly Uint8Array[]): Promise<OpenSource> {
  const close = (): void => {};
  const head = headOf(pieces);
  if (!isGzip(head)) return { ...bytesSource(...pieces), close };
  const unpacked: Uint8Array[] = [];
  let failure: TraceError | null = null;
  try {
    const { readable, writable } = new DecompressionStream("gzip");
    const writer = writable.getWriter();
    // What it cannot take is told by the other end.
    const put = async (): Promise<void> => {
      for (const piece of pieces) await writer.write(piece as Uint8Array<ArrayBuffer>);
      await writer.close();
    };
    put().catch(() => {});
    for await (const piece of piecesOf(readable as ReadableStream<Uint8Array>)) unpacked.push(piece);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    failure = new TraceError("ERR_TRACE_GZIP", `gzip: ${reason}`, { cause });
  }
  const inner = bytesSource(...unpacked);
  return {
    ...inner,
    read: () => {
      const piece = inner.read();
      if (piece === null && failure !== null) throw failure;
      return piece;
    },
    close,
  };
}

function headOf(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces.find((piece) => piece.length > 0) ?? new Uint8Array(0);
  if (first.length > 1) return first;
  const second = pieces.slice(pieces.indexOf(first) + 1).find((piece) => piece.length > 0);
  return Uint8Array.of(...first, ...(second?.subarray(0, 1) ?? []));
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    if (!((piece as unknown) instanceof Uint8Array))
      throw new TypeError(`source: got a stream of ${typeof piece}, want one of bytes`);
    pieces.push(piece);
  }
  return pieces;
}

/** Not every browser can iterate a stream. */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}
