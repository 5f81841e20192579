import { createReadStream } from "node:fs";
import { open as openFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import { TraceError } from "../base/error.ts";
import { isAllowedHost } from "../base/host.ts";
import { sourceLines } from "./source.ts";

/** Headers of every answer. The page runs its own scripts and nothing else, and no other origin can embed it. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** Where to listen. Port 0 takes a free one. `assets` is the folder of the built viewer. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** The folder whose files the page may show as source; none without it. */
  readonly root?: string;
  readonly assets?: string;
}

/** A running viewer. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the viewer and the traces: `/trace.out` is the first file, `/trace.1.out` the second, and so on. Answers
 * GET and HEAD only, and only requests whose Host header names the address that was bound (or loopback), so that a
 * web page cannot reach it by rebinding a name. Throws `ERR_FILE` where a file cannot be read, `ERR_LISTEN` where
 * the address cannot be bound.
 */
export async function serve(files: readonly string[], options: ServeOptions): Promise<Served> {
  for (const file of files) await check(file);
  const assets = options.assets ?? fileURLToPath(new URL("../viewer", import.meta.url));
  await stat(path.join(assets, "index.html")).catch(() => {
    throw new TraceError("ERR_VIEWER", `the viewer is not built: no index.html in ${assets}`);
  });
  const pages = sirv(assets, {
    etag: true,
    setHeaders: (response, pathname) => {
      const hashed = pathname.startsWith("/assets/");
      response.setHeader("Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!isAllowedHost(request.headers.host, options.host)) {
      end(response, 403, "this host is not served here\n");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      end(response, 405, "GET and HEAD only\n");
      return;
    }
    const file = traceOf(request.url ?? "/", files);
    if (options.root !== undefined && request.url?.startsWith("/source?") === true)
      void sendSource(options.root, request.url, response);
    else if (file !== null) void sendTrace(file, files, options.root !== undefined, request, response);
    else pages(request, response, () => end(response, 404, "not found\n"));
  });
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const shown = options.host === "0.0.0.0" ? "127.0.0.1" : options.host === "::" ? "::1" : options.host;
  return {
    url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function check(file: string): Promise<void> {
  try {
    const handle = await openFile(file);
    try {
      if ((await handle.stat()).isDirectory()) throw new Error("is a directory");
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new TraceError("ERR_FILE", `cannot read ${file}: ${reason(cause)}`, { cause });
  }
}

/** What went wrong, in words: "no such file or directory" for ENOENT. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? message;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "the port is in use" : (cause.code ?? cause.message);
      reject(new TraceError("ERR_LISTEN", `cannot listen on ${host}:${port}: ${why}`, { cause }));
    });
    server.listen(port, host, () => resolve());
  });
}

/** The file that a request's path names, or null where it names none. */
function traceOf(url: string, files: readonly string[]): string | null {
  const match = /^\/trace(?:\.([1-9]\d{0,5}))?\.out(?:\?|$)/.exec(url);
  return match === null ? null : (files[Number(match[1] ?? 0)] ?? null);
}

async function sendTrace(
  file: string,
  files: readonly string[],
  hasSource: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let size: number;
  try {
    size = (await stat(file)).size;
  } catch (error) {
    end(response, 404, `cannot read ${path.basename(file)}: ${reason(error)}\n`);
    return;
  }
  const names = files.map((name) => encodeURIComponent(path.basename(name)));
  response.writeHead(200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": size,
    "Cache-Control": "no-store",
    "X-Runtrace-Name": encodeURIComponent(path.basename(file)),
    "X-Runtrace-Files": names.join(","),
    ...(hasSource ? { "X-Runtrace-Source": "1" } : {}),
  });
  if (request.method === "HEAD" || size === 0) {
    response.end();
    return;
  }
  // A file that a recorder still writes grows: send what was announced.
  const stream = createReadStream(file, { end: size - 1 });
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.destroy());
  stream.pipe(response);
}

/** `/source?file=…&line=…`: the lines around one, as JSON. */
async function sendSource(root: string, url: string, response: ServerResponse): Promise<void> {
  const asked = new URLSearchParams(url.slice(url.indexOf("?")));
  const found = await sourceLines(root, asked.get("file") ?? "", Number(asked.get("line")));
  if (found === null) {
    end(response, 404, "no such source\n");
    return;
  }
  response.writeHead(200, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" });
  response.end(JSON.stringify(found));
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" });
  response.end(text);
}
