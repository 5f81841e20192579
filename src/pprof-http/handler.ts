import type { IncomingMessage, ServerResponse } from "node:http";
import { hostOf, isLoopbackHost } from "../base/host.ts";
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
}

/** A handler of node:http, and of frameworks that pass its request and response. */
export type PprofHandler = (request: IncomingMessage, response: ServerResponse) => void;

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/**
 * What Go's net/http/pprof serves under /debug/pprof/: `trace?seconds=N` (an execution trace, 1 s unless told) and
 * `profile?seconds=N` (a CPU profile for `go tool pprof`, 30 s unless told); fractions are allowed. It goes by the last
 * part of the path, so it may be mounted anywhere.
 */
export function pprofHandler(options: PprofOptions = {}): PprofHandler {
  const hosts = (options.hosts ?? []).map((host) => host.toLowerCase());
  return (request, response) => {
    // The program must live on, whatever is asked, and whatever has become of the response.
    const fail = (): void => void response.destroy();
    try {
      answer(request, response, hosts)?.catch(fail);
    } catch {
      fail();
    }
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  hosts: readonly string[],
): Promise<void> | undefined {
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (!isAllowed(request, hosts)) {
    refuse(response, 403, `host: got ${request.headers.host ?? "none"}, want localhost`);
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
  if (name === "" || name === "pprof") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.setHeader("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.end(indexPage(path.endsWith("/") ? "" : "pprof/"));
    return undefined;
  }
  if (name !== "trace" && name !== "profile") {
    refuse(response, 404, `profile: got ${name}, want trace or profile`);
    return undefined;
  }
  const asked = new URLSearchParams(query).get("seconds");
  const seconds = secondsOf(asked, name === "trace" ? 1 : 30);
  if (seconds === undefined) {
    refuse(response, 400, `seconds: got ${asked}, want a positive number up to ${MAX_SECONDS}`);
    return undefined;
  }
  if (request.method === "HEAD") {
    response.end();
    return undefined;
  }
  return name === "trace" ? serveTrace(seconds, response) : serveProfile(seconds, response);
}

const MAX_SECONDS = 3_600;

/** Undefined where it is no number of seconds. */
function secondsOf(text: string | null, otherwise: number): number | undefined {
  if (text === null || text === "") return otherwise;
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}
