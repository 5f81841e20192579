/** Names of requests that are made of paths alone, and names of routes: every further one is `METHOD *`. */
const MAX_PATHS = 200;
const MAX_ROUTES = 1000;

/** Parts of a path that are shown. */
const MAX_PARTS = 8;

/** A part of a path longer than this is no word. */
const MAX_WORD = 40;

/**
 * A path without what differs from one thing to the next: parts that look like an id are `:id`, and the query is gone.
 * Such a part is a number, a date or a version, a UUID, digits among eight or more hexadecimal digits, three or more
 * digits in 16 characters or more, has an escaped character or an @ in it, or is longer than any word.
 */
export function pathShape(url: string): string {
  let from = 0;
  // A request to a proxy has a whole URL.
  if (!url.startsWith("/")) {
    const host = url.indexOf("://");
    if (host < 0) return "*";
    from = url.indexOf("/", host + 3);
    if (from < 0) return "/";
  }
  let end = url.length;
  for (const mark of ["?", "#"]) {
    const at = url.indexOf(mark, from);
    if (at >= 0 && at < end) end = at;
  }
  if (end - from <= 1) return "/";
  const parts = url.slice(from + 1, end).split("/", MAX_PARTS + 1);
  const shape = parts.slice(0, MAX_PARTS).map((part) => (isId(part) ? ":id" : part));
  return `/${shape.join("/")}${parts.length > MAX_PARTS ? "/*" : ""}`;
}

function isId(part: string): boolean {
  if (part.length > MAX_WORD) return true;
  if (/[%@]/.test(part)) return true;
  if (!/\d/.test(part)) return false;
  if (/^[\d.,:_-]+$/.test(part)) return true;
  if (/^(?:0x)?[\da-f]{8,}$/i.test(part)) return true;
  if (/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(part)) return true;
  return part.length >= 16 && /(?:\d\D*){3}/.test(part);
}

/** A request whose name may still change. */
export interface Named {
  /** The method, and what its path looks like. */
  method: string;
  shape: string;
  name: string;
  /** A framework has told its route. */
  isRouted: boolean;
}

/**
 * How the tasks of requests are called: by method and route, which a framework knows, and else by method and the look of
 * the path. What a path of that look was routed to before is taken for its route until it is told.
 */
export class RouteNames {
  /** By the name of its look: what that was routed to last. */
  readonly #routes = new Map<string, string>();
  /** Names made of paths; whether somebody has answered such a path otherwise than with 404. */
  readonly #paths = new Map<string, boolean>();
  readonly #routed = new Set<string>();

  /** The name with which a request begins. */
  begin(into: Named, method: string, url: string): string {
    const shape = `${method} ${pathShape(url)}`;
    into.method = method;
    into.shape = shape;
    into.isRouted = false;
    return (into.name = this.#routes.get(shape) ?? this.#path(shape, method));
  }

  #path(shape: string, method: string): string {
    if (this.#paths.has(shape)) return shape;
    if (this.#paths.size >= MAX_PATHS) return `${method} *`;
    this.#paths.set(shape, false);
    return shape;
  }

  /** A name for a method and route. */
  route(method: string, route: string): string {
    const name = `${method} ${route}`;
    if (!this.#routed.has(name)) {
      if (this.#routed.size >= MAX_ROUTES) return `${method} *`;
      this.#routed.add(name);
    }
    return name;
  }

  /** The request is routed. Answers its name, "" where it has that already. */
  routed(request: Named, route: string): string {
    const name = this.route(request.method, route);
    request.isRouted = true;
    this.#paths.delete(request.shape);
    if (this.#routes.size < MAX_ROUTES || this.#routes.has(request.shape))
      this.#routes.set(request.shape, name);
    if (name === request.name) return "";
    return (request.name = name);
  }

  /** The request is answered. Answers its name where it has another now: nobody knows its path. */
  answered(request: Named, status: number): string {
    const { shape, name, isRouted } = request;
    if (isRouted) return "";
    const isKnown = this.#paths.get(shape);
    if (status !== 404) {
      if (isKnown === false) this.#paths.set(shape, true);
      return "";
    }
    if (isKnown === true || name === `${request.method} *`) return "";
    if (isKnown === false) this.#paths.delete(shape);
    return (request.name = `${request.method} *`);
  }
}
