import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TraceError } from "../base/error.ts";
import { hostOf, isLoopbackHost } from "../base/host.ts";
import { serveGoroutines } from "./goroutine.ts";
import { sampleAlways, serveHeap } from "./heap.ts";
import { indexPage } from "./index-page.ts";
import { serveProfile } from "./profile.ts";
import { refuse } from "./refuse.ts";
import { serveTrace } from "./trace.ts";

/** Who may ask. */
export interface PprofOptions {
  /**
   * Host names under which others than this machine may ask; loopback only unless told. A request whose Host header
   * names anything else is refused with 403, so that no page that a browser shows can reach it by a rebound name.
   */
  readonly hosts?: readonly string[];
  /** Where told, requests must have it: `Authorization: Bearer TOKEN`. Else they are refused with 401. */
  readonly token?: string;
  /** Sample the heap from now on, so that `heap` has what was allocated since then; some percent of allocation's cost. */
  readonly heapSampling?: boolean;
}

/** A handler of node:http, and of frameworks that pass its request and response. */
export type PprofHandler = (request: IncomingMessage, response: ServerResponse) => void;

const PROFILES: ReadonlySet<string> = new Set([
  "allocs",
  "block",
  "cmdline",
  "goroutine",
  "heap",
  "mutex",
  "profile",
  "symbol",
  "threadcreate",
  "trace",
]);

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/**
 * What Go's net/http/pprof serves under /debug/pprof/: an index, `trace`, `profile`, `heap`, `allocs`, `goroutine`,
 * `cmdline`, `symbol` (docs/pprof.md); what Node cannot tell says so with 501. It goes by the last part of the path, so it
 * may be mounted anywhere. Throws TraceError ERR_TRACE_OPTION for options of another type.
 */
export function pprofHandler(options: PprofOptions = {}): PprofHandler {
  if (typeof options !== "object" || (options as unknown) === null)
    throw wrongOption("options", options, "an object");
  const hosts = hostsOf(options.hosts);
  const token = tokenOf(options.token);
  if (options.heapSampling === true) sampleAlways();
  return (request, response) => {
    // The program must live on, whatever is asked, and whatever has become of the response.
    const fail = (): void => void response.destroy();
    try {
      answer(request, response, hosts, token)?.catch(fail);
    } catch {
      fail();
    }
  };
}

function hostsOf(hosts: unknown): readonly string[] {
  if (hosts === undefined) return [];
  if (!Array.isArray(hosts)) throw wrongOption("option hosts", hosts, "an array of host names");
  return hosts.map((host: unknown) => {
    if (typeof host !== "string") throw wrongOption("option hosts", host, "host names in it");
    return host.toLowerCase();
  });
}

function tokenOf(token: unknown): Buffer | null {
  if (token === undefined) return null;
  if (typeof token !== "string") throw wrongOption("option token", token, "a string");
  return digest(token);
}

/** Tells the type only: values may be secret. */
function wrongOption(name: string, got: unknown, want: string): TraceError {
  const type = got === null ? "null" : typeof got;
  return new TraceError("ERR_TRACE_OPTION", `${name}: got ${type}, want ${want}`);
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  hosts: readonly string[],
  token: Buffer | null,
): Promise<void> | undefined {
  // Koa begins with 404.
  response.statusCode = 200;
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (!isAllowed(request, hosts)) {
    refuse(response, 403, `host: got ${request.headers.host ?? "none"}, want localhost`);
  } else if (token !== null && !hasToken(request, token)) {
    response.setHeader("WWW-Authenticate", "Bearer");
    refuse(response, 401, "token: want Authorization: Bearer TOKEN");
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    refuse(response, 405, `method: got ${request.method}, want GET`);
  } else {
    return route(request, response);
  }
  return undefined;
}

function isAllowed(request: IncomingMessage, hosts: readonly string[]): boolean {
  const host = hostOf(request.headers.host);
  if (host === null) return false;
  const isOwn = isLoopbackHost(host) && LOOPBACK.test(request.socket.remoteAddress ?? "");
  return isOwn || hosts.includes(host);
}

function route(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined {
  // What is asked for need not be a URL.
  const [path = "", query = ""] = (request.url ?? "/").split("?", 2);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const folder = path.split("/").at(-2) ?? "";
  if (name === "" && PROFILES.has(folder)) {
    refuse(response, 404, `profile: got ${folder}/, want one of the index`);
    return undefined;
  }
  if (name === "" || name === "pprof") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.setHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.end(indexPage(path.endsWith("/") ? "" : "pprof/"));
    return undefined;
  }
  const asked = new URLSearchParams(query);
  const isHead = request.method === "HEAD";
  switch (name) {
    case "trace":
    case "profile":
    case "heap":
    case "allocs":
      return profile(name, asked.get("seconds"), response, isHead);
    case "goroutine": {
      const debug = asked.get("debug") ?? "0";
      if (debug === "0" || debug === "1" || debug === "2")
        return isHead ? void response.end() : serveGoroutines(Number(debug) as 0 | 1 | 2, response);
      refuse(response, 400, `debug: got ${debug}, want 0, 1 or 2`);
      return undefined;
    }
    case "cmdline":
      plain(response, process.argv.join("\0"));
      return undefined;
    case "symbol":
      // Profiles have names, not addresses: there is nothing to look up.
      plain(response, "num_symbols: 0\n");
      return undefined;
    case "block":
    case "mutex":
      refuse(
        response,
        501,
        `${name}: Node has no such profile; take trace?seconds=N, then: runtrace pprof ${name === "block" ? "net" : "sync"} FILE`,
      );
      return undefined;
    case "threadcreate":
      refuse(response, 501, "threadcreate: Node has no such profile; a trace has its Workers as event loops");
      return undefined;
    default:
      refuse(response, 404, `profile: got ${name}, want one of the index`);
      return undefined;
  }
}

function profile(
  name: "trace" | "profile" | "heap" | "allocs",
  asked: string | null,
  response: ServerResponse,
  isHead: boolean,
): Promise<void> | undefined {
  const seconds = secondsOf(asked);
  if (seconds === null) {
    refuse(response, 400, `seconds: got ${asked}, want a positive number up to ${MAX_SECONDS}`);
    return undefined;
  }
  if (isHead) {
    response.end();
    return undefined;
  }
  if (name === "trace") return serveTrace(seconds ?? 1, response);
  if (name === "profile") return serveProfile(seconds ?? 30, response);
  return serveHeap(name === "heap" ? "inuse" : "alloc", seconds, response);
}

function plain(response: ServerResponse, body: string): void {
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(body);
}

/** Of one length whatever the token is: comparing two tells nothing of either. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function hasToken(request: IncomingMessage, token: Buffer): boolean {
  const [, given] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  return given !== undefined && timingSafeEqual(digest(given), token);
}

const MAX_SECONDS = 3_600;

/** Undefined where none are asked for; null where that is no number of seconds. */
function secondsOf(text: string | null): number | undefined | null {
  if (text === null || text === "") return undefined;
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : null;
}
