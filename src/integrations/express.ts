import { wrap } from "../probe/wrap.ts";
import type { AnyFunction } from "../probe/wrap.ts";
import { inRecording, nameRequest } from "../recorder/api.ts";

/** A request as Express and its router show it. */
interface ExpressRequest {
  readonly method?: string;
  /** Where the router is that has it. */
  readonly baseUrl?: string;
  readonly params?: Readonly<Record<string, unknown>> | null;
  readonly app?: { readonly router?: unknown; readonly _router?: unknown };
}

/** What a router tries one after the other; that of a route has it. */
interface Layer {
  readonly route?: { readonly path?: unknown };
}

/** Prototypes of layers that are watched. */
const watched = new WeakSet<object>();

/** Where routers are mounted whose place has parameters: their pattern by the path that it had, of each request. */
const mounts = new WeakMap<object, Map<string, string>>();

/** Names requests as their layers are called. `Layer` is the class of Express 4 or of Express 5's router. */
export function nameByExpress(Layer: unknown): void {
  const prototype = (Layer as { readonly prototype?: object } | null | undefined)?.prototype;
  if (prototype !== undefined) watchLayers(prototype);
}

function watchLayers(prototype: object): void {
  if (watched.has(prototype)) return;
  watched.add(prototype);
  // Express 5 and 4.
  for (const name of ["handleRequest", "handle_request"]) {
    wrap(prototype, name, (original) => {
      return function (this: unknown, request: unknown, response: unknown): unknown {
        try {
          if (inRecording()) enters(this as Layer, request as ExpressRequest, response as object);
        } catch {
          // A getter of the program's.
        }
        // oxlint-disable-next-line prefer-rest-params -- a rest parameter would change the length
        return Reflect.apply(original, this, arguments);
      } as AnyFunction;
    });
  }
}

/** A layer is about to handle a request. */
function enters({ route }: Layer, request: ExpressRequest, response: object): void {
  const { baseUrl = "", params } = request;
  if (route === undefined) {
    // A router, perhaps, or a middleware.
    if (baseUrl !== "" && params != null) mounted(request, baseUrl, params);
    return;
  }
  const prefix = mounts.get(request)?.get(baseUrl) ?? baseUrl;
  nameRequest(response, request.method ?? "", routeName(prefix, route.path));
}

/** What is mounted at `base` has been found by these parameters. */
function mounted(request: ExpressRequest, base: string, params: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(params);
  if (names.length === 0) return;
  let known = mounts.get(request);
  if (known === undefined) mounts.set(request, (known = new Map<string, string>()));
  if (known.has(base)) return;
  let outer = "";
  for (const other of known.keys())
    if (other.length > outer.length && base.startsWith(`${other}/`)) outer = other;
  const values = new Map(names.map((name) => [String(params[name]), name]));
  const parts = base.slice(outer.length).split("/");
  const pattern = parts.map((part) => {
    const name = part === "" ? undefined : values.get(decoded(part));
    return name === undefined ? part : `:${name}`;
  });
  known.set(base, (known.get(outer) ?? "") + pattern.join("/"));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Path of a route below where its router is. It may be a pattern, or a list of them. */
function routeName(prefix: string, path: unknown): string {
  const own = Array.isArray(path) ? path.map(String).join(",") : String(path);
  if (own === "/" && prefix !== "") return prefix;
  return prefix + own;
}

/** Middleware of Express: the task of each request is named by its route. */
export type ExpressMiddleware = (request: object, response: object, next: () => void) => void;

/**
 * `app.use(runtrace())`, before any route: for a process in which nothing does it by itself, because it is recorded by
 * `start()` alone. Elsewhere it does nothing more.
 */
export function expressMiddleware(): ExpressMiddleware {
  return (request, _response, next) => {
    try {
      const { app } = request as ExpressRequest;
      const router = (app?._router ?? app?.router) as { readonly stack?: readonly object[] } | undefined;
      const layer = router?.stack?.[0];
      if (layer !== undefined) watchLayers(Object.getPrototypeOf(layer) as object);
    } catch {
      // It is no Express.
    }
    next();
  };
}
