import { METHODS, ServerResponse } from "node:http";
import { Fact } from "../base/facts.ts";
import { OpenRoots } from "./open-roots.ts";
import { RouteNames } from "./routes.ts";
import type { Named } from "./routes.ts";
import { traceparentOf } from "./traceparent.ts";
import type { Propagation } from "./traceparent.ts";
import { undoAll } from "./replace.ts";
import { wrap } from "./wrap.ts";
import { newId, now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** A URL's share of a message of 1,024 bytes: a character may take two. */
const MAX_URL = 480;

/** What is logged of a request whose client has gone away before it was answered. */
const ABORTED = "aborted";

/** What is to be told of HTTP. */
export interface HttpOptions {
  /** Incoming requests are tasks, and outgoing ones regions. */
  readonly http: boolean;
  /** Outgoing requests carry the traceparent of the incoming one that they are made for. */
  readonly traceparent: boolean;
}

/** A request as its server tells of it. */
interface Asked {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What a request is answered by: a ServerResponse, or a stream of HTTP/2. */
export interface Answer {
  readonly destroyed?: boolean;
  readonly closed?: boolean;
  /** Of HTTP/2. */
  readonly sentHeaders?: Readonly<Record<string, unknown>> | undefined;
  readonly rstCode?: number | undefined;
}

/**
 * Incoming requests: each is a root and, where that is wanted, a task named by method and route, with its URL, its status
 * and the traceparent it came with as logs. It ends when the answer has been handed over or the client is gone.
 */
export class IncomingRequests {
  readonly #facts: FactWriter;
  readonly #isTask: boolean;
  readonly #propagation: Propagation | undefined;
  readonly #open = new OpenRoots<Answer>();
  /** By place of the open requests; used again and again. */
  readonly #named: Named[] = [];
  readonly #names = new RouteNames();
  readonly #undo: (() => void)[] = [];
  #seesStreams = false;
  #on = true;

  constructor(facts: FactWriter, options: HttpOptions, propagation: Propagation | undefined) {
    this.#facts = facts;
    this.#isTask = options.http;
    this.#propagation = propagation;
    this.#watchClosing(ServerResponse.prototype);
  }

  /** Sees answers of that kind close. */
  #watchClosing(prototype: object): void {
    const closes = (answer: Answer): void => {
      if (this.#on) this.gone(answer);
    };
    const undo = wrap(prototype, "emit", (original) => {
      return function (this: unknown, event: unknown): unknown {
        if (event === "close") closes(this as Answer);
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
        return Reflect.apply(original, this, arguments);
      };
    });
    this.#undo.push(undo);
  }

  stop(): void {
    this.#on = false;
    undoAll(this.#undo);
  }

  /** A request has come; answers the id of its root. Its Root fact is the next thing to be written. */
  open(response: Answer): number {
    if ("sentHeaders" in response && !this.#seesStreams) {
      this.#seesStreams = true;
      this.#watchClosing(Object.getPrototypeOf(response) as object);
    }
    const id = newId();
    const place = this.#open.add(response, id);
    this.#named[place] ??= { method: "", shape: "", name: "", isRouted: false };
    return id;
  }

  /** Tells of the request whose root has begun. */
  begins(id: number, request: Asked, response: Answer, time: bigint): void {
    const facts = this.#facts;
    const method = typeof request.method === "string" ? request.method : "";
    const url = typeof request.url === "string" ? request.url : "";
    const name = this.#names.begin(this.#named[this.#open.placeOf(response)]!, method, url);
    if (this.#isTask) facts.put(Fact.RootTask, time, id, facts.string(name), 0);
    facts.message(Fact.Log, time, facts.string("http"), 0, `${method} ${url.slice(0, MAX_URL)}`);
    const parent = traceparentOf(request.headers?.["traceparent"]);
    if (parent !== "") facts.message(Fact.Log, time, facts.string("traceparent"), 0, parent);
    this.#propagation?.enter(parent, request.headers?.["tracestate"]);
  }

  /** The answer has been handed over. */
  finished(response: ServerResponse): void {
    this.#end(response, response.statusCode);
  }

  /** The answer is closed: if that is news, the client has gone, or it is one of HTTP/2, which says nothing else. */
  gone(answer: Answer): void {
    try {
      const status = answer.rstCode === 0 ? answer.sentHeaders?.[":status"] : undefined;
      this.#end(answer, typeof status === "number" ? status : undefined);
    } catch {
      unwritten.facts++;
    }
  }

  #end(answer: Answer, status: number | undefined): void {
    const place = this.#open.placeOf(answer);
    if (place < 0) return;
    const facts = this.#facts;
    const named = this.#named[place]!;
    const name = this.#isTask && status !== undefined ? this.#names.answered(named, status) : "";
    const time = now();
    const id = this.#open.remove(answer);
    if (name !== "") facts.put(Fact.TaskName, time, id, facts.string(name), 0);
    facts.put(Fact.Release, time, id, facts.string(status === undefined ? ABORTED : String(status)), 0);
  }

  /** Lets go of what ended without saying so. */
  sweep(): void {
    this.#open.forEach((response) => {
      if (response.destroyed || response.closed) this.gone(response);
    });
  }

  /**
   * A framework has found the route of a request: of the one that `response` answers or, where that is not known, of the
   * one that the running code works for. Where requests are no tasks, it becomes one.
   */
  routed(response: object | undefined, method: string, route: string): void {
    const facts = this.#facts;
    const place = this.#placeOf(response);
    if (place < 0) {
      if (response !== undefined) return;
      facts.put(Fact.TaskName, now(), 0, facts.string(this.#names.route(method, route)), 0);
      return;
    }
    const named = this.#named[place]!;
    const name = this.#names.routed(named, route);
    const id = this.#open.idAt(place);
    if (!this.#isTask) facts.put(Fact.RootTask, now(), id, facts.string(named.name), 0);
    else if (name !== "") facts.put(Fact.TaskName, now(), id, facts.string(name), 0);
  }

  #placeOf(response: object | undefined): number {
    if (response === undefined) return -1;
    const place = this.#open.placeOf(response as Answer);
    if (place >= 0 || !("stream" in response)) return place;
    const { stream } = response as { readonly stream?: object };
    return typeof stream === "object" ? this.#open.placeOf(stream as Answer) : -1;
  }
}

/** Whether a server's event `stream` is of HTTP/2, by what it brings. */
export function isHttp2(stream: unknown, headers: unknown): stream is Answer {
  if (typeof stream !== "object" || stream === null || !("sentHeaders" in stream)) return false;
  return typeof headers === "object" && headers !== null && ":method" in headers;
}

/** A method of HTTP/2, which may be of the client's making there: one of Node's, or "(other)". */
export function methodOf(method: unknown): string {
  return typeof method === "string" && METHODS.includes(method) ? method : "(other)";
}
