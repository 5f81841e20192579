import { ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";
import { Fact } from "../base/facts.ts";
import { OpenRoots } from "./open-roots.ts";
import { RouteNames } from "./routes.ts";
import type { Named } from "./routes.ts";
import { traceparentOf } from "./traceparent.ts";
import type { Propagation } from "./traceparent.ts";
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

/**
 * Incoming requests: each is a root and, where that is wanted, a task named by method and route, with its URL, its status
 * and the traceparent it came with as logs. It ends when the answer has been handed over or the client is gone.
 */
export class IncomingRequests {
  readonly #facts: FactWriter;
  readonly #isTask: boolean;
  readonly #propagation: Propagation | undefined;
  readonly #open = new OpenRoots<ServerResponse>();
  /** By place of the open requests; used again and again. */
  readonly #named: Named[] = [];
  readonly #names = new RouteNames();
  readonly #undo: () => void;
  #on = true;

  constructor(facts: FactWriter, options: HttpOptions, propagation: Propagation | undefined) {
    this.#facts = facts;
    this.#isTask = options.http;
    this.#propagation = propagation;
    const closes = (response: unknown): void => {
      if (this.#on) this.gone(response as ServerResponse);
    };
    this.#undo = wrap(ServerResponse.prototype, "emit", (original) => {
      return function (this: unknown, event: unknown): unknown {
        if (event === "close") closes(this);
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would cost an array a call
        return Reflect.apply(original, this, arguments);
      };
    });
  }

  stop(): void {
    this.#on = false;
    this.#undo();
  }

  /** A request has come; answers the id of its root. Its Root fact is the next thing to be written. */
  open(response: ServerResponse): number {
    const id = newId();
    const place = this.#open.add(response, id);
    this.#named[place] ??= { method: "", shape: "", name: "", isRouted: false };
    return id;
  }

  /** Tells of the request whose root has begun. */
  begins(id: number, request: IncomingMessage, response: ServerResponse, time: bigint): void {
    const facts = this.#facts;
    const { method = "", url = "" } = request;
    const name = this.#names.begin(this.#named[this.#open.placeOf(response)]!, method, url);
    if (this.#isTask) facts.put(Fact.RootTask, time, id, facts.string(name), 0);
    facts.message(Fact.Log, time, facts.string("http"), 0, `${method} ${url.slice(0, MAX_URL)}`);
    const parent = traceparentOf(request.headers?.traceparent);
    if (parent !== "") facts.message(Fact.Log, time, facts.string("traceparent"), 0, parent);
    this.#propagation?.enter(parent, request.headers.tracestate);
  }

  /** The answer has been handed over. */
  finished(response: ServerResponse): void {
    const { statusCode } = response;
    const place = this.#open.placeOf(response);
    if (place < 0) return;
    const name = this.#isTask ? this.#names.answered(this.#named[place]!, statusCode) : "";
    const time = now();
    const id = this.#open.remove(response);
    if (name !== "") this.#facts.put(Fact.TaskName, time, id, this.#facts.string(name), 0);
    this.#facts.put(Fact.Release, time, id, this.#facts.string(String(statusCode)), 0);
  }

  /** The response is closed: if that is news, the client has gone. */
  gone(response: ServerResponse): void {
    try {
      const id = this.#open.remove(response);
      if (id !== 0) this.#facts.put(Fact.Release, now(), id, this.#facts.string(ABORTED), 0);
    } catch {
      unwritten.facts++;
    }
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
    const place = response === undefined ? -1 : this.#open.placeOf(response as ServerResponse);
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
}
