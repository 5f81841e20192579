import { nameRequest } from "../recorder/api.ts";

/** Fastify, as far as it is looked at. */
export interface FastifyApp {
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void,
  ): unknown;
}

/** A request of Fastify's, as far as it is looked at. */
export interface FastifyRequest {
  readonly method: string;
  readonly routeOptions?: { readonly url?: string | undefined };
  /** Until Fastify 4.10. */
  readonly routerPath?: string;
}

/** An answer of Fastify's, as far as it is looked at. */
export interface FastifyReply {
  readonly raw: object;
}

const watched = new WeakSet<object>();

/** Names requests when Fastify has found their routes, before any other hook. */
export function nameByFastify(app: unknown): void {
  if (watched.has(app as object)) return;
  watched.add(app as object);
  (app as FastifyApp).addHook("onRequest", (request, reply, done) => {
    const route = request.routeOptions === undefined ? request.routerPath : request.routeOptions.url;
    if (route !== undefined) nameRequest(reply.raw, request.method, route);
    done();
  });
}

/** A plugin of Fastify's. */
export type FastifyPlugin = (app: FastifyApp, options: unknown, done: () => void) => void;

/**
 * `app.register(runtrace)`, before any route: for a process in which nothing does it by itself, because it is recorded by
 * `start()` alone. It is for the whole application, not for a scope of its own.
 */
export const fastifyPlugin: FastifyPlugin = Object.assign(
  (app: FastifyApp, _options: unknown, done: () => void): void => {
    nameByFastify(app);
    done();
  },
  { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "runtrace" },
);
