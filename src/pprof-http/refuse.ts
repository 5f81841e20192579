import type { ServerResponse } from "node:http";

/** Answers with an error as Go's net/http/pprof does: a line of text, marked as pprof's own. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("X-Go-Pprof", "1");
  response.removeHeader("Content-Disposition");
  response.end(`${message}\n`);
}

/** Headers of an answer that is a file of that name. */
export function asFile(response: ServerResponse, name: string): void {
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
}

/** Resolves after so many seconds, or when the client has gone away: then to false. Keeps no process alive. */
export function waitFor(seconds: number, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => end(false);
    const timer = setTimeout(() => end(true), seconds * 1000);
    timer.unref();
    const end = (stayed: boolean): void => {
      clearTimeout(timer);
      response.off("close", gone);
      resolve(stayed);
    };
    response.on("close", gone);
  });
}
