import { subscribe, unsubscribe } from "node:diagnostics_channel";
import http from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Fact } from "../base/facts.ts";
import { OpenRoots } from "./open-roots.ts";
import { undoAll } from "./replace.ts";
import { pathShape } from "./routes.ts";
import { traceparentOf } from "./traceparent.ts";
import type { Carried, Propagation } from "./traceparent.ts";
import { wrap } from "./wrap.ts";
import type { AnyFunction } from "./wrap.ts";
import { newId, now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** Names of outgoing requests; every further one is its method. */
const MAX_NAMES = 500;

/** How often open requests are looked through for ones that ended without saying so. */
const SWEEP_NS = 1_000_000_000n;

/** A request of undici's, which `fetch` makes. */
interface FetchedRequest {
  readonly method?: unknown;
  readonly origin?: unknown;
  readonly path?: unknown;
  /** Name, value, name, value, …, or as text. */
  readonly headers?: unknown;
  addHeader?(name: string, value: string): unknown;
}

/** What Node tells of a request of HTTP/2: its stream, and the headers that it sends or gets. */
interface StreamMessage {
  readonly stream: object;
  /** By name, or name, value, name, value, …, as the program gave them. */
  readonly headers?: unknown;
}

/** Why a stream of HTTP/2 was closed: NGHTTP2_NO_ERROR and NGHTTP2_CANCEL. */
const NO_ERROR = 0;
const CANCEL = 8;

/** What outgoing requests need of their surroundings. */
export interface OutgoingOptions {
  readonly facts: FactWriter;
  /** Sees whether the loop was idle, where nothing has told that code runs again. */
  readonly looks: () => void;
  readonly propagation: Propagation | undefined;
}

/**
 * Outgoing requests of node:http and https, of fetch and undici, and of node:http2 where Node tells of them (from 22.17 and
 * 24.2 on). Each is an activation of its own that waits for the
 * network, from the call until its answer has been read, in a region named by method, host and path. So any number of
 * them may overlap, and the code that has made them does not have to wait. Answers what ends it.
 */
export function watchOutgoing(options: OutgoingOptions): () => void {
  const watch = new OutgoingRequests(options);
  const undo = [
    // Every request of an agent comes by here while its constructor runs, so that the caller is still on the stack.
    wrap(http.Agent.prototype, "addRequest", (original) => {
      return function (this: unknown, request: unknown): unknown {
        watch.safely(() => watch.made(request as ClientRequest));
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would change the length
        return Reflect.apply(original, this, arguments);
      } as AnyFunction;
    }),
    wrap(http.ClientRequest.prototype, "emit", (original) => {
      return function (this: unknown, event: unknown, first: unknown): unknown {
        if (ENDINGS.has(event)) watch.safely(() => watch.emits(this as ClientRequest, event, first));
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
        return Reflect.apply(original, this, arguments);
      };
    }),
  ];
  const channels = [
    ["undici:request:create", (message: unknown) => watch.fetches(message)],
    ["undici:request:headers", (message: unknown) => watch.answers(message)],
    ["undici:request:trailers", (message: unknown) => watch.fetched(message)],
    ["undici:request:error", (message: unknown) => watch.fails(message)],
    ["http2.client.stream.created", (message: unknown) => watch.streams(message as StreamMessage)],
    ["http2.client.stream.finish", (message: unknown) => watch.streamAnswers(message as StreamMessage)],
    ["http2.client.stream.close", (message: unknown) => watch.streamCloses(message as StreamMessage)],
  ] as const;
  const listeners = channels.map(([name, listener]) => {
    const harmless = (message: unknown): void => watch.safely(() => listener(message));
    subscribe(name, harmless);
    return () => void unsubscribe(name, harmless);
  });
  return () => {
    watch.stop();
    undoAll([...undo, ...listeners]);
  };
}

/** Events after which a request waits for nothing more. */
const ENDINGS: ReadonlySet<unknown> = new Set(["error", "upgrade", "connect", "close"]);

class OutgoingRequests {
  readonly #facts: FactWriter;
  readonly #looks: () => void;
  readonly #propagation: Propagation | undefined;
  readonly #open = new OpenRoots<object>();
  /** Status of the answer, by place of the open requests. */
  readonly #statuses: number[] = [];
  readonly #names = new Set<string>();
  #swept = now();
  #on = true;

  constructor({ facts, looks, propagation }: OutgoingOptions) {
    this.#facts = facts;
    this.#looks = looks;
    this.#propagation = propagation;
  }

  stop(): void {
    this.#on = false;
  }

  /** Does it while recording; what goes wrong in it is none of the program's business. */
  safely(does: () => void): void {
    if (!this.#on) return;
    try {
      does();
    } catch {
      unwritten.facts++;
    }
  }

  // node:http.

  made(request: ClientRequest): void {
    if (this.#open.has(request)) return;
    const host = request.getHeader("host");
    this.#begin(request, request.method, `${typeof host === "string" ? host : request.host}`, request.path);
    let carried: unknown = request.getHeader("traceparent");
    if (carried === undefined && !request.headersSent) {
      const next = this.#next();
      if (next !== undefined) {
        request.setHeader("traceparent", next.traceparent);
        if (next.tracestate !== "" && !request.hasHeader("tracestate"))
          request.setHeader("tracestate", next.tracestate);
        carried = next.traceparent;
      }
    }
    this.#logs(traceparentOf(carried));
  }

  emits(request: ClientRequest, event: unknown, first: unknown): void {
    if (!this.#open.has(request)) return;
    const answer = event === "close" ? (request as { res?: IncomingMessage | null }).res : first;
    if (event === "error") this.#end(request, failure(first));
    else if (answer == null) this.#end(request, "aborted");
    else {
      const { statusCode, complete } = answer as IncomingMessage;
      this.#end(request, event === "close" && !complete ? `${statusCode} aborted` : String(statusCode));
    }
  }

  // fetch and undici.

  fetches(message: unknown): void {
    const { request } = message as { request: FetchedRequest };
    const { method, origin, path, headers } = request;
    if (typeof method !== "string" || typeof path !== "string") return;
    const host = String(origin).replace(/^[a-z][a-z\d+.-]*:\/\//i, "");
    this.#begin(request, method, host, path);
    let carried = headerOf(headers, "traceparent");
    if (carried === undefined) {
      const next = this.#next();
      if (next !== undefined && request.addHeader !== undefined) {
        request.addHeader("traceparent", next.traceparent);
        if (next.tracestate !== "" && headerOf(headers, "tracestate") === undefined)
          request.addHeader("tracestate", next.tracestate);
        carried = next.traceparent;
      }
    }
    this.#logs(traceparentOf(carried));
  }

  answers(message: unknown): void {
    const { request, response } = message as { request: object; response: { statusCode: number } };
    const place = this.#open.placeOf(request);
    if (place >= 0) this.#statuses[place] = response.statusCode;
  }

  fetched(message: unknown): void {
    const { request } = message as { request: object };
    const place = this.#open.placeOf(request);
    if (place >= 0) this.#end(request, String(this.#statuses[place]));
  }

  fails(message: unknown): void {
    const { request, error } = message as { request: object; error: unknown };
    this.#end(request, failure(error));
  }

  // node:http2.

  streams({ stream, headers }: StreamMessage): void {
    const text = (name: string): string => {
      const value = headerIn(headers, name);
      return typeof value === "string" ? value : "";
    };
    const method = text(":method") || "GET";
    this.#begin(stream, method, text(":authority") || text("host"), text(":path") || "/");
    this.#logs(traceparentOf(headerIn(headers, "traceparent")));
  }

  streamAnswers({ stream, headers }: StreamMessage): void {
    const place = this.#open.placeOf(stream);
    if (place >= 0) this.#statuses[place] = Number(headerIn(headers, ":status"));
  }

  /** Node tells of the close before it tells of the error. */
  streamCloses({ stream }: StreamMessage): void {
    const place = this.#open.placeOf(stream);
    if (place < 0) return;
    const { errored, rstCode } = stream as { readonly errored?: unknown; readonly rstCode?: unknown };
    const status = this.#statuses[place]!;
    if (errored != null) this.#end(stream, failure(errored));
    else if (status !== 0) this.#end(stream, rstCode === NO_ERROR ? String(status) : `${status} aborted`);
    else if (rstCode === NO_ERROR || rstCode === CANCEL) this.#end(stream, "aborted");
    else this.#end(stream, "failed: ERR_HTTP2_STREAM_ERROR");
  }

  // All.

  #begin(request: object, method: string, host: string, path: string): void {
    const time = now();
    this.#sweep(time);
    const id = newId();
    this.#statuses[this.#open.add(request, id)] = 0;
    const name = `${method} ${host}${pathShape(path)}`;
    if (this.#names.size < MAX_NAMES) this.#names.add(name);
    const string = this.#facts.string(this.#names.has(name) ? name : `${method} *`);
    this.#facts.put(Fact.Outgoing, time, id, string, 0);
  }

  #end(request: object, message: string): void {
    const id = this.#open.remove(request);
    if (id === 0) return;
    this.#looks();
    this.#facts.put(Fact.Release, now(), id, this.#facts.string(message), 0);
  }

  #next(): Carried | undefined {
    return this.#propagation?.next();
  }

  /** The running code's log of what goes out with the request. */
  #logs(traceparent: string): void {
    if (traceparent === "") return;
    const facts = this.#facts;
    facts.message(Fact.Log, now(), facts.string("traceparent"), 0, traceparent);
  }

  #sweep(time: bigint): void {
    if (time - this.#swept < SWEEP_NS) return;
    this.#swept = time;
    this.#open.forEach((request) => {
      const { destroyed, completed, aborted } = request as Record<string, unknown>;
      if (destroyed === true || completed === true || aborted === true) this.#end(request, "aborted");
    });
  }
}

/** What is said of a request that failed: the error's code, which is one of few. */
function failure(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && code.length < 40 ? `failed: ${code}` : "failed";
}

/** The value of a header in a list of names and values, or in their text. */
function headerOf(headers: unknown, name: string): unknown {
  if (typeof headers === "string") return new RegExp(`^${name}:\\s*(.*?)\\s*$`, "im").exec(headers)?.[1];
  if (!Array.isArray(headers)) return undefined;
  const list = headers as readonly unknown[];
  for (let i = 0; i + 1 < list.length; i += 2) {
    if (String(list[i]).toLowerCase() === name) return String(list[i + 1]);
  }
  return undefined;
}

/** The value of a header in an object, or in a list of names and values. */
function headerIn(headers: unknown, name: string): unknown {
  if (Array.isArray(headers)) return headerOf(headers, name);
  return (headers as Record<string, unknown> | null | undefined)?.[name];
}
