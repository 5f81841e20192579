import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import net from "node:net";
import type { Socket } from "node:net";
import type { Worker } from "node:worker_threads";
import { Fact, HANDLED, RootKind } from "../base/facts.ts";
import { OpenRoots } from "./open-roots.ts";
import type { Sites } from "./sites.ts";
import { IncomingRequests, isHttp2, methodOf } from "./requests.ts";
import type { HttpOptions } from "./requests.ts";
import type { Propagation } from "./traceparent.ts";
import { wrap } from "./wrap.ts";
import { newId, now, unwritten } from "./writer.ts";
import type { FactWriter } from "./writer.ts";

/** How often open requests and connections are looked through for ones whose end was not seen. */
const SWEEP_NS = 1_000_000_000n;

/** A source whose memory of open things is cleared of what has ended, now and then. */
export interface ChannelSource {
  /** Lets go of requests and connections that have ended; cheap to call often. */
  sweep(): void;
  /** The request that was announced last, once: 0 when it is asked for again. */
  lastRequest(): number;
  /** A server is about to tell of a connection, which Node announces only afterwards; 0 where it is known already. */
  connection(socket: Socket): number;
  /** A server is about to tell of a request of HTTP/2, with its headers; 0 where it is none. */
  stream(stream: unknown, headers: unknown): number;
  /** A framework has found the route of a request (see IncomingRequests). */
  routed(response: object | undefined, method: string, route: string): void;
  stop(): void;
}

/**
 * Roots that Node announces on diagnostics channels: incoming requests and connections, and Workers. `begins` is called
 * before each root; what there is to say of requests is said as `options` want it.
 */
export function watchChannels(
  facts: FactWriter,
  sites: Sites,
  begins?: () => void,
  options: HttpOptions = { http: true, traceparent: false },
  propagation?: Propagation,
): ChannelSource {
  /** Handlers are bounded where what runs tells of itself (servers.ts). */
  const handled = begins === undefined ? 0 : HANDLED;
  let last = 0;
  const requests = new IncomingRequests(facts, options, propagation);
  const connections = new OpenRoots<Socket>();
  let swept = now();

  function sweep(time = now()): void {
    if (time - swept < SWEEP_NS) return;
    swept = time;
    requests.sweep();
    connections.forEach((socket) => {
      if (socket.destroyed) facts.put(Fact.Release, time, connections.remove(socket), 0, 0);
    });
  }

  function socketGone(socket: Socket): void {
    try {
      const id = connections.remove(socket);
      if (id !== 0) facts.put(Fact.Release, now(), id, 0, 0);
    } catch {
      unwritten.facts++;
    }
  }

  /** A listener for a socket's `close` would show in its listeners. */
  const unwrap = wrap(
    net.Socket.prototype,
    "_destroy",
    (original) =>
      function (this: unknown, ...given: unknown[]): unknown {
        socketGone(this as Socket);
        return Reflect.apply(original, this, given);
      },
  );

  function requestStart(message: unknown): void {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    begins?.();
    const time = now();
    sweep(time);
    const id = (last = requests.open(response));
    const name = facts.string(`request ${request.method ?? ""}`);
    facts.put(Fact.Root, time, id, name, RootKind.Request + handled);
    requests.begins(id, request, response, time);
  }

  function stream(made: unknown, given: unknown): number {
    if (!isHttp2(made, given)) return 0;
    const headers = given as Readonly<Record<string, unknown>>;
    begins?.();
    const time = now();
    sweep(time);
    const id = requests.open(made);
    const method = methodOf(headers[":method"]);
    facts.put(Fact.Root, time, id, facts.string(`request ${method}`), RootKind.Request + handled);
    requests.begins(id, { method, url: headers[":path"], headers }, made, time);
    return id;
  }

  function responseFinish(message: unknown): void {
    requests.finished((message as { response: ServerResponse }).response);
  }

  function connection(socket: Socket, inHandler = true): number {
    if (connections.has(socket)) return 0;
    sweep();
    begins?.();
    const id = newId();
    connections.add(socket, id);
    facts.put(
      Fact.Root,
      now(),
      id,
      facts.string("connection"),
      RootKind.Connection + (inHandler ? HANDLED : 0),
    );
    return id;
  }

  function serverSocket(message: unknown): void {
    connection((message as { socket: Socket }).socket, false);
  }

  function workerMade(message: unknown): void {
    const { worker } = message as { worker: Worker };
    facts.put(Fact.WorkerStart, now(), worker.threadId, 0, sites.caller(workerMade));
  }

  /** Node would report what a listener throws as the program's own uncaught error. */
  const harmless =
    (listener: (message: unknown) => void) =>
    (message: unknown): void => {
      try {
        listener(message);
      } catch {
        unwritten.facts++;
      }
    };

  const channels: readonly (readonly [string, (message: unknown) => void])[] = [
    ["http.server.request.start", harmless(requestStart)],
    ["http.server.response.finish", harmless(responseFinish)],
    ["net.server.socket", harmless(serverSocket)],
    ["worker_threads", harmless(workerMade)],
  ];
  for (const [name, listener] of channels) subscribe(name, listener);
  const stop = (): void => {
    for (const [name, listener] of channels) unsubscribe(name, listener);
    unwrap();
    requests.stop();
  };
  const lastRequest = (): number => {
    const id = last;
    last = 0;
    return id;
  };
  return {
    sweep: () => sweep(),
    lastRequest,
    connection,
    stream,
    routed: (response, method, route) => requests.routed(response, method, route),
    stop,
  };
}
