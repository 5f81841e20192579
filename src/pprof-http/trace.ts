import type { ServerResponse } from "node:http";
import { start } from "../recorder/session.ts";
import { slot } from "../recorder/slot.ts";
import { asFile, refuse, waitFor } from "./refuse.ts";

const CPU_HZ = 100;

/**
 * Records for so many seconds into the response, which gets the trace while it is written. Only one recording can be on:
 * for a second one there are Go's status and message. A client that goes away ends the recording.
 */
export async function serveTrace(seconds: number, response: ServerResponse): Promise<void> {
  asFile(response, "trace");
  try {
    start(response, { cpu: CPU_HZ });
  } catch (error) {
    const reason = isAlreadyOn(error) ? "tracing is already enabled" : String((error as Error).message);
    refuse(response, 500, `Could not enable tracing: ${reason}`);
    return;
  }
  // Whatever else is started and stopped meanwhile, this one is ours.
  const { recording } = slot();
  try {
    response.flushHeaders();
    await waitFor(seconds, response);
    await recording?.stop();
  } catch {
    // The client is gone: nobody is there to be told.
  }
  response.end();
}

function isAlreadyOn(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ERR_TRACE_ALREADY_ENABLED";
}
