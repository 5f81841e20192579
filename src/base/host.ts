const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Host and port of an address as people write it: "8080", ":8080", "localhost:8080", "[::1]:8080", "example". */
export function parseAddress(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  let host = match[1] ?? match[2] ?? "";
  let port = match[3];
  if (port === undefined && match[1] === undefined && /^\d{1,5}$/.test(host)) {
    port = host;
    host = "";
  }
  const number = Number(port ?? 0);
  return number > 65_535 ? null : { host: host === "" ? "127.0.0.1" : host, port: number };
}

/** The name in a Host header, in lower case and without the port; null where there is none. */
export function hostOf(header: string | undefined): string | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? "");
  return match === null ? null : (match[1] ?? match[2] ?? "").toLowerCase();
}

/** Whether a name, as hostOf gives it, is one of loopback. */
export function isLoopbackHost(name: string): boolean {
  return LOOPBACK.test(name);
}

/** Whether a Host header names loopback or the host that was bound; anything else is a rebound or foreign name. */
export function isAllowedHost(header: string | undefined, bound: string): boolean {
  const name = hostOf(header);
  return name !== null && (isLoopbackHost(name) || name === bound.toLowerCase());
}
