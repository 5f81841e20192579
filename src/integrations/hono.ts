import { inRecording, nameRequest } from "../recorder/api.ts";

/** A route of Hono's. */
interface HonoRoute {
  readonly path?: unknown;
  readonly method?: unknown;
}

/** Names a request by what Hono has matched: handlers, each with its route. */
export function nameByHono(matched: unknown, env: unknown, method: unknown): void {
  if (!inRecording()) return;
  const [handlers] = matched as readonly [readonly (readonly [readonly [unknown, HonoRoute]])[]];
  const route = lastRoute(handlers.map(([[, one]]) => one));
  if (route !== null && typeof method === "string") nameRequest(answerOf(env), method, route);
}

/** The path of the last route that is no middleware's, null where there is none. */
function lastRoute(routes: readonly HonoRoute[]): string | null {
  for (let i = routes.length - 1; i >= 0; i--) {
    const { path, method } = routes[i]!;
    if (typeof path === "string" && (method !== "ALL" || !path.endsWith("*"))) return path;
  }
  return null;
}

/** The answer of node:http's that Hono's server for Node has handed over. */
function answerOf(env: unknown): object | undefined {
  const outgoing = (env as { readonly outgoing?: unknown } | null | undefined)?.outgoing;
  return typeof outgoing === "object" && outgoing !== null ? outgoing : undefined;
}

/** A context of Hono's, as far as it is looked at. */
export interface HonoContext {
  readonly env: unknown;
  readonly req: { readonly method: string };
}

/** Middleware of Hono: the task of each request is named by its route. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<void>;

/**
 * `app.use(runtrace())`, before any route: for a process in which nothing does it by itself, because it is recorded by
 * `start()` alone.
 */
export function honoMiddleware(): HonoMiddleware {
  return (context, next) => {
    try {
      const { req } = context;
      const { matchedRoutes } = req as { readonly matchedRoutes?: readonly HonoRoute[] };
      const route = lastRoute(matchedRoutes ?? []);
      if (route !== null) nameRequest(answerOf(context.env), req.method, route);
    } catch {
      // It is no Hono.
    }
    return next();
  };
}
