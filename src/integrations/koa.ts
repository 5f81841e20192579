import { wrap } from "../probe/wrap.ts";
import { nameRequest } from "../recorder/api.ts";

/** What Koa's router has found for a path. */
interface Matched {
  readonly route?: boolean;
  readonly pathAndMethod?: readonly { readonly path?: unknown }[];
}

const watched = new WeakSet<object>();

/** Names requests as Koa's router finds their routes. */
export function nameByKoa(Router: unknown): void {
  const prototype = (Router as { readonly prototype?: object } | null | undefined)?.prototype;
  if (prototype === undefined || watched.has(prototype)) return;
  watched.add(prototype);
  wrap(prototype, "match", (original) => {
    return function (this: unknown, path: unknown, method: unknown): unknown {
      const matched = Reflect.apply(original, this, [path, method]);
      try {
        const route = routeOf(matched as Matched);
        // Which request it is nobody says here, but its code is running.
        if (route !== null && typeof method === "string") nameRequest(undefined, method, route);
      } catch {
        // It is not as it was.
      }
      return matched;
    };
  });
}

function routeOf({ route, pathAndMethod }: Matched): string | null {
  const path = route === true ? pathAndMethod?.at(-1)?.path : undefined;
  return path === undefined ? null : String(path);
}

/** A context of Koa's, as far as it is looked at. */
export interface KoaContext {
  readonly res: object;
  readonly method: string;
}

/** Middleware of Koa: the task of each request is named by its route. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * `app.use(runtrace())`, before the router: for a process in which nothing does it by itself, because it is recorded by
 * `start()` alone. The router puts its route into the context, where a setter sees that, which is gone then.
 */
export function koaMiddleware(): KoaMiddleware {
  return (context, next) => {
    Object.defineProperty(context, "_matchedRoute", {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set: (route: unknown) => {
        Object.defineProperty(context, "_matchedRoute", {
          configurable: true,
          enumerable: true,
          writable: true,
          value: route,
        });
        if (route !== undefined) nameRequest(context.res, context.method, String(route));
      },
    });
    return next();
  };
}
