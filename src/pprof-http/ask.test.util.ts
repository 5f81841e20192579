/** Requests of tests, as a client on this machine makes them. */
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a port for a path; `cancelAfter`: ms until the client goes away. */
export function askPort(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; cancelAfter?: number } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {} } = options;
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.on("error", reject);
    request.end();
    if (options.cancelAfter !== undefined) setTimeout(() => request.destroy(), options.cancelAfter);
  });
}
