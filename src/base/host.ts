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

/** Whether a Host header names loopback or the host that was bound; anything else is a rebound or foreign name. */
export function isAllowedHost(header: string | undefined, bound: string): boolean {
  if (header === undefined) return false;
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header);
  if (match === null) return false;
  const name = (match[1] ?? match[2] ?? "").toLowerCase();
  return LOOPBACK.test(name) || name === bound.toLowerCase();
}
