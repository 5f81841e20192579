import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { TraceError } from "../base/error.ts";
import { isLoopbackHost, parseAddress } from "../base/host.ts";
import { serve, type Served } from "../server/serve.ts";

/** What the command reads from and writes to. */
export interface ViewIO {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * `http` is HOST:PORT, :PORT or PORT; a free port of loopback by default. `open` starts a browser. `source`: the folder whose
 * files may be shown beside frames; null: the current one, unless others than this machine are served.
 */
export interface ViewOptions {
  readonly source?: string | null;
  readonly http?: string;
  readonly open: boolean;
}

/**
 * `runtrace view`: serves the viewer until SIGINT or SIGTERM, then gives 0. The URL is the first line of stdout. A
 * file that cannot be read or an address that cannot be bound is one line on stderr, and 1; a malformed address 2.
 */
export async function view(files: readonly string[], options: ViewOptions, io: ViewIO): Promise<number> {
  const address = parseAddress(options.http ?? "127.0.0.1:0");
  if (address === null) {
    io.stderr.write(`runtrace: --http: got ${JSON.stringify(options.http)}, want HOST:PORT\n`);
    return 2;
  }
  const temporary = files.includes("-") ? await mkdtemp(path.join(tmpdir(), "runtrace-")) : null;
  // Signals are awaited from here on: one that comes while the server starts must end the command, too.
  const ended = untilSignal();
  try {
    let named = files;
    if (temporary !== null) {
      const copy = path.join(temporary, "stdin");
      await pipeline(io.stdin, createWriteStream(copy));
      named = files.map((file) => (file === "-" ? copy : file));
    }
    let served: Served;
    try {
      served = await serve(named, {
        ...address,
        ...rootOf(options, address.host),
      });
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      io.stderr.write(`runtrace: ${error.message}\n`);
      return 1;
    }
    io.stdout.write(`${served.url}\n`);
    if (options.open) await openBrowser(served.url, io);
    await ended.promise;
    await served.close();
    return 0;
  } finally {
    ended.cancel();
    if (temporary !== null) await rm(temporary, { recursive: true, force: true });
  }
}

function rootOf({ source }: ViewOptions, host: string): { readonly root?: string } {
  if (source === null) return isLoopbackHost(host) ? { root: "." } : {};
  return source === undefined ? {} : { root: source };
}

/** A browser that does not start is no reason to fail: the URL is printed. */
async function openBrowser(url: string, io: ViewIO): Promise<void> {
  try {
    const { default: open } = await import("open");
    const child = await open(url);
    child.on("error", () =>
      io.stderr.write("runtrace: no browser could be started; open the address above\n"),
    );
    child.unref();
  } catch {
    io.stderr.write("runtrace: no browser could be started; open the address above\n");
  }
}

function untilSignal(): { promise: Promise<void>; cancel: () => void } {
  let finish = (): void => {};
  const promise = new Promise<void>((resolve) => {
    finish = resolve;
  });
  process.once("SIGINT", finish);
  process.once("SIGTERM", finish);
  return {
    promise,
    cancel: () => {
      process.removeListener("SIGINT", finish);
      process.removeListener("SIGTERM", finish);
    },
  };
}
