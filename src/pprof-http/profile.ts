import type { ServerResponse } from "node:http";
import type { Profiler, Session } from "node:inspector";
import { inspectorModule } from "../recorder/inspector.ts";
import { asFile, refuse, waitFor } from "./refuse.ts";

/** Go's rate: 100 samples a second. */
const INTERVAL_US = 10_000;

let busy = false;

/** Takes a CPU profile for so many seconds and answers with it, gzipped, for `go tool pprof`. One at a time. */
export async function serveProfile(seconds: number, response: ServerResponse): Promise<void> {
  if (inspectorModule === undefined || busy) {
    const reason = busy ? "cpu profiling already in use" : "this Node has no inspector";
    refuse(response, 500, `Could not enable CPU profiling: ${reason}`);
    return;
  }
  busy = true;
  const began = Date.now();
  const session = new inspectorModule.Session();
  try {
    session.connect();
    await post(session, "Profiler.enable");
    await post(session, "Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await post(session, "Profiler.start");
    const stayed = await waitFor(seconds, response);
    const { profile } = (await post(session, "Profiler.stop")) as { profile: Profiler.Profile };
    if (!stayed) return;
    const { encodeProfile } = await import("./profile-format.ts");
    const bytes = await encodeProfile(profile, { startMs: began, periodUs: INTERVAL_US });
    asFile(response, "profile");
    response.end(bytes);
  } catch (error) {
    refuse(response, 500, `Could not enable CPU profiling: ${(error as Error).message}`);
  } finally {
    session.disconnect();
    busy = false;
  }
}

function post(session: Session, method: string, params: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
